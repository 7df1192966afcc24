"""The business day is the hall's local date: midnights, DST days, far zones, opening hours and peaks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_service.domain import commands as c
from queue_service.domain.calendar import WEEKDAYS, Calendar, Day, Hours, day_of, local_date, to_ms
from queue_service.domain.events import DayOpened
from tests.domain.hall_driver import HallDriver

HOUR_MS = 3_600_000
EVERY_DAY = frozenset(WEEKDAYS)
ZONES = ["Asia/Shanghai", "America/St_Johns", "Europe/Warsaw", "Africa/Cairo", "America/Havana", "Pacific/Apia"]


def instant(text: str, zone: str = "UTC") -> int:
    """A local time such as 2026-03-29 01:30 as milliseconds since 1970 UTC."""
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def hours(start: str, end: str, days: frozenset[str] = EVERY_DAY) -> Hours:
    """Some hours of some weekdays, written as 09:30."""
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (start, end)]
    return Hours(days, *minutes)


def day(date: str, zone: str = "Asia/Shanghai", **rules: object) -> Day:
    """The business day of a calendar."""
    return day_of(Calendar(zone, **rules), date)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "zone", "date"),
    [
        ("2026-03-02 15:59:59.999", "Asia/Shanghai", "2026-03-02"),
        ("2026-03-02 16:00", "Asia/Shanghai", "2026-03-03"),
        ("2026-03-02 03:29:59.999", "America/St_Johns", "2026-03-01"),
        ("2026-03-02 03:30", "America/St_Johns", "2026-03-02"),
        ("2026-07-02 02:29:59.999", "America/St_Johns", "2026-07-01"),
        ("2026-07-02 02:30", "America/St_Johns", "2026-07-02"),
    ],
)
def test_the_business_day_is_the_local_date(at: str, zone: str, date: str) -> None:
    """An instant belongs to the date that a clock on the hall's wall shows, to the millisecond."""
    assert local_date(instant(at), zone) == date


@pytest.mark.parametrize(
    ("date", "length_h"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)]
)
def test_a_day_in_warsaw_is_as_long_as_it_is(date: str, length_h: int) -> None:
    """The day DST begins has 23 hours, the day it ends 25."""
    found = day(date, "Europe/Warsaw")
    assert found.end_ms - found.start_ms == length_h * HOUR_MS


def test_noon_of_the_long_day_is_thirteen_hours_after_midnight() -> None:
    """The half-day ends at local noon, not twelve hours after midnight."""
    found = day("2026-10-25", "Europe/Warsaw")
    assert found.noon_ms - found.start_ms == 13 * HOUR_MS


@given(zone=st.sampled_from(ZONES), moment=st.datetimes(datetime(2012, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001
def test_days_follow_one_another_without_gap(zone: str, moment: datetime) -> None:
    """The day of an instant's local date holds the instant, and ends where the next date begins."""
    at_ms = to_ms(moment.replace(tzinfo=UTC))
    date = local_date(at_ms, zone)
    found = day(date, zone)
    assert found.start_ms <= at_ms < found.end_ms
    assert local_date(found.end_ms, zone) > date
    assert local_date(found.end_ms - 1, zone) == date


def test_halls_far_apart_have_their_own_midnights() -> None:
    """Shanghai opens Tuesday while St. John's still has Monday morning; each rolls over at its own midnight."""
    start = instant("2026-03-02 12:00")
    shanghai = HallDriver(start_ms=start)
    newfoundland = HallDriver(start_ms=start, time_zone="America/St_Johns")
    for driver in (shanghai, newfoundland):
        driver.now_ms = instant("2026-03-02 16:00")
        driver.do(c.CallHelp("1"))
    assert (shanghai.hall.day.date, newfoundland.hall.day.date) == ("2026-03-03", "2026-03-02")
    newfoundland.now_ms = instant("2026-03-03 03:30") - 1
    newfoundland.do(c.CallHelp("1"))
    assert newfoundland.hall.day.date == "2026-03-02"
    newfoundland.later(0.001)
    newfoundland.do(c.CallHelp("1"))
    assert newfoundland.hall.day.date == "2026-03-03"


@pytest.mark.parametrize("date", ["2026-03-28", "2026-03-29", "2026-10-25"])
def test_every_warsaw_day_is_opened_once_at_its_local_midnight(date: str) -> None:
    """A hall that is used every quarter of an hour over a DST change opens each date once, at 00:00 local time."""
    zone = ZoneInfo("Europe/Warsaw")
    driver = HallDriver(start_ms=instant(f"{date} 20:00", "Europe/Warsaw") - 24 * HOUR_MS, time_zone="Europe/Warsaw")
    for _ in range(60 * 4):
        driver.later(900)
        driver.do(c.CallHelp("1"))
    opened = [one for one in driver.log if isinstance(one.event, DayOpened)][1:]
    local = [datetime.fromtimestamp(one.at_ms / 1000, zone) for one in opened]
    assert [moment.time().isoformat() for moment in local] == ["00:00:00"] * len(local)
    assert all(later.date() - earlier.date() == timedelta(days=1) for earlier, later in pairwise(local))
    assert date in [moment.date().isoformat() for moment in local]


def test_a_peak_holds_its_start_and_not_its_end() -> None:
    """From 09:00 to 11:00 is peak from 09:00:00.000 to 10:59:59.999."""
    found = day("2026-03-02", peaks=(hours("09:00", "11:00"),))
    nine, eleven = instant("2026-03-02 09:00", "Asia/Shanghai"), instant("2026-03-02 11:00", "Asia/Shanghai")
    assert [found.is_peak(at) for at in (nine - 1, nine, eleven - 1, eleven)] == [False, True, True, False]


def test_a_shoulder_makes_the_peak_longer() -> None:
    """The seconds after a peak that still count as peak are added to its end only."""
    found = day("2026-03-02", peaks=(hours("09:00", "11:00"),), shoulder_s=600)
    nine, eleven = instant("2026-03-02 09:00", "Asia/Shanghai"), instant("2026-03-02 11:00", "Asia/Shanghai")
    assert [found.is_peak(at) for at in (nine - 1, eleven + 599_999, eleven + 600_000)] == [False, True, False]


def test_hours_are_those_of_the_weekday() -> None:
    """Monday's peak is no peak on Tuesday."""
    mondays = (hours("09:00", "11:00", frozenset({"mon"})),)
    assert len(day("2026-03-02", peaks=mondays).peaks) == 1
    assert day("2026-03-03", peaks=mondays).peaks == ()


def test_a_closed_date_has_no_hours() -> None:
    """On a closed date nothing is open, nothing is peak and no tickets are given."""
    nine_to_five = (hours("09:00", "17:00"),)
    found = day(
        "2026-03-02",
        opening=nine_to_five,
        peaks=nine_to_five,
        dispenser=nine_to_five,
        closed_dates=frozenset({"2026-03-02"}),
    )
    assert (found.opening, found.peaks, found.dispenser) == ((), (), ())


def test_no_hours_mean_always() -> None:
    """A calendar without opening or dispenser hours is open from midnight to midnight; without peaks none is peak."""
    found = day("2026-03-29", "Europe/Warsaw")
    assert found.opening == found.dispenser == ((found.start_ms, found.end_ms),)
    assert found.peaks == ()


def test_open_time_leaves_out_lunch() -> None:
    """Of a wait from 11:30 to 13:30 with lunch from 12:00 to 13:00, one hour lies in the opening hours."""
    found = day("2026-03-02", opening=(hours("09:00", "12:00"), hours("13:00", "17:00")))
    start, end = instant("2026-03-02 11:30", "Asia/Shanghai"), instant("2026-03-02 13:30", "Asia/Shanghai")
    assert found.open_ms(start, end) == HOUR_MS


def test_overlapping_opening_hours_count_once() -> None:
    """Two entries that overlap are one opening: no hour of a wait is counted twice."""
    found = day("2026-03-02", opening=(hours("09:00", "12:00"), hours("11:00", "13:00")))
    assert found.open_ms(found.start_ms, found.end_ms) == 4 * HOUR_MS


def test_hours_over_the_missing_hour_are_shorter() -> None:
    """From 01:00 to 04:00 on the day DST begins lie two hours; on the day it ends, four."""
    opening = {"opening": (hours("01:00", "04:00"),)}
    lengths = []
    for date in ("2026-03-29", "2026-10-25"):
        found = day(date, "Europe/Warsaw", **opening)
        lengths.append(found.open_ms(found.start_ms, found.end_ms) // HOUR_MS)
    assert lengths == [2, 4]


def test_hours_may_end_at_midnight() -> None:
    """24:00 is the end of the day, also of a day of 25 hours."""
    found = day("2026-10-25", "Europe/Warsaw", opening=(hours("00:00", "24:00"),))
    assert found.opening == ((found.start_ms, found.end_ms),)


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive datetime could be any hour of the day."""
    with pytest.raises(ValueError, match="without a zone"):
        to_ms(datetime(2026, 3, 2))  # noqa: DTZ001
