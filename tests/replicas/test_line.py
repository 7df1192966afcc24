"""The line between a node and its database is bad: cut at the worst moment, or silent."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from queue_service.clock import HandClock
from queue_service.freshness import STALE_MS
from tests.databases import Kind, kept_by, new_postgres_url
from tests.faults.proving import verify
from tests.halls import plan
from tests.replicas.asking import decided, is_ready, scribe, take, without_scribe
from tests.replicas.conftest import answered, new_folder, put_hall
from tests.replicas.lines import Loses, line_to
from tests.running import assigned, database_url, eventually, inner_node, running_node
from tests.stream.sockets import assert_gapless, hall_socket

pytestmark = pytest.mark.long

CUT_OFF = (1013, "the log cannot be read")
MEANWHILE = 3


@pytest.mark.parametrize("by", ["the scribe", "the writer"])
@pytest.mark.parametrize("loses", Loses)
async def test_a_connection_cut_at_commit_leaves_one_ticket(tmp_path: Path, loses: Loses, by: str) -> None:
    """Whether the server has done it or never heard of it, and whoever says COMMIT: 503 outcome-unknown with
    Retry-After, the retry with the same key gives the one ticket, and displays see it once."""
    with line_to(new_postgres_url()) as (line, url), running_node(assigned(tmp_path, url)) as node:
        put_hall(node, "hall")
        await scribe(node)
        async with hall_socket(node.base_url) as display:
            place = await display.frame()
            if by == "the writer":
                await without_scribe(node)
            line.loses = loses
            unknown = answered(await take(node, "hall", "key"), 503)
            assert (unknown.json()["type"], unknown.headers["retry-after"]) == ("/problems/outcome-unknown", "1")
            assert line.has_lost
            again = await decided(node, "hall", "key")
            assert ("idempotency-replayed" in again.headers) == (loses == Loses.ANSWER)
            following = await decided(node, "hall", "another")
            numbers = [one.json()["number"] for one in (again, following)]
            assert numbers == ["A001", "A002"]
            frames = await display.frames(2)
            assert_gapless(frames, place["seq"])
            assert [frame["number"] for frame in frames] == numbers
        assert "Traceback" not in node.log
        verify(tmp_path)


async def test_a_node_cut_from_the_database_fools_nobody_and_comes_back_by_itself(tmp_path: Path) -> None:
    """The line swallows everything and tells nobody. A command on its way is 503; 15 s after the last reading displays
    are let go (1013), also those who come now, and the node is unready; another node goes on. With the line mended the
    node is ready again, displays go on where they were, and the retry gives the one ticket.

    The node's clock is set by hand for the 15 s; how long it waits for an answer is real."""
    direct, clock = new_postgres_url(), HandClock(time.time_ns() // 1_000_000)
    with running_node(assigned(new_folder(tmp_path / "other"), direct)) as other, line_to(direct) as (line, url):
        put_hall(other, "hall")
        async with inner_node(assigned(new_folder(tmp_path / "cut"), url), clock) as node:
            async with hall_socket(node.base_url) as display:
                place = await display.frame()
                with line.silent():
                    asking = asyncio.create_task(take(node, "hall", "key"))
                    for number in range(MEANWHILE):
                        answered(await take(other, "hall", f"other-{number}"), 201)
                    assert answered(await asking, 503).headers["retry-after"] == "1"
                    assert line.swallowed
                    clock.set_ms(clock.now_ms() + STALE_MS + 1)
                    assert await display.closed() == CUT_OFF
                    async with hall_socket(node.base_url) as late:
                        assert await late.closed() == CUT_OFF
                    assert not await is_ready(node)
                    assert await is_ready(other)
            await eventually(lambda: is_ready(node), "the node is ready again")
            async with hall_socket(node.base_url, after=place["seq"], head=place["head"]) as display:
                assert_gapless(await display.frames(MEANWHILE), place["seq"])
                again = await decided(node, "hall", "key")
                assert again.json()["number"] == f"A{MEANWHILE + 1:03d}"
                assert (await display.frame())["seq"] == again.json()["seq"]
        assert "Traceback" not in other.log
        await asyncio.to_thread(verify, other.folder)


async def test_a_hall_that_somebody_holds_keeps_no_other_from_its_midnight(tmp_path: Path) -> None:
    """An import, or a node that stands still, may have its row for long."""
    clock = HandClock(time.time_ns() // 1_000_000)
    folder = kept_by(Kind.POSTGRESQL, tmp_path)
    async with inner_node(folder, clock) as inner:
        for hall in ("held", "other"):
            assert (await inner.client.put(f"/v1/halls/{hall}", json=plan(hall))).is_success
            assert (await inner.client.get(f"/v1/halls/{hall}/board")).is_success
        day = inner.service.feed.views["other"].hall.day
        with psycopg.connect(database_url(folder)) as somebody:
            somebody.execute("SELECT id FROM hall WHERE id = 'held' FOR UPDATE")
            clock.set_ms(day.end_ms)
            await eventually(lambda: inner.service.feed.views["other"].hall.day != day, "its day is opened")
            assert inner.service.feed.views["held"].hall.day.date == day.date
