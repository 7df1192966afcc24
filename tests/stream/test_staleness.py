"""A display must never look alive and be wrong: when the log cannot be read, the node lets go of everyone.

The log is made unreadable for real: another process holds every lock of the database. Time passes by a hand clock.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection
from websockets.exceptions import ConnectionClosed

from queue_service import feed
from queue_service.clock import HandClock
from queue_service.freshness import STALE_MS, Freshness
from queue_service.view import View
from queue_service.view_reading import read_view
from tests.running import WAIT_S, eventually
from tests.stream.lobby import Lobby, Nodes
from tests.stream.other_process import put_plans
from tests.stream.sockets import assert_gapless, ticket_socket

START_MS = 1_772_410_000_000
MANY = 50
"""More reads than an event loop has threads for."""
LOCKER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX, 8, 120)
print("locked", flush=True)
sys.stdin.read()
"""
"""Takes the eight locks that readers and writers of a write-ahead log share: bytes 120 to 127 of the -shm file."""


@asynccontextmanager
async def locked(database: Path) -> AsyncIterator[None]:
    """Nobody else can read or write the database meanwhile."""
    locker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOCKER, f"{database}-shm", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert locker.stdin is not None
    assert locker.stdout is not None
    async with asyncio.timeout(WAIT_S):
        assert await locker.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        locker.stdin.close()
        await locker.wait()


async def readiness(lobby: Lobby) -> int:
    """The status of /readyz."""
    return (await lobby.node.client.get("/readyz")).status_code


async def test_when_the_log_cannot_be_read_everyone_is_let_go(nodes: Nodes) -> None:
    """15 s after the last confirmed reading: 1013 for displays and visitors, also for those who come now; once the log
    can be read again they come back and have missed nothing."""
    clock = HandClock(START_MS)
    lobby = await nodes.lobby(clock, {"time_zone": "Asia/Shanghai"})
    ticket = await lobby.issue()
    async with lobby.socket() as display, ticket_socket(lobby.base_url, ticket["id"]) as visitor:
        place = await display.frame()
        await visitor.frame()
        async with locked(nodes.folder / "queue.db"):
            await eventually(lambda: lobby.service.feed.freshness.is_in_doubt, "the log was asked in vain")
            clock.set_ms(clock.now_ms() + STALE_MS)
            assert not lobby.service.feed.freshness.is_stale
            clock.set_ms(clock.now_ms() + 1)
            for socket in (display, visitor):
                assert await socket.closed() == (1013, "the log cannot be read")
            async with lobby.socket() as late:
                with pytest.raises(ConnectionClosed, match=r"1013 .*the log cannot be read"):
                    await late.any_frame()
            assert await readiness(lobby) == httpx.codes.SERVICE_UNAVAILABLE
    await eventually(lambda: not lobby.service.feed.freshness.is_stale, "the log is read again")
    assert await readiness(lobby) == httpx.codes.OK
    await lobby.issue()
    async with lobby.socket(after=place["seq"], head=place["head"]) as display:
        assert_gapless([await display.frame()], place["seq"])


async def test_a_node_that_was_merely_paused_is_not_stale(nodes: Nodes) -> None:
    """An hour passes at once, as for a machine that was suspended: the log is asked, answers, and nobody is let go."""
    clock = HandClock(START_MS)
    lobby = await nodes.lobby(clock, {"time_zone": "Asia/Shanghai"})
    async with lobby.socket() as display:
        seq = (await display.frame())["seq"]
        as_of_ms = lobby.service.feed.freshness.as_of_ms
        clock.set_ms(clock.now_ms() + 3_600_000)
        await eventually(lambda: lobby.service.feed.freshness.as_of_ms > as_of_ms, "the log is read once more")
        await lobby.issue()
        assert_gapless([await display.frame()], seq)


async def test_whoever_asks_for_long_reports_does_not_make_displays_distrusted(lobby: Lobby) -> None:
    """However many wait for what they asked for, the log goes on being read for those who watch."""
    end, loop = threading.Event(), asyncio.get_running_loop()
    asked = [asyncio.create_task(lobby.service.feed.read(lambda _: end.wait(WAIT_S))) for _ in range(MANY)]
    await asyncio.sleep(0)
    try:
        as_of_ms = lobby.service.feed.freshness.as_of_ms
        await eventually(lambda: lobby.service.feed.freshness.as_of_ms > as_of_ms, "the log is read once more")
        with ThreadPoolExecutor(1) as elsewhere:
            folder = lobby.service.database.path.parent
            await loop.run_in_executor(elsewhere, put_plans, lobby.hall, folder, ["elsewhere"])
        await eventually(lambda: lobby.view.hall.rules.name == "elsewhere", "what others do is shown")
    finally:
        end.set()
    await asyncio.gather(*asked)


async def test_a_hall_that_takes_long_to_read_holds_up_no_other(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes on being read for those who watch."""
    end, name = threading.Event(), f"{lobby.hall}-slow"

    def slow(connection: Connection, hall: str, *others: Any) -> View:
        if hall == name:
            end.wait(WAIT_S)
        return read_view(connection, hall, *others)

    monkeypatch.setattr(feed, "read_view", slow)
    await asyncio.to_thread(put_plans, name, lobby.service.database.path.parent, [name])
    await eventually(lambda: name in lobby.service.feed._loading, "it is being read")
    as_of_ms = lobby.service.feed.freshness.as_of_ms
    try:
        await eventually(lambda: lobby.service.feed.freshness.as_of_ms > as_of_ms, "the log is read once more")
    finally:
        end.set()
    await eventually(lambda: name in lobby.service.feed.views, "it is shown, too")


def test_an_answer_that_took_too_long_says_nothing_of_now() -> None:
    """What was confirmed is what was there when it was asked: the log has to be asked again, and that is enough."""
    clock = HandClock(START_MS)
    freshness = Freshness(clock)
    asked = freshness.asked()
    clock.set_ms(START_MS + STALE_MS + 1)
    freshness.confirmed(asked)
    assert (freshness.is_stale, freshness.as_of_ms) == (True, START_MS)
    freshness.confirmed(freshness.asked())
    assert (freshness.is_stale, freshness.as_of_ms) == (False, clock.now_ms())
