"""PostgreSQL's disk is full: the disk of its tables (it refuses), or that of its write-ahead log (it goes down)."""

import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import httpx
import pytest

from tests.databases import UNPRIVILEGED, Server
from tests.faults.disks import SmallFileSystem, may_mount
from tests.faults.proving import verify
from tests.http.shapes import check_problem
from tests.replicas.conftest import answered, made_by, put_hall
from tests.running import Node, assigned, running_node, until

SETTINGS = {"autovacuum": "off", "restart_after_crash": "off", "max_wal_size": "1GB"}
SMALL_LOG = ("--wal-segsize=1", "-c", "min_wal_size=2MB", "-c", "max_wal_size=2MB")
"""Else `initdb` leaves enough of the log behind to be used again."""
MOST_TICKETS = 2_000
BEFORE = 10
REFUSALS = 3


class Full(StrEnum):
    """Which disk."""

    TABLES = "tables"
    LOG = "write-ahead log"


class SmallServer:
    """A PostgreSQL server whose tables, or whose write-ahead log, lie on a small disk."""

    def __init__(self, full: Full) -> None:
        """Started."""
        self.server = Server(SETTINGS, "full")
        self.disk = SmallFileSystem(self.server.folder / "disk", 48 * 2**20)
        shutil.chown(self.disk.folder, UNPRIVILEGED)
        log = (self.server.folder if full == Full.TABLES else self.disk.folder) / "log-files"
        if full == Full.TABLES:
            self.server.data = self.disk.folder / "data"
        self.server.make(*SMALL_LOG, f"--waldir={log}").start()

    def revive(self) -> None:
        """There is room again: start the server, if it went down, as whoever looks after it would."""
        if self.server.has_ended:
            self.server.start()

    def remove(self) -> None:
        """Take everything away."""
        self.server.stop()
        self.disk.unmount()
        self.server.remove()


@pytest.fixture(params=Full)
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallServer]:
    """Either of them."""
    if not may_mount(tmp_path / "trial"):
        pytest.skip("left out: no file system may be mounted here, and PostgreSQL's disk cannot be made full otherwise")
    made = SmallServer(request.param)
    yield made
    made.remove()


def take(client: httpx.Client, key: str) -> httpx.Response:
    """Take a ticket by a key."""
    return client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})


def take_until_full(client: httpx.Client, given: dict[str, str]) -> None:
    """Take tickets until one is refused; what was answered goes to `given`, by key."""
    for number in range(len(given), MOST_TICKETS):
        answer = answered(take(client, str(number)), 201, 503)
        if answer.status_code == 503:
            check_problem(answer)
            return
        given[str(number)] = answer.text
    raise AssertionError("the disk is never full")


def test_a_full_disk_loses_nothing_that_was_answered(small: SmallServer, tmp_path: Path) -> None:
    """503 while it is full, boards are shown on; with room again (and the server started, where it went down) the node
    goes on by itself, each key gives one ticket, and the log proves true."""
    with running_node(assigned(tmp_path, small.server.url("postgres"))) as node, node.client() as client:
        put_hall(node, "hall")
        given = {str(number): answered(take(client, str(number)), 201).text for number in range(BEFORE)}
        small.disk.fill()
        take_until_full(client, given)
        refused = [f"refused-{number}" for number in range(REFUSALS)]
        for key in refused:
            assert answered(take(client, key), 503).headers["retry-after"] == "1"
        answered(client.get("/v1/halls/hall/board"), 200)
        small.disk.clear()
        again = {key: decided(small, client, key) for key in [*refused, *given]}
        assert {key: again[key] for key in given} == given
        until(lambda: client.get("/readyz").status_code == 200, "the node is ready")
        check_numbers(node)
        assert "Traceback" not in node.log
    verify(tmp_path)


def decided(small: SmallServer, client: httpx.Client, key: str) -> str:
    """Ask until it is."""

    def asked() -> str | None:
        small.revive()
        answer = answered(take(client, key), 201, 503)
        return answer.text if answer.status_code == 201 else None

    return str(until(asked, "the command is decided"))


def check_numbers(node: Node) -> None:
    """None is missing, none there twice: a command that was refused may have been done, but once."""
    with node.client() as client:
        items = client.get("/v1/halls/hall/tickets", params={"limit": 1_000}).json()["items"]
    issued = [one for one in made_by(node, "hall").values() if one[0] == "ticket_issued"]
    numbers = sorted(one["number"] for one in items)
    assert numbers == [f"A{number:03d}" for number in range(1, len(issued) + 1)]
