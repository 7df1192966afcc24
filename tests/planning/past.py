"""A hall that has lived through some days: seeded, through the engine's own transactions, under a clock set by hand."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from queue_service.domain import commands as c
from tests.metrics.driving import Drive

DAY_MS = 86_400_000
SEED = 20261129
TICKETS = 80
OPENS_MS = 9 * 3_600_000

Pace = Callable[[Random, float], float]
"""Seconds a service takes, by the share of the day's tickets that have come."""


def by_the_hour(random: Random, share: float) -> float:
    """Quick clerks in the morning, slow ones later: who knows the time of day knows more than who looks back."""
    return random.uniform(0.9, 1.1) * (40.0 if share < 0.3 else 260.0 if share < 0.6 else 60.0)


def live(drive: Drive, midnight_ms: int, tickets: int = TICKETS, pace: Pace = by_the_hour) -> None:
    """One day with so many visitors for `tax`, a minute apart, and the counters that are open; all are called."""
    random = Random(SEED + midnight_ms // DAY_MS)  # noqa: S311 (days that anyone can repeat)
    free = [(midnight_ms + OPENS_MS, counter) for counter, one in sorted(drive.view.counters.items()) if one.is_open]
    times = [midnight_ms + OPENS_MS + round(random.uniform(50, 70) * 1000) * number for number in range(tickets)]
    waiting, comers, served = 0, sorted(times), 0
    while comers or waiting:
        if comers and (not waiting or comers[0] <= free[0][0]):
            drive.issue("tax", at_ms=max(comers.pop(0), drive.clock.now_ms()))
            waiting += 1
            continue
        at_ms, counter = heappop(free)
        at_ms = max(at_ms, drive.clock.now_ms())
        drive.send(c.CallNext(counter, finish_current=True), at_ms=at_ms)
        waiting, served = waiting - 1, served + 1
        heappush(free, (at_ms + round(pace(random, served / tickets) * 1000), counter))
