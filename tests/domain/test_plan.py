"""Putting a plan: what contradicts itself is named with its place, and nothing in use is planned away."""

from typing import Any

import pytest

from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import DayOpened, PlanChanged
from queue_service.domain.hall import Hall
from queue_service.domain.plan_faults import faults
from queue_service.domain.rules import decide
from tests.domain.hall_driver import HallDriver, at, plan_document

A = {"id": "a", "name": "-", "prefix": "A"}
B = {"id": "b", "name": "-", "prefix": "B"}

CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "two services of one id": ({"services": [A, {**B, "id": "a"}]}, "/services/1/id"),
    "two services of one prefix": ({"services": [A, {**B, "prefix": "A"}]}, "/services/1/prefix"),
    "two counters of one id": ({"counters": [{"id": "1", "name": "-"}] * 2}, "/counters/1/id"),
    "two classes of one id": ({"priorities": [{"id": "x", "name": "-"}] * 2}, "/priorities/1/id"),
    "two zones of one id": ({"zones": [{"id": "x", "name": "-"}] * 2}, "/zones/1/id"),
    "the paper series of a service": ({"emergency_prefix": "A"}, "/emergency_prefix"),
    "a service in no zone": ({"services": [{**A, "zone": "x"}]}, "/services/0/zone"),
    "a counter in no zone": ({"counters": [{"id": "1", "name": "-", "zone": "x", "services": ["a", "b"]}]},
                             "/counters/0/zone"),
    "a counter for no service": ({"counters": [{"id": "1", "name": "-", "services": ["a", "b", "z"]}]},
                                 "/counters/0/services/2"),
    "a service that no counter serves": ({"counters": [{"id": "1", "name": "-", "services": ["a"]}]},
                                         "/services/1/id"),
    "a counter that serves nothing": (
        {"counters": [{"id": "1", "name": "-"}, {"id": "2", "name": "-", "services": []}]},
                                      "/counters/1/services"),
    "hours that end before they start": ({"calendar": {"peaks": [{"start": "11:00", "end": "09:00"}]}},
                                         "/calendar/peaks/0/end"),
    "a service's hours of nothing": ({"services": [{**A, "hours": [{"start": "09:00", "end": "09:00"}]}, B]},
                                     "/services/0/hours/0/end"),
    "more kept for walk-ins than a morning has": (
        {"services": [{**A, "quota": {"am": 5, "pm": 20, "walk_in_reserve": 6}}, B]},
                                                  "/services/0/quota/walk_in_reserve"),
    "a channel with more places than there are": (
        {"services": [A, {**B, "quota": {"am": 5, "pm": 8, "channels": {"phone": 9, "web": 8}}}]},
                                                  "/services/1/quota/channels/phone"),
    "places for paper, which takes none": ({"services": [{**A, "quota": {"channels": {"paper": 3}}}, B]},
                                           "/services/0/quota/channels/paper"),
    "places for recorded history": ({"services": [{**A, "quota": {"am": 5, "pm": 5, "channels": {"history": 1}}}, B]},
                                    "/services/0/quota/channels/history"),
    "a kiosk that checks in": ({"check_in_channels": ["web", "kiosk"]}, "/check_in_channels/1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named_with_its_place(name: str) -> None:
    """Each fault is found, and no other; the plan is refused and the hall stays as it was."""
    changes, place = CONTRADICTIONS[name]
    document = plan_document(**changes)
    assert [fault.place for fault in faults(document)] == [place]
    refusal = HallDriver().refused(c.PutPlan(document), errors.PlanFaulty)
    assert [fault["place"] for fault in refusal.facts["faults"]] == [place]


@pytest.mark.parametrize(
    "quota",
    [
        {"am": 5, "pm": 5, "walk_in_reserve": 5, "channels": {"phone": 5, "api": 0}},
        {"am": 0, "pm": 8, "walk_in_reserve": 8, "channels": {"web": 8}},
        {"pm": 2, "walk_in_reserve": 2, "channels": {"desk": 100}},
        {"walk_in_reserve": 100},
    ],
)
def test_a_quota_may_use_up_what_there_is(quota: dict[str, Any]) -> None:
    """All places for walk-ins, a half-day that gives none, a half-day without bound: each can be meant."""
    assert faults(plan_document(services=[{**A, "quota": quota}, B])) == []


def test_each_fault_of_a_quota_is_named() -> None:
    """Several at once, each with its place and a code."""
    quota = {"am": 5, "pm": 5, "walk_in_reserve": 10, "channels": {"phone": 50, "paper": 3, "history": 1}}
    place = "/services/0/quota"
    assert [(fault.place, fault.code) for fault in faults(plan_document(services=[{**A, "quota": quota}, B]))] == [
        (f"{place}/walk_in_reserve", "over-places"),
        (f"{place}/channels/phone", "over-places"),
        (f"{place}/channels/paper", "takes-no-places"),
        (f"{place}/channels/history", "takes-no-places"),
    ]


def test_a_good_plan_has_no_faults() -> None:
    """The plan of these tests can be used."""
    assert faults(plan_document()) == []


def test_a_first_plan_opens_the_day() -> None:
    """The first plan is version 1 and opens the business day of its hour."""
    hall, now_ms = Hall("hall"), at(8)
    drawn = decide(hall, c.PutPlan(plan_document(), if_version=0), now_ms)
    assert next(drawn) == PlanChanged(plan_document(), 1)
    opened = HallDriver(open_counters=()).log[1].event
    assert opened == DayOpened("2026-03-02", 1, 1, {"counters": [], "tickets": [], "suspensions": []})


def test_the_same_plan_again_changes_nothing() -> None:
    """Applying a file twice makes one version."""
    driver = HallDriver()
    assert driver.do(c.PutPlan(plan_document())) == []
    driver.do(c.PutPlan(plan_document(name="other")))
    assert driver.hall.plan_version == 2


def test_a_plan_changed_by_someone_else_is_stale() -> None:
    """Who read version 1 may not overwrite version 2."""
    driver = HallDriver()
    driver.do(c.PutPlan(plan_document(name="other"), if_version=1))
    refusal = driver.refused(c.PutPlan(plan_document(name="third"), if_version=1), errors.StaleVersion)
    assert refusal.facts["version"] == 2


def test_what_is_in_use_is_not_planned_away() -> None:
    """An open counter, a service or class with a ticket, and a suspended service stay; each is named."""
    driver = HallDriver(services=[A, B, {"id": "d", "name": "-", "prefix": "D"}])
    driver.issue("b", priority="elder")
    driver.do(c.Suspend("x", service="d"))
    plan = plan_document(services=[A], priorities=[{"id": "normal", "name": "-"}], counters=[{"id": "1", "name": "-"}])
    refusal = driver.refused(c.PutPlan(plan), errors.PlanInUse)
    assert refusal.facts["in_use"] == [
        "counter 2 is open",
        "B001 is waiting for b",
        "B001 is waiting with class elder",
        "d is suspended",
    ]


def test_an_open_counter_is_not_left_with_nothing_to_serve() -> None:
    """A clerk who signed on for one service alone would sit idle, unnoticed, once the plan has it no more."""
    driver = HallDriver(open_counters=())
    driver.do(c.OpenCounter("1", "li", services=("b",)))
    driver.do(c.OpenCounter("2", "wang", services=("a", "b")))
    plan = plan_document(services=[A])
    refusal = driver.refused(c.PutPlan(plan), errors.PlanInUse)
    assert refusal.facts["in_use"] == ["counter 1 is open for b alone, and would serve nothing"]
    driver.do(c.CloseCounter("1"))
    driver.do(c.PutPlan(plan))
    assert driver.hall.able(driver.counter("2")) == ("a",)


def test_what_is_free_may_be_planned_away_and_what_is_new_begins_closed() -> None:
    """A closed counter goes, a new one comes closed, and those that stay keep their clerk and ticket."""
    driver = HallDriver()
    ticket = driver.serve(driver.issue())
    driver.do(c.CloseCounter("2"))
    driver.do(c.PutPlan(plan_document(counters=[{"id": "1", "name": "-"}, {"id": "9", "name": "-"}])))
    assert list(driver.hall.counters) == ["1", "9"]
    assert (driver.counter("1").ticket, driver.counter("9").is_open) == (ticket, False)


def test_a_counter_without_services_takes_those_of_its_zone() -> None:
    """A counter in a zone serves the zone's services; one in none serves the hall's; a list is what it says, once."""
    plan = plan_document(
        zones=[{"id": "west", "name": "-"}],
        services=[{**A, "zone": "west"}, B],
        counters=[
            {"id": "1", "name": "-", "zone": "west"},
            {"id": "2", "name": "-"},
            {"id": "3", "name": "-", "services": ["b", "b"]},
        ],
    )
    driver = HallDriver()
    driver.do(c.PutPlan(plan))
    served = {counter.id: counter.services for counter in driver.hall.rules.counters.values()}
    assert served == {"1": ("a",), "2": ("a", "b"), "3": ("b",)}


def test_a_new_calendar_holds_from_now_on() -> None:
    """A peak added at noon counts for who comes after; a promise already made stays."""
    driver = HallDriver(start_ms=at(12))
    before = driver.issue()
    driver.do(c.PutPlan(plan_document(calendar={"peaks": [{"start": "09:00", "end": "17:00"}]})))
    after = driver.issue()
    assert [driver.ticket(one).period for one in (before, after)] == ["off_peak", "peak"]


def test_the_wait_clock_may_rest_outside_opening_hours() -> None:
    """A plan may count only opening hours: the lunch break is then neither waited nor a place in line."""
    opening = [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "17:00"}]
    driver = HallDriver(start_ms=at(11, 50), calendar={"opening": opening, "wait_clock": "opening"})
    ticket = driver.issue()
    driver.now_ms = at(13, 5)
    driver.call("1")
    assert driver.leg(ticket).waited_ms == 15 * 60_000
    driver.do(c.Requeue(ticket))
    assert driver.leg(ticket).line_since_ms == at(12, 50)


def test_the_wait_clock_runs_before_opening_by_default() -> None:
    """Who stands before the door at 7 for a hall that opens at 9 waits from 7."""
    driver = HallDriver(start_ms=at(7), calendar={"opening": [{"start": "09:00", "end": "17:00"}]})
    ticket = driver.issue()
    driver.now_ms = at(9)
    driver.call("1")
    assert driver.leg(ticket).waited_ms == 2 * 3_600_000
