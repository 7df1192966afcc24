"""Midnight: what is open expires at the day's end, serving goes on, numbers restart, and the log says it all."""

import pytest

from models.vocabulary import Channel, CounterState, LegOutcome, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import CounterPaused, DayOpened, TicketExpired
from tests.domain.hall_driver import DAY_MS, HallDriver, at, picture
from tests.domain.log_copy import reread


@pytest.fixture
def driver() -> HallDriver:
    """A hall at 23:00 with counters 1 and 2 open."""
    return HallDriver(start_ms=at(23))


def midnight(driver: HallDriver, late_s: float = 0) -> list[object]:
    """Roll over, so long after midnight; the events of it."""
    driver.now_ms = driver.hall.day.end_ms
    driver.later(late_s)
    return [one.event for one in driver.do(c.OpenDay())]


def test_before_midnight_there_is_nothing_to_roll_over(driver: HallDriver) -> None:
    """The command is harmless at any other time."""
    driver.now_ms = at(24) - 1
    assert driver.do(c.OpenDay()) == []
    driver.now_ms = at(24)
    assert [type(one.event) for one in driver.do(c.OpenDay())] == [DayOpened]
    assert driver.do(c.OpenDay()) == []


def test_waits_stop_at_the_days_end(driver: HallDriver) -> None:
    """A rollover that comes three hours late ends a wait at midnight all the same."""
    ticket = driver.issue()
    events = midnight(driver, late_s=3 * 3600)
    assert events[0] == TicketExpired(ticket, "A001", "a", None, "waiting", 3_600_000, at(24))
    found = driver.ticket(ticket)
    assert (found.state, found.closed_at_ms) == (TicketState.EXPIRED, at(24))
    assert (found.leg.waited_ms, found.leg.ended_at_ms, found.leg.outcome) == (3_600_000, at(24), LegOutcome.EXPIRED)


def test_a_called_ticket_expires_and_frees_its_counter(driver: HallDriver) -> None:
    """Its wait was over at the call and stays what it was."""
    ticket = driver.issue()
    driver.later(60)
    driver.call("1")
    midnight(driver)
    assert (driver.ticket(ticket).state, driver.leg(ticket).waited_ms) == (TicketState.EXPIRED, 60_000)
    assert driver.counter("1").ticket is None


def test_no_shows_parked_and_expected_tickets_expire(driver: HallDriver) -> None:
    """Who was passed over, is on an errand or never came does not come back the next day; a past leg stays as it is."""
    parked = driver.serve(driver.issue())
    driver.do(c.Park(parked, "materials"))
    expected = driver.issue(channel=Channel.WEB)
    midnight(driver)
    assert {driver.ticket(one).state for one in (parked, expected)} == {TicketState.EXPIRED}
    assert driver.leg(parked).outcome == LegOutcome.PARKED
    assert driver.hall.tickets == {}
    driver.refused(c.Return(parked), errors.UnknownTicket)


def test_serving_goes_on(driver: HallDriver) -> None:
    """A ticket being served crosses midnight with its number, day, legs and counter, and is finished after it."""
    ticket = driver.serve(driver.issue())
    started_ms = driver.now_ms
    midnight(driver)
    assert driver.counter("1").ticket == ticket
    found = driver.ticket(ticket)
    assert (found.day, found.leg.started_at_ms) == ("2026-03-02", started_ms)
    driver.do(c.Finish(ticket))
    assert driver.ticket(ticket).state == TicketState.FINISHED


def test_numbers_restart_and_yesterdays_number_is_told_apart(driver: HallDriver) -> None:
    """A001 is given again; a chosen call by number means today's."""
    driver.serve(driver.issue())
    midnight(driver)
    today = driver.issue()
    assert driver.ticket(today).number == "A001"
    driver.do(c.CallChosen("2", "urgent", number="A001"))
    assert driver.counter("2").ticket == today


def test_a_carried_ticket_may_wait_again(driver: HallDriver) -> None:
    """A ticket requeued after midnight joins the new day's line with the wait it had."""
    ticket = driver.issue()
    driver.later(600)
    driver.call("1")
    driver.do(c.Start(ticket))
    midnight(driver)
    late = driver.issue()
    driver.later(60)
    driver.do(c.Requeue(ticket))
    assert driver.calls("1") == [ticket, late]


def test_counters_and_suspensions_cross_midnight(driver: HallDriver) -> None:
    """Open counters stay open with their clerk, narrowing and pause; what was suspended stays so."""
    driver.do(c.OpenCounter("3", "clerk", ("b",)))
    driver.do(c.PauseCounter("2", "break"))
    driver.do(c.Suspend("the office system is down", service="a"))
    midnight(driver)
    states = [driver.hall.counter_state(counter) for counter in driver.hall.counters.values()]
    assert states == [CounterState.IDLE, CounterState.PAUSED, CounterState.IDLE]
    assert driver.hall.able(driver.counter("3")) == ("b",)
    assert driver.hall.is_suspended("a")


def test_a_counter_whose_ticket_expires_takes_its_pause(driver: HallDriver) -> None:
    """The pause asked for after this ticket comes when midnight takes the ticket."""
    driver.issue()
    driver.call("1")
    driver.do(c.PauseCounter("1", "break", after_current=True))
    assert CounterPaused("1", "break") in midnight(driver)
    assert driver.hall.counter_state(driver.counter("1")) == CounterState.PAUSED


def test_days_without_any_command_are_skipped(driver: HallDriver) -> None:
    """After a long weekend the day that opens is today's; the waits still end at their own day's end."""
    ticket = driver.issue()
    driver.now_ms += 3 * DAY_MS
    driver.issue()
    assert driver.hall.day.date == "2026-03-05"
    assert driver.leg(ticket).waited_ms == 3_600_000


def test_the_days_bounds_begin_anew(driver: HallDriver) -> None:
    """Chosen calls are counted per day."""
    driver.do(c.CallChosen("1", "urgent", ticket=driver.issue()))
    midnight(driver)
    assert driver.hall.chosen_calls == 0


def test_the_rollover_stands_when_the_command_is_refused(driver: HallDriver) -> None:
    """A refused first command of the day opens the day nevertheless."""
    driver.now_ms = at(24)
    with pytest.raises(errors.UnknownTicket):
        driver.do(c.Finish("nothing"))
    assert driver.hall.day.date == "2026-03-03"


def test_a_hall_is_read_from_the_event_that_opened_its_day(driver: HallDriver) -> None:
    """What the opening carries, read from JSON, gives the very hall that lived through the night."""
    driver.do(c.OpenCounter("3", "clerk", ("b",)))
    kept = driver.serve(driver.issue("b", priority="elder", ref="7", items=2, language="en"), "3")
    driver.do(c.Park(kept, "materials"))
    driver.later(10)
    driver.do(c.Return(kept, "3"))
    driver.serve(driver.issue(party=kept), "1")
    driver.do(c.PauseCounter("1", "break", after_current=True))
    driver.issue(channel=Channel.WEB)
    driver.do(c.Suspend("fire alarm", turn_away=True))
    midnight(driver, late_s=5)
    assert picture(reread(driver.log)) == picture(driver.hall)
    driver.do(c.Resume())
    driver.issue()
    driver.do(c.CallNext("3", finish_current=True))
    assert picture(reread(driver.log)) == picture(driver.hall)


def test_a_first_day_is_read_from_its_plan_and_its_opening() -> None:
    """A hall that was planned this morning is read like any other."""
    driver = HallDriver()
    driver.serve(driver.issue())
    assert picture(reread(driver.log)) == picture(driver.hall)
