"""A hall that moves into another time zone: never in the middle of a day's numbers, never back into yesterday."""

import pytest

from models.vocabulary import Channel
from queue_service import errors
from queue_service.domain import commands as c
from tests.domain.hall_driver import HallDriver, at, plan_document

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""14 hours before UTC and 11 behind it: at 9 in Shanghai it is the 2nd in the east still, and the 1st in the west."""


def moved(zone: str) -> c.PutPlan:
    """The plan of these tests in another zone, and otherwise the same."""
    return c.PutPlan(plan_document(time_zone=zone))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", EAST, WEST])
def test_a_hall_does_not_move_while_tickets_are_open(zone: str) -> None:
    """Whoever waits, is served or has not checked in would expire at once, or outlive the day; all are counted."""
    driver = HallDriver(start_ms=at(20))
    driver.issue()
    driver.issue(channel=Channel.WEB)
    refusal = driver.refused(moved(zone), errors.PlanInUse)
    assert refusal.facts["in_use"][0] == (
        "open tickets: 2 (the time zone can be changed once they are done with, and before a day's first)"
    )
    assert driver.hall.rules.calendar.time_zone == "Asia/Shanghai"


def test_a_hall_does_not_move_on_a_day_that_gave_numbers() -> None:
    """Numbers count from the day's beginning: a day that began anew at noon would give them twice."""
    driver = HallDriver()
    driver.do(c.Finish(driver.serve(driver.issue())))
    refusal = driver.refused(moved("Asia/Tokyo"), errors.PlanInUse)
    assert refusal.facts["in_use"] == [
        "numbers were given on 2026-03-02: the time zone can be changed after midnight, before a day's first number"
    ]


def test_after_midnight_nothing_stands_in_the_way() -> None:
    """Once the day is over and what was open has expired, the hall moves, and its day lasts as long as there."""
    driver = HallDriver()
    driver.issue()
    driver.now_ms = at(24, 1)
    driver.do(moved("Asia/Tokyo"))
    assert (driver.hall.day.date, driver.hall.day.end_ms) == ("2026-03-03", at(47))


def test_who_is_served_over_midnight_is_waited_for() -> None:
    """A ticket carried over is open still."""
    driver = HallDriver()
    ticket = driver.serve(driver.issue())
    driver.now_ms = at(24, 1)
    assert "open tickets: 1 " in driver.refused(moved("Asia/Tokyo"), errors.PlanInUse).facts["in_use"][0]
    driver.do(c.Finish(ticket))
    driver.do(moved("Asia/Tokyo"))


def test_a_hall_does_not_move_back_into_yesterday() -> None:
    """It would be closed until its own date is reached there; from then on the plan is taken."""
    driver = HallDriver(start_ms=at(9))
    refusal = driver.refused(moved(WEST), errors.PlanInUse)
    assert refusal.facts["in_use"] == [
        "it is still 2026-03-01 in Pacific/Pago_Pago: the time zone can be changed once 2026-03-02 has begun there"
    ]
    driver.now_ms = at(19)
    driver.do(moved(WEST))
    assert driver.hall.day.date == "2026-03-02"


def test_a_hall_may_move_on_into_tomorrow() -> None:
    """A day without a number may be cut short: the next command is on the date that it is there."""
    driver = HallDriver(start_ms=at(20))
    driver.do(moved(EAST))
    ticket = driver.issue()
    found = driver.ticket(ticket)
    assert (found.day, found.number, driver.hall.day.date) == ("2026-03-03", "A001", "2026-03-03")
    assert driver.call("1") == ticket


def test_a_plan_that_stays_in_its_zone_is_not_held_up() -> None:
    """All else may change while numbers are given."""
    driver = HallDriver()
    driver.issue()
    driver.do(c.PutPlan(plan_document(name="other")))
    assert driver.hall.plan_version == 2
