"""The disk is full: 503 while it is, nothing that was answered is lost, and with room again the same keys succeed."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from tests.faults.disks import SmallFileSystem, may_mount
from tests.faults.proving import prove_all, verify
from tests.halls import plan
from tests.http.shapes import check_problem
from tests.running import Node, database_url, running_node

DISK_BYTES = 8 * 2**20
MOST_TICKETS = 900
BEFORE = 20
REFUSALS = 5


class Disk(Protocol):
    """A place for the database that can be made full while a node uses it."""

    folder: Path

    def fill(self, node: Node) -> None:
        """Leave almost no room."""

    def clear(self, node: Node) -> None:
        """Give room again."""


class LimitedFiles:
    """The node's processes may make no file larger than it is now: writes beyond fail as on a full disk."""

    def __init__(self, folder: Path) -> None:
        """Any folder will do."""
        self.folder = folder

    def fill(self, node: Node) -> None:
        """A little room is left in the write-ahead log, none that lasts."""
        size = (self.folder / "queue.db-wal").stat().st_size
        self._limit(node, size + 100_000)

    def clear(self, node: Node) -> None:
        """No limit."""
        self._limit(node, resource.RLIM_INFINITY)

    def _limit(self, node: Node, most_bytes: int) -> None:
        for pid in (node.process.pid, *node.children):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


class MountedDisk:
    """A file system of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        """Mount it."""
        self.folder = folder
        self._mounted = SmallFileSystem(folder, DISK_BYTES)
        self.unmount = self._mounted.unmount

    def fill(self, _node: Node) -> None:
        """Leave no room."""
        self._mounted.fill()

    def clear(self, _node: Node) -> None:
        """Give room again."""
        self._mounted.clear()


@pytest.fixture(params=["limited files", "small file system"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk that can be filled. Where a file system may not be mounted, the limit is tried once more."""
    if request.param == "small file system" and may_mount(tmp_path / "trial"):
        mounted = MountedDisk(tmp_path / "disk")
        yield mounted
        mounted.unmount()
    else:
        yield LimitedFiles(tmp_path)


def _issue(client: httpx.Client, key: str) -> httpx.Response:
    return client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})


def _issue_until_full(client: httpx.Client, answered: dict[str, str]) -> None:
    """Take tickets until one is refused; what was answered goes to `answered`, by key."""
    for number in range(len(answered), MOST_TICKETS):
        answer = _issue(client, str(number))
        if answer.status_code != 201:
            check_problem(answer)
            assert answer.status_code == 503, answer.text
            return
        answered[str(number)] = answer.text
    raise AssertionError("the disk is never full")


def test_a_full_disk_loses_nothing_that_was_answered(tmp_path: Path, disk: Disk) -> None:
    """503 while full, reads go on; with room again the refused keys succeed; after a kill all of it is there."""
    url = ("--database-url", database_url(disk.folder))
    with running_node(tmp_path, *url) as node, node.client() as client:
        client.put("/v1/halls/hall", json=plan())
        answered = {str(number): _issue(client, str(number)).text for number in range(BEFORE)}
        disk.fill(node)
        _issue_until_full(client, answered)
        refused = [f"refused-{number}" for number in range(REFUSALS)]
        assert {_issue(client, key).status_code for key in refused} <= {503}
        assert client.get("/v1/halls/hall/board").status_code == 200
        disk.clear(node)
        again = {key: _issue(client, key) for key in [*refused, *answered]}
        assert {answer.status_code for answer in again.values()} == {201}
        assert {key: again[key].text for key in answered} == answered
        assert "Traceback" not in node.log
        node.kill()
    with running_node(tmp_path, *url) as node, node.client() as client:
        assert {key: _issue(client, key).text for key in again} == {key: answer.text for key, answer in again.items()}
        numbers = sorted(answer.json()["number"] for answer in again.values())
        assert numbers == [f"A{number:03d}" for number in range(1, len(again) + 1)]
        assert _issue(client, "the-next").json()["number"] == f"A{len(again) + 1:03d}"
        assert prove_all(disk.folder) > len(again)
    verify(disk.folder)
