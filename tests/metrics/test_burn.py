"""How fast the budget burns: windows of opening hours, instants of decision, and limits that can be reached."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.decided import Decided, Outcome, allowed_share
from metrics.live.burn import MOST_MISSED, burn_of, burns, open_since_ms
from metrics.live.watch import past_outcomes
from models.vocabulary import AlertKind
from queue_service.domain import commands as c
from queue_service.domain.alert_rules import AlertRules, BurnRule
from queue_service.domain.calendar import WEEKDAYS, Calendar, Hours
from tests.metrics.driving import Drive, at

WORKDAYS = frozenset(WEEKDAYS[:5])
OFFICE = Calendar("Asia/Shanghai", opening=(Hours(WORKDAYS, 9 * 60, 12 * 60), Hours(WORKDAYS, 13 * 60, 18 * 60)))
HOUR_MS = 3_600_000
RULES = AlertRules((BurnRule(AlertKind.BURNING_FAST, HOUR_MS, HOUR_MS // 12, 8),), 10, 3, 30_000, 600_000, 180_000)
ALWAYS = Calendar("UTC")


def spoilt(missed: int, kept: int, percentile: int = 90, at_ms: int = 10 * HOUR_MS) -> list[Outcome]:
    """Promises decided at one instant."""
    return [Outcome(at_ms, number < missed, allowed_share(percentile)) for number in range(missed + kept)]


@pytest.mark.parametrize(
    ("now_ms", "hours", "since_ms"),
    [
        (at(10), 1, at(9)),
        (at(14), 2, at(11)),
        (at(9), 1, at(9) - 3 * 24 * HOUR_MS + 8 * HOUR_MS),
        (at(20), 16, at(9) - 3 * 24 * HOUR_MS),
    ],
)
def test_windows_are_of_opening_hours(now_ms: int, hours: int, since_ms: int) -> None:
    """Lunch, nights and the weekend before this Monday are passed over."""
    assert open_since_ms(OFFICE, now_ms, hours * HOUR_MS) == since_ms


@given(now=st.integers(0, 14 * 24 * 60), open_min=st.integers(1, 40 * 60))
def test_a_window_holds_as_much_opening_as_was_asked_for(now: int, open_min: int) -> None:
    """From its beginning to now the hall was open exactly so long, counted minute by minute."""
    now_ms = at(0) + now * 60_000
    since_ms = open_since_ms(OFFICE, now_ms, open_min * 60_000)
    minutes = range(since_ms, now_ms, 60_000)
    assert sum(_is_open(minute) for minute in minutes) == open_min


def _is_open(at_ms: int) -> bool:
    local = timedelta(milliseconds=at_ms + 8 * HOUR_MS)
    weekday, minute = (local.days + 3) % 7, local.seconds // 60
    return weekday < 5 and (540 <= minute < 720 or 780 <= minute < 1080)


@pytest.mark.parametrize(
    ("missed", "kept", "fires"), [(8, 2, True), (7, 3, False), (10, 0, True), (9, 0, False), (80, 20, True)]
)
def test_eight_times_is_reached_by_eight_of_ten(missed: int, kept: int, fires: bool) -> None:
    """At 90 % the limit of 8 is what 80 % of all missing comes to; fewer than ten tickets say nothing."""
    [burn] = burns(RULES, ALWAYS, Decided(spoilt(missed, kept)).counts, 10 * HOUR_MS)
    assert burn.firing == fires


@given(percentile=st.integers(1, 100))
def test_every_promise_can_burn(percentile: int) -> None:
    """Whatever share is promised, all of ten missing it fires; none missing it never does."""
    [all_missed] = burns(RULES, ALWAYS, Decided(spoilt(10, 0, percentile)).counts, 10 * HOUR_MS)
    [all_kept] = burns(RULES, ALWAYS, Decided(spoilt(0, 10, percentile)).counts, 10 * HOUR_MS)
    assert (all_missed.firing, all_kept.firing) == (True, False)
    assert all_missed.limit <= 8
    assert all_missed.limit * allowed_share(percentile) <= MOST_MISSED + 1e-9


def test_what_is_over_does_not_burn() -> None:
    """The long window still holds the misses, the short one does not: it has stopped."""
    old, new = spoilt(20, 0, at_ms=9 * HOUR_MS + HOUR_MS // 2), spoilt(0, 1)
    [burn] = burns(RULES, ALWAYS, Decided([*old, *new]).counts, 10 * HOUR_MS)
    assert burn.long == pytest.approx(200 / 21)
    assert (burn.short, burn.firing) == (0, False)
    assert burn_of([]) is None


def test_yesterday_is_read_as_it_was_decided(drive: Drive) -> None:
    """A ticket kept, one missed before it was called, one that expired waiting: each at its instant."""
    kept = drive.issue(at_ms=at(8))
    drive.send(c.CallNext("1"), at_ms=at(8, 1))
    drive.issue(at_ms=at(8, 2))
    drive.send(c.CallNext("2"), at_ms=at(8, 30))
    drive.issue(at_ms=at(12))
    drive.send(c.Finish(kept), at_ms=at(12))
    drive.send(c.OpenDay(), at_ms=at(25))
    found = drive.database.read(lambda one: past_outcomes(one, drive.view.rules, at(26)))
    assert sorted((one.at_ms, one.missed) for one in found) == [(at(8, 1), False), (at(8, 4), True), (at(12, 2), True)]
    assert {round(one.allowed, 6) for one in found} == {0.1}
