"""Memory holds what is open and no more: a day's finished tickets are in the database, and caches have an end."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.vocabulary import Channel
from models.wire import _to_the_second
from queue_service.domain import commands as c
from queue_service.domain.calendar import day_of
from queue_service.domain.hall import Hall, Leg, Ticket
from queue_service.journal import HALL
from tests.metrics.driving import Drive, at, empty_database

TICKETS = 5_000
AT_ONCE = 100
COUNTERS = ("1", "2", "3")


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    """A hall without quotas at 08:00, three counters open."""
    database = empty_database(tmp_path)
    driven = Drive(database, start_ms=at(8))
    driven.plan(services=[{"id": "tax", "name": "税务", "prefix": "A"}, {"id": "land", "name": "土地", "prefix": "B"}])
    driven.open(*COUNTERS)
    yield driven
    database.close()


def work_through(drive: Drive, tickets: int) -> None:
    """Visitors come in crowds, and everyone is served before the next crowd comes."""
    for start in range(0, tickets, AT_ONCE):
        numbers = range(start, start + AT_ONCE)
        drive.send(*(c.IssueTicket(f"hall.{number}", "tax", channel=Channel.KIOSK) for number in numbers))
        presses = [c.CallNext(COUNTERS[number % 3], finish_current=True) for number in numbers]
        drive.send(*presses)
        drive.send(*(c.CallNext(counter, finish_current=True) for counter in COUNTERS))
        drive.clock.set_ms(drive.clock.now_ms() + 60_000)


def alive(*kinds: type) -> int:
    """How many objects of these kinds there are."""
    gc.collect()
    return sum(isinstance(one, kinds) for one in gc.get_objects())


def held(hall: Hall) -> dict[str, int]:
    """How much a hall holds, by what grows with tickets."""
    return {
        "tickets": len(hall.tickets),
        "waiting": sum(len(lane) for lane in hall.lanes.values()),
        "lanes": len(hall.lanes),
        "touched": len(hall.touched) + len(hall.touched_legs),
        "numbers": len(hall.number_counts) + len(hall.number_gaps),
        "quota": len(hall.quota_used),
        "spans": len(hall.suspended_spans),
    }


def test_a_finished_day_is_not_in_memory(drive: Drive) -> None:
    """After 5,000 visitors the writer's copy and the published view hold none of them, but for each counter's undo; the
    promise's tally lets go of them when it is looked at, as every node does all the time."""
    before = alive(Ticket, Leg)
    work_through(drive, TICKETS)
    drive.metrics.tally("hall").cells(drive.view, drive.clock.now_ms())
    copy = drive._batches._copies["hall"]
    for hall in (copy.hall, drive.view):
        assert held(hall) == {
            "tickets": 0, "waiting": 0, "lanes": 1, "touched": 0, "numbers": 1, "quota": 1, "spans": 0,
        }  # fmt: skip
    assert copy.stored == {}
    assert alive(Ticket, Leg) - before <= 2 * 2 * len(COUNTERS)
    assert drive.database.read(lambda one: one.exec_driver_sql("SELECT count(*) FROM ticket").scalar_one()) == TICKETS


def test_a_new_day_begins_with_nothing(drive: Drive) -> None:
    """Midnight forgets who still waited, the day's counts, and what could be undone."""
    work_through(drive, AT_ONCE)
    drive.send(c.Suspend("x", service="tax"), c.Resume("tax"))
    drive.send(*(c.IssueTicket(f"hall.late-{number}", "tax") for number in range(AT_ONCE)))
    before = alive(Ticket, Leg)
    drive.send(c.OpenDay(), at_ms=at(24))
    for hall in (drive._batches._copies["hall"].hall, drive.view):
        assert set(held(hall).values()) == {0}
        assert all(counter.last is None for counter in hall.counters.values())
    assert alive(Ticket, Leg) <= before - 2 * 2 * AT_ONCE
    assert len(drive.database.read(lambda one: one.execute(HALL.select()).all())) == 1


def test_caches_have_an_end() -> None:
    """What is kept to be quick is bounded, however many dates and times are asked for."""
    for cached in (day_of, _to_the_second):
        most = cached.cache_info().maxsize
        assert most is not None
        assert most <= 20_000


def test_metrics_grow_with_the_plan_and_not_with_what_clients_send(drive: Drive) -> None:
    """Two hundred invented services, counters, clerks and tickets make no new line at /metrics."""

    def nonsense(start: int) -> None:
        for number in range(start, start + 200):
            drive.send(
                c.IssueTicket(f"hall.{number}", f"service-{number}"),
                c.IssueTicket(f"hall.{number}-", "tax", priority=f"class-{number}"),
                c.CallNext(f"counter-{number}"),
                c.RelieveCounter("1", f"clerk-{number}"),
                c.Finish(f"hall.ticket-{number}"),
                c.Suspend(f"reason-{number}"),
                c.Resume(),
            )

    nonsense(0)
    lines = drive.metrics.exposition()[0].count(b"\n")
    nonsense(200)
    assert drive.metrics.exposition()[0].count(b"\n") == lines
