"""Giving numbers, and turning visitors away: quotas, hours, suspensions. A refusal there is an event that stands."""

from typing import Any

import pytest

from models.vocabulary import Apart, Channel, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import TicketIssued, TurnedAway
from tests.domain.hall_driver import HallDriver, at


def services(**quota: Any) -> list[dict[str, Any]]:
    """One service with a quota."""
    return [{"id": "a", "name": "-", "prefix": "A", "quota": quota}]


def turned_away(driver: HallDriver, **fields: Any) -> TurnedAway:
    """Ask for a ticket that is not given; the event of it, which is the only one."""
    length = len(driver.log)
    with pytest.raises(errors.TurnedAway) as caught:
        driver.issue(**fields)
    (logged,) = driver.log[length:]
    assert isinstance(logged.event, TurnedAway)
    assert caught.value.facts == {"service": logged.event.service, "reason": logged.event.reason}
    return logged.event


def test_a_ticket_says_all_that_is_known_of_it() -> None:
    """The event holds the number, the class of the plan when none is claimed, and the promise of the hour."""
    driver = HallDriver(start_ms=at(9))
    (event,) = [one.event for one in driver.do(c.IssueTicket("t", "a", channel=Channel.DESK, language="en", ref="7"))]
    assert event == TicketIssued(
        "t", "A001", "a", "waiting", "normal", "desk", "en", 1, None, "7", "peak", 600_000, 90, None
    )


def test_numbers_are_dense_per_prefix() -> None:
    """Every service counts for itself, from 001, without a gap, past 999."""
    driver = HallDriver()
    tickets = [driver.issue("ab"[index % 2]) for index in range(2002)]
    numbers = [driver.ticket(one).number for one in tickets]
    assert numbers[:4] == ["A001", "B001", "A002", "B002"]
    assert numbers[-4:] == ["A1000", "B1000", "A1001", "B1001"]


def test_unknown_names_are_refused_and_no_visitor_turned_away() -> None:
    """A service, class or companion that does not exist is the caller's mistake."""
    driver = HallDriver()
    driver.refused(c.IssueTicket("t", "z"), errors.UnknownService)
    driver.refused(c.IssueTicket("t", "a", priority="z"), errors.UnknownPriority)
    driver.refused(c.IssueTicket("t", "a", party="z"), errors.UnknownTicket)


def test_a_quota_is_full_when_its_places_are_taken() -> None:
    """The third visitor of a morning of two places is turned away, and the event stands with the refusal."""
    driver = HallDriver(services=services(am=2))
    driver.issue()
    driver.issue()
    assert turned_away(driver, channel=Channel.DESK) == TurnedAway("a", "quota", "desk")


def test_a_quota_of_nothing_gives_nothing() -> None:
    """No places is not the same as no bound."""
    assert turned_away(HallDriver(services=services(am=0))).reason == "quota"


def test_a_quota_is_per_half_day() -> None:
    """At noon the afternoon's places are counted anew; a half-day without a figure has no bound."""
    driver = HallDriver(start_ms=at(11, 59, 59), services=services(am=1, pm=1))
    driver.issue()
    turned_away(driver)
    driver.later(1)
    driver.issue()
    turned_away(driver)
    assert HallDriver(start_ms=at(13), services=services(am=0)).issue()


def test_a_quota_begins_anew_the_next_day() -> None:
    """Yesterday's visitors take nobody's place today."""
    driver = HallDriver(services=services(am=1))
    driver.issue()
    driver.now_ms = at(32)
    assert driver.issue()


def test_items_weigh_in_the_quota() -> None:
    """One visitor with three matters takes three places."""
    driver = HallDriver(services=services(am=4))
    driver.issue(items=3)
    turned_away(driver, items=2)
    driver.issue(items=1)


def test_a_channel_may_have_its_own_bound() -> None:
    """When the phone's places are taken the kiosk still has some."""
    driver = HallDriver(services=services(am=5, channels={"phone": 1}))
    driver.issue(channel=Channel.PHONE)
    assert turned_away(driver, channel=Channel.PHONE).channel == "phone"
    driver.issue(channel=Channel.KIOSK)


def test_the_walk_in_reserve_is_kept_from_remote_channels() -> None:
    """The last places are for those who come: the web is turned away, the kiosk is not."""
    driver = HallDriver(services=services(am=3, walk_in_reserve=2))
    driver.issue(channel=Channel.WEB)
    turned_away(driver, channel=Channel.WEB)
    driver.issue(channel=Channel.KIOSK)
    driver.issue(channel=Channel.DESK)
    turned_away(driver, channel=Channel.KIOSK)


def test_the_quota_of_one_service_is_not_anothers() -> None:
    """A full service leaves the others open."""
    driver = HallDriver(services=[*services(am=0), {"id": "b", "name": "-", "prefix": "B"}])
    turned_away(driver)
    assert driver.issue("b")


def test_the_dispenser_keeps_its_hours() -> None:
    """Outside its hours no tickets are given: closed."""
    dispenser = [{"start": "08:30", "end": "16:30"}]
    driver = HallDriver(start_ms=at(8, 29, 59, 999), calendar={"dispenser": dispenser})
    assert turned_away(driver).reason == "closed"
    driver.later(0.001)
    driver.issue()
    driver.now_ms = at(16, 30)
    assert turned_away(driver).reason == "closed"


def test_a_service_may_keep_hours_of_its_own() -> None:
    """A service that is offered on Monday mornings gives no tickets on Monday afternoon: not now."""
    hours = [{"days": ["mon"], "start": "09:00", "end": "12:00"}]
    driver = HallDriver(start_ms=at(9), services=[{"id": "a", "name": "-", "prefix": "A", "hours": hours}])
    driver.issue()
    driver.now_ms = at(12)
    assert turned_away(driver).reason == "not_now"
    driver.now_ms = at(24 + 9)
    driver.do(c.OpenDay())
    assert turned_away(driver).reason == "not_now"


@pytest.mark.parametrize(("scope", "reason"), [(None, "suspended"), ("a", "suspended"), ("b", None)])
def test_a_suspension_may_turn_visitors_away(scope: str | None, reason: str | None) -> None:
    """With `turn_away` the hall, or the service alone, gives no tickets either."""
    driver = HallDriver()
    driver.do(c.Suspend("fire alarm", service=scope, turn_away=True))
    if reason is None:
        assert driver.issue("a")
    else:
        assert turned_away(driver).reason == reason


def test_a_suspension_without_turning_away_gives_tickets_that_are_reported_apart() -> None:
    """People may queue while calls have stopped; their waits are marked."""
    driver = HallDriver()
    driver.do(c.Suspend("the office system is down", service="a"))
    assert driver.ticket(driver.issue("a")).apart == Apart.SUSPENDED
    assert driver.ticket(driver.issue("b")).apart is None


def test_a_visitor_turned_away_takes_no_number() -> None:
    """The next ticket after a refusal has the next number."""
    driver = HallDriver(services=services(am=2, channels={"phone": 0}))
    driver.issue()
    turned_away(driver, channel=Channel.PHONE)
    assert driver.ticket(driver.issue()).number == "A002"


def test_a_training_halls_tickets_are_apart() -> None:
    """Exercises do not touch the verdict."""
    driver = HallDriver(training=True)
    assert driver.ticket(driver.issue()).apart == Apart.TRAINING


def test_a_remote_ticket_is_expected_until_check_in() -> None:
    """A channel that must check in gives a number without a promise: the wait has not begun."""
    driver = HallDriver()
    ticket = driver.ticket(driver.issue(channel=Channel.WEB))
    assert (ticket.state, ticket.period, ticket.promise_ms, ticket.legs) == (TicketState.EXPECTED, None, None, [])
    assert driver.ticket(driver.issue(channel=Channel.PHONE)).state == TicketState.WAITING


def test_linked_tickets_bear_the_name_of_the_first() -> None:
    """Whoever joins a member of a group joins the group."""
    driver = HallDriver()
    first = driver.issue()
    second = driver.issue(party=first)
    third = driver.issue(party=second)
    assert [driver.ticket(one).party for one in (first, second, third)] == [None, first, first]
