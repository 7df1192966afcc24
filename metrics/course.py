"""The course of the day: by half-hours of local time, who came, how long they waited, who stood in line, and which
counters were open and serving. Several days are laid over one another. And how the waits were distributed.

It is fed by `reading`; what a wait is stands in `waits`.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from metrics.verdict import Count, Group, Promise, Seconds, Share, mean_ms, nearest_rank, share_of
from models.wire import seconds, seconds_or_none

QUARTER_MS = 900_000
HALF_HOURS = 48
EDGES_S = (60, 120, 300, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800)

Mean = Annotated[float | None, Field(ge=0)]


class Kind(StrEnum):
    """What is measured as time within a half-hour."""

    PASSED = "passed"
    WAITING = "waiting"
    OPEN = "open"
    SERVING = "serving"


class HalfHour(BaseModel):
    """A half-hour of local time over all days reported. Waits are of those counted whose first wait began in it; the
    last three are means over the time of it that has passed."""

    model_config = ConfigDict(extra="forbid")

    at: Annotated[str, Field(description="when it begins, local time")]
    came: Annotated[Count, Field(description="tickets whose first wait began in it, apart or not")]
    counted: Count
    share: Annotated[Share, Field(description="kept / counted")]
    mean_s: Seconds
    p50_s: Seconds
    p90_s: Seconds
    max_s: Seconds
    peak: Annotated[bool, Field(description="whether any of them came at peak")]
    finished: Annotated[Count, Field(description="services that ended in it")]
    waiting: Annotated[Mean, Field(description="people in line, on average")]
    counters_open: Annotated[Mean, Field(description="counters open and not paused, on average")]
    counters_serving: Annotated[Mean, Field(description="counters serving, on average")]
    per_counter_hour: Annotated[Mean, Field(description="services that ended per hour a counter was open")]


class WaitBin(BaseModel):
    """How many waits were longer than one bound and not longer than the next; the first holds waits of nothing too."""

    model_config = ConfigDict(extra="forbid")

    over_s: float
    to_s: Seconds
    kept: Count
    missed: Count
    share: Annotated[Share, Field(description="of all that are counted")]


@lru_cache(maxsize=1 << 17)
def half_hour(quarter: int, zone: ZoneInfo) -> int:
    """The half-hour of the local day (0-47) of a quarter of an hour, counted since 1970."""
    local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone)
    return local.hour * 2 + local.minute // 30


def pieces(from_ms: int, to_ms: int, zone: ZoneInfo) -> Sequence[tuple[int, int]]:
    """A stretch of time cut at quarters: half-hour of the local day (0-47), milliseconds. Where a DST change skips or
    repeats an hour, it has less or more of it."""
    first, last = from_ms // QUARTER_MS, (to_ms - 1) // QUARTER_MS
    if first >= last:  # most are short: hundreds of thousands a year
        return ((half_hour(first, zone), to_ms - from_ms),) if from_ms < to_ms else ()
    found = [(half_hour(first, zone), (first + 1) * QUARTER_MS - from_ms)]
    found += [(half_hour(quarter, zone), QUARTER_MS) for quarter in range(first + 1, last)]
    found.append((half_hour(last, zone), to_ms - last * QUARTER_MS))
    return found


class Course:
    """Collects what happened in each half-hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        """`zone`: the hall's, by whose wall clock the day is cut."""
        self._zone = zone
        self._times: dict[Kind, list[int]] = {kind: [0] * HALF_HOURS for kind in Kind}
        self._waits: dict[int, array[int]] = defaultdict(lambda: array("q"))
        self._came, self._kept, self._finished = [0] * HALF_HOURS, [0] * HALF_HOURS, [0] * HALF_HOURS
        self._peak: set[int] = set()

    def lasted(self, kind: Kind, stretch: Sequence[tuple[int, int]]) -> None:
        """Something went on for a stretch of time (`pieces`)."""
        times = self._times[kind]
        for at, duration_ms in stretch:
            times[at] += duration_ms

    def came(self, at_ms: int, peak: bool, wait_ms: int | None, kept: bool) -> None:
        """Somebody's first wait began; `wait_ms` where the ticket is counted."""
        at = half_hour(at_ms // QUARTER_MS, self._zone)
        self._came[at] += 1
        if peak:
            self._peak.add(at)
        if wait_ms is not None:
            self._waits[at].append(wait_ms)
            self._kept[at] += kept

    def finished(self, at_ms: int) -> None:
        """A service ended."""
        self._finished[half_hour(at_ms // QUARTER_MS, self._zone)] += 1

    def figures(self) -> list[HalfHour]:
        """Every half-hour from the first to the last in which there was anything."""
        busy = [at for at in range(HALF_HOURS) if self._came[at] or self._finished[at] or self._times[Kind.OPEN][at]]
        return [self._figures(at) for at in range(busy[0], busy[-1] + 1)] if busy else []

    def _figures(self, at: int) -> HalfHour:
        waits = sorted(self._waits[at])
        open_ms = self._times[Kind.OPEN][at]
        return HalfHour(
            at=f"{at // 2:02d}:{at % 2 * 30:02d}",
            came=self._came[at],
            counted=len(waits),
            share=share_of(self._kept[at], len(waits)),
            mean_s=seconds_or_none(mean_ms(waits)),
            p50_s=seconds_or_none(nearest_rank(waits, 50)),
            p90_s=seconds_or_none(nearest_rank(waits, 90)),
            max_s=seconds_or_none(waits[-1] if waits else None),
            peak=at in self._peak,
            finished=self._finished[at],
            waiting=self._mean(Kind.WAITING, at),
            counters_open=self._mean(Kind.OPEN, at),
            counters_serving=self._mean(Kind.SERVING, at),
            per_counter_hour=self._finished[at] * 3_600_000 / open_ms if open_ms else None,
        )

    def _mean(self, kind: Kind, at: int) -> float | None:
        passed_ms = self._times[Kind.PASSED][at]
        return self._times[kind][at] / passed_ms if passed_ms else None


def distribution(groups: Iterable[tuple[Promise, Group]]) -> list[WaitBin]:
    """The waits of those counted in bins whose bounds hold every promise; none after the longest."""
    parts = [(promise[1], group.counted_ms) for promise, group in groups if group.counted_ms]
    edges_ms = sorted({edge * 1000 for edge in EDGES_S} | {promise_ms for promise_ms, _ in parts})
    kept, missed = [0] * (len(edges_ms) + 1), [0] * (len(edges_ms) + 1)
    for promise_ms, waits_ms in parts:
        for wait_ms in waits_ms:
            (kept if wait_ms <= promise_ms else missed)[bisect_left(edges_ms, wait_ms)] += 1
    counted = sum(kept) + sum(missed)
    last = max((at for at in range(len(kept)) if kept[at] or missed[at]), default=-1)
    return [
        WaitBin(
            over_s=seconds(edges_ms[at - 1]) if at else 0.0,
            to_s=seconds(edges_ms[at]) if at < len(edges_ms) else None,
            kept=kept[at],
            missed=missed[at],
            share=share_of(kept[at] + missed[at], counted),
        )
        for at in range(last + 1)
    ]
