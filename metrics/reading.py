"""Reading a hall's days for a report: each ticket and its legs once, from the tables, a day at a time in memory.

What a ticket's wait is `waits` says; what is made of the tickets, those who are told of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from metrics.misses import FOREVER_MS, Miss, PeakLines, cause_of, wait_end_ms
from metrics.verdict import Promise
from metrics.waits import WaitRecord, begun_by, wait_record
from metrics.zones import Zones
from models.vocabulary import Period
from queue_service.domain.calendar import Day
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.journal import LEG, TICKET


class _Ticket(NamedTuple):
    """The columns of a ticket that a wait record needs (SQLAlchemy's own rows are ten times slower to read from)."""

    id: str
    number: str
    day: str
    service: str
    priority: str
    channel: str
    state: str
    issued_at_ms: int
    closed_at_ms: int | None
    period: str | None
    promise_ms: int | None
    percentile: int | None
    apart: str | None


class _Leg(NamedTuple):
    """The columns of a leg that a report needs."""

    ticket: str
    service: str
    counter: str | None
    waiting_since_ms: int
    called_at_ms: int | None
    waited_ms: int | None
    started_at_ms: int | None
    start_implied: int
    ended_at_ms: int | None
    outcome: str | None


_TICKETS = select(*(TICKET.c[name] for name in _Ticket._fields))
_LEGS = select(*(LEG.c[name] for name in _Leg._fields))


class Judged(NamedTuple):
    """A ticket whose wait began: its record, what it is judged by, why that was missed (None: it was not), and the
    legs of its own day."""

    record: WaitRecord
    promise: Promise
    cause: Miss | None
    legs: list[Any]


class DayRead(NamedTuple):
    """A business day with its tickets. `clock`: an empty hall that knows the plan's wait clock and the day's opening
    hours; `until_ms`: the day's end, or now."""

    clock: Hall
    until_ms: int
    tickets: list[Judged]
    not_checked_in: int

    @property
    def day(self) -> Day:
        """Which day it is."""
        return self.clock.day


def days_with_tickets(connection: Connection, hall: str, from_day: str, to_day: str) -> list[str]:
    """The days of the range that have tickets."""
    here = (TICKET.c.hall == hall, TICKET.c.day >= from_day, TICKET.c.day <= to_day)
    return list(connection.execute(select(TICKET.c.day).where(*here).distinct().order_by(TICKET.c.day)).scalars())


def read_days(connection: Connection, plan: Plan, from_day: str, to_day: str, now_ms: int) -> Iterator[DayRead]:
    """Every day of the range that has tickets, one after the other, each by the clock that the hall went by then."""
    zones = Zones(connection, plan)
    for day in days_with_tickets(connection, plan.id, from_day, to_day):
        yield _read_day(connection, zones.plan_on(day), day, now_ms)


def _read_day(connection: Connection, plan: Plan, day: str, now_ms: int) -> DayRead:
    clock = Hall(plan.id)
    clock.plan = plan
    clock.plan_day(day)
    tickets, legs = _tickets(connection, plan.id, day), _legs(connection, plan.id, day)
    peak = _peak_lines(tickets, legs)
    until_ms = min(now_ms, clock.day.end_ms)
    judged: list[Judged] = []
    for ticket in tickets:
        if ticket.period is None:
            continue
        own: Any = legs.get(ticket.id, [])
        record = wait_record(clock, ticket, own, clock.day.end_ms, now_ms)  # type: ignore[arg-type]
        if own and own[-1].waiting_since_ms >= clock.day.end_ms:
            own = begun_by(own, clock.day.end_ms)
        promise = (ticket.period, ticket.promise_ms or 0, ticket.percentile or 0)
        judged.append(Judged(record, promise, cause_of(record, own, clock.day, until_ms, peak), own))
    return DayRead(clock, until_ms, judged, len(tickets) - len(judged))


def _tickets(connection: Connection, hall: str, day: str) -> list[_Ticket]:
    rows = connection.execute(_TICKETS.where(TICKET.c.hall == hall, TICKET.c.day == day))
    return [_Ticket._make(row) for row in rows.fetchall()]


def _legs(connection: Connection, hall: str, day: str) -> dict[str, list[_Leg]]:
    legs: dict[str, list[_Leg]] = defaultdict(list)
    here = (LEG.c.hall == hall, LEG.c.day == day)
    for row in connection.execute(_LEGS.where(*here).order_by(LEG.c.ticket, LEG.c.leg)).fetchall():
        leg = _Leg._make(row)
        legs[leg.ticket].append(leg)
    return legs


def _peak_lines(tickets: list[_Ticket], legs: dict[str, list[_Leg]]) -> PeakLines:
    """The first waits of everyone who came at peak."""
    firsts: Iterator[Any] = (legs[ticket.id][0] for ticket in tickets if ticket.period == Period.PEAK)
    return PeakLines((leg.service, leg.waiting_since_ms, wait_end_ms(leg, FOREVER_MS)) for leg in firsts)
