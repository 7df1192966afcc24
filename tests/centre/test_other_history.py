"""A hall's node goes back to a backup: the centre has what the node has no more, notices, keeps it, and says so."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from models.answers import AcceptedAnswer
from tests.centre.halls import followed, put_hall, shown, until_followed, work
from tests.centre.line import line
from tests.databases import BOTH, Kind, kept_by
from tests.faults.proving import prove_all
from tests.http.shapes import check_problem
from tests.running import (
    WAIT_S,
    Inner,
    Node,
    command_line,
    database_url,
    eventually,
    inner_node,
    running_node,
    start_node,
    until,
)
from tests.stream.sockets import hall_socket

pytestmark = pytest.mark.long

HALL = "/v1/halls/hall"
OTHER = "the log of the hall's node has another history"
SIGNED = ("actor", "at_ms", "channel", "command_seq", "data", "hall", "kind", "seq", "version")


def ran(*arguments: str) -> str:
    """What a command of the command line printed."""
    done = command_line(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def backed_up(node: Node) -> Path:
    """A backup of a node's database."""
    copy = node.folder / "backup.db"
    ran("backup", str(copy), "--database-url", f"sqlite:///{node.database}")
    return copy


def put_back(folder: Path, copy: Path) -> None:
    """Put a backup in the place of the database, as the handbook says."""
    for name in ("queue.db", "queue.db-wal", "queue.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(copy, folder / "queue.db")


@pytest.mark.parametrize("kind", BOTH)
async def test_a_node_that_was_put_back_is_noticed_and_followed_once_that_is_accepted(
    kind: Kind, tmp_path: Path
) -> None:
    """At once when the log is only shorter, and still when other events stand in it under the same seqs. Displays of
    the hall are let go; what the centre has stays until an operator accepts. Then it shows what the node has, proves
    true, and what it alone had can be read, with hashes that follow."""
    hall_folder, centre_folder = tmp_path / "hall", tmp_path / "centre"
    hall_folder.mkdir()
    centre_folder.mkdir()
    with running_node(hall_folder) as node:
        await asyncio.to_thread(put_hall, node, "hall")
        common = await asyncio.to_thread(work, node, "hall", 9)
        copy = await asyncio.to_thread(backed_up, node)
        async with line(node.base_url) as to_hall:
            follow = (f"--follow=hall={to_hall.url}", "--follow-s=0.1")
            centre = await asyncio.to_thread(start_node, kept_by(kind, centre_folder), *follow)
            try:
                ends = await asyncio.to_thread(work, node, "hall", 7)
                await asyncio.to_thread(_until_followed, centre, ends)
                async with hall_socket(centre.base_url) as display, another(kind, centre_folder, to_hall.url) as second:
                    await display.frame()
                    node.kill()
                    put_back(hall_folder, copy)
                    restored = await asyncio.to_thread(start_node, hall_folder)
                    try:
                        to_hall.lead_to(restored.base_url)
                        await asyncio.to_thread(until, lambda: _other(centre), "the centre notices")
                        assert await asyncio.wait_for(display.closed(), WAIT_S) == (1013, OTHER)
                        await asyncio.to_thread(_goes_on, restored, centre, common, ends)
                        await asyncio.to_thread(_accept, kind, restored, centre, common, ends)
                        await eventually(lambda: second is None or follows(second), "the other node follows, too")
                    finally:
                        restored.kill()
            finally:
                centre.stop()
    assert "Traceback" not in centre.log
    prove_all(centre_folder)


@asynccontextmanager
async def another(kind: Kind, folder: Path, url: str) -> AsyncIterator[Inner | None]:
    """Another node of the same centre, where a database takes several."""
    if kind == Kind.SQLITE:
        yield None
        return
    async with inner_node(folder, follow={"hall": url}, follow_s=0.1) as node:
        yield node


async def follows(centre: Inner) -> bool:
    """Whether nothing is wrong there: what another node was told to accept is accepted."""
    (found,) = (await centre.client.get("/v1/following")).json()["items"]
    return not found["stale"] and found["seq"] == centre.service.feed.views["hall"].hall.seq


def _until_followed(centre: Node, seq: int) -> None:
    with centre.client() as client:
        until_followed(client, "hall", seq)


def _other(centre: Node) -> Any:
    with centre.client() as client:
        return followed(client, "hall")["other_history"]


def _goes_on(restored: Node, centre: Node, common: int, ends: int) -> None:
    """The hall goes on at the node, under the same seqs and beyond; at the centre all is as it was, and says so."""
    with centre.client() as client:
        before = shown(client, "hall")
        last = work(restored, "hall", 11)
        assert last > ends
        found = followed(client, "hall")
        assert found["other_history"] == {"common_seq": common, "only_here": ends - common}
        assert (found["stale"], found["seq"]) == (True, ends)
        assert f"after event {common}: {ends - common} events here are not in its log" in found["problem"]
        assert 'queue_follow_other_history{hall="hall"} 1.0' in client.get("/metrics").text
        assert shown(client, "hall") == before


def _accept(kind: Kind, restored: Node, centre: Node, common: int, ends: int) -> None:
    """An operator accepts; then the centre shows what the node has, and goes on following it."""
    with centre.client() as client, restored.client() as at_the_hall:
        displaced = client.get(f"{HALL}/events", params={"after": common - 1, "limit": 1_000}).json()["items"]
        if kind == Kind.SQLITE:
            told = ran("accept-history", "hall", "--url", centre.base_url)
            assert told.startswith(f"hall: {ends - common} events after event {common} were set aside, ")
        else:
            _accept_by_request(client, ends - common)
        until_followed(client, "hall", work(restored, "hall", 3))
        assert shown(client, "hall") == shown(at_the_hall, "hall")
        until(lambda: not followed(client, "hall")["stale"], "it is fresh again")
        check_problem(client.post(f"{HALL}/accept-history"), "no-other-history")
    kept = [
        json.loads(one)
        for one in ran("export", "--displaced", "--database-url", database_url(centre.folder)).splitlines()
    ]
    assert all(event.pop("displaced_at") for event in kept)
    assert kept == displaced[1:]
    head = displaced[0]["head"]
    for event in kept:
        signed = orjson.dumps({name: event[name] for name in SIGNED}, option=orjson.OPT_SORT_KEYS)
        head = hashlib.sha256(head.encode() + signed).hexdigest()
        assert event["head"] == head


def _accept_by_request(client: httpx.Client, set_aside: int) -> None:
    """By the API: its answer says what was done, and from then on the board is the other history's."""
    answer = client.post(f"{HALL}/accept-history")
    accepted = AcceptedAnswer.model_validate_json(answer.content)
    board = client.get(f"{HALL}/board").json()
    assert (accepted.set_aside, board["seq"] >= accepted.seq) == (set_aside, True)
    (last,) = client.get(f"{HALL}/events", params={"after": accepted.seq - 1, "limit": 1}).json()["items"]
    assert board["seq"] > accepted.seq or board["head"] == last["head"]


async def test_a_lost_node_is_restored_from_the_centre(tmp_path: Path) -> None:
    """All that a centre has followed is a copy of the log: exported there and imported at a new node, the hall goes on
    with the next number, and the centre follows on as if nothing had been."""
    for name in ("hall", "new", "centre"):
        (tmp_path / name).mkdir()
    with running_node(tmp_path / "hall") as node:
        await asyncio.to_thread(put_hall, node, "hall")
        ends = await asyncio.to_thread(work, node, "hall", 8)
        before = await asyncio.to_thread(_shown, node)
        async with line(node.base_url) as to_hall, inner_node(
            tmp_path / "centre", follow={"hall": to_hall.url}, follow_s=0.05
        ) as centre:  # fmt: skip
            await eventually(lambda: centre.service.feed.views.get("hall"), "the centre has the hall")
            await eventually(lambda: centre.service.feed.views["hall"].hall.seq == ends, "the centre has it all")
            node.kill()
            await asyncio.to_thread(_move, tmp_path / "centre", tmp_path / "new")
            with running_node(tmp_path / "new") as new:
                assert await asyncio.to_thread(_shown, new) == before
                to_hall.lead_to(new.base_url)
                later = await asyncio.to_thread(work, new, "hall", 1)
                await eventually(lambda: centre.service.feed.views["hall"].hall.seq == later, "it follows on")
                assert (await centre.client.get("/v1/following")).json()["items"][0]["other_history"] is None


def _shown(node: Node) -> dict[str, Any]:
    with node.client() as client:
        return shown(client, "hall")


def _move(centre: Path, new: Path) -> None:
    log = str(new / "hall.jsonl.gz")
    ran("export", "--hall", "hall", "-o", log, "--database-url", database_url(centre))
    ran("import", log, "--database-url", database_url(new))
