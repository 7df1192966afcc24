"""Calling: the one button, recalls and no-shows, those who come back, and chosen calls."""

import pytest

from models.vocabulary import CounterState, LegOutcome, TicketState, Voice
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import TicketCalled, TicketFinished, TicketStarted
from tests.domain.hall_driver import HallDriver


@pytest.fixture
def driver() -> HallDriver:
    """A hall with counters 1 and 2 open."""
    return HallDriver()


def test_the_one_button_finishes_and_calls(driver: HallDriver) -> None:
    """One press finishes the ticket being served and calls the next, in one command."""
    first, second = driver.issue(), driver.issue()
    driver.call("1")
    driver.do(c.Start(first))
    events = driver.do(c.CallNext("1", finish_current=True))
    assert [type(one.event) for one in events] == [TicketFinished, TicketCalled]
    assert len({one.command_seq for one in events}) == 1
    assert (driver.ticket(first).state, driver.counter("1").ticket) == (TicketState.FINISHED, second)


def test_the_one_button_implies_the_start(driver: HallDriver) -> None:
    """A ticket that was only called is started and finished by the press, and its start is marked as implied."""
    ticket = driver.issue()
    driver.call("1")
    driver.later(30)
    events = driver.do(c.CallNext("1", finish_current=True))
    assert [type(one.event) for one in events] == [TicketStarted, TicketFinished]
    leg = driver.leg(ticket)
    assert (leg.start_implied, leg.started_at_ms, leg.ended_at_ms) == (True, driver.now_ms, driver.now_ms)


def test_a_pressed_start_is_not_implied(driver: HallDriver) -> None:
    """When the clerk pressed start, the service time is that clerk's word."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Start(ticket))
    driver.call("1", finish_current=True)
    assert not driver.leg(ticket).start_implied


def test_without_a_ticket_finish_current_is_ignored(driver: HallDriver) -> None:
    """An idle counter that asks to finish and call just calls."""
    ticket = driver.issue()
    assert driver.call("1", finish_current=True) == ticket


def test_nobody_waiting_is_no_event(driver: HallDriver) -> None:
    """Calling an empty line changes nothing and is no refusal."""
    assert driver.do(c.CallNext("1")) == []


def test_the_one_button_finishes_also_when_nobody_waits(driver: HallDriver) -> None:
    """The ticket being served is finished even if there is nobody to call."""
    ticket = driver.issue()
    driver.call("1")
    assert driver.call("1", finish_current=True) is None
    assert driver.ticket(ticket).state == TicketState.FINISHED


def test_a_counter_that_holds_a_ticket_calls_no_other(driver: HallDriver) -> None:
    """Call-next without finish_current is refused with the ticket that is held."""
    ticket = driver.issue()
    driver.issue()
    driver.call("1")
    refusal = driver.refused(c.CallNext("1"), errors.CounterHoldsTicket)
    assert refusal.facts == {"counter": "1", "ticket": ticket, "number": "A001", "state": "called"}


def test_a_closed_counter_calls_nobody(driver: HallDriver) -> None:
    """A counter without a clerk is refused with its state."""
    driver.issue()
    assert driver.refused(c.CallNext("3"), errors.WrongCounterState).facts["state"] == CounterState.CLOSED


def test_a_no_show_needs_the_recalls_of_the_plan(driver: HallDriver) -> None:
    """By default a visitor is passed over after two recalls, not before."""
    ticket = driver.issue()
    driver.call("1")
    driver.later(60)
    for missing in (2, 1):
        assert driver.refused(c.NoShow(ticket), errors.TooEarly).facts["recalls_missing"] == missing
        driver.do(c.Recall(ticket))
    driver.do(c.NoShow(ticket))
    assert driver.ticket(ticket).state == TicketState.NO_SHOW


def test_a_no_show_needs_the_seconds_of_the_plan(driver: HallDriver) -> None:
    """By default a visitor is passed over 60 s after the call, to the millisecond."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Recall(ticket))
    driver.do(c.Recall(ticket))
    driver.later(59.999)
    assert driver.refused(c.NoShow(ticket), errors.TooEarly).facts["wait_s"] == 0.001
    driver.later(0.001)
    driver.do(c.NoShow(ticket))
    assert driver.counter("1").ticket is None


def test_a_no_show_s_seconds_begin_with_the_announcement(driver: HallDriver) -> None:
    """Where a display tells the lobby of a call later than it was made, nobody is passed over before they heard it."""
    ticket = driver.issue()
    number = driver.ticket(ticket).number
    driver.call("1")
    driver.later(50)
    driver.do(c.AnnounceCall("1", number, "lobby", Voice.SPEECH, 50_000))
    driver.later(5)
    driver.do(c.AnnounceCall("1", number, "east", Voice.NONE, 0))
    driver.do(c.Recall(ticket))
    driver.do(c.Recall(ticket))
    driver.later(54)
    assert driver.refused(c.NoShow(ticket), errors.TooEarly).facts["wait_s"] == 1
    driver.later(1)
    driver.do(c.NoShow(ticket))


def test_only_a_call_that_stands_is_announced(driver: HallDriver) -> None:
    """A display that comes too late, or to the wrong counter, changes nothing."""
    ticket = driver.issue()
    number = driver.ticket(ticket).number
    driver.call("1")
    driver.refused(c.AnnounceCall("2", number, "lobby", Voice.SPEECH, 0), errors.WrongCounterState)
    driver.do(c.Start(ticket))
    driver.refused(c.AnnounceCall("1", number, "lobby", Voice.SPEECH, 0), errors.WrongCounterState)


def test_recalls_are_counted(driver: HallDriver) -> None:
    """Every repetition of a call is on the leg."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Recall(ticket))
    driver.do(c.Recall(ticket))
    assert driver.leg(ticket).recalls == 2


def passed_over(driver: HallDriver) -> str:
    """A ticket that waited 100 s, was called and did not come."""
    ticket = driver.issue()
    driver.later(100)
    driver.call("1")
    driver.do(c.Recall(ticket))
    driver.do(c.Recall(ticket))
    driver.later(60)
    driver.do(c.NoShow(ticket))
    return ticket


def test_a_no_show_may_rejoin_with_the_place_it_had(driver: HallDriver) -> None:
    """Who comes back stands in line as one who waited without a break as long as it waited before the call."""
    ticket = passed_over(driver)
    driver.later(300)
    driver.do(c.Rejoin(ticket))
    assert driver.ticket(ticket).state == TicketState.WAITING
    assert driver.leg(ticket).line_since_ms == driver.now_ms - 100_000
    assert driver.leg(ticket).waiting_since_ms == driver.now_ms


@pytest.mark.parametrize(("after_s", "allowed"), [(600, True), (600.001, False)])
def test_rejoining_ends_with_the_grace(driver: HallDriver, after_s: float, allowed: bool) -> None:
    """By default a no-show may come back for ten minutes after it was passed over."""
    ticket = passed_over(driver)
    driver.later(after_s)
    if allowed:
        driver.do(c.Rejoin(ticket))
    else:
        assert driver.refused(c.Rejoin(ticket), errors.BoundReached).facts["allowed_s"] == 600


def test_a_no_show_rejoins_once(driver: HallDriver) -> None:
    """Who is passed over a second time does not come back under the default plan."""
    ticket = passed_over(driver)
    driver.do(c.Rejoin(ticket))
    driver.call("1")
    driver.do(c.Recall(ticket))
    driver.do(c.Recall(ticket))
    driver.later(60)
    driver.do(c.NoShow(ticket))
    assert driver.refused(c.Rejoin(ticket), errors.BoundReached).facts["allowed"] == 1
    assert [leg.outcome for leg in driver.ticket(ticket).legs] == [LegOutcome.NO_SHOW] * 2


def test_a_chosen_call_says_why_and_whom_it_overtook(driver: HallDriver) -> None:
    """A chosen call carries its reason and counts those who stood in line before, at this counter's services."""
    driver.issue("a")
    driver.issue("b")
    driver.later(1)
    chosen = driver.issue("a")
    driver.issue("a")
    (event,) = [one.event for one in driver.do(c.CallChosen("1", "disabled", ticket=chosen))]
    assert isinstance(event, TicketCalled)
    assert (event.ticket, event.chosen, event.overtaken) == (chosen, "disabled", 2)


def test_who_could_not_be_called_is_not_overtaken(driver: HallDriver) -> None:
    """A postponed visitor, and one kept for another counter, are not counted as overtaken."""
    driver.do(c.Transfer(driver.issue(), "b", for_counter="2"))
    driver.do(c.Postpone(driver.issue(), 60_000))
    driver.issue()
    driver.later(30)
    (event,) = [one.event for one in driver.do(c.CallChosen("1", "urgent", ticket=driver.issue()))]
    assert isinstance(event, TicketCalled)
    assert event.overtaken == 1


def test_a_call_in_order_overtakes_nobody(driver: HallDriver) -> None:
    """Whom the rule calls is in turn, by definition."""
    driver.issue()
    (event,) = [one.event for one in driver.do(c.CallNext("1"))]
    assert isinstance(event, TicketCalled)
    assert (event.chosen, event.overtaken) == (None, 0)


def test_a_ticket_is_chosen_by_number_too(driver: HallDriver) -> None:
    """The number on the visitor's paper is enough; one of ticket and number is to be given."""
    driver.issue()
    chosen = driver.issue()
    driver.do(c.CallChosen("1", "urgent", number="A002"))
    assert driver.counter("1").ticket == chosen
    driver.refused(c.CallChosen("2", "urgent", number="A009"), errors.UnknownTicket)
    driver.refused(c.CallChosen("2", "urgent"), errors.BadValue)


def test_chosen_calls_are_capped_by_the_plan() -> None:
    """The plan bounds how many are called out of order in a day."""
    driver = HallDriver(chosen_calls_per_day=1)
    driver.do(c.CallChosen("1", "urgent", ticket=driver.issue()))
    refusal = driver.refused(c.CallChosen("2", "urgent", ticket=driver.issue()), errors.BoundReached)
    assert refusal.facts["allowed"] == 1


def test_a_chosen_call_may_finish_the_ticket_held(driver: HallDriver) -> None:
    """With finish_current the held ticket is finished in the same command."""
    held, chosen = driver.issue(), driver.issue()
    driver.call("1")
    driver.refused(c.CallChosen("1", "urgent", ticket=chosen), errors.CounterHoldsTicket)
    driver.do(c.CallChosen("1", "urgent", ticket=chosen, finish_current=True))
    assert (driver.ticket(held).state, driver.counter("1").ticket) == (TicketState.FINISHED, chosen)


def test_a_counter_that_is_to_pause_makes_no_chosen_call(driver: HallDriver) -> None:
    """A counter that pauses after its ticket is not given another one: it would be paused and called at once."""
    driver.issue()
    chosen = driver.issue()
    driver.call("1")
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.refused(c.CallChosen("1", "urgent", ticket=chosen, finish_current=True), errors.WrongCounterState)


def test_a_counter_calls_no_chosen_ticket_it_does_not_serve() -> None:
    """A reason does not teach a counter another service."""
    driver = HallDriver(counters=[{"id": "1", "name": "-", "services": ["b"]}, {"id": "2", "name": "-"}])
    driver.refused(c.CallChosen("1", "urgent", ticket=driver.issue("a")), errors.BadValue)
