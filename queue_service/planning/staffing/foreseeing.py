"""The situation of a live hall: its view, what its past days taught, and the plan's reserve, as values for a worker.

Counters that are paused are taken for away until the end. The plan's reserve counts beyond those at work, whoever
they are: what was called in already should be taken off the plan's number.
"""

from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.vocabulary import Period
from queue_service.domain.calendar import Day, spans_of
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.planning.simulation.live import held_of, idle_since_of, shifts_of, waiting_of, works
from queue_service.planning.staffing import situation as of
from queue_service.planning.staffing.learning import NEEDED_DAYS, Learned, flows, ratio


class NoAdvice(StrEnum):
    """Why there is no advice."""

    TOO_LITTLE_HISTORY = "too_little_history"
    HALL_CLOSED = "hall_closed"
    HALL_SUSPENDED = "hall_suspended"
    NO_COUNTER_OPEN = "no_counter_open"
    NO_PROMISE = "no_promise"
    BUSY = "busy"


def why_not(hall: Hall, learned: Learned | None, now_ms: int) -> NoAdvice | None:
    """What stands against advice for a hall as it is now; `learned` None: not looked at yet."""
    if hall.rules.training:
        return NoAdvice.NO_PROMISE
    if not hall.day.is_open(now_ms):
        return NoAdvice.HALL_CLOSED
    if None in hall.suspensions:
        return NoAdvice.HALL_SUSPENDED
    if not any(works(counter) and hall.able(counter) for counter in hall.counters.values()):
        return NoAdvice.NO_COUNTER_OPEN
    if learned is not None and learned.days < NEEDED_DAYS:
        return NoAdvice.TOO_LITTLE_HISTORY
    return None


def promises_of(plan: Plan, day: Day) -> of.Promises:
    """The promises of a business day."""
    peak, off_peak = plan.promises[Period.PEAK], plan.promises[Period.OFF_PEAK]
    return of.Promises(
        day.peaks, peak.promise_ms, peak.percentile / 100, off_peak.promise_ms, off_peak.percentile / 100
    )


def reserves_of(plan: Plan, day: Day) -> tuple[of.Reserve, ...]:
    """The plan's reserve on a business day."""
    zone = ZoneInfo(plan.calendar.time_zone)
    return tuple(
        of.Reserve(reserve.services, reserve.count, start_ms, end_ms)
        for reserve in plan.reserve
        for start_ms, end_ms in spans_of((reserve.hours,), date.fromisoformat(day.date), zone)
    )


def today_ratio(hall: Hall, learned: Learned, now_ms: int) -> float:
    """How busy today is beside what was learned; 1 where that cannot be told yet."""
    came = sum(hall.number_counts.values())
    return ratio(learned, hall.rules.calendar, hall.day.date, came, now_ms)


def situation_of(hall: Hall, learned: Learned, now_ms: int, runs: int = of.RUNS) -> of.Situation:
    """The next three hours, or up to closing time. Nothing may stand against it (`why_not`)."""
    plan, day = hall.rules, hall.day
    closes_ms = next(end_ms for start_ms, end_ms in day.opening if start_ms <= now_ms < end_ms)
    until_ms = min(now_ms + of.HORIZON_MS, closes_ms)
    open_counters = [one for one in hall.counters.values() if one.is_open]
    return of.Situation(
        now_ms=now_ms,
        until_ms=until_ms,
        order=plan.order,
        max_overtake_ms=plan.max_overtake_ms,
        lane_terms=plan.lane_terms,
        promises=promises_of(plan, day),
        shifts=shifts_of(hall, now_ms, until_ms + 86_400_000),
        seats={name: one.services for name, one in plan.counters.items()},
        taken=frozenset(one.id for one in open_counters if not works(one)),
        reserves=reserves_of(plan, day),
        flows=flows(learned, plan, day.date, now_ms, until_ms, today_ratio(hall, learned, now_ms)),
        durations=dict(learned.durations),
        waiting=tuple(waiting_of(hall)),
        held=tuple(held_of(hall, now_ms)),
        idle_since_ms=idle_since_of(hall),
        suspended=frozenset(name for name in plan.services if hall.is_suspended(name)),
        seed=now_ms // 60_000,
        runs=runs,
    )
