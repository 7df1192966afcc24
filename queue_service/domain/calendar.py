"""Business days, opening hours and peak periods of a hall, as instants. Local rules in, milliseconds out.

A `Day` holds one local date's bounds and its intervals, computed once: asking it costs a comparison. Local times
that a DST change skips or repeats are resolved as Python's zoneinfo does (fold 0), so a day has 23, 24 or 25 hours.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""A half-open interval of instants, ms: start included, end not."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Some hours of some weekdays; minutes after local midnight, `end_min` not included."""

    days: frozenset[str]
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """A hall's local rules. Empty `opening` or `dispenser` means always."""

    time_zone: str
    opening: tuple[Hours, ...] = ()
    peaks: tuple[Hours, ...] = ()
    dispenser: tuple[Hours, ...] = ()
    closed_dates: frozenset[str] = frozenset()
    shoulder_s: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One business day: `[start_ms, end_ms)`, and its intervals."""

    date: str
    start_ms: int
    end_ms: int
    noon_ms: int
    opening: tuple[Span, ...]
    peaks: tuple[Span, ...]
    dispenser: tuple[Span, ...]

    def is_peak(self, at_ms: int) -> bool:
        """Whether the peak promise holds for a wait that begins now."""
        return _inside(self.peaks, at_ms)

    def is_open(self, at_ms: int) -> bool:
        """Whether the hall's opening hours hold the instant."""
        return _inside(self.opening, at_ms)

    def dispenses(self, at_ms: int) -> bool:
        """Whether tickets are given at the instant."""
        return _inside(self.dispenser, at_ms)

    def open_ms(self, from_ms: int, to_ms: int) -> int:
        """How much of `[from_ms, to_ms)` lies in the day's opening hours."""
        return sum(max(0, min(to_ms, end) - max(from_ms, start)) for start, end in self.opening)


def _inside(spans: tuple[Span, ...], at_ms: int) -> bool:
    for start, end in spans:  # noqa: SIM110 (asked at every command: three times as fast as `any`)
        if start <= at_ms < end:
            return True
    return False


def to_ms(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970 UTC; naive ones are refused."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return delta // timedelta(milliseconds=1)


def local_date(at_ms: int, time_zone: str) -> str:
    """The local date (ISO) of an instant: its business day."""
    return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(time_zone)).date().isoformat()


def _instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    if minutes >= 24 * 60:
        day, minutes = day + timedelta(days=1), minutes - 24 * 60
    return to_ms(datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone))


def spans_of(hours: tuple[Hours, ...], day: date, zone: ZoneInfo) -> tuple[Span, ...]:
    """The day's intervals as instants, in order; those of other weekdays are left out."""
    weekday = WEEKDAYS[day.weekday()]
    found = (
        (_instant(day, span.start_min, zone), _instant(day, span.end_min, zone))
        for span in hours
        if weekday in span.days
    )
    return _merged(sorted((start, end) for start, end in found if start < end))


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """Overlapping spans as one, so that no hour is counted twice."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@lru_cache(maxsize=20_000)
def day_of(calendar: Calendar, iso_date: str) -> Day:
    """The business day of a local date."""
    zone = ZoneInfo(calendar.time_zone)
    day = date.fromisoformat(iso_date)
    start, end = _instant(day, 0, zone), _instant(day, 24 * 60, zone)
    closed = iso_date in calendar.closed_dates
    whole = ((start, end),)
    shoulder_ms = calendar.shoulder_s * 1000
    peaks = () if closed else spans_of(calendar.peaks, day, zone)
    return Day(
        date=iso_date,
        start_ms=start,
        end_ms=end,
        noon_ms=_instant(day, 12 * 60, zone),
        opening=_hours_or_whole(calendar.opening, closed, day, zone, whole),
        peaks=tuple((begin, finish + shoulder_ms) for begin, finish in peaks),
        dispenser=_hours_or_whole(calendar.dispenser, closed, day, zone, whole),
    )


def _hours_or_whole(
    hours: tuple[Hours, ...], closed: bool, day: date, zone: ZoneInfo, whole: tuple[Span, ...]
) -> tuple[Span, ...]:
    if closed:
        return ()
    return spans_of(hours, day, zone) if hours else whole
