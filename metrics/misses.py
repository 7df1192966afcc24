"""Why a promise was missed: ordinarily, by the peak's line spilling over, outside opening hours, in a suspension.

A miss has one cause, the first that holds:

| cause         | the wait passed its promise, and                                                             |
|---------------|----------------------------------------------------------------------------------------------|
| suspended     | the ticket is apart, its service was suspended; it is told beside `missed`, not counted in it |
| outside_hours | what of the wait lay in opening hours would have kept the promise                            |
| spilled_over  | it began off-peak while somebody who came at peak still waited for the same service          |
| ordinary      | none of these                                                                                |

Which tickets are misses is said by `waits`; this only tells them apart.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import accumulate

from metrics.waits import WaitRecord
from models.vocabulary import Apart, Period
from queue_service.domain.calendar import Day
from queue_service.domain.hall import Leg


class Miss(StrEnum):
    """Why a promise was missed."""

    ORDINARY = "ordinary"
    SPILLED_OVER = "spilled_over"
    OUTSIDE_HOURS = "outside_hours"
    SUSPENDED = "suspended"


FOREVER_MS = 2**62


def wait_end_ms(leg: Leg, until_ms: int) -> int:
    """When a leg's wait ended: its first call, cancel or expiry; `until_ms` where it is still running."""
    if leg.waited_ms is None:
        return until_ms
    ended_ms = leg.ended_at_ms if leg.called_at_ms is None else leg.called_at_ms
    return until_ms if ended_ms is None else ended_ms


class PeakLines:
    """Until when the visitors of the peak stood in each service's line, on one day."""

    def __init__(self, waits: Iterable[tuple[str, int, int]]) -> None:
        """`waits`: service, beginning and end of the first wait of everyone who came at peak."""
        by_service: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for service, since_ms, until_ms in waits:
            by_service[service].append((since_ms, until_ms))
        self._since: dict[str, list[int]] = {}
        self._until: dict[str, list[int]] = {}
        for service, spans in by_service.items():
            spans.sort()
            self._since[service] = [since_ms for since_ms, _ in spans]
            self._until[service] = list(accumulate((until_ms for _, until_ms in spans), max))

    def stood_at(self, service: str, at_ms: int) -> bool:
        """Whether somebody who had come at peak before was still waiting."""
        came = bisect_left(self._since.get(service, ()), at_ms)
        return came > 0 and self._until[service][came - 1] > at_ms


def cause_of(record: WaitRecord, legs: Sequence[Leg], day: Day, until_ms: int, peak: PeakLines) -> Miss | None:
    """Why the promise to a ticket was missed; None where it was not. `until_ms`: when the ticket is judged."""
    if record.promise_ms is None or record.wait_ms <= record.promise_ms:
        return None
    if record.apart is not None:
        return Miss.SUSPENDED if record.apart == Apart.SUSPENDED else None
    in_hours_ms = record.wait_ms if _lies_in_hours(legs, day, until_ms) else _in_hours_ms(legs, day, until_ms)
    if in_hours_ms <= record.promise_ms and in_hours_ms < record.wait_ms:
        return Miss.OUTSIDE_HOURS
    off_peak = record.period == Period.OFF_PEAK
    if off_peak and peak.stood_at(record.service, legs[0].waiting_since_ms):
        return Miss.SPILLED_OVER
    return Miss.ORDINARY


def _lies_in_hours(legs: Sequence[Leg], day: Day, until_ms: int) -> bool:
    """Whether all happened within one stretch of opening hours, as it mostly does."""
    began_ms, ended_ms = legs[0].waiting_since_ms, wait_end_ms(legs[-1], until_ms)
    return any(start_ms <= began_ms and ended_ms <= end_ms for start_ms, end_ms in day.opening)


def _in_hours_ms(legs: Sequence[Leg], day: Day, until_ms: int) -> int:
    return sum(day.open_ms(leg.waiting_since_ms, wait_end_ms(leg, until_ms)) for leg in legs)
