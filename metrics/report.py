"""The promise report of a hall over some days: its shape, and how it is read from the tables and the log.

Each ticket is judged by `waits`, the figures are made by `verdict`, tables and texts by `rendering`. Past days are
judged at their end, today at `now_ms`; the hall's present plan gives the calendar, each ticket carries its promise.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from metrics.legs import LegBreakdown, LegFigures
from metrics.verdict import Count, Figures, Group, Promise, figures
from metrics.waits import wait_record
from models.vocabulary import Apart, Period, TurnedAwayReason
from models.wire import rfc3339
from queue_service.domain import events as ev
from queue_service.domain.calendar import day_of, local_date
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.journal import EVENT, LEG, TICKET, logged, positions

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Scope(StrEnum):
    """What a row of the report is about."""

    TOTAL = "total"
    DAY = "day"
    PERIOD = "period"
    SERVICE = "service"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Place(_Shape):
    scope: Scope
    day: str | None = Field(description="of rows about one day")
    service: str | None = Field(description="what the ticket's first wait was for, in rows about one service")


class Row(Figures, _Place):
    """The verdict of one part of the report: all, one day, one period's promise, or one service under one promise."""


class TurnedAwayCount(_Shape):
    """How many visitors got no ticket for a service, and why."""

    service: str
    reason: TurnedAwayReason
    count: Count


class PlanChange(_Shape):
    """The plan was put within the days reported."""

    at: Instant
    version: int


class ChosenCall(_Shape):
    """A call out of order, its reason, and how many were overtaken by it."""

    at: Instant
    number: str
    service: str
    counter: str
    reason: str
    overtaken: Count


class Report(_Shape):
    """How a hall kept its promise from one day to another, both included."""

    hall: str
    name: str
    from_day: str
    to_day: str
    judged_at: Instant = Field(description="now, or the end of the last day when that is past")
    rows: list[Row] = Field(description="the total, each day, each promise, each service under each promise")
    legs: list[LegFigures] = Field(description="waits and services leg by leg: a breakdown, not the verdict")
    apart: dict[Apart, Count] = Field(description="tickets shown apart, by why")
    not_checked_in: Count = Field(description="tickets whose wait never began; they are in no row")
    turned_away: list[TurnedAwayCount]
    plan_changes: list[PlanChange]
    chosen_calls: list[ChosenCall]


Leaf = tuple[str, str, Promise]
"""The smallest part: day, service, promise."""

_Part = tuple[str | None, str | None, Promise | None]
"""What a row is about: its day, service and promise, where it is about one only."""


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
    """The columns of a leg that a wait record or the breakdown needs."""

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


class _Reading:
    """What has been read so far."""

    def __init__(self, connection: Connection, plan: Plan, now_ms: int) -> None:
        self.connection = connection
        self.plan = plan
        self.now_ms = now_ms
        self.leaves: dict[Leaf, Group] = defaultdict(Group)
        self.legs = LegBreakdown(plan)
        self.apart: Counter[str] = Counter()
        self.not_checked_in = 0
        self.turned_away: Counter[tuple[str, str]] = Counter()
        self.plan_changes: list[PlanChange] = []
        self.chosen_calls: list[ChosenCall] = []

    def read_day(self, day: str) -> None:
        """All tickets of a business day."""
        clock = Hall(self.plan.id)  # an empty hall: it knows the plan's wait clock and the day's opening hours
        clock.plan = self.plan
        clock.plan_day(day)
        legs: dict[str, list[Any]] = defaultdict(list)
        here = (LEG.c.hall == self.plan.id, LEG.c.day == day)
        for row in self.connection.execute(_LEGS.where(*here).order_by(LEG.c.ticket, LEG.c.leg)):
            leg = _Leg._make(row)
            legs[leg.ticket].append(leg)
        here = (TICKET.c.hall == self.plan.id, TICKET.c.day == day)
        for row in self.connection.execute(_TICKETS.where(*here)):
            ticket = _Ticket._make(row)
            self._add(clock, ticket, legs.get(ticket.id, []))

    def _add(self, clock: Hall, ticket: Any, legs: list[Any]) -> None:
        if ticket.period is None:
            self.not_checked_in += 1
            return
        record = wait_record(clock, ticket, legs, clock.day.end_ms, self.now_ms)
        promise = (ticket.period, ticket.promise_ms, ticket.percentile)
        self.leaves[record.day, record.service, promise].add(record)
        if ticket.apart is None:
            self.legs.add(leg for leg in legs if leg.waiting_since_ms < clock.day.end_ms)
        else:
            self.apart[ticket.apart] += 1

    def read_events(self, from_ms: int, to_ms: int) -> None:
        """What the log says beside the tickets, from one instant up to another."""
        for row in _events_between(self.connection, self.plan.id, from_ms, to_ms):
            one = logged(row)
            event, at = one.event, rfc3339(one.at_ms)
            if isinstance(event, ev.PlanChanged):
                self.plan_changes.append(PlanChange(at=at, version=event.version))
            elif isinstance(event, ev.TurnedAway):
                self.turned_away[event.service, event.reason] += 1
                self._leaf_at(one.at_ms, event.service).turned_away += 1
            elif isinstance(event, ev.TicketCalled) and event.chosen is not None:
                self.chosen_calls.append(
                    ChosenCall(
                        at=at,
                        number=event.number,
                        service=event.service,
                        counter=event.counter,
                        reason=event.chosen,
                        overtaken=event.overtaken,
                    )
                )

    def _leaf_at(self, at_ms: int, service: str) -> Group:
        """Where a visitor without a ticket is shown: the present plan's promise for that hour."""
        day = day_of(self.plan.calendar, local_date(at_ms, self.plan.calendar.time_zone))
        period = Period.PEAK if day.is_peak(at_ms) else Period.OFF_PEAK
        promise = self.plan.promises[period]
        return self.leaves[day.date, service, (period.value, promise.promise_ms, promise.percentile)]

    def rows(self) -> list[Row]:
        """Every row of the report."""
        return [
            *self._rows(Scope.TOTAL, lambda *_: (None, None, None)),
            *self._rows(Scope.DAY, lambda day, *_: (day, None, None)),
            *self._rows(Scope.PERIOD, lambda _day, _service, promise: (None, None, promise)),
            *self._rows(Scope.SERVICE, lambda _day, service, promise: (None, service, promise)),
        ]

    def _rows(self, scope: Scope, part_of: Callable[[str, str, Promise], _Part]) -> Iterator[Row]:
        """One row for each part; a total there always is."""
        parts: dict[_Part, list[tuple[Promise, Group]]] = {(None, None, None): []} if scope == Scope.TOTAL else {}
        for leaf, group in self.leaves.items():
            parts.setdefault(part_of(*leaf), []).append((leaf[2], group))
        places = {service: place for place, service in enumerate(self.plan.services)}
        for day, service, promise in sorted(parts, key=lambda part: _order(places, *part)):
            groups = parts[day, service, promise]
            yield Row(scope=scope, day=day, service=service, **figures(groups).model_dump())


def _order(places: dict[str, int], day: str | None, service: str | None, promise: Promise | None) -> tuple[Any, ...]:
    """Days in order, services as the plan lists them (those of former plans last), peak before off-peak."""
    period, promise_ms, percentile = promise or ("", 0, 0)
    return (
        day or "",
        places.get(service or "", len(places)),
        service or "",
        period != Period.PEAK,
        promise_ms,
        percentile,
    )


def _days(connection: Connection, hall: str, from_day: str, to_day: str) -> list[str]:
    """The days of the range that have tickets."""
    here = (TICKET.c.hall == hall, TICKET.c.day >= from_day, TICKET.c.day <= to_day)
    return list(connection.execute(select(TICKET.c.day).where(*here).distinct().order_by(TICKET.c.day)).scalars())


def _events_between(connection: Connection, hall: str, from_ms: int, to_ms: int) -> Iterator[Any]:
    """The rows of the log that a report tells of. Times rise with seq and seq has no gaps, so a search by halves finds
    where the days begin and end, however long the history is."""
    position = positions(connection, [hall]).get(hall)
    if position is None:
        return

    def at_ms(seq: int) -> int:
        found = select(EVENT.c.at_ms).where(EVENT.c.hall == hall, EVENT.c.seq == seq)
        return int(connection.execute(found).scalar_one())

    seqs = range(1, position.seq + 1)
    first = bisect_left(seqs, from_ms, key=at_ms)
    last = bisect_left(seqs, to_ms, lo=first, key=at_ms)
    chosen = (EVENT.c.kind == ev.TicketCalled.KIND) & EVENT.c.data.not_like('%"chosen":null%')
    told = EVENT.c.kind.in_([ev.PlanChanged.KIND, ev.TurnedAway.KIND]) | chosen
    stretch = (EVENT.c.hall == hall, EVENT.c.seq > first, EVENT.c.seq <= last)
    yield from connection.execute(select(EVENT).where(*stretch, told).order_by(EVENT.c.seq))


def promise_report(connection: Connection, plan: Plan, from_day: str, to_day: str, now_ms: int) -> Report:
    """The report of the plan's hall from one local date (ISO) to another, both included, as of `now_ms`."""
    to_end_ms = day_of(plan.calendar, to_day).end_ms
    reading = _Reading(connection, plan, now_ms)
    for day in _days(connection, plan.id, from_day, to_day):
        reading.read_day(day)
    reading.read_events(day_of(plan.calendar, from_day).start_ms, to_end_ms)
    return Report(
        hall=plan.id,
        name=plan.name,
        from_day=from_day,
        to_day=to_day,
        judged_at=rfc3339(min(now_ms, to_end_ms)),
        rows=reading.rows(),
        legs=reading.legs.figures(),
        apart={why: reading.apart[why] for why in Apart},
        not_checked_in=reading.not_checked_in,
        turned_away=[
            TurnedAwayCount(service=service, reason=TurnedAwayReason(reason), count=count)
            for (service, reason), count in sorted(reading.turned_away.items())
        ],
        plan_changes=reading.plan_changes,
        chosen_calls=reading.chosen_calls,
    )
