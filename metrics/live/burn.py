"""How fast the budget of misses burns: share missed ÷ share allowed, over windows of opening hours.

A ticket counts from the instant its promise was decided: at its call, or when its wait passed the promise. What became
of the promise is said by `waits`, as for every report; here it is only given a time.

At 90 % a burn can never exceed 10, so the 14.4 of the books could never fire; where even fewer are promised, a limit
is lowered to what `MOST_MISSED` of all missing comes to.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from metrics.waits import WaitRecord, classify
from models.vocabulary import Verdict, WaitClock
from queue_service.domain.alert_rules import AlertRules, BurnRule
from queue_service.domain.calendar import Calendar, day_of, local_date
from queue_service.domain.hall import Hall, Leg

LEAST_ALLOWED = 0.01
"""A promise to everyone allows no miss at all; it is held as if it allowed one in a hundred."""
MOST_MISSED = 0.8
"""8× at 90 %."""
DAYS_BACK = 40


class Outcome(NamedTuple):
    """A promise decided at an instant; `allowed`: the share that might be missed."""

    at_ms: int
    missed: bool
    allowed: float


class Burn(NamedTuple):
    """One rule as of now. `long` and `short`: the burns (None: nobody counts); `limit`: what both must exceed."""

    rule: BurnRule
    limit: float
    long: float | None
    short: float | None
    counted: int
    firing: bool


def outcome_of(hall: Hall, record: WaitRecord, legs: Sequence[Leg], now_ms: int) -> Outcome | None:
    """When and how the promise to a ticket was decided; None where it is not, or does not count."""
    verdict = classify(record)
    if verdict not in (Verdict.KEPT, Verdict.MISSED) or record.promise_ms is None or record.percentile is None:
        return None
    missed = verdict == Verdict.MISSED
    at_ms = _passed_at_ms(hall, legs, record.promise_ms, now_ms) if missed else legs[-1].called_at_ms
    return Outcome(now_ms if at_ms is None else at_ms, missed, allowed_share(record.percentile))


def allowed_share(percentile: int) -> float:
    """How many of all may miss a promise to so many in a hundred."""
    return max(LEAST_ALLOWED, (100 - percentile) / 100)


def _passed_at_ms(hall: Hall, legs: Sequence[Leg], promise_ms: int, now_ms: int) -> int | None:
    """The instant at which the waits together passed the promise."""
    left_ms = promise_ms
    for leg in legs:
        waited_ms = hall.waited_ms(leg, now_ms) if leg.waited_ms is None else leg.waited_ms
        if waited_ms > left_ms:
            return _after(hall, leg.waiting_since_ms, left_ms)
        left_ms -= waited_ms
    return None


def _after(hall: Hall, since_ms: int, wait_ms: int) -> int:
    """When a wait that began then has lasted so long, by the plan's wait clock."""
    if hall.rules.wait_clock == WaitClock.ALWAYS:
        return since_ms + wait_ms
    for start_ms, end_ms in hall.day.opening:
        here_ms = max(since_ms, start_ms)
        if here_ms < end_ms and end_ms - here_ms > wait_ms:
            return here_ms + wait_ms
        wait_ms -= max(0, end_ms - here_ms)
    return hall.day.end_ms


def open_since_ms(calendar: Calendar, now_ms: int, open_ms: int) -> int:
    """The instant since which the hall has been open for so long; at most `DAYS_BACK` days ago."""
    today = date.fromisoformat(local_date(now_ms, calendar.time_zone))
    earliest_ms = now_ms
    for back in range(DAYS_BACK):
        day = day_of(calendar, (today - timedelta(days=back)).isoformat())
        for start_ms, end_ms in reversed(day.opening):
            here_ms = max(0, min(end_ms, now_ms) - start_ms)
            if here_ms >= open_ms:
                return start_ms + here_ms - open_ms
            open_ms -= here_ms
        earliest_ms = day.start_ms
    return earliest_ms


def burns(rules: AlertRules, calendar: Calendar, outcomes: Sequence[Outcome], now_ms: int) -> list[Burn]:
    """Every rule of the plan as of now."""
    return [_burn(rule, rules.burn_counted, calendar, outcomes, now_ms) for rule in rules.burns]


def _burn(rule: BurnRule, least: int, calendar: Calendar, outcomes: Sequence[Outcome], now_ms: int) -> Burn:
    since_ms = open_since_ms(calendar, now_ms, rule.long_ms)
    within = [one for one in outcomes if since_ms <= one.at_ms <= now_ms]
    lately_ms = open_since_ms(calendar, now_ms, rule.short_ms)
    long, short = burn_of(within), burn_of(one for one in within if one.at_ms >= lately_ms)
    allowed = max((one.allowed for one in within), default=1.0)
    limit = min(float(rule.limit), MOST_MISSED / allowed)
    firing = len(within) >= least and long is not None and short is not None and min(long, short) >= limit
    return Burn(rule, limit, long, short, len(within), firing)


def burn_of(outcomes: Iterable[Outcome]) -> float | None:
    """Misses ÷ misses allowed; None of nobody."""
    missed, allowed = 0, 0.0
    for one in outcomes:
        missed += one.missed
        allowed += one.allowed
    return missed / allowed if allowed else None
