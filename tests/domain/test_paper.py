"""Paper tickets of an outage, entered afterwards; and the recorded history of another system."""

from dataclasses import replace
from typing import Any

import pytest

from models.vocabulary import Apart, Channel, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import TicketBackfilled, TicketRecorded
from tests.domain.hall_driver import DAY_MS, MIDNIGHT_MS, HallDriver, at, plan_document


@pytest.fixture
def driver() -> HallDriver:
    """A hall at 12:00 with counters 1 and 2 open; its paper series is P."""
    return HallDriver(start_ms=at(12))


def paper(ticket: str = "p1", **fields: Any) -> c.PaperTicket:
    """A paper ticket taken at 10:00."""
    return c.PaperTicket(**{"ticket": ticket, "service": "a", "arrived_at_ms": at(10), **fields})


def backfill(*tickets: c.PaperTicket) -> c.Backfill:
    """The command that enters them."""
    return c.Backfill(tickets, "power cut")


def test_a_paper_ticket_still_waiting_joins_the_line_where_it_arrived(driver: HallDriver) -> None:
    """It stands before those who came later, flagged, with a number of the paper series and the promise of its hour."""
    later = driver.issue()
    (event,) = [one.event for one in driver.do(backfill(paper(ref="case 7")))]
    assert event == TicketBackfilled(
        "p1", "P001", "a", "normal", "case 7", "power cut", at(10), None, None, None, None, "peak", 600_000, 90
    )
    found = driver.ticket("p1")
    assert (found.apart, found.channel, found.issued_at_ms) == (Apart.BACKFILLED, Channel.PAPER, at(10))
    assert driver.calls() == ["p1", later]
    assert driver.leg("p1").waited_ms == 2 * 3_600_000


def test_a_paper_ticket_already_served_is_history_with_its_claimed_times(driver: HallDriver) -> None:
    """Its wait and service are the claimed ones, and the hall does not hold it."""
    driver.do(backfill(paper(called_at_ms=at(10, 5), started_at_ms=at(10, 6), finished_at_ms=at(10, 20), counter="1")))
    assert "p1" not in driver.hall.tickets
    found = driver.ticket("p1")
    assert (found.state, found.closed_at_ms) == (TicketState.FINISHED, at(10, 20))
    leg = found.leg
    assert (leg.waited_ms, leg.started_at_ms, leg.start_implied, leg.counter) == (300_000, at(10, 6), False, "1")


def test_a_paper_ticket_without_a_start_has_an_implied_one(driver: HallDriver) -> None:
    """Where nobody wrote down the start it is taken to be the call, and left out of service times."""
    driver.do(backfill(paper(called_at_ms=at(10, 5), finished_at_ms=at(10, 20))))
    assert (driver.leg("p1").started_at_ms, driver.leg("p1").start_implied) == (at(10, 5), True)


def test_a_claimed_number_is_kept_and_the_series_counts_on(driver: HallDriver) -> None:
    """What is printed on the paper stays; the next number without paper follows the highest."""
    driver.do(backfill(paper("p1"), paper("p2", number="P007"), paper("p3", number="P003")))
    assert [driver.ticket(one).number for one in ("p1", "p2", "p3")] == ["P008", "P007", "P003"]


def test_without_a_paper_series_the_services_own_goes_on() -> None:
    """A hall without an emergency prefix numbers paper tickets like all others."""
    driver = HallDriver(start_ms=at(12), emergency_prefix=None)
    driver.issue()
    driver.do(backfill(paper()))
    assert driver.ticket("p1").number == "A002"
    driver.refused(backfill(paper("p2", number="P001")), errors.BadValue)


@pytest.mark.parametrize("number", ["A001", "P1", "P0005", "P1234567", "P\u0660\u0660\u0661", "P", "P00x", "P000"])
def test_only_a_well_formed_number_of_the_series_can_be_claimed(driver: HallDriver, number: str) -> None:
    """A number that the series would not print is refused, with its place in the list."""
    refusal = driver.refused(backfill(paper("p1"), paper("p2", number=number)), errors.BadValue)
    assert refusal.facts["place"] == "/tickets/1/number"


def test_a_number_is_claimed_once(driver: HallDriver) -> None:
    """Neither twice in one list nor again later."""
    driver.refused(backfill(paper("p1", number="P002"), paper("p2", number="P002")), errors.BadValue)
    driver.do(backfill(paper("p1", number="P002")))
    driver.refused(backfill(paper("p2", number="P002")), errors.BadValue)


def test_slips_of_one_stack_are_entered_in_any_order(driver: HallDriver) -> None:
    """Two share the stack: one between those that are in is entered, once; what has none follows the highest."""
    for ticket, number in enumerate(("P006", "P002", "P004", "P001", "P003", "P005")):
        driver.do(backfill(paper(f"p{ticket}", number=number)))
        refusal = driver.refused(backfill(paper("again", number=number)), errors.BadValue)
        assert str(refusal) == f"{number} was entered already."
    driver.do(backfill(paper("next")))
    assert driver.ticket("next").number == "P007"


def test_the_series_begins_anew_each_day(driver: HallDriver) -> None:
    """A number that was passed over or entered yesterday is nobody's today."""
    driver.do(backfill(paper("p1", number="P003")))
    driver.now_ms = at(36)
    for ticket, number in enumerate(("P001", "P003")):
        driver.do(backfill(paper(f"q{ticket}", number=number, arrived_at_ms=at(34))))
    assert driver.hall.number_gaps == {"P": [(2, 2)]}


def test_what_another_plan_gave_of_the_series_is_somebodys(driver: HallDriver) -> None:
    """A prefix that was a service's until noon has visitors whose numbers cannot be claimed."""
    driver.issue()
    services = [{"id": one, "name": "-", "prefix": prefix} for one, prefix in (("a", "P"), ("b", "B"))]
    driver.do(c.PutPlan(plan_document(services=services, emergency_prefix="A")))
    driver.refused(backfill(paper("p1", number="A001")), errors.BadValue)
    driver.do(backfill(paper("p1", number="A003"), paper("p2", number="A002")))


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "called before it arrived": ({"called_at_ms": at(9)}, "called_at"),
    "started before it was called": ({"called_at_ms": at(11), "started_at_ms": at(10, 30)}, "started_at"),
    "finished before it was started": (
        {"called_at_ms": at(11), "started_at_ms": at(11, 5), "finished_at_ms": at(11, 1)}, "finished_at",
    ),
    "served without a call": ({"finished_at_ms": at(11)}, "called_at"),
    "arrived yesterday": ({"arrived_at_ms": MIDNIGHT_MS - 1}, "arrived_at"),
    "finished in the future": ({"called_at_ms": at(11), "finished_at_ms": at(12) + 1}, "finished_at"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_nothing_entered(driver: HallDriver, fault: str) -> None:
    """One impossible time refuses the whole list and says which row and which field."""
    fields, place = FAULTS[fault]
    refusal = driver.refused(backfill(paper("p1"), replace(paper("p2"), **fields)), errors.BadValue)
    assert refusal.facts["place"] == f"/tickets/1/{place}"


def test_unknown_names_are_refused(driver: HallDriver) -> None:
    """A service, class or counter that the plan does not have is no paper ticket's either."""
    driver.refused(backfill(paper(service="z")), errors.UnknownService)
    driver.refused(backfill(paper(priority="z")), errors.UnknownPriority)
    driver.refused(backfill(paper(counter="z")), errors.UnknownCounter)


def test_a_backfill_does_not_end_a_counters_undo(driver: HallDriver) -> None:
    """A paper ticket that was served at counter 1 this morning is nothing that counter 1 did just now."""
    driver.issue()
    driver.call("1")
    driver.do(backfill(paper(called_at_ms=at(11), counter="1")))
    driver.do(c.Undo("1"))


def recorded(**fields: Any) -> c.RecordedTicket:
    """A ticket of another system, issued a week ago at 10:00 and called ten minutes later."""
    issued = at(10) - 7 * DAY_MS
    values = {"ticket": "r1", "number": "17", "service": "a", "issued_at_ms": issued, "called_at_ms": issued + 600_000}
    return c.RecordedTicket(**{**values, "extra": {}, **fields})


def test_history_belongs_to_its_own_day(driver: HallDriver) -> None:
    """A recorded ticket has the day, period and promise of its date, and never enters the line."""
    (event,) = [one.event for one in driver.do(c.RecordHistory([recorded()]))]
    assert event == TicketRecorded(
        "r1", "17", "a", "2026-02-23", at(10) - 7 * DAY_MS, at(10, 10) - 7 * DAY_MS, MIDNIGHT_MS - 6 * DAY_MS,
        "peak", 600_000, 90, {},
    )  # fmt: skip
    assert driver.hall.tickets == {}
    found = driver.ticket("r1")
    assert (found.state, found.day, found.leg.waited_ms) == (TicketState.FINISHED, "2026-02-23", 600_000)


def test_a_recorded_ticket_that_was_never_called_expired_at_its_days_end(driver: HallDriver) -> None:
    """It waited until midnight of its own day."""
    driver.do(c.RecordHistory([recorded(called_at_ms=None)]))
    found = driver.ticket("r1")
    assert (found.state, found.leg.waited_ms) == (TicketState.EXPIRED, 14 * 3_600_000)


def test_todays_tickets_are_no_history(driver: HallDriver) -> None:
    """A list that reaches into today, or was called before it was issued, is refused as a whole."""
    driver.refused(c.RecordHistory([recorded(), recorded(issued_at_ms=at(0), called_at_ms=at(1))]), errors.BadValue)
    driver.refused(c.RecordHistory([recorded(called_at_ms=at(9) - 7 * DAY_MS)]), errors.BadValue)
