"""Many wait records in one verdict: counts by cell, the share kept and how sure it is, percentiles by nearest rank, and
whether the promise was met. Milliseconds are integers throughout and become seconds only in `Figures`. What one
ticket's cell is, `waits` says, why it was missed, `misses`; where the records come from is not known here.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import sqrt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from metrics.misses import Miss
from metrics.waits import WaitRecord, classify
from models.vocabulary import Period, Verdict
from models.wire import seconds_or_none

Promise = tuple[str, int, int]
"""What a ticket is judged by: its period, promise_ms, percentile."""

Seconds = Annotated[float | None, Field(description="seconds, exact to the millisecond")]
Share = Annotated[float | None, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Figures(BaseModel):
    """The verdict over some tickets. `counted` = kept + missed; durations are over those counted, people still waiting
    beyond their promise included with their wait so far. The `called…` figures are over all tickets whose wait ended
    in a call and that are not apart, no-shows included. None where there is nothing to say."""

    model_config = ConfigDict(extra="forbid")

    period: Period | None = Field(description="None in rows over several promises, like promise_s and percentile")
    promise_s: Seconds
    percentile: int | None
    counted: Count
    kept: Count
    missed: Count
    open: Annotated[Count, Field(description="still waiting within the promise")]
    left: Annotated[Count, Field(description="cancelled, no-show or expired within the promise")]
    apart: Annotated[Count, Field(description="backfilled, in suspended hours, or training")]
    share: Annotated[Share, Field(description="kept / counted")]
    mean_s: Seconds
    p50_s: Seconds
    p90_s: Seconds
    p95_s: Seconds
    max_s: Seconds
    met: bool | None = Field(description="the promised percentile is within the promise, for each promise in the row")
    called: Count
    called_within: Count
    called_share: Share
    called_mean_s: Seconds
    called_p50_s: Seconds
    called_p90_s: Seconds
    called_max_s: Seconds
    turned_away: Annotated[Count, Field(description="visitors who got no ticket in this row's hours")]
    share_low: Annotated[Share, Field(description="lower end of the share's 95 % Wilson interval")]
    share_high: Annotated[Share, Field(description="its upper end")]
    missed_ordinary: Annotated[Count, Field(description="missed, and none of the three causes below")]
    missed_spilled_over: Annotated[Count, Field(description="missed off-peak, behind somebody who had come at peak")]
    missed_outside_hours: Annotated[Count, Field(description="missed, but kept if opening hours alone counted")]
    missed_suspended: Annotated[Count, Field(description="apart, not in missed: passed it while suspended")]


def nearest_rank(ordered: Sequence[int], percentile: int) -> int | None:
    """The smallest value that at least `percentile` in a hundred do not exceed; `ordered` rises. None of nothing."""
    return ordered[-(-percentile * len(ordered) // 100) - 1] if ordered else None


def mean_ms(durations_ms: Sequence[int]) -> int | None:
    """The mean to the nearest millisecond, halves upward, from the exact sum. None of nothing."""
    count = len(durations_ms)
    return (2 * sum(durations_ms) + count) // (2 * count) if count else None


def share_of(part: int, whole: int) -> float | None:
    """`part / whole`, None of nothing."""
    return part / whole if whole else None


WILSON_Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


def wilson(part: int, whole: int) -> tuple[float, float] | tuple[None, None]:
    """The 95 % interval of a share (Wilson, JASA 22, 1927): what a share of so few or so many tickets can say."""
    if not whole:
        return None, None
    square = WILSON_Z**2
    middle = (part + square / 2) / (whole + square)
    half = WILSON_Z * sqrt(part * (whole - part) / whole + square / 4) / (whole + square)
    return (0.0 if part == 0 else middle - half), (1.0 if part == whole else middle + half)


def _durations() -> "array[int]":
    """Milliseconds, eight bytes each: a year of a hall has hundreds of thousands."""
    return array("q")


@dataclass(slots=True)
class Group:
    """Tickets judged by the same promise."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    misses: Counter[Miss] = field(default_factory=Counter)
    counted_ms: "array[int]" = field(default_factory=_durations)
    called_ms: "array[int]" = field(default_factory=_durations)
    turned_away: int = 0

    def add(self, record: WaitRecord, cause: Miss | None = None) -> Verdict:
        """Count one ticket and say in which cell; `cause` says why its promise was missed, where it was."""
        verdict = classify(record)
        self.verdicts[verdict] += 1
        if cause is not None:
            self.misses[cause] += 1
        if verdict in (Verdict.KEPT, Verdict.MISSED):
            self.counted_ms.append(record.wait_ms)
        if record.called and verdict != Verdict.APART:
            self.called_ms.append(record.wait_ms)
        return verdict

    def take(self, other: "Group") -> None:
        """Count what `other` counted too."""
        self.verdicts.update(other.verdicts)
        self.misses.update(other.misses)
        self.counted_ms += other.counted_ms
        self.called_ms += other.called_ms
        self.turned_away += other.turned_away


def figures(groups: Iterable[tuple[Promise, Group]]) -> Figures:
    """The figures over groups of tickets, each judged by its own promise."""
    by_promise: dict[Promise, Group] = {}
    for promise, group in groups:
        by_promise.setdefault(promise, Group()).take(group)
    period, promise_ms, percentile = next(iter(by_promise)) if len(by_promise) == 1 else (None, None, None)
    verdicts, misses = _totals(by_promise.values())
    counted_by = {promise: sorted(group.counted_ms) for promise, group in by_promise.items()}
    called_by = {promise: sorted(group.called_ms) for promise, group in by_promise.items()}
    counted, called = _merged(counted_by.values()), _merged(called_by.values())
    within = sum(bisect_right(waits_ms, promise[1]) for promise, waits_ms in called_by.items())
    low, high = wilson(verdicts[Verdict.KEPT], len(counted))
    return Figures(
        period=None if period is None else Period(period),
        promise_s=seconds_or_none(promise_ms),
        percentile=percentile,
        counted=len(counted),
        **{verdict.value: verdicts[verdict] for verdict in Verdict},
        share=share_of(verdicts[Verdict.KEPT], len(counted)),
        **spread(counted),
        p95_s=seconds_or_none(nearest_rank(counted, 95)),
        met=_met(counted_by),
        called=len(called),
        called_within=within,
        called_share=share_of(within, len(called)),
        **{f"called_{name}": value for name, value in spread(called).items()},
        turned_away=sum(group.turned_away for group in by_promise.values()),
        share_low=low,
        share_high=high,
        **{f"missed_{cause.value}": misses[cause] for cause in Miss},
    )


def _totals(groups: Iterable[Group]) -> tuple[Counter[Verdict], Counter[Miss]]:
    verdicts: Counter[Verdict] = Counter()
    misses: Counter[Miss] = Counter()
    for group in groups:
        verdicts.update(group.verdicts)
        misses.update(group.misses)
    return verdicts, misses


def _merged(parts: Iterable[list[int]]) -> list[int]:
    """Sorted lists as one; sorting what is sorted in parts costs little."""
    lists = list(parts)
    return lists[0] if len(lists) == 1 else sorted(chain.from_iterable(lists))


def spread(ordered_ms: Sequence[int]) -> dict[str, Any]:
    """Mean, median, 90th percentile and maximum in seconds, by their names in `Figures`."""
    return {
        "mean_s": seconds_or_none(mean_ms(ordered_ms)),
        "p50_s": seconds_or_none(nearest_rank(ordered_ms, 50)),
        "p90_s": seconds_or_none(nearest_rank(ordered_ms, 90)),
        "max_s": seconds_or_none(ordered_ms[-1] if ordered_ms else None),
    }


def _met(counted_by: Mapping[Promise, list[int]]) -> bool | None:
    """Whether every promise that somebody was counted under was met; None when nobody was."""
    reached = [
        (nearest_rank(counted, percentile), promise_ms) for (_, promise_ms, percentile), counted in counted_by.items()
    ]
    judged = [wait_ms <= promise_ms for wait_ms, promise_ms in reached if wait_ms is not None]
    return all(judged) if judged else None
