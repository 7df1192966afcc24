"""What-if: a recorded day replayed without a change is the recorded day; with one it says what and how surely."""

import json
import re
from pathlib import Path

import pytest

from api.cli.what_if import changes_of
from metrics.what_if import figures_of, records, repeated
from models.vocabulary import HELD_STATES, OrderRule
from queue_service import schema
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.hall import Hall
from queue_service.errors import BadInput
from queue_service.planning.whatif.changes import Changes, MoreCounters, Move
from queue_service.planning.whatif.recorded import Recorded, record
from queue_service.planning.whatif.replay import replay
from tests.domain.hall_driver import HallDriver, at
from tests.metrics.driving import DAY, Drive
from tests.planning.recorded_days import random_day
from tests.running import command_line, database_url

Story = tuple[str | None, int, str | None, int | None, int | None, str | None]


def stories(hall: Hall) -> dict[tuple[str, int], Story]:
    """Every leg: when it was called, where, how long it waited, how and when it ended."""
    return {
        (ticket.id, number): (
            leg.service, leg.waiting_since_ms, leg.counter, leg.called_at_ms, leg.waited_ms, leg.outcome,
        )
        for ticket in hall.touched.values()
        for number, leg in enumerate(ticket.legs)
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_without_a_change_the_day_is_as_recorded(seed: int) -> None:
    """No-shows, rejoins, parks, transfers, reservations, breaks, forced closes, suspensions, hand-overs, chosen calls,
    changes of plan: each leg of each ticket has its recorded waits, calls and end, and nothing is drawn."""
    recorded = record(random_day(seed, 400).log)
    found = replay(recorded)
    assert stories(found.hall) == stories(recorded.hall)
    assert (found.drawn, found.imputed, found.unrepeated) == (False, 0, 0)
    again = repeated(recorded, found)
    assert again.calls == again.same > 0


def test_what_was_undone_is_left_out_and_said() -> None:
    """A command and its undo are as if they had not been; the replay counts them."""
    driver = HallDriver(at(9), ("1",))
    driver.issue()
    driver.later(60)
    driver.call()
    driver.later(5)
    driver.do(c.Undo("1"))
    driver.later(60)
    driver.call()
    recorded = record(driver.log)
    assert recorded.undone == 1
    assert stories(replay(recorded).hall) == stories(recorded.hall)


def queue_of(visitors: int, minutes: int, counters: tuple[str, ...] = ("1",), service: str = "a") -> Recorded:
    """All come at nine; each is held so long, one after another at each counter."""
    driver = HallDriver(at(9), counters)
    for _ in range(visitors):
        driver.issue(service)
    driver.later(5)
    for _ in range(visitors // len(counters) + 1):
        for counter in counters:
            driver.call(counter, finish_current=True)
        driver.later(minutes * 60)
    return record(driver.log)


def test_one_more_counter_halves_the_line() -> None:
    """Twelve visitors of ten minutes each: with a second counter all day the last waits about half as long."""
    recorded = queue_of(12, 10)
    changes = Changes(more=(MoreCounters(1, at(9), at(12)),))
    found = replay(recorded, changes)
    then, now = (figures_of(records(hall, recorded.end_ms)) for hall in (recorded.hall, found.hall))
    assert (then.max_s, found.drawn) == (6605, True)
    assert then.max_s is not None
    assert now.max_s is not None
    assert 2900 < now.max_s < 3200
    assert {leg[2] for leg in stories(found.hall).values()} == {"1", "+1"}
    assert stories(replay(recorded, changes).hall) == stories(found.hall)


def test_one_counter_fewer_calls_nobody() -> None:
    """The last counter of the plan that is open calls nobody in that time, and calls again after it."""
    recorded = queue_of(12, 10, ("1", "2"))
    found = replay(recorded, Changes(more=(MoreCounters(-1, at(9, 1), at(9, 50)),)))
    calls = sorted(leg[3] or 0 for leg in stories(found.hall).values() if leg[2] == "2")
    assert [one for one in calls if at(9, 1) <= one < at(9, 50)] == []
    assert max(calls) >= at(9, 50)


def test_pooled_and_moved_counters_serve_what_they_did_not() -> None:
    """A counter signed on for one service only: pooled it serves both at once, moved it serves the other from then."""
    driver = HallDriver(at(9), ())
    driver.do(c.OpenCounter("1", "li", ("a",)))
    for service in "ab":
        driver.issue(service)
    for _ in range(2):
        driver.later(5)
        driver.call(finish_current=True)
        driver.later(600)
    driver.later(6_000)
    driver.do(c.CloseCounter("1"))
    recorded = record(driver.log)
    pooled = replay(recorded, Changes(pools=(frozenset("ab"),)))
    moved = replay(recorded, Changes(moves=(Move("1", "a", "b", at(9, 30)),)))
    called = [{leg[0]: leg[3] for leg in stories(one.hall).values()} for one in (pooled, moved)]
    assert [one["a"] for one in called] == [at(9, 0, 5)] * 2
    assert called[0]["b"] is not None
    assert called[0]["b"] < at(9, 20)
    assert called[1]["b"] is not None
    assert called[1]["b"] >= at(9, 30)


def test_another_order_calls_in_its_order() -> None:
    """Under `strict` the elder class, last in the plan, is called before all who came before it."""
    driver = HallDriver(at(9), ("1",), order="fifo")
    for priority in ("normal", "normal", "normal", "elder"):
        driver.issue(priority=priority)
        driver.later(1)
    for _ in range(5):
        driver.call(finish_current=True)
        driver.later(60)
    strict = replay(record(driver.log), Changes(order=OrderRule.STRICT))
    called = sorted(strict.hall.touched.values(), key=lambda one: one.legs[0].called_at_ms or 0)
    assert [ticket.number for ticket in called] == ["A004", "A001", "A002", "A003"]


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_lost_or_added_by_a_change(seed: int) -> None:
    """The changed day has the recorded day's tickets, each once, and whoever is held is held by an open counter."""
    recorded = record(random_day(seed, 400).log)
    for changes in (Changes(order=OrderRule.FIFO), Changes(more=(MoreCounters(2, at(9, 5), at(20)),))):
        hall = replay(recorded, changes).hall
        assert hall.touched.keys() == recorded.hall.touched.keys()
        held = [ticket for ticket in hall.tickets.values() if ticket.state in HELD_STATES]
        assert all(hall.counters[ticket.counter or ""].ticket == ticket.id for ticket in held)


def test_the_command_shows_then_and_now(tmp_path: Path) -> None:
    """Text and JSON from a hall's own database; a day that is not there is refused."""
    database = Database(database_url(tmp_path))
    schema.prepare(database)
    drive = Drive(database)
    drive.plan()
    drive.clock.set_ms(at(9))
    drive.open("1")
    for _ in range(8):
        drive.issue()
    for minute in range(0, 80, 10):
        drive.send(c.CallNext("1", finish_current=True), at_ms=at(9, 1) + minute * 60_000)
    drive.database.close()
    where = ("what-if", "--hall", "hall", "--day", DAY, "--database-url", database_url(tmp_path))
    same = command_line(*where).stdout
    assert "8 of 8 calls at the recorded counter and instant" in same
    assert "nothing had to be drawn" in same
    document = json.loads(command_line(*where, "--counters", "+1@09:00-11:00", "--json").stdout)
    assert document["now"]["share"] > document["then"]["share"]
    assert (document["runs"], document["drawn"], document["sd"] is None) == (20, True, False)
    refused = command_line(*where[:4], "2026-05-01", *where[5:])
    assert (refused.returncode, refused.stderr.count("no business day 2026-05-01; it has 2026-03-02")) == (2, 1)


WRONG = {
    ("counters", "2@9-10"): "write +2@09:30-11:00",
    ("counters", "+1:gas@09:00-10:00"): "there is no service 'gas'; there are a, b",
    ("counters", "+1@11:00-10:00"): "10:00 is not after 11:00",
    ("counters", "+1@11:00-24:10"): "24:10 is no time of a day",
    ("moves", "9:a->b@10:00"): "there is no counter '9'; there are 1, 2, 3",
    ("moves", "1:a→gas@10:00"): "there is no service 'gas'",
    ("moves", "1:a@10:00"): "write 7:cash->tax@10:00",
    ("pools", "a"): "name 2 different services",
}


@pytest.mark.parametrize(("option", "said"), WRONG.items(), ids=[" ".join(one) for one in WRONG])
def test_a_bad_option_is_refused_with_what_is_allowed(option: tuple[str, str], said: str) -> None:
    """What was wrong, and what it may be."""
    asked = {"counters": [], "order": None, "pools": [], "moves": [], option[0]: [option[1]]}
    with pytest.raises(BadInput, match=re.escape(said)):
        changes_of(HallDriver().hall.rules, DAY, **asked)  # type: ignore[arg-type]


def test_options_are_read_as_they_are_meant() -> None:
    """Counters for some services in local time, a move with either arrow, a pool."""
    found = changes_of(
        HallDriver().hall.rules,
        DAY,
        ["+2:a@09:30-11:00"],
        OrderRule.FIFO,
        ["a,b"],
        ["1:a→b@10:00", "2:b->a@10:00-24:00"],
    )
    assert found.more == (MoreCounters(2, at(9, 30), at(11), ("a",)),)
    assert found.moves == (Move("1", "a", "b", at(10)), Move("2", "b", "a", at(10), at(24)))
    assert (found.order, found.pools) == (OrderRule.FIFO, (frozenset("ab"),))
