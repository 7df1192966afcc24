"""One node's machine has a clock that is five minutes off: no wait is, for events are dated by the database."""

import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.faults.proving import verify
from tests.http.reading import log_of
from tests.replicas.conftest import Replicas, answered, put_hall
from tests.running import Node, assigned, database_url, start_node

OFF_S = 300
AHEAD = r"^queue_clock_ahead_seconds (\S+)"


@pytest.fixture(params=[OFF_S, -OFF_S], ids=["fast", "slow"])
def wrong(replicas: Replicas, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node on a machine with a wrong clock, on the same database as those with a right one."""
    command = (sys.executable, "-m", "tests.replicas.wrong_clock", str(request.param), "serve")
    node = start_node(assigned(tmp_path, database_url(replicas(1)[0].folder)), command=command)
    yield node
    node.stop()


def ahead_s(client: httpx.Client) -> float:
    """How far a node says that its machine's clock is ahead."""
    found = re.search(AHEAD, client.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_wrong_clock_spoils_no_wait_and_is_visible(
    replicas: Replicas, wrong: Node, request: pytest.FixtureRequest
) -> None:
    """Tickets taken at one node and called at the other, both ways: no wait is longer than the test took, events are in
    order, both nodes are ready, and the metrics of one say how far it is off."""
    [right] = replicas(1)
    hall = put_hall(right, f"hall-{request.node.callspec.id}", counters=1)
    with right.client() as good, wrong.client() as bad:
        for taker, caller in ((good, bad), (bad, good)):
            path = f"/v1/halls/{hall}"
            ticket = answered(taker.post(f"{path}/tickets", json={"service": "tax"}), 201).json()
            called = answered(caller.post(f"{path}/counters/1/call-next", json={"finish_current": True}), 200).json()
            assert called["id"] == ticket["id"]
        log = log_of(good, hall)
        times = [datetime.fromisoformat(event["at"]) for event in log]
        assert times == sorted(times)
        took_s = (times[-1] - times[0]).total_seconds()
        assert took_s < OFF_S
        for event in log:
            if event["kind"] == "ticket_called":
                [leg] = answered(good.get(f"/v1/tickets/{event['data']['ticket']}/legs"), 200).json()["items"]
                assert 0 <= leg["waited_s"] <= took_s
        for client in (good, bad):
            answered(client.get("/readyz"), 200)
        off_s = request.node.callspec.params["wrong"]
        assert abs(ahead_s(bad) - off_s) < OFF_S / 2
        assert abs(ahead_s(good)) < OFF_S / 2
    assert "Traceback" not in wrong.log
    verify(right.folder)
