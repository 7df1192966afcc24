"""Suspending a hall or a service: calls stop, no-show timers stop, waits go on and are marked."""

from collections.abc import Callable

import pytest

from models.vocabulary import Apart, Channel, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from tests.domain.hall_driver import HallDriver


@pytest.fixture
def driver() -> HallDriver:
    """A hall whose no-shows need 60 s and no recall, with counters 1 and 2 open."""
    return HallDriver(no_show={"recalls": 0, "after_s": 60})


def test_a_suspended_hall_calls_nobody(driver: HallDriver) -> None:
    """While the hall is suspended a call is refused with the reason; afterwards the line goes on."""
    ticket = driver.issue()
    driver.do(c.Suspend("fire alarm"))
    assert driver.refused(c.CallNext("1"), errors.Suspended).facts["reason"] == "fire alarm"
    driver.refused(c.CallChosen("1", "urgent", ticket=ticket), errors.Suspended)
    driver.do(c.Resume())
    assert driver.call("1") == ticket


def test_a_suspended_service_makes_no_chosen_call(driver: HallDriver) -> None:
    """The office system is down for whoever asks."""
    ticket = driver.issue("a")
    driver.do(c.Suspend("the office system is down", service="a"))
    refusal = driver.refused(c.CallChosen("1", "urgent", ticket=ticket), errors.Suspended)
    assert refusal.facts == {"service": "a", "reason": "the office system is down"}


def test_what_is_held_can_be_finished_while_suspended(driver: HallDriver) -> None:
    """The one button finishes the visitor at the counter and calls no other."""
    ticket = driver.serve(driver.issue())
    driver.issue()
    driver.do(c.Suspend("fire alarm"))
    assert driver.call("1", finish_current=True) is None
    assert driver.ticket(ticket).state == TicketState.FINISHED


def test_waits_go_on_and_are_marked(driver: HallDriver) -> None:
    """Who waits when the suspension begins is reported apart, with the whole wait."""
    ticket, other = driver.issue("a"), driver.issue("b")
    driver.do(c.Suspend("the office system is down", service="a"))
    driver.later(600)
    driver.do(c.Resume("a"))
    assert (driver.ticket(ticket).apart, driver.ticket(other).apart) == (Apart.SUSPENDED, None)
    driver.do(c.CallChosen("1", "test", ticket=ticket))
    assert driver.leg(ticket).waited_ms == 600_000


def test_who_comes_after_the_suspension_is_not_marked(driver: HallDriver) -> None:
    """The mark is for waits during the suspension only."""
    driver.do(c.Suspend("fire alarm"))
    driver.do(c.Resume())
    assert driver.ticket(driver.issue()).apart is None


def test_who_was_called_before_is_not_marked(driver: HallDriver) -> None:
    """A wait that was over when the suspension began is an ordinary wait."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Suspend("fire alarm"))
    assert driver.ticket(ticket).apart is None


BACK_IN_LINE: dict[str, list[Callable[[str], c.Command]]] = {
    "requeue": [c.Requeue],
    "transfer": [lambda ticket: c.Transfer(ticket, "b")],
    "return": [c.Start, lambda ticket: c.Park(ticket, "materials"), c.Return],
    "rejoin": [c.NoShow, c.Rejoin],
    "check-in": [c.CheckIn],
}


@pytest.mark.parametrize("way", BACK_IN_LINE)
def test_who_comes_back_into_a_suspended_line_is_marked(driver: HallDriver, way: str) -> None:
    """A wait that begins anew while the hall stands still is reported apart, whichever way it begins."""
    ticket = driver.issue(channel=Channel.WEB if way == "check-in" else Channel.KIOSK)
    if way != "check-in":
        driver.call("1")
    driver.later(60)
    *before, last = BACK_IN_LINE[way]
    for make in before:
        driver.do(make(ticket))
    driver.do(c.Suspend("fire alarm"))
    driver.do(last(ticket))
    assert driver.ticket(ticket).apart == Apart.SUSPENDED


def test_a_change_into_a_suspended_service_is_marked(driver: HallDriver) -> None:
    """Who is put into a line that stands still waits during the suspension."""
    ticket = driver.issue("a")
    driver.do(c.Suspend("the office system is down", service="b"))
    driver.do(c.Change(ticket, "wrong service", service="b"))
    assert driver.ticket(ticket).apart == Apart.SUSPENDED


@pytest.mark.parametrize("scope", [None, "a"])
def test_a_suspension_stops_the_no_show_timer(driver: HallDriver, scope: str | None) -> None:
    """Of the seconds before a no-show those do not count in which the hall or the service stood still."""
    ticket = driver.issue()
    driver.call("1")
    driver.later(30)
    driver.do(c.Suspend("fire alarm", service=scope))
    driver.later(600)
    assert driver.refused(c.NoShow(ticket), errors.TooEarly).facts["wait_s"] == 30
    driver.do(c.Resume(scope))
    driver.later(29.999)
    driver.refused(c.NoShow(ticket), errors.TooEarly)
    driver.later(0.001)
    driver.do(c.NoShow(ticket))


def test_overlapping_suspensions_stop_the_timer_once(driver: HallDriver) -> None:
    """An hour of both, hall and service, is one hour; another service's, and one before the call, are none."""
    driver.do(c.Suspend("earlier"))
    driver.later(100)
    driver.do(c.Resume())
    ticket = driver.issue("a")
    driver.call("1")
    driver.do(c.Suspend("other", service="b"))
    driver.later(10)
    driver.do(c.Suspend("hall"))
    driver.later(10)
    driver.do(c.Suspend("service", service="a"))
    driver.later(10)
    driver.do(c.Resume())
    driver.later(10)
    driver.do(c.Resume("a"))
    assert driver.refused(c.NoShow(ticket), errors.TooEarly).facts["wait_s"] == 50


def test_another_services_suspension_does_not_stop_the_timer(driver: HallDriver) -> None:
    """The clerk of a service that goes on goes on."""
    ticket = driver.issue("a")
    driver.call("1")
    driver.do(c.Suspend("the office system is down", service="b"))
    driver.later(60)
    driver.do(c.NoShow(ticket))


def test_hall_and_service_are_suspended_apart(driver: HallDriver) -> None:
    """Each scope is suspended once and resumed for itself."""
    driver.do(c.Suspend("fire alarm"))
    driver.refused(c.Suspend("again"), errors.Suspended)
    driver.do(c.Suspend("the office system is down", service="a"))
    driver.do(c.Resume())
    driver.refused(c.Resume(), errors.WrongState)
    driver.issue("a")
    assert driver.call("1") is None
    driver.refused(c.Suspend("x", service="z"), errors.UnknownService)
