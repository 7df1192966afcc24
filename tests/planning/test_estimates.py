"""Estimates of a running hall: learned from its events, honest where nothing can be said, the same after a restart."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.domain import commands as c
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.planning.live.curve import FRESH_MS, Curve
from queue_service.planning.live.estimates import HallEstimates, own_error
from queue_service.planning.live.outlook import Outlook, chance_of_missing, estimate_document, said
from tests.domain.hall_driver import HallDriver, at

SEED = 20261127
SCORES = tuple(number / 10 for number in range(-5, 6))
BY_LENGTH = Outlook(0, None, EstimateBasis.QUEUE_LENGTH, None, 60.0, 0.5, SCORES)
BY_POINT = Outlook(0, None, EstimateBasis.HEAD_OF_LINE, 300.0, 60.0, 0.5, SCORES)


def busy_morning(tickets: int = 120) -> HallDriver:
    """Somebody comes every minute, two counters take about two minutes each; the line grows now and then."""
    random = Random(SEED)  # noqa: S311 (a morning that anyone can repeat)
    driver = HallDriver(at(8))
    free_ms = {"1": at(8), "2": at(8)}
    for _ in range(tickets):
        driver.later(60)
        driver.issue("a")
        for counter, since_ms in free_ms.items():
            if driver.now_ms >= since_ms:
                driver.call(counter, finish_current=True)
                free_ms[counter] = driver.now_ms + round(random.expovariate(1 / 125_000))
    return driver


def told(driver: HallDriver) -> HallEstimates:
    """Its log, folded as a view folds it."""
    hall, estimates = Hall(driver.hall.id), HallEstimates()
    for logged in driver.log:
        evolve(hall, logged)
        estimates.fold(hall, logged)
        hall.drain()
    return estimates


def test_the_counters_that_work_are_those_of_now() -> None:
    """The counters that an issue goes by are those open and not paused at that moment."""
    driver = HallDriver(at(8))
    hall, estimates, seen = Hall(driver.hall.id), HallEstimates(), []
    acts: list[Callable[[], object]] = [
        partial(driver.call, "1"),
        partial(driver.do, c.PauseCounter("2", "break")),
        partial(driver.do, c.ResumeCounter("2")),
        partial(driver.do, c.CloseCounter("2")),
    ]
    for act in acts:
        act()
        driver.issue("a")
        for logged in driver.log[hall.seq :]:
            evolve(hall, logged)
            estimates.fold(hall, logged)
            hall.drain()
        seen.append(estimates.tracker._counters["a"])
    assert seen == [2, 1, 2, 1]


def test_a_busy_morning_is_learned() -> None:
    """After some scored tickets there are figures; nine in ten waits stay below the bound, or nearly."""
    driver = busy_morning()
    estimates = told(driver)
    outlook = estimates.outlooks(driver.hall, driver.now_ms)["a"]
    document = estimate_document(driver.hall, "a", outlook, driver.hall.waiting_count("a"), 0.0, driver.now_ms)
    assert document["from_s"] <= document["p50_s"] <= document["p90_s"] <= document["to_s"]
    assert document["basis"] in list(EstimateBasis)
    error = own_error(estimates)["a"]
    assert error["scored"] > 50
    assert 0.75 <= error["coverage"] <= 1
    assert abs(error["bias_s"]) <= error["mae_s"]


def test_a_restart_changes_no_estimate() -> None:
    """All that is said follows from the log."""
    driver = busy_morning(60)
    one, other = told(driver), told(driver)
    assert one.outlooks(driver.hall, driver.now_ms) == other.outlooks(driver.hall, driver.now_ms)
    assert one.errors == other.errors


def test_where_nothing_can_be_said_it_is_said_why() -> None:
    """A new service, a closed hall, a suspension, no counter: a reason, and no number."""
    driver = busy_morning(60)
    estimates = told(driver)
    assert estimates.outlooks(driver.hall, driver.now_ms)["b"].because == NoEstimate.SERVICE_NEVER_SEEN
    assert HallEstimates().outlooks(driver.hall, driver.now_ms)["a"].because == NoEstimate.SERVICE_NEVER_SEEN
    outlook = estimates.outlooks(driver.hall, driver.now_ms)["a"]
    driver.do(c.Suspend("fire alarm"))
    document = estimate_document(driver.hall, "a", outlook, 3, 0.0, driver.now_ms)
    assert (document["because"], "p50_s" in document) == (NoEstimate.SUSPENDED, False)
    driver.do(c.Resume())
    for counter in ("1", "2"):
        driver.do(c.CloseCounter(counter, force="lunch"))
    assert estimates.outlooks(driver.hall, driver.now_ms)["a"].because == NoEstimate.NO_COUNTER_OPEN
    closed = HallDriver(at(8), calendar={"opening": [{"start": "09:00", "end": "17:00"}]})
    assert estimate_document(closed.hall, "a", outlook, 3, 0.0, closed.now_ms)["because"] == NoEstimate.HALL_CLOSED


def test_what_is_handed_in_is_scored_beside_the_others_and_serves_if_it_is_the_best() -> None:
    """Somebody who knows each wait exactly serves once enough were scored; what was said is not used before it was
    made, nor when it is old."""
    driver = HallDriver(at(8))
    hall, estimates = Hall(driver.hall.id), HallEstimates()

    def fold() -> None:
        for logged in driver.log[hall.seq :]:
            evolve(hall, logged)
            estimates.fold(hall, logged)
            hall.drain()

    for number in range(24):
        wait_s = 300.0 if number % 2 else 30.0
        estimates.tell(EstimateBasis.LEARNED, {"a": Curve(driver.now_ms, (wait_s,), (wait_s + 60,))})
        driver.issue("a")
        fold()
        driver.later(wait_s)
        driver.call("1", finish_current=True)
        fold()
        known = estimates.estimator.services["a"].scores.mae_s(EstimateBasis.LEARNED)
        assert known == (0 if number >= 9 else None)
    made_ms = driver.now_ms
    estimates.tell(EstimateBasis.LEARNED, {"a": Curve(made_ms, (100.0, 200.0), (200.0, 350.0))})
    outlook = estimates.outlooks(driver.hall, made_ms + FRESH_MS)["a"]
    assert (outlook.basis, outlook.as_of_ms) == (EstimateBasis.LEARNED, made_ms)
    figures = said(outlook, 5, 0.0)
    assert figures is not None
    assert (figures.p50_s, figures.spread_s) == (200.0, 150.0)
    for age_ms in (-1, 0, FRESH_MS, FRESH_MS + 1):
        estimates.tell(EstimateBasis.LEARNED, {"a": Curve(driver.now_ms - age_ms, (100.0,), (200.0,))})
        ticket = driver.issue("a")
        fold()
        given = estimates.estimator._pending[ticket].given
        assert set(given) == ({EstimateBasis.LEARNED} if age_ms in (0, FRESH_MS) else set())
    estimates.tell(EstimateBasis.LEARNED, {"a": Curve(made_ms, (100.0,), (200.0,))})
    for at_ms in (made_ms - 1, made_ms + FRESH_MS + 1):
        assert estimates.outlooks(driver.hall, at_ms)["a"].basis not in (EstimateBasis.LEARNED, None)


def test_earlier_days_come_before_what_today_has_shown() -> None:
    """Who begins in the middle of a day and is warmed then has what it would have, had it been there all along; what
    was said of today's first tickets, before anything was known, apart."""
    driver = busy_morning(60)
    midnight = len(driver.log)
    driver.now_ms = at(24 + 9)
    driver.do(c.OpenDay())
    for _ in range(30):
        driver.later(60)
        driver.issue("a")
        driver.call("1", finish_current=True)
    all_along, today, before = told(driver), HallEstimates(), HallEstimates()
    hall = Hall(driver.hall.id)
    for place, logged in enumerate(driver.log):
        evolve(hall, logged)
        (before if place < midnight else today).fold(hall, logged)
        hall.drain()
    assert today.outlooks(driver.hall, driver.now_ms) != all_along.outlooks(driver.hall, driver.now_ms)
    today.warm(before.tracker, before.estimator)
    ours, theirs = (one.estimator.services["a"] for one in (today, all_along))
    basis = EstimateBasis.HEAD_OF_LINE
    assert len(ours.windows[basis]) == pytest.approx(len(theirs.windows[basis]), abs=1)
    assert ours.scores.mae_s(basis) == pytest.approx(theirs.scores.mae_s(basis), rel=0.05)
    assert today.tracker.lines["a"].last_wait_s == all_along.tracker.lines["a"].last_wait_s


@pytest.mark.parametrize("outlook", [BY_LENGTH, BY_POINT])
@given(ahead=st.integers(0, 50), waited_s=st.floats(0, 4_000), left_s=st.floats(0, 4_000), more_s=st.floats(0, 4_000))
def test_the_chance_of_missing_falls_with_the_time_left(
    outlook: Outlook, ahead: int, waited_s: float, left_s: float, more_s: float
) -> None:
    """It falls as more time is left, and is 1 once the promise is passed; the bound is above the median."""
    chance = chance_of_missing(outlook, ahead, waited_s, left_s)
    later = chance_of_missing(outlook, ahead, waited_s, left_s + more_s)
    assert chance is not None
    assert later is not None
    assert 0 <= later <= chance <= 1
    assert chance_of_missing(outlook, ahead, waited_s, -1) == 1
    figures = said(outlook, ahead, waited_s)
    assert figures is not None
    assert 0 <= figures.p50_s <= figures.p90_s
