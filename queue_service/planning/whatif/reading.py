"""A business day of a hall's log, read off the event loop."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from queue_service import journal
from queue_service.domain.events import DayOpened, Logged, PlanChanged
from queue_service.domain.plan import Plan
from queue_service.errors import BadInput


def read_day(connection: Connection, hall: str, day: str) -> list[Logged]:
    """The plan the day began with, the event that opened it, and all after it up to the next day's opening, included.

    Raises BadInput where the log has no such day, naming those it has."""
    event = journal.EVENT
    query = select(event).where(event.c.hall == hall, event.c.kind == DayOpened.KIND).order_by(event.c.seq)
    opened = [journal.logged(row) for row in connection.execute(query)]
    days = [one.event.day for one in opened if isinstance(one.event, DayOpened)]
    if day not in days:
        known = f"it has {days[0]} to {days[-1]}" if days else "it has none"
        raise BadInput(f"The log of {hall} has no business day {day}; {known}.")
    place = days.index(day)
    first = opened[place]
    assert isinstance(first.event, DayOpened), "only such were asked for"
    found = [*_between(connection, hall, first.event.plan_seq, first.event.plan_seq), first]
    until_seq = opened[place + 1].seq if place + 1 < len(opened) else None
    return found + _between(connection, hall, first.seq + 1, until_seq)


def plan_of_day(log: Sequence[Logged]) -> Plan:
    """The last plan of a day, with every counter that it ever had."""
    plans = [Plan.from_document(one.event.document) for one in log if isinstance(one.event, PlanChanged)]
    return replace(plans[-1], counters={name: one for plan in plans for name, one in plan.counters.items()})


def _between(connection: Connection, hall: str, first: int, last: int | None) -> list[Logged]:
    found = []
    for one in journal.events_after(connection, hall, first - 1):
        if last is not None and one.seq > last:
            break
        found.append(one)
    return found
