"""The promise report of a hall over some days: its shape, and how its parts are put together.

Each ticket is judged by `waits`, read by `reading`; figures are made by `verdict`, rows by `breakdown`, and the other
sections by the modules of their names. Past days are judged at their end, today at `now_ms`; the hall's present plan
gives the calendar and the labels, each ticket carries its promise. A day has the zone it was recorded in (`zones`), and
half-hours are those of the last day's wall clock.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from metrics.advised import AdviceFigures
from metrics.breakdown import Breakdown, Leaf, Row, Scope, rows_of
from metrics.comparison import Comparison, Earlier, earlier_days
from metrics.counters import CounterFigures, CounterHour, CounterTimes
from metrics.course import Course, HalfHour, Kind, WaitBin, distribution, pieces
from metrics.estimate_errors import EstimateError, estimate_errors
from metrics.integrity import Integrity, IntegrityFigure
from metrics.legs import LegBreakdown, LegFigures
from metrics.misses import wait_end_ms
from metrics.reading import DayRead, Judged, read_days
from metrics.told import ChosenCall, Instant, PlanChange, Told, TurnedAwayCount
from metrics.verdict import Count, Group
from metrics.zones import Zones
from models.vocabulary import Apart, LegOutcome, Period, TurnedAwayReason, Verdict
from models.wire import rfc3339
from queue_service.domain.calendar import day_of, local_date
from queue_service.domain.plan import Plan

__all__ = ["ChosenCall", "PlanChange", "Report", "Row", "Scope", "TurnedAwayCount", "promise_report"]


class Report(BaseModel):
    """How a hall kept its promise from one day to another, both included."""

    model_config = ConfigDict(extra="forbid")

    hall: str
    name: str
    from_day: str
    to_day: str
    judged_at: Instant = Field(description="now, or the end of the last day when that is past")
    rows: list[Row] = Field(description="the total, each day, promise, service under each promise; then those of `by`")
    legs: list[LegFigures] = Field(description="waits and services leg by leg: a breakdown, not the verdict")
    apart: dict[Apart, Count] = Field(description="tickets shown apart, by why")
    not_checked_in: Count = Field(description="tickets whose wait never began; they are in no row")
    turned_away: list[TurnedAwayCount]
    plan_changes: list[PlanChange]
    chosen_calls: list[ChosenCall]
    comparisons: list[Comparison] = Field(description="with the period before and with the year before")
    course: list[HalfHour] = Field(description="the day by half-hours of local time")
    distribution: list[WaitBin] = Field(description="how long those counted waited")
    counters: list[CounterFigures]
    counter_hours: list[CounterHour] = Field(description="each counter in each hour of the local day")
    integrity: list[IntegrityFigure] = Field(description="the ways in which a figure can be made to look good")
    advice: list[AdviceFigures] = Field(description="advice to the staff: foreseen, answered, and what happened")
    estimates: list[EstimateError] | None = Field(description="how good the wait estimates were; null: not measured")


class _Parts:
    """Every section, while the days are read."""

    def __init__(self, plan: Plan, from_ms: int, to_ms: int, now_ms: int) -> None:
        self.zone = zone = ZoneInfo(plan.calendar.time_zone)
        self.plan = plan
        self.now_ms = now_ms
        self.leaves: dict[Leaf, Group] = defaultdict(Group)
        self.legs = LegBreakdown(plan)
        self.apart: Counter[str] = Counter()
        self.not_checked_in = 0
        self.course = Course(zone)
        self.counters = CounterTimes(plan, zone)
        self.integrity = Integrity()
        self.told = Told(from_ms, to_ms, now_ms, self.integrity, self._on_duty, self._on_turned_away)

    def _on_duty(self, counter: str, paused: bool, from_ms: int, to_ms: int) -> None:
        self.counters.open(counter, paused, from_ms, to_ms)
        if not paused:
            self.course.lasted(Kind.OPEN, pieces(from_ms, to_ms, self.zone))

    def _on_turned_away(self, at_ms: int, service: str) -> None:
        """A visitor without a ticket is shown under the present plan's promise for that hour."""
        day = day_of(self.plan.calendar, local_date(at_ms, self.plan.calendar.time_zone))
        period = Period.PEAK if day.is_peak(at_ms) else Period.OFF_PEAK
        promise = self.plan.promises[period]
        self.leaves[day.date, service, (period.value, promise.promise_ms, promise.percentile)].turned_away += 1

    def take(self, read: DayRead) -> None:
        """One day's tickets."""
        self.not_checked_in += read.not_checked_in
        self.course.lasted(Kind.PASSED, pieces(read.day.start_ms, read.until_ms, self.zone))
        tickets = [(one.record, one.legs[0].waiting_since_ms) for one in read.tickets]
        self.told.advice.take(tickets, read.day.start_ms, read.day.end_ms)
        for one in read.tickets:
            record = one.record
            verdict = self.leaves[record.day, record.service, one.promise].add(record, one.cause)
            self.integrity.ticket(record, one.legs)
            self._take_course(one, verdict, read.until_ms)
            if record.apart is None:
                self.legs.add(one.legs)
            else:
                self.apart[record.apart] += 1

    def _take_course(self, one: Judged, verdict: Verdict, until_ms: int) -> None:
        counted = verdict in (Verdict.KEPT, Verdict.MISSED)
        began_ms, peak = one.legs[0].waiting_since_ms, one.promise[0] == Period.PEAK
        self.course.came(began_ms, peak, one.record.wait_ms if counted else None, verdict == Verdict.KEPT)
        for leg in one.legs:
            self.course.lasted(Kind.WAITING, pieces(leg.waiting_since_ms, wait_end_ms(leg, until_ms), self.zone))
            if leg.called_at_ms is None or leg.counter is None:
                continue
            serving = self.counters.serve(leg, until_ms, self.now_ms, self.told.moves.get(leg.ticket, ()))
            self.course.lasted(Kind.SERVING, serving)
            if leg.outcome == LegOutcome.FINISHED:
                self.course.finished(leg.ended_at_ms)


def promise_report(
    connection: Connection,
    plan: Plan,
    from_day: str,
    to_day: str,
    now_ms: int,
    by: Iterable[Breakdown] = (),
) -> Report:
    """The report of the plan's hall from one local date (ISO) to another, both included, as of `now_ms`.

    `by`: further breakdowns (`breakdown.parse_by`). Raises BadValue where one has more rows than anyone reads."""
    zones = Zones(connection, plan)
    first, last = zones.plan_on(from_day), zones.plan_on(to_day)
    to_end_ms = day_of(last.calendar, to_day).end_ms
    parts = _Parts(last, day_of(first.calendar, from_day).start_ms, to_end_ms, now_ms)
    parts.told.read(connection, plan.id)
    for read in read_days(connection, plan, from_day, to_day, now_ms):
        parts.take(read)
    rows = rows_of(plan, parts.leaves, by)
    places = {name: place for place, name in enumerate(plan.counters)}
    return Report(
        hall=plan.id,
        name=plan.name,
        from_day=from_day,
        to_day=to_day,
        judged_at=rfc3339(min(now_ms, to_end_ms)),
        rows=rows,
        legs=parts.legs.figures(),
        apart={why: parts.apart[why] for why in Apart},
        not_checked_in=parts.not_checked_in,
        turned_away=[
            TurnedAwayCount(service=service, reason=TurnedAwayReason(reason), count=count)
            for (service, reason), count in sorted(parts.told.turned_away.items())
        ],
        plan_changes=parts.told.plan_changes,
        chosen_calls=parts.told.chosen_calls,
        comparisons=list(_comparisons(connection, plan, rows[0], from_day, to_day, now_ms)),
        course=parts.course.figures(),
        distribution=distribution((leaf[2], group) for leaf, group in parts.leaves.items()),
        counters=parts.counters.figures(),
        counter_hours=parts.counters.by_hour(),
        integrity=parts.integrity.figures(places),
        advice=parts.told.advice.figures(),
        estimates=estimate_errors(connection, plan.id, from_day, to_day),
    )


def _comparisons(
    connection: Connection, plan: Plan, total: Row, from_day: str, to_day: str, now_ms: int
) -> Iterable[Comparison]:
    for earlier in Earlier:
        days = earlier_days(from_day, to_day, earlier)
        if days is None:
            continue
        leaves: dict[Leaf, Group] = defaultdict(Group)
        for read in read_days(connection, plan, *days, now_ms):
            for one in read.tickets:
                leaves[read.day.date, one.record.service, one.promise].add(one.record, one.cause)
        rows = [row for row in rows_of(plan, leaves) if row.scope in (Scope.TOTAL, Scope.PERIOD)]
        yield Comparison(
            earlier=earlier,
            from_day=days[0],
            to_day=days[1],
            rows=rows,
            share_change=_change(total.share, rows[0].share),
            p90_change_s=_change(total.p90_s, rows[0].p90_s),
        )


def _change(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else round(now - then, 9)
