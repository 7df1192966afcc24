"""When and how each promise was decided: at the call, or when the wait passed the promise. What became of it is said by
`waits`, as for every report; here it is only given a time.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from metrics.waits import WaitRecord, classify
from models.vocabulary import Verdict, WaitClock
from queue_service.domain.hall import Hall, Leg

LEAST_ALLOWED = 0.01
"""A promise to everyone allows no miss at all; it is held as if it allowed one in a hundred."""


class Outcome(NamedTuple):
    """A promise decided at an instant; `allowed`: the share that might be missed."""

    at_ms: int
    missed: bool
    allowed: float


class Count(NamedTuple):
    """So many promises of a kind, decided alike."""

    missed: bool
    allowed: float
    tickets: int


def outcome_of(hall: Hall, record: WaitRecord, legs: Sequence[Leg], now_ms: int) -> Outcome | None:
    """When and how the promise to a ticket was decided; None where it is not, or does not count."""
    verdict = classify(record)
    if verdict not in (Verdict.KEPT, Verdict.MISSED) or record.promise_ms is None or record.percentile is None:
        return None
    missed = verdict == Verdict.MISSED
    at_ms = passes_at_ms(hall, legs, record.promise_ms) if missed else legs[-1].called_at_ms
    return Outcome(now_ms if at_ms is None else at_ms, missed, allowed_share(record.percentile))


def allowed_share(percentile: int) -> float:
    """How many of all may miss a promise to so many in a hundred."""
    return max(LEAST_ALLOWED, (100 - percentile) / 100)


def passes_at_ms(hall: Hall, legs: Sequence[Leg], promise_ms: int) -> int | None:
    """The instant after which the waits together have passed the promise, a running one if it goes on; None: all are
    over, and did not."""
    left_ms = promise_ms
    for leg in legs:
        if leg.waited_ms is None or leg.waited_ms > left_ms:
            return after_ms(hall, leg.waiting_since_ms, left_ms)
        left_ms -= leg.waited_ms
    return None


def after_ms(hall: Hall, since_ms: int, wait_ms: int) -> int:
    """When a wait that began then has lasted so long, by the plan's wait clock; never: the day's end."""
    if hall.rules.wait_clock == WaitClock.ALWAYS:
        return since_ms + wait_ms
    for start_ms, end_ms in hall.day.opening:
        here_ms = max(since_ms, start_ms)
        if here_ms < end_ms and end_ms - here_ms > wait_ms:
            return here_ms + wait_ms
        wait_ms -= max(0, end_ms - here_ms)
    return hall.day.end_ms


class Decided:
    """Outcomes by their instants: how many lie in a window is told without looking at each."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        """Of all of these."""
        self._at_ms: dict[tuple[bool, float], list[int]] = {}
        for one in outcomes:
            self._at_ms.setdefault((one.missed, one.allowed), []).append(one.at_ms)
        for instants in self._at_ms.values():
            instants.sort()

    def add(self, one: Outcome) -> None:
        """One more."""
        insort(self._at_ms.setdefault((one.missed, one.allowed), []), one.at_ms)

    def remove(self, one: Outcome) -> None:
        """One that was added."""
        instants = self._at_ms[one.missed, one.allowed]
        del instants[bisect_left(instants, one.at_ms)]

    def counts(self, since_ms: int, until_ms: int) -> Iterator[Count]:
        """Of `[since_ms, until_ms]`."""
        for (missed, allowed), instants in self._at_ms.items():
            tickets = bisect_right(instants, until_ms) - bisect_left(instants, since_ms)
            if tickets > 0:
                yield Count(missed, allowed, tickets)
