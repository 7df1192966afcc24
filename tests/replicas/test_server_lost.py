"""PostgreSQL goes away under a running node, as in a crash, and comes back."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import Server
from tests.faults.proving import verify
from tests.halls import plan
from tests.running import assigned, running_node, until

SETTINGS = {"autovacuum": "off"}


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, with durability on."""
    made = Server(SETTINGS, "lost").make().start()
    yield made
    made.remove()


def take(client: httpx.Client, key: str) -> httpx.Response:
    """Take a ticket by a key."""
    return client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})


def test_a_crashed_server_loses_nothing_acknowledged_and_is_found_again(server: Server, tmp_path: Path) -> None:
    """Stopped at once (as a crash is) and started again: 503 with Retry-After in between, then the node goes on; what
    was acknowledged is there, the retries by key give one ticket each, and the log proves true."""
    with running_node(assigned(tmp_path, server.url("postgres"))) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        given = [take(client, f"before-{number}").json() for number in range(20)]
        server.stop(signal.SIGQUIT)
        refused = take(client, "between")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        server.start()
        until(lambda: take(client, "between").status_code == 201, "commands are decided again")
        for number, ticket in enumerate(given):
            again = take(client, f"before-{number}")
            assert (again.status_code, again.json()["id"]) == (201, ticket["id"])
        assert take(client, "between").json()["number"] == "A021"
        until(lambda: client.get("/readyz").status_code == 200, "it is ready")
        assert "Traceback" not in node.log
    verify(tmp_path)
