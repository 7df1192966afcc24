"""What a running node keeps up beside commands: of long lines and of many halls, some at a time and not more often than
it may say anything new."""

import asyncio
from pathlib import Path

import pytest

from api.foreseeing import AT_ONCE, chances, misses_to_come
from api.live import LiveHalls
from metrics.live.promise import expected_misses
from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.clock import HandClock
from queue_service.domain import commands as c
from queue_service.domain.order import ahead
from queue_service.planning.live.outlook import Outlook, Outlooks
from tests.halls import plan
from tests.metrics.driving import Drive, at, empty_database
from tests.running import Inner, eventually, inner_node

SCORES = tuple(number / 10 for number in range(-5, 6))
TAX = Outlook(0, None, EstimateBasis.QUEUE_LENGTH, None, 20.0, 0.5, SCORES)
LAND = Outlook(0, NoEstimate.TOO_LITTLE_HISTORY)
LONG = 3 * AT_ONCE


async def hall_with(inner: Inner, waiting: int, name: str = "hall") -> None:
    """A hall where so many wait."""
    path = f"/v1/halls/{name}"
    assert (await inner.client.put(path, json=plan(name, time_zone="Asia/Shanghai"))).is_success
    await inner.service.current_view(name)
    for _ in range(waiting):
        assert (await inner.client.post(f"{path}/tickets", json={"service": "tax"})).is_success


@pytest.mark.parametrize("now_min", [1, 5, 9, 11, 30])
@pytest.mark.parametrize("calendar", [{}, {"opening": [{"start": "09:00", "end": "09:08"}], "wait_clock": "opening"}])
async def test_misses_to_come_are_those_of_everyone_who_waits(
    tmp_path: Path, now_min: int, calendar: dict[str, object]
) -> None:
    """Though only those are looked at whose promise ends in the next half hour: some have passed it, of some nothing
    can be said, one was postponed, and one has waited before."""
    drive = Drive(empty_database(tmp_path))
    drive.plan(calendar={"peaks": [{"start": "09:00", "end": "11:00"}], **calendar})
    drive.open("1")
    for second in range(0, 300, 20):
        drive.issue("land" if second % 100 == 0 else "tax", at_ms=at(9, 0, second))
    waiting = list(drive.view.waiting())
    drive.send(c.Postpone(waiting[3].id, 1_800_000), c.CallNext("1"), at_ms=at(9, 5))
    drive.send(c.Requeue(waiting[0].id), at_ms=at(9, 5, 10))
    now_ms, outlooks = at(9, now_min), {"tax": TAX, "land": LAND}
    soon = [chances(drive.view, one, ahead(drive.view, one, now_ms), outlooks, now_ms)[1] for one in waiting]
    assert await to_come(drive, outlooks, now_ms) == expected_misses(soon)
    assert await to_come(drive, {}, now_ms) == expected_misses(
        chances(drive.view, one, 0, {}, now_ms)[1] for one in waiting
    )
    drive.database.close()


async def to_come(drive: Drive, outlooks: Outlooks, now_ms: int) -> float | None:
    """As a look at the hall works it out."""
    return await misses_to_come(drive.view, drive.metrics.tally("hall"), outlooks, HandClock(now_ms))


async def test_a_long_line_is_shown_whole_and_holds_nobody_up(tmp_path: Path) -> None:
    """All who wait are in the answer, by their places; between some and the next others have their turn. All who ask
    while one is made get the next one."""
    async with inner_node(tmp_path) as inner:
        await hall_with(inner, LONG)
        live, view = inner.service.live, await inner.service.current_view("hall")
        await live.look(view)
        answers = [asyncio.create_task(live.promises.answer(view, second * 1000)) for second in range(3)]
        turns = 0
        while not answers[0].done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= LONG // AT_ONCE
        first, one, other = await asyncio.gather(*answers)
        assert one is other
        assert one is not first
        waiting = (await inner.client.get("/v1/halls/hall/promise")).json()["waiting"]
        assert [row["ticket"] for row in waiting] == [one.id for one in view.hall.waiting()]
        assert len(waiting) == LONG


async def test_a_hall_is_looked_ahead_for_when_that_may_say_more(tmp_path: Path) -> None:
    """After anything that happens, by itself and within moments. Where nothing does: with every look while somebody
    waits, else every half minute."""
    clock = HandClock(at(9))
    async with inner_node(tmp_path, clock) as inner:
        await hall_with(inner, 0)
        live, view = inner.service.live, await inner.service.current_view("hall")
        await eventually(lambda: not live.news, "what has happened is taken in")
        before = live.outlooks("hall")
        clock.set_ms(at(9, 0, 29))
        await live.look(view)
        assert live.outlooks("hall") is before
        clock.set_ms(at(9, 0, 31))
        await live.look(view)
        assert (before := new_outlooks(live, before))
        assert (await inner.client.post("/v1/halls/hall/tickets", json={"service": "tax"})).is_success
        await eventually(lambda: live.outlooks("hall") is not before, "the ticket is taken in")
        await eventually(lambda: not live.news, "and everything else")
        before = live.outlooks("hall")
        await live.look(view)
        assert new_outlooks(live, before)


def new_outlooks(live: LiveHalls, before: Outlooks) -> Outlooks:
    """Those of now, which are other ones."""
    assert live.outlooks("hall") is not before
    return live.outlooks("hall")


async def test_every_hall_has_its_turn_in_every_round(tmp_path: Path) -> None:
    """Also those that are new, in the next one."""
    async with inner_node(tmp_path) as inner:
        await hall_with(inner, 0)
        seen: list[str] = []
        async for view in inner.service.in_turn(0.02):
            seen.append(view.hall.id)
            if len(seen) == 2:
                await hall_with(inner, 0, "other")
            if len(seen) == 6:
                break
        assert seen == ["hall", "hall", "hall", "other", "hall", "other"]
