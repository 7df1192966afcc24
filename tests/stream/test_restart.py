"""A restart, asked for or not: every display comes back to where it was, and misses nothing. Real processes."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from api.client import HallFollower, QueueClient
from queue_service.clock import HandClock
from tests.halls import plan
from tests.running import WAIT_S, Node, start_node
from tests.stream.lobby import Nodes
from tests.stream.sockets import assert_gapless, board_after, hall_socket

DISPLAYS = 200
HALL = "/v1/halls/hall"


class Watched:
    """A display's diary."""

    def __init__(self, follower: HallFollower) -> None:
        """Nothing is seen yet."""
        self.follower = follower
        self.seen: list[tuple[str, int]] = []

    async def until(self, seq: int) -> None:
        """Follow up to that place in the log."""
        async with asyncio.timeout(WAIT_S):
            while self.follower.seq < seq:
                kind, _ = await anext(self.follower)
                if kind not in ("stale", "fresh"):
                    self.seen.append((kind, self.follower.seq))


async def all_until(displays: list[Watched], seq: int) -> None:
    """All of them up to that place."""
    await asyncio.gather(*(display.until(seq) for display in displays))


async def busy(base_url: str, rounds: int) -> int:
    """Some life in the hall; the seq it ends at."""
    async with QueueClient(base_url) as client:
        for _ in range(rounds):
            await asyncio.gather(client.issue("hall", "tax"), client.issue("hall", "land"))
            await client.call_next("hall", "1")
        return int((await client.get(f"{HALL}/board"))["seq"])


async def begin(base_url: str) -> None:
    """A hall with a counter open."""
    async with QueueClient(base_url) as client:
        await client.put_new(HALL, plan())
        await client.counter("hall", "1", "open", clerk="li")


async def test_after_a_restart_all_displays_go_on_without_a_gap(tmp_path: Path) -> None:
    """200 displays; the node is stopped once and killed once, with life before, between and after, and while some have
    not heard of all: each display gets one snapshot, at the very beginning, and then every event once, in order."""
    async with AsyncExitStack() as stack:
        node = await asyncio.to_thread(start_node, tmp_path)
        stack.push_async_callback(asyncio.to_thread, node.stop)
        await begin(node.base_url)
        quick = partial(HallFollower, node.base_url, "hall", first_delay_s=0.1, longest_delay_s=0.5)
        displays = [Watched(await stack.enter_async_context(quick())) for _ in range(DISPLAYS)]
        last = await busy(node.base_url, 1)
        await all_until(displays, last)
        for end in (Node.stop, Node.kill):
            await all_until(displays[::2], await busy(node.base_url, 3))
            await asyncio.to_thread(end, node)
            node = await asyncio.to_thread(start_node, tmp_path, "--port", node.base_url.rpartition(":")[2])
            stack.push_async_callback(asyncio.to_thread, node.stop)
            last = await busy(node.base_url, 3)
            await all_until(displays, last)
        async with QueueClient(node.base_url) as client:
            board = (await client.get(f"{HALL}/board"))["board"]
    for display in displays:
        assert [kind for kind, _ in display.seen].count("snapshot") == 1
        places = [seq for _, seq in display.seen]
        assert places == list(range(places[0], last + 1))
        assert display.follower.board == board


EVENING_MS = 1_772_463_600_000
"""Monday 2026-03-02, 23:00 in Asia/Shanghai."""
SHANGHAI = {"time_zone": "Asia/Shanghai"}


async def test_across_midnight_a_display_goes_on(nodes: Nodes) -> None:
    """While the node lives, a place of yesterday is as good as any: the evening's events, then the new day's board."""
    clock = HandClock(EVENING_MS)
    lobby = await nodes.lobby(clock, SHANGHAI)
    async with lobby.socket() as socket:
        first = await socket.frame()
        await lobby.busy(2)
        await lobby.issue()
        clock.set_ms(EVENING_MS + 2 * 3_600_000)
        ticket = await lobby.issue()
        assert ticket["day"] == "2026-03-03"
        shown = await socket.until(ticket["seq"])
    assert_gapless(shown, first["seq"])
    assert "day_opened" in [frame["kind"] for frame in shown]
    assert board_after(first["board"], shown) == (await lobby.board())["board"]
    async with lobby.socket(after=first["seq"], head=first["head"]) as socket:
        assert await socket.frames(len(shown)) == shown


async def test_a_restart_at_midnight_loses_nothing(nodes: Nodes) -> None:
    """The node is away while the day ends: a display goes on from the evening through the opening of the new day."""
    lobby = await nodes.lobby(HandClock(EVENING_MS), SHANGHAI)
    await lobby.busy(2)
    evening = await lobby.board()
    await nodes.stop()
    node, client = await nodes.start(HandClock(EVENING_MS + 10 * 3_600_000))
    async with hall_socket(node.base_url, lobby.hall, after=evening["seq"], head=evening["head"]) as socket:
        ticket = await client.issue(lobby.hall, "tax")
        frames = await socket.until(ticket["seq"])
        board = await client.get(f"{lobby.path}/board")
    assert_gapless(frames, evening["seq"])
    assert board_after(evening["board"], frames) == board["board"]


async def test_a_place_of_yesterday_is_forgotten_by_a_restart(nodes: Nodes) -> None:
    """A node that comes up when the new day has begun knows today only: yesterday's last place is a new beginning,
    today's first is not."""
    clock = HandClock(EVENING_MS)
    lobby = await nodes.lobby(clock, SHANGHAI)
    await lobby.busy(2)
    evening = await lobby.board()
    clock.set_ms(EVENING_MS + 2 * 3_600_000)
    morning = await lobby.board()
    await nodes.stop()
    node, client = await nodes.start(HandClock(clock.now_ms()))
    async with hall_socket(node.base_url, lobby.hall, after=evening["seq"], head=evening["head"]) as socket:
        snapshot = await socket.frame()
    assert (snapshot["type"], snapshot["board"]) == ("snapshot", morning["board"])
    assert snapshot["board"]["day"] == "2026-03-03"
    ticket = await client.issue(lobby.hall, "tax")
    async with hall_socket(node.base_url, lobby.hall, after=morning["seq"], head=morning["head"]) as socket:
        frame = await socket.frame()
    assert (frame["type"], frame["number"]) == ("event", ticket["number"])
