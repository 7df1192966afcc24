"""Mistakes that were found in other queue systems, each as a test that this one does not make it.

Those of them that the pure rules can show; what concerns the database, the edge or the screens is tested there.
"""

import pytest

from models.vocabulary import OrderRule, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.order import ahead
from tests.domain.hall_driver import HallDriver, at, picture


@pytest.mark.parametrize("state", ["called", "serving"])
def test_mistake_02_check_then_set_without_a_condition(state: str) -> None:
    """A ticket that one counter holds is never given to another, whichever way the other asks."""
    driver = HallDriver()
    ticket = driver.issue()
    driver.call("1")
    if state == "serving":
        driver.do(c.Start(ticket))
    assert driver.call("2") is None
    driver.refused(c.CallChosen("2", "mine", ticket=ticket), errors.WrongState)
    driver.refused(c.CallChosen("2", "mine", number="A001"), errors.WrongState)
    assert driver.ticket(ticket).counter == "1"


@pytest.mark.parametrize("rule", OrderRule)
def test_mistake_03_newest_first(rule: OrderRule) -> None:
    """Under every rule visitors of one service and class are called oldest first."""
    driver = HallDriver(order=rule)
    tickets = []
    for _ in range(5):
        tickets.append(driver.issue())
        driver.later(60)
    assert driver.calls() == tickets


def test_mistake_04_the_number_is_a_count_of_what_is_there() -> None:
    """A number is never given twice, though tickets were cancelled, finished or turned away in between."""
    driver = HallDriver(services=[{"id": "a", "name": "-", "prefix": "A", "quota": {"channels": {"phone": 0}}}])
    first, second, third = driver.issue(), driver.issue(), driver.issue()
    driver.do(c.Cancel(second))
    driver.do(c.Finish(driver.serve(first)))
    driver.do(c.Cancel(third))
    assert driver.ticket(driver.issue()).number == "A004"


def test_mistake_05_the_minute_part_of_a_long_wait() -> None:
    """A wait of 75 minutes and 6 milliseconds is that, not 15 minutes."""
    driver = HallDriver()
    ticket = driver.issue()
    driver.later(75 * 60 + 0.006)
    driver.call("1")
    assert driver.leg(ticket).waited_ms == 75 * 60_000 + 6


def test_mistake_06_today_by_time_zone() -> None:
    """At 07:59 in Shanghai it is still yesterday in UTC; the tickets are today's, and 23:59 belongs to today too."""
    driver = HallDriver(start_ms=at(7, 59))
    early = driver.issue()
    driver.now_ms = at(23, 59, 59, 999)
    late = driver.issue()
    driver.now_ms = at(24)
    next_day = driver.issue()
    days = [driver.ticket(one).day for one in (early, late, next_day)]
    assert days == ["2026-03-02", "2026-03-02", "2026-03-03"]
    assert [driver.ticket(one).number for one in (early, late, next_day)] == ["A001", "A002", "A001"]


def test_mistake_07_arrival_overwritten_on_transfer() -> None:
    """A transferred visitor keeps the arrival and stands in the other line before those who came later."""
    driver = HallDriver()
    transferred = driver.issue("a")
    arrived_ms = driver.now_ms
    driver.later(1200)
    waiting = driver.issue("b")
    driver.do(c.Transfer(transferred, "b"))
    assert driver.ticket(transferred).issued_at_ms == arrived_ms
    assert ahead(driver.hall, driver.ticket(waiting), driver.now_ms) == 1
    assert driver.calls() == [transferred, waiting]


def test_mistake_08_history_deleted_by_the_daily_reset() -> None:
    """Midnight only adds to the log: what happened yesterday is there as it was."""
    driver = HallDriver()
    driver.do(c.Finish(driver.serve(driver.issue())))
    before = list(driver.log)
    driver.now_ms = at(24)
    driver.do(c.OpenDay())
    assert driver.log[: len(before)] == before


def test_mistake_10_an_update_without_a_filter() -> None:
    """A command for one ticket leaves every other ticket as it was."""
    driver = HallDriver()
    ticket = driver.issue()
    others = [driver.issue("ab"[index % 2]) for index in range(6)]
    driver.call("1")
    before = picture(driver.hall)["tickets"]
    for command in (c.Start(ticket), c.Park(ticket, "materials"), c.Return(ticket), c.Cancel(ticket)):
        driver.do(command)
    after = picture(driver.hall)["tickets"]
    assert {name: after[name] for name in others} == {name: before[name] for name in others}
    assert driver.ticket(ticket).state == TicketState.CANCELLED


def test_mistake_11_a_promise_stored_and_never_used() -> None:
    """Every wait carries the promise of the period in which it began: 600 s at peak, 120 s off-peak."""
    driver = HallDriver(start_ms=at(8, 59, 59, 999))
    before = driver.ticket(driver.issue())
    driver.later(0.001)
    peak = driver.ticket(driver.issue())
    assert [(one.period, one.promise_ms) for one in (before, peak)] == [("off_peak", 120_000), ("peak", 600_000)]
