"""How fast the budget of misses burns: share missed ÷ share allowed, over windows of opening hours.

A ticket counts from the instant its promise was decided, as `metrics.decided` says.

At 90 % a burn can never exceed 10, so the 14.4 of the books could never fire; where even fewer are promised, a limit
is lowered to what `MOST_MISSED` of all missing comes to.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from metrics.decided import Count
from queue_service.domain.alert_rules import AlertRules, BurnRule
from queue_service.domain.calendar import Calendar, day_of, local_date

MOST_MISSED = 0.8
"""8× at 90 %."""
DAYS_BACK = 40

Deciding = Callable[[int, int], Iterable[Count]]
"""The promises decided in `[since_ms, until_ms]`."""


class Burn(NamedTuple):
    """One rule as of now. `long` and `short`: the burns (None: nobody counts); `limit`: what both must exceed."""

    rule: BurnRule
    limit: float
    long: float | None
    short: float | None
    counted: int
    firing: bool


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


def burns(rules: AlertRules, calendar: Calendar, decided: Deciding, now_ms: int) -> list[Burn]:
    """Every rule of the plan as of now."""
    return [_burn(rule, rules.burn_counted, calendar, decided, now_ms) for rule in rules.burns]


def _burn(rule: BurnRule, least: int, calendar: Calendar, decided: Deciding, now_ms: int) -> Burn:
    within = list(decided(open_since_ms(calendar, now_ms, rule.long_ms), now_ms))
    lately = list(decided(open_since_ms(calendar, now_ms, rule.short_ms), now_ms))
    long, short, counted = burn_of(within), burn_of(lately), sum(one.tickets for one in within)
    allowed = max((one.allowed for one in within), default=1.0)
    limit = min(float(rule.limit), MOST_MISSED / allowed)
    firing = counted >= least and long is not None and short is not None and min(long, short) >= limit
    return Burn(rule, limit, long, short, counted, firing)


def burn_of(counts: Iterable[Count]) -> float | None:
    """Misses ÷ misses allowed; None of nobody."""
    missed, allowed = 0, 0.0
    for one in counts:
        missed += one.missed * one.tickets
        allowed += one.allowed * one.tickets
    return missed / allowed if allowed else None
