"""What a report's days are compared with: the period before, and the year before.

Halls live by the week: a Monday is compared with a Monday. So days move by whole weeks, and whole months by months.
"""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from metrics.breakdown import Row

WEEKS_A_YEAR = 52


class Earlier(StrEnum):
    """Which earlier days."""

    PERIOD_BEFORE = "period_before"
    YEAR_BEFORE = "year_before"


class Comparison(BaseModel):
    """The verdict over earlier days, to be held against the report's own."""

    model_config = ConfigDict(extra="forbid")

    earlier: Earlier
    from_day: str
    to_day: str
    rows: list[Row] = Field(description="the total and each promise; a total of nothing where there were no tickets")
    share_change: float | None = Field(description="the report's share less the earlier one's")
    p90_change_s: float | None = Field(description="the report's p90 less the earlier one's, seconds")


def earlier_days(from_day: str, to_day: str, earlier: Earlier) -> tuple[str, str] | None:
    """The first and last of the earlier days; None before the calendar begins.

    Whole months: the months before, the same months a year before. Other days: as many days so many whole weeks before
    that they do not overlap, 52 weeks before."""
    first, last = date.fromisoformat(from_day), date.fromisoformat(to_day)
    try:
        if first.day == 1 and last.day == monthrange(last.year, last.month)[1]:
            found = _months_before(first, last, earlier)
        else:
            weeks = -(-((last - first).days + 1) // 7) if earlier == Earlier.PERIOD_BEFORE else WEEKS_A_YEAR
            found = first - timedelta(weeks=weeks), last - timedelta(weeks=weeks)
    except (ValueError, OverflowError):
        return None
    return (found[0].isoformat(), found[1].isoformat()) if found[0] > date(1970, 1, 1) else None


def _months_before(first: date, last: date, earlier: Earlier) -> tuple[date, date]:
    """Whole months as many months earlier as they are, or twelve."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    back = count if earlier == Earlier.PERIOD_BEFORE else 12
    begin, end = _month(first, -back), _month(last, -back)
    return begin, end.replace(day=monthrange(end.year, end.month)[1])


def _month(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, 1)
