"""Who is called next: the plain cases, each with the one visitor or counter that shows it."""

import pytest

from models.vocabulary import OrderRule
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.order import ahead, free_counter, next_ticket
from tests.domain.hall_driver import HallDriver

RULES = list(OrderRule)


@pytest.mark.parametrize("rule", RULES)
def test_those_who_come_together_go_by_number(rule: OrderRule) -> None:
    """Of visitors of the same instant the one whose number was counted first is called first: A999 before A1000."""
    driver = HallDriver(order=rule)
    tickets = [driver.issue() for _ in range(1001)]
    assert [driver.ticket(one).number for one in tickets[998:]] == ["A999", "A1000", "A1001"]
    assert driver.calls() == tickets


def test_a_tie_of_places_goes_by_arrival() -> None:
    """Of two with the same claim, one through a transfer, the one who arrived earlier is called first."""
    driver = HallDriver(order="fifo")
    parked = driver.serve(driver.issue("b"))
    driver.do(c.Park(parked, "materials"))
    driver.later(60)
    arriving = driver.issue("a")
    driver.do(c.Transfer(parked, "a"))
    assert driver.leg(parked).line_since_ms == driver.leg(arriving).line_since_ms
    assert driver.calls() == [parked, arriving]


def test_strict_calls_the_last_class_of_the_plan_first() -> None:
    """Under `strict` a visitor of a later class is called before anyone of an earlier one within the bound."""
    driver = HallDriver(order="strict")
    normal = driver.issue()
    driver.later(60)
    elder = driver.issue(priority="elder")
    assert driver.calls() == [elder, normal]


def test_a_shorter_target_is_called_first_when_its_share_is_larger() -> None:
    """Under `largest_share` three minutes of a ten-minute target wait less than two of a five-minute one."""
    driver = HallDriver()
    normal = driver.issue()
    driver.later(60)
    elder = driver.issue(priority="elder")
    driver.later(120)
    assert driver.calls() == [elder, normal]


@pytest.mark.parametrize(("later_s", "first"), [(299, "served"), (301, "normal")])
def test_a_head_start_counts_as_waited(later_s: int, first: str) -> None:
    """A class with a head start of five minutes is called before those who came up to five minutes earlier."""
    priorities = [{"id": "normal", "name": "-"}, {"id": "served", "name": "-", "head_start_s": 300}]
    driver = HallDriver(priorities=priorities)
    tickets = {"normal": driver.issue(priority="normal")}
    driver.later(later_s)
    tickets["served"] = driver.issue(priority="served")
    assert driver.call("1") == tickets[first]


def test_another_rule_can_be_tried_without_being_used() -> None:
    """For a what-if the next ticket can be asked by a rule that is not the plan's."""
    driver = HallDriver(order="fifo")
    normal = driver.issue()
    driver.later(60)
    elder = driver.issue(priority="elder")
    now_ms, counter = driver.now_ms, driver.counter("1")
    chosen = {rule: next_ticket(driver.hall, counter, now_ms, rule) for rule in RULES}
    assert {rule: ticket.id for rule, ticket in chosen.items() if ticket} == {
        OrderRule.LARGEST_SHARE: normal,
        OrderRule.FIFO: normal,
        OrderRule.EARLIEST_DUE: elder,
        OrderRule.STRICT: elder,
    }


def test_a_counter_calls_only_what_it_serves() -> None:
    """A counter whose clerk signed on for one service leaves the others to the others."""
    driver = HallDriver(open_counters=())
    driver.do(c.OpenCounter("1", "clerk", services=("b",)))
    driver.issue("a")
    mine = driver.issue("b")
    assert driver.calls() == [mine]


def test_a_reserved_ticket_is_passed_over_by_others_until_its_fall_back() -> None:
    """A transfer kept for counter 2 is called by counter 1 only from the fall-back time on."""
    driver = HallDriver()
    ticket = driver.issue("a")
    driver.do(c.Transfer(ticket, "b", for_counter="2", reserve_ms=60_000))
    driver.later(59.999)
    assert driver.call("1") is None
    driver.later(0.001)
    assert driver.call("1") == ticket


def test_a_reserved_ticket_is_called_by_its_counter_at_once() -> None:
    """The counter for which a ticket is kept calls it like any other."""
    driver = HallDriver()
    ticket = driver.issue("a")
    driver.do(c.Transfer(ticket, "b", for_counter="2"))
    assert driver.call("2") == ticket


def test_a_reservation_may_name_a_clerk() -> None:
    """A ticket kept for a clerk is called where that clerk sits, and by others only ten minutes later."""
    driver = HallDriver()
    ticket = driver.issue("a")
    driver.do(c.Transfer(ticket, "a", for_clerk="clerk-2"))
    assert driver.call("1") is None
    driver.do(c.CloseCounter("2"))
    driver.do(c.RelieveCounter("1", "clerk-2"))
    assert driver.call("1") == ticket


def test_a_reservation_without_a_time_falls_back_after_ten_minutes() -> None:
    """Nobody is kept waiting forever for a clerk who has gone home."""
    driver = HallDriver()
    ticket = driver.issue("a")
    driver.do(c.Transfer(ticket, "a", for_clerk="nobody"))
    driver.later(599.999)
    assert driver.call("1") is None
    driver.later(0.001)
    assert driver.call("1") == ticket


def test_a_counter_that_does_not_serve_a_service_gets_no_reservation_for_it() -> None:
    """A ticket cannot be kept for a counter that could never call it."""
    counters = [{"id": "1", "name": "-"}, {"id": "2", "name": "-", "services": ["b"]}]
    driver = HallDriver(counters=counters)
    refusal = driver.refused(c.Transfer(driver.issue("b"), "a", for_counter="2"), errors.BadValue)
    assert refusal.facts["place"] == "/for_counter"


def test_while_one_of_a_party_is_held_the_others_are_passed_over() -> None:
    """Linked tickets are not called side by side; the next visitor is called instead, and they keep their place."""
    driver = HallDriver()
    first = driver.issue()
    second = driver.issue(party=first)
    third = driver.issue(party=second)
    stranger = driver.issue()
    assert driver.call("1") == first
    driver.do(c.Start(first))
    assert driver.call("2") == stranger
    driver.do(c.Start(stranger))
    driver.do(c.Finish(stranger))
    assert driver.call("2") is None
    driver.do(c.Finish(first))
    late = driver.issue()
    assert driver.calls("2") == [second, third, late]


def test_a_postponed_ticket_is_not_called_before_its_time() -> None:
    """Who lets others go first for five minutes is called by nobody until then, and at once after."""
    driver = HallDriver()
    ticket = driver.issue()
    driver.do(c.Postpone(ticket, 300_000))
    driver.later(299.999)
    assert driver.call("1") is None
    driver.later(0.001)
    assert driver.call("1") == ticket


def test_a_suspended_service_is_skipped() -> None:
    """While a service is suspended its visitors are not called, those of other services are."""
    driver = HallDriver()
    stopped = driver.issue("a")
    other = driver.issue("b")
    driver.do(c.Suspend("the office system is down", service="a"))
    assert driver.call("1") == other
    driver.do(c.Resume("a"))
    assert driver.call("2") == stopped


def test_a_free_counter_is_the_one_with_fewest_other_services() -> None:
    """Of several idle counters the specialist is taken, so that the generalist stays free for others."""
    counters = [{"id": "1", "name": "-"}, {"id": "2", "name": "-", "services": ["a"]}, {"id": "3", "name": "-"}]
    driver = HallDriver(counters=counters, open_counters=("1", "2", "3"))
    free = {service: free_counter(driver.hall, service) for service in ("a", "b")}
    assert {service: counter.id for service, counter in free.items() if counter} == {"a": "2", "b": "1"}


def test_a_free_counter_is_the_one_longest_idle() -> None:
    """Of equally able idle counters the one is taken that has been idle longest."""
    driver = HallDriver()
    for counter in ("1", "2"):
        driver.serve(driver.issue(), counter)
    for counter in ("2", "1"):
        driver.later(10)
        driver.do(c.Finish(driver.counter(counter).ticket or ""))
    chosen = free_counter(driver.hall, "a")
    assert chosen is not None
    assert chosen.id == "2"


def test_a_counter_that_is_not_idle_is_not_free() -> None:
    """A counter that is closed, paused or holds a ticket is not offered."""
    driver = HallDriver()
    driver.issue()
    driver.call("1")
    driver.do(c.PauseCounter("2", "break"))
    assert free_counter(driver.hall, "a") is None


def test_a_ticket_sees_those_of_its_own_service_ahead() -> None:
    """Visitors of other services are not ahead: who calls them may not serve this one."""
    driver = HallDriver()
    driver.issue("b")
    driver.issue("a")
    ticket = driver.issue("a")
    assert ahead(driver.hall, driver.ticket(ticket), driver.now_ms) == 1
