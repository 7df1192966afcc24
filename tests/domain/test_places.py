"""Nobody waits anew through no fault of theirs: what a ticket keeps through every turn of its life."""

from collections.abc import Callable

import pytest

from models.vocabulary import Channel, LegOutcome, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import TicketCheckedIn, TicketReturned
from tests.domain.hall_driver import HallDriver, at, plan_document


@pytest.fixture
def driver() -> HallDriver:
    """A hall that lets a no-show be recorded at once, with counters 1 and 2 open."""
    return HallDriver(no_show={"recalls": 0, "after_s": 0})


WAIT_S, SERVICE_S, AWAY_S = 100, 30, 50
WAYS_BACK: dict[str, list[Callable[[str], c.Command]]] = {
    "requeue from called": [c.Requeue],
    "requeue from serving": [c.Start, c.Requeue],
    "transfer from called": [lambda ticket: c.Transfer(ticket, "b")],
    "transfer from serving": [c.Start, lambda ticket: c.Transfer(ticket, "b")],
    "return": [c.Start, lambda ticket: c.Park(ticket, "materials"), c.Return],
    "transfer from parked": [
        c.Start, lambda ticket: c.Park(ticket, "materials"), lambda ticket: c.Transfer(ticket, "b"),
    ],
    "rejoin": [c.NoShow, c.Rejoin],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS_BACK)
def test_the_way_back_keeps_number_arrival_and_place(driver: HallDriver, way: str) -> None:
    """A new leg begins now; it stands in line since as long before as was waited, service and errands left out."""
    ticket = driver.issue()
    arrived_ms = driver.now_ms
    driver.later(WAIT_S)
    driver.call("1")
    for make in WAYS_BACK[way]:
        driver.later(SERVICE_S)
        driver.do(make(ticket))
    found = driver.ticket(ticket)
    assert (found.number, found.issued_at_ms, found.state) == ("A001", arrived_ms, TicketState.WAITING)
    assert [leg.waited_ms for leg in found.legs] == [WAIT_S * 1000, None]
    assert found.leg.waiting_since_ms == driver.now_ms
    assert found.leg.line_since_ms == driver.now_ms - WAIT_S * 1000


@pytest.mark.parametrize("way", WAYS_BACK)
def test_the_way_back_frees_the_counter(driver: HallDriver, way: str) -> None:
    """The counter that held the ticket holds nothing and calls the next."""
    ticket = driver.issue()
    driver.call("1")
    for make in WAYS_BACK[way]:
        driver.do(make(ticket))
    assert driver.counter("1").ticket is None
    assert driver.ticket(ticket).counter is None
    assert driver.call("1") == ticket


def test_the_waits_of_all_legs_add_up(driver: HallDriver) -> None:
    """After two waits of 100 s and 20 s a third leg stands in line as one of 120 s."""
    ticket = driver.issue()
    for wait_s in (100, 20):
        driver.later(wait_s)
        driver.call("1")
        driver.later(500)
        driver.do(c.Requeue(ticket))
    assert driver.ticket(ticket).waited_so_far_ms() == 120_000
    assert driver.leg(ticket).line_since_ms == driver.now_ms - 120_000


def test_the_time_away_is_not_credited(driver: HallDriver) -> None:
    """Called after eight minutes and back ten minutes later: behind who came meanwhile and has waited nine."""
    ticket = driver.issue()
    driver.later(480)
    driver.call("1")
    driver.later(60)
    driver.do(c.NoShow(ticket))
    later = driver.issue()
    driver.later(540)
    driver.do(c.Rejoin(ticket))
    assert driver.calls() == [later, ticket]


def test_a_transfer_from_waiting_ends_the_wait_there(driver: HallDriver) -> None:
    """Nothing of the wait is lost: the first leg keeps its part, the second goes on from the same place."""
    ticket = driver.issue()
    arrived_ms = driver.now_ms
    driver.later(70)
    driver.do(c.Transfer(ticket, "b"))
    first, second = driver.ticket(ticket).legs
    assert (first.service, first.waited_ms, first.outcome) == ("a", 70_000, LegOutcome.TRANSFERRED)
    assert (second.service, second.line_since_ms) == ("b", arrived_ms)


def test_the_time_in_parking_is_no_wait(driver: HallDriver) -> None:
    """An hour for the visitor's errand is neither waited nor a place in line."""
    ticket = driver.issue()
    driver.later(10)
    driver.call("1")
    driver.do(c.Start(ticket))
    driver.do(c.Park(ticket, "materials"))
    driver.later(3600)
    driver.do(c.Return(ticket))
    driver.later(5)
    driver.call("1")
    assert [leg.waited_ms for leg in driver.ticket(ticket).legs] == [10_000, 5_000]


def test_parking_needs_a_reason_of_the_plan(driver: HallDriver) -> None:
    """A reason that the plan does not list is refused with those it does."""
    ticket = driver.serve(driver.issue())
    refusal = driver.refused(c.Park(ticket, "lunch"), errors.UnknownReason)
    assert refusal.facts["allowed"] == ["materials"]


def test_straight_back_to_serving_only_at_the_counter_that_parked_it(driver: HallDriver) -> None:
    """Another counter is refused; the one that parked the ticket goes on serving it without a call."""
    ticket = driver.serve(driver.issue())
    driver.do(c.Park(ticket, "materials"))
    assert driver.refused(c.Return(ticket, "2"), errors.BadValue).facts["counter"] == "1"
    (event,) = [one.event for one in driver.do(c.Return(ticket, "1"))]
    assert event == TicketReturned(ticket, "A001", "a", "1", "clerk-1")
    assert (driver.ticket(ticket).state, driver.counter("1").ticket) == (TicketState.SERVING, ticket)
    assert driver.leg(ticket).waited_ms == 0


@pytest.mark.parametrize("busy", ["holding", "paused", "closed"])
def test_straight_back_needs_an_idle_counter(driver: HallDriver, busy: str) -> None:
    """A counter that holds another ticket, is paused or has no clerk takes nobody back directly."""
    ticket = driver.serve(driver.issue())
    driver.do(c.Park(ticket, "materials"))
    if busy == "holding":
        driver.serve(driver.issue())
    else:
        driver.do(c.PauseCounter("1", "break") if busy == "paused" else c.CloseCounter("1"))
    kind = errors.CounterHoldsTicket if busy == "holding" else errors.WrongCounterState
    driver.refused(c.Return(ticket, "1"), kind)


def test_a_hand_over_keeps_the_service_clock(driver: HallDriver) -> None:
    """The service goes on at the other counter: one leg, one start, the new clerk's name."""
    ticket = driver.serve(driver.issue())
    started_ms = driver.now_ms
    driver.later(120)
    driver.do(c.HandOver(ticket, "2"))
    (leg,) = driver.ticket(ticket).legs
    assert (leg.started_at_ms, leg.counter, leg.clerk) == (started_ms, "2", "clerk-2")
    assert (driver.counter("1").ticket, driver.counter("2").ticket) == (None, ticket)


def test_a_hand_over_goes_to_an_idle_counter_only(driver: HallDriver) -> None:
    """A counter that holds a ticket, has no clerk or does not exist takes no other."""
    ticket = driver.serve(driver.issue())
    driver.refused(c.HandOver(ticket, "1"), errors.CounterHoldsTicket)
    driver.refused(c.HandOver(ticket, "3"), errors.WrongCounterState)
    driver.refused(c.HandOver(ticket, "9"), errors.UnknownCounter)


def test_a_change_keeps_arrival_number_and_place(driver: HallDriver) -> None:
    """Who stood in the wrong line stands in the right one as if there from the start, in the same leg."""
    ticket = driver.issue()
    arrived_ms = driver.now_ms
    driver.later(300)
    later = driver.issue("b")
    driver.do(c.Change(ticket, "wrong service", service="b", priority="elder"))
    (leg,) = driver.ticket(ticket).legs
    assert (leg.service, leg.priority, leg.waiting_since_ms, leg.line_since_ms) == (
        "b",
        "elder",
        arrived_ms,
        arrived_ms,
    )
    assert driver.ticket(ticket).number == "A001"
    assert driver.calls() == [ticket, later]


def test_a_change_while_called_stays_at_the_counter(driver: HallDriver) -> None:
    """The clerk who finds the wrong service corrects it and goes on."""
    ticket = driver.issue()
    driver.call("1")
    driver.do(c.Change(ticket, "not entitled", priority="elder"))
    assert (driver.ticket(ticket).priority, driver.counter("1").ticket) == ("elder", ticket)


def test_a_change_must_change_something_the_plan_knows(driver: HallDriver) -> None:
    """Neither nothing nor an unknown service or class can be asked for."""
    ticket = driver.issue()
    driver.refused(c.Change(ticket, "x"), errors.BadValue)
    driver.refused(c.Change(ticket, "x", service="z"), errors.UnknownService)
    driver.refused(c.Change(ticket, "x", priority="z"), errors.UnknownPriority)


def test_waiting_begins_at_check_in(driver: HallDriver) -> None:
    """A web ticket taken at 8 and checked in at 9 waits from 9, under the promise of the peak."""
    ticket = driver.issue(channel=Channel.WEB)
    assert driver.ticket(ticket).state == TicketState.EXPECTED
    assert driver.call("1") is None
    driver.now_ms = at(9)
    (event,) = [one.event for one in driver.do(c.CheckIn(ticket))]
    assert event == TicketCheckedIn(ticket, "A001", "a", "peak", 600_000, 90)
    assert (driver.leg(ticket).waiting_since_ms, driver.leg(ticket).line_since_ms) == (at(9), at(9))
    assert driver.ticket(ticket).issued_at_ms == at(8)


def test_a_change_before_check_in_has_no_leg(driver: HallDriver) -> None:
    """A remote visitor who picked the wrong service begins to wait for the right one."""
    ticket = driver.issue(channel=Channel.WEB)
    driver.do(c.Change(ticket, "wrong service", service="b"))
    assert driver.ticket(ticket).legs == []
    driver.do(c.CheckIn(ticket))
    assert driver.leg(ticket).service == "b"


def test_postponed_time_is_the_visitors_own(driver: HallDriver) -> None:
    """The wait stops when the visitor postpones and goes on when the time is over, with the place waited for."""
    ticket = driver.issue()
    driver.later(100)
    driver.do(c.Postpone(ticket, 300_000))
    again_ms = driver.now_ms + 300_000
    assert (driver.leg(ticket).waiting_since_ms, driver.leg(ticket).line_since_ms) == (again_ms, again_ms - 100_000)
    driver.now_ms = again_ms
    driver.later(7)
    driver.call("1")
    assert [leg.waited_ms for leg in driver.ticket(ticket).legs] == [100_000, 7_000]


def test_who_gives_up_while_postponed_did_not_wait_since(driver: HallDriver) -> None:
    """A wait that has not begun again is nothing, never negative."""
    ticket = driver.issue()
    driver.later(100)
    driver.do(c.Postpone(ticket, 300_000))
    driver.do(c.Cancel(ticket))
    assert [leg.waited_ms for leg in driver.ticket(ticket).legs] == [100_000, 0]


@pytest.mark.parametrize(("by_ms", "allowed"), [(0, False), (1, True), (1_800_000, True), (1_800_001, False)])
def test_postponing_is_bounded_in_time(driver: HallDriver, by_ms: int, allowed: bool) -> None:
    """By default a visitor postpones by up to half an hour."""
    ticket = driver.issue()
    if allowed:
        driver.do(c.Postpone(ticket, by_ms))
    else:
        assert driver.refused(c.Postpone(ticket, by_ms), errors.BadValue).facts["max_s"] == 1800


def test_postponing_is_bounded_in_number(driver: HallDriver) -> None:
    """By default a visitor postpones once."""
    ticket = driver.issue()
    driver.do(c.Postpone(ticket, 1000))
    assert driver.refused(c.Postpone(ticket, 1000), errors.BoundReached).facts["allowed"] == 1


@pytest.mark.parametrize(("by_ms", "allowed"), [(1, False), (99_999, False), (100_000, True), (600_000, True)])
def test_a_postponement_is_not_cut_short(by_ms: int, allowed: bool) -> None:
    """Who postponed for 200 s and asks again after 100 s cannot come forward by it, only let the others go longer."""
    driver = HallDriver(postpone={"times": 2, "max_s": 86_400})
    ticket = driver.issue()
    driver.do(c.Postpone(ticket, 200_000))
    driver.later(100)
    if allowed:
        driver.do(c.Postpone(ticket, by_ms))
        assert driver.leg(ticket).waiting_since_ms == driver.now_ms + by_ms
    else:
        assert driver.refused(c.Postpone(ticket, by_ms), errors.BadValue).facts["min_s"] == 100


@pytest.mark.parametrize(("by_ms", "allowed"), [(4_200_000, False), (4_199_999, True), (7_200_000, False)])
def test_nobody_postpones_into_tomorrow(by_ms: int, allowed: bool) -> None:
    """At 22:50 there are 70 minutes left, and the ticket ends with them: what is allowed is less."""
    driver = HallDriver(start_ms=at(22, 50), postpone={"times": 1, "max_s": 86_400})
    ticket = driver.issue()
    if allowed:
        driver.do(c.Postpone(ticket, by_ms))
        driver.now_ms = at(24)
        driver.issue()
        assert (driver.leg(ticket).ended_at_ms or 0) >= driver.leg(ticket).waiting_since_ms
    else:
        assert driver.refused(c.Postpone(ticket, by_ms), errors.BadValue).facts["max_s"] == 4_199


def test_at_the_end_of_the_day_there_is_nothing_left_to_postpone_to() -> None:
    """Neither half a second, nor a bound that the plan has shortened meanwhile, is offered as a range of none."""
    driver = HallDriver(start_ms=at(23, 59, 59, 500))
    assert driver.refused(c.Postpone(driver.issue(), 1000), errors.BoundReached).facts["allowed_s"] == 0
    driver = HallDriver(postpone={"times": 2, "max_s": 600})
    ticket = driver.issue()
    driver.do(c.Postpone(ticket, 600_000))
    driver.do(c.PutPlan(plan_document(postpone={"times": 2, "max_s": 60})))
    assert driver.refused(c.Postpone(ticket, 60_000), errors.BoundReached).facts["allowed_s"] == 60


@pytest.mark.parametrize("state", ["waiting", "called", "parked"])
def test_cancel_ends_a_running_wait_and_frees_the_counter(driver: HallDriver, state: str) -> None:
    """From waiting the wait ends at the cancel; a wait that was over stays as it was."""
    ticket = driver.issue()
    driver.later(60)
    if state != "waiting":
        driver.call("1")
    if state == "parked":
        driver.do(c.Start(ticket))
        driver.do(c.Park(ticket, "materials"))
    driver.later(40)
    driver.do(c.Cancel(ticket))
    found = driver.ticket(ticket)
    assert (found.state, found.closed_at_ms) == (TicketState.CANCELLED, driver.now_ms)
    assert [leg.waited_ms for leg in found.legs] == [100_000 if state == "waiting" else 60_000]
    assert driver.counter("1").ticket is None
