"""Counters: signing on and off, pausing, relieving, ringing; one clerk, one counter, one ticket."""

from collections.abc import Callable

import pytest

from models.vocabulary import CounterState, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import CounterClosed, CounterPaused, CounterRelieved, HelpCalled, TicketRequeued
from tests.domain.hall_driver import HallDriver


@pytest.fixture
def driver() -> HallDriver:
    """A hall that lets a no-show be recorded at once, with counters 1 and 2 open."""
    return HallDriver(no_show={"recalls": 0, "after_s": 0})


def state(driver: HallDriver, counter: str = "1") -> CounterState:
    """The state of a counter."""
    return driver.hall.counter_state(driver.counter(counter))


def test_a_counter_goes_through_its_states(driver: HallDriver) -> None:
    """closed, idle, called, serving, paused, idle, closed."""
    seen = [state(driver, "3")]
    driver.open("3")
    seen.append(state(driver, "3"))
    ticket = driver.issue()
    for command in (c.CallNext("3"), c.Start(ticket), c.Finish(ticket), c.PauseCounter("3", "break"),
                    c.ResumeCounter("3"), c.CloseCounter("3")):  # fmt: skip
        driver.do(command)
        seen.append(state(driver, "3"))
    assert seen == ["closed", "idle", "called", "serving", "idle", "paused", "idle", "closed"]


def test_a_clerk_is_not_signed_on_twice(driver: HallDriver) -> None:
    """A clerk who sits at counter 1 is refused at counter 3, by opening and by relieving alike."""
    refusal = driver.refused(c.OpenCounter("3", "clerk-1"), errors.ClerkElsewhere)
    assert refusal.facts == {"clerk": "clerk-1", "counter": "1"}
    assert driver.refused(c.RelieveCounter("2", "clerk-1"), errors.ClerkElsewhere).facts["counter"] == "1"
    driver.do(c.CloseCounter("1"))
    driver.do(c.OpenCounter("3", "clerk-1"))


def test_a_counter_has_one_clerk(driver: HallDriver) -> None:
    """Nobody signs on where someone sits."""
    assert driver.refused(c.OpenCounter("1", "other"), errors.WrongCounterState).facts["state"] == "idle"


def test_a_counter_that_the_plan_does_not_have_is_unknown(driver: HallDriver) -> None:
    """A counter cannot be invented by opening it."""
    driver.refused(c.OpenCounter("9", "other"), errors.UnknownCounter)


def test_a_sign_on_narrows_but_does_not_widen() -> None:
    """A clerk may sign on for fewer services than the plan gives the counter, not for others."""
    driver = HallDriver(open_counters=(), counters=[{"id": "1", "name": "-", "services": ["a"]},
                                                    {"id": "2", "name": "-"}])  # fmt: skip
    assert driver.refused(c.OpenCounter("1", "clerk", ("a", "b")), errors.BadValue).facts["place"] == "/services/1"
    driver.refused(c.OpenCounter("1", "clerk", ("z",)), errors.UnknownService)
    driver.do(c.OpenCounter("2", "clerk", ("b", "b")))
    assert driver.hall.able(driver.counter("2")) == ("b",)


@pytest.mark.parametrize("started", [False, True])
def test_close_with_a_ticket_held_is_refused(driver: HallDriver, started: bool) -> None:
    """A clerk who still holds a ticket, called or serving, is told which one; requeue frees the counter."""
    ticket = driver.issue()
    driver.call("1")
    if started:
        driver.do(c.Start(ticket))
    refusal = driver.refused(c.CloseCounter("1"), errors.CounterHoldsTicket)
    assert (refusal.facts["ticket"], refusal.facts["number"]) == (ticket, "A001")
    driver.do(c.Requeue(ticket))
    driver.do(c.CloseCounter("1"))
    assert state(driver) == CounterState.CLOSED


def test_a_forced_close_puts_the_ticket_back_in_line(driver: HallDriver) -> None:
    """A supervisor's reason closes the counter and requeues its ticket, in one command, with the wait it had."""
    ticket = driver.issue()
    driver.later(60)
    driver.call("1")
    driver.later(60)
    events = [one.event for one in driver.do(c.CloseCounter("1", force="clerk unwell"))]
    assert events == [
        TicketRequeued(ticket, "A001", "a", "1", "called", "clerk unwell"),
        CounterClosed("1", "clerk unwell"),
    ]
    assert driver.ticket(ticket).state == TicketState.WAITING
    assert driver.leg(ticket).line_since_ms == driver.now_ms - 60_000
    assert driver.call("2") == ticket


def test_a_relief_takes_over_with_the_ticket(driver: HallDriver) -> None:
    """The new clerk goes on in one step; the ticket stays and its leg bears the new name."""
    ticket = driver.serve(driver.issue())
    (event,) = [one.event for one in driver.do(c.RelieveCounter("1", "relief"))]
    assert event == CounterRelieved("1", "relief")
    assert (driver.counter("1").clerk, driver.counter("1").ticket) == ("relief", ticket)
    assert driver.leg(ticket).clerk == "relief"
    driver.do(c.OpenCounter("3", "clerk-1"))


def test_nobody_relieves_themselves_or_an_empty_chair(driver: HallDriver) -> None:
    """A relief needs another clerk to relieve."""
    driver.refused(c.RelieveCounter("1", "clerk-1"), errors.ClerkElsewhere)
    driver.refused(c.RelieveCounter("3", "relief"), errors.WrongCounterState)


def test_a_pause_now_calls_nobody(driver: HallDriver) -> None:
    """A paused counter is refused its call and its second pause, until it resumes."""
    ticket = driver.issue()
    driver.do(c.PauseCounter("1", "break"))
    assert driver.refused(c.CallNext("1"), errors.WrongCounterState).facts["state"] == "paused"
    driver.refused(c.CallChosen("1", "x", ticket=ticket), errors.WrongCounterState)
    driver.refused(c.PauseCounter("1", "break"), errors.WrongCounterState)
    driver.do(c.ResumeCounter("1"))
    assert driver.call("1") == ticket


def test_a_pause_needs_a_reason_of_the_plan(driver: HallDriver) -> None:
    """A reason that is not listed is refused with those that are."""
    assert driver.refused(c.PauseCounter("1", "x"), errors.UnknownReason).facts["allowed"] == ["break"]


def test_a_counter_with_a_ticket_pauses_after_it(driver: HallDriver) -> None:
    """A pause now is refused while a ticket is held; asked for after this one, it waits."""
    ticket = driver.serve(driver.issue())
    driver.refused(c.PauseCounter("1", "break"), errors.CounterHoldsTicket)
    driver.do(c.PauseCounter("1", "break", after_current=True))
    assert state(driver) == CounterState.SERVING
    assert driver.do(c.Finish(ticket))[-1].event == CounterPaused("1", "break")
    assert state(driver) == CounterState.PAUSED


def test_a_pause_after_this_one_without_a_ticket_is_now(driver: HallDriver) -> None:
    """There is nothing to wait for."""
    driver.do(c.PauseCounter("1", "break", after_current=True))
    assert state(driver) == CounterState.PAUSED


FREEING: dict[str, Callable[[str], c.Command]] = {
    "finish": c.Finish,
    "requeue": c.Requeue,
    "park": lambda ticket: c.Park(ticket, "materials"),
    "transfer": lambda ticket: c.Transfer(ticket, "b"),
    "hand-over": lambda ticket: c.HandOver(ticket, "2"),
    "one button": lambda ticket: c.CallNext("1", finish_current=True),
}


@pytest.mark.parametrize("name", FREEING)
def test_however_the_ticket_goes_the_counter_then_pauses(driver: HallDriver, name: str) -> None:
    """The pause that was asked for comes whichever way the counter is freed, and nobody is called before."""
    ticket = driver.serve(driver.issue())
    driver.issue()
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.do(FREEING[name](ticket))
    assert (state(driver), driver.counter("1").pause_after) == (CounterState.PAUSED, None)


@pytest.mark.parametrize("name", ["no-show", "cancel"])
def test_the_pause_comes_also_when_the_visitor_does_not(driver: HallDriver, name: str) -> None:
    """A visitor who stays away or gives up frees the counter for its pause."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.do(c.NoShow(ticket) if name == "no-show" else c.Cancel(ticket))
    assert state(driver) == CounterState.PAUSED


def test_the_wish_to_pause_can_be_taken_back(driver: HallDriver) -> None:
    """Resume before the ticket is done: the counter calls on."""
    ticket = driver.serve(driver.issue())
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.do(c.ResumeCounter("1"))
    driver.do(c.Finish(ticket))
    assert state(driver) == CounterState.IDLE
    driver.refused(c.ResumeCounter("1"), errors.WrongCounterState)


def test_help_rings_and_changes_nothing(driver: HallDriver) -> None:
    """The supervisor is rung from an open counter."""
    assert [one.event for one in driver.do(c.CallHelp("1"))] == [HelpCalled("1")]
    assert state(driver) == CounterState.IDLE
    driver.refused(c.CallHelp("3"), errors.WrongCounterState)
