"""Coming back: with the place in the log that a client has, it misses nothing; with any other it begins anew."""

import asyncio
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.halls import noon_zone
from tests.running import command_line, database_url, eventually
from tests.stream.lobby import Lobby, Nodes
from tests.stream.other_process import put_plans
from tests.stream.sockets import Frame, assert_gapless, board_after

KEPT = 120
"""How many frames are kept in memory where a test wants few."""


async def test_from_every_place_of_the_log_exactly_what_came_since(lobby: Lobby) -> None:
    """For each k: the frames k+1 to n, the very ones that a display was shown, and then what comes next."""
    async with lobby.socket() as display:
        first = (await display.frame())["seq"]
        await lobby.busy(4)
        shown = await display.until((await lobby.board())["seq"])
    places = {event["seq"]: event["head"] for event in await lobby.log()}
    last = shown[-1]["seq"]
    for after in range(first, last + 1):
        async with lobby.socket(after=after, head=places[after]) as socket:
            assert await socket.frames(last - after) == [frame for frame in shown if frame["seq"] > after]
    async with lobby.socket(after=last, head=places[last]) as socket:
        await lobby.issue()
        assert_gapless([await socket.frame()], last)


ELSEWHERE: dict[str, dict[str, Any]] = {
    "another hash": {"after": 3, "head": "0" * 64},
    "no hash": {"after": 3},
    "an empty hash": {"after": 3, "head": ""},
    "beyond the log": {"after": 10_000, "head": "0" * 64},
    "negative": {"after": -1},
    "signed": {"after": "+3"},
    "before the log": {"after": 0, "head": ""},
    "too large for a database": {"after": 2**63},
    "huge": {"after": "9" * 5_000},
    "hugely negative": {"after": "-" + "9" * 5_000},
    "empty": {"after": ""},
    "a hash alone": {"head": "0" * 64},
}


@pytest.mark.parametrize("query", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_any_other_place_is_a_new_beginning(lobby: Lobby, query: dict[str, Any]) -> None:
    """Unknown, beyond the log, of another history, without its hash: a snapshot, never an error."""
    await lobby.busy(2)
    async with lobby.socket(**query) as socket:
        frame = await socket.frame()
    assert (frame["type"], frame["seq"]) == ("snapshot", (await lobby.board())["seq"])


@pytest.mark.parametrize("after", ["abc", "1.0", "1e3", "--1", "0x1", " 1", "1_0", "²", "\uff11", "null", "\x00"])
async def test_what_is_no_integer_is_an_error(lobby: Lobby, after: str) -> None:
    """Whoever wrote that display is told so: close code 4400."""
    async with lobby.socket(after=after) as socket:
        assert await socket.closed() == (4400, "after must be an integer")


async def test_a_place_that_the_memory_has_lost_is_found_in_the_log(lobby: Lobby) -> None:
    """Older than the frames kept in memory, but of today: the frames are made again, the same."""
    async with lobby.socket() as display:
        first = await display.frame()
        await lobby.busy(5)
        shown = await display.until((await lobby.board())["seq"])
    lobby.view.frames = deque(list(lobby.view.frames)[-2:], maxlen=2)
    async with lobby.socket(after=first["seq"], head=first["head"]) as socket:
        assert await socket.frames(len(shown)) == shown
        await lobby.issue()
        assert_gapless([await socket.frame()], shown[-1]["seq"])


async def test_nothing_is_lost_or_doubled_while_coming_back(lobby: Lobby) -> None:
    """A display that comes back again and again while tickets are taken without a pause, so far behind that the frames
    are made again from the log, sees every event once: those of the log, those kept since, and those to come."""
    async with lobby.socket() as socket:
        frames: list[Frame] = [await socket.frame()]
    lobby.view.frames = deque(lobby.view.frames, maxlen=KEPT)
    stop = asyncio.Event()

    async def take_tickets() -> None:
        while not stop.is_set():
            await asyncio.gather(lobby.issue(), lobby.issue())

    taking = asyncio.create_task(take_tickets())
    for _ in range(4):
        behind = frames[-1]["seq"] + KEPT + 10
        await eventually(partial(lambda seq: lobby.view.hall.seq > seq, behind), "the display is behind")
        async with lobby.socket(after=frames[-1]["seq"], head=frames[-1]["head"]) as socket:
            frames += await socket.until(lobby.view.hall.seq + 2)
    stop.set()
    await taking
    assert_gapless(frames[1:], frames[0]["seq"])


async def test_what_another_process_commits_reaches_the_display(nodes: Nodes, tmp_path: Path) -> None:
    """`queue-service apply` on the database of a running node: the display shows the new plan, gapless."""
    lobby = await nodes.lobby()
    file = tmp_path / "changed.toml"
    file.write_text(CHANGED.format(hall=lobby.hall, zone=noon_zone()), encoding="utf-8")
    async with lobby.socket() as socket:
        snapshot = await socket.frame()
        applied = await asyncio.to_thread(command_line, "apply", str(file), "--database-url", database_url(tmp_path))
        assert applied.returncode == 0, applied.stderr
        frames = [await socket.frame()]  # nothing happens here meanwhile: the log alone tells of it
        await lobby.issue("tax")
        frames.append(await socket.frame())
    assert_gapless(frames, snapshot["seq"])
    assert [frame["kind"] for frame in frames] == ["plan_changed", "ticket_issued"]
    assert board_after(snapshot["board"], frames)["name"] == "别的名字"


async def test_nothing_is_missed_while_two_processes_write(nodes: Nodes, tmp_path: Path) -> None:
    """Tickets are taken at the node while another process changes the plan five times: every event once, in order."""
    lobby = await nodes.lobby()
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        taking = asyncio.gather(*(lobby.issue() for _ in range(100)))
        await asyncio.to_thread(put_plans, lobby.hall, tmp_path, [f"plan {number}" for number in range(5)])
        await taking
        assert_gapless(await socket.frames(105), seq)


CHANGED = """
id = "{hall}"
name = "别的名字"
time_zone = "{zone}"
max_overtake_s = 900
counters = [{{ id = "1", name = "一号" }}]
services = [{{ id = "tax", name = "税务", prefix = "A" }}]
"""
