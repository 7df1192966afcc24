"""The course of the day by the wall clock: no time is lost or counted twice, whatever the clock does."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.course import pieces
from queue_service.domain import commands as c
from tests.metrics.driving import Drive, at, empty_database
from tests.metrics.test_definition import AUTUMN_MS, SPRING_MS, document, lived
from tests.model import days

WARSAW = ZoneInfo("Europe/Warsaw")
NEPAL = ZoneInfo("Asia/Kathmandu")  # a quarter of an hour off the full hours


@given(
    st.sampled_from([WARSAW, NEPAL]), st.sampled_from([SPRING_MS, AUTUMN_MS, at(9)]), st.integers(0, 10**7),
    st.integers(0, 3 * 10**7),
)  # fmt: skip
def test_a_stretch_is_cut_without_loss(zone: ZoneInfo, base_ms: int, later_ms: int, long_ms: int) -> None:
    """The pieces of a stretch of time add up to it, and each is of the half-hour that the wall clock shows."""
    from_ms = base_ms + later_ms
    found = pieces(from_ms, from_ms + long_ms, zone)
    assert sum(duration for _, duration in found) == long_ms
    for half_hour, duration in found:
        local = datetime.fromtimestamp(from_ms / 1000, zone)
        assert half_hour == local.hour * 2 + local.minute // 30
        from_ms += duration


@pytest.mark.parametrize(("start_ms", "hours"), [(SPRING_MS, 23), (AUTUMN_MS, 25)])
def test_a_day_of_23_or_25_hours(start_ms: int, hours: int) -> None:
    """On the days when the clock is changed the night's hour is missing or twice as long, and averages stay averages:
    one counter open all day is one counter in every half-hour there was."""
    with lived("Europe/Warsaw", start_ms, []) as drive:
        day = days.local_date({"time_zone": "Europe/Warsaw"}, start_ms)
        end_ms = days.end_ms({"time_zone": "Europe/Warsaw"}, day)
        assert (end_ms - days.start_ms({"time_zone": "Europe/Warsaw"}, day)) / 3_600_000 == hours
        drive.issue()
        drive.send(c.OpenDay(), at_ms=end_ms)
        report = drive.report(day)
        open_s = sum(hour.open_s or 0 for hour in report.counter_hours if hour.counter == "1")
        assert open_s == (end_ms - start_ms) / 1000
        passed = {one.at: one.counters_open for one in report.course if one.at >= "04:00"}
        assert set(passed.values()) == {3.0}
        skipped = {one.at: one.counters_open for one in report.course if "02:00" <= one.at < "03:00"}
        assert skipped == (dict.fromkeys(("02:00", "02:30")) if hours == 23 else {"02:00": 3.0, "02:30": 3.0})


def test_a_wait_over_midnight_ends_with_its_day(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever came at 23:59 and was never called waited a minute on that day, and not on the next."""
    database = empty_database(tmp_path_factory.mktemp("midnight"))
    drive = Drive(database)
    drive.send(c.PutPlan(document("Asia/Shanghai")))
    drive.open("1")
    drive.issue(at_ms=at(23, 59))
    drive.send(c.OpenDay(), at_ms=at(24, 30))
    report, after = drive.report(now_ms=at(25)), drive.report("2026-03-03", now_ms=at(25))
    assert [(one.at, one.waiting) for one in report.course if one.waiting] == [("23:30", 1 / 30)]
    assert (report.rows[0].left, after.rows[0].counted, after.rows[0].left) == (1, 0, 0)
    assert [one.open_s for one in (*report.counters, *after.counters)] == [86_400.0, 3_600.0]
    database.close()


def test_a_hand_over_belongs_to_its_own_leg(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After a hand-over and a transfer the next call is the time of the counter that called, not of the first one."""
    drive = Drive(empty_database(tmp_path_factory.mktemp("legs")))
    drive.plan()
    drive.open("1", "2")
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), at_ms=at(9, 1))
    drive.send(c.Start(ticket), at_ms=at(9, 2))
    drive.send(c.HandOver(ticket, "2"), at_ms=at(9, 3))
    drive.send(c.Transfer(ticket, "tax"), at_ms=at(9, 5))
    drive.send(c.CallNext("2"), at_ms=at(9, 10))
    figures = {one.counter: (one.called_s, one.serving_s) for one in drive.report(now_ms=at(9, 14)).counters}
    assert (figures["1"], figures["2"]) == ((60.0, 60.0), (240.0, 120.0))
