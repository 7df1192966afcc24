"""Local time in the model: a date and a zone in, instants out."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Plan = dict[str, Any]


def local_date(plan: Plan, at_ms: int) -> str:
    """The date that a clock on the hall's wall shows."""
    return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(plan["time_zone"])).date().isoformat()


def instant(plan: Plan, day: str, clock: str) -> int:
    """A time of a date, as 09:30 (24:00 is the next midnight), in milliseconds since 1970 UTC."""
    whole = date.fromisoformat(day)
    hour, minute = int(clock[:2]), int(clock[3:])
    if hour == 24:
        whole, hour = whole + timedelta(days=1), 0
    local = datetime(whole.year, whole.month, whole.day, hour, minute, tzinfo=ZoneInfo(plan["time_zone"]))
    return round(local.timestamp()) * 1000


def start_ms(plan: Plan, day: str) -> int:
    """When a business day begins."""
    return instant(plan, day, "00:00")


def end_ms(plan: Plan, day: str) -> int:
    """When a business day ends."""
    return instant(plan, day, "24:00")


def half(plan: Plan, day: str, at_ms: int) -> str:
    """The half-day."""
    return "am" if at_ms < instant(plan, day, "12:00") else "pm"


def _spans(plan: Plan, day: str, hours: list[dict[str, Any]]) -> list[tuple[int, int]]:
    weekday = WEEKDAYS[date.fromisoformat(day).weekday()]
    return [
        (instant(plan, day, one["start"]), instant(plan, day, one["end"])) for one in hours if weekday in one["days"]
    ]


def is_peak(plan: Plan, day: str, at_ms: int) -> bool:
    """Whether a wait that begins then begins at peak; the shoulder after a peak still counts."""
    if day in plan["calendar"]["closed_dates"]:
        return False
    shoulder_ms = plan["promise"]["shoulder_s"] * 1000
    peaks = _spans(plan, day, plan["calendar"]["peaks"])
    return any(start <= at_ms < end + shoulder_ms for start, end in peaks)


def offers(plan: Plan, day: str, hours: list[dict[str, Any]], at_ms: int) -> bool:
    """Whether an instant lies in some hours; no hours mean always."""
    return not hours or any(start <= at_ms < end for start, end in _spans(plan, day, hours))


def dispenses(plan: Plan, day: str, at_ms: int) -> bool:
    """Whether the dispenser gives tickets."""
    if day in plan["calendar"]["closed_dates"] or not start_ms(plan, day) <= at_ms < end_ms(plan, day):
        return False
    return offers(plan, day, plan["calendar"]["dispenser"], at_ms)


def waited_ms(plan: Plan, day: str, since_ms: int, until_ms: int) -> int:
    """How long somebody waited, by the plan's wait clock. (The model's opening hours never overlap.)"""
    if plan["calendar"]["wait_clock"] == "always":
        return max(0, until_ms - since_ms)
    if day in plan["calendar"]["closed_dates"]:
        return 0
    hours = plan["calendar"]["opening"]
    spans = _spans(plan, day, hours) if hours else [(start_ms(plan, day), end_ms(plan, day))]
    return sum(max(0, min(until_ms, end) - max(since_ms, start)) for start, end in spans)
