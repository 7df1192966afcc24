"""Who is called next, under each of the four rules: the bounds that hold for every line, by Hypothesis."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import OrderRule
from queue_service.domain.hall import Ticket
from queue_service.domain.order import ahead
from tests.domain.hall_driver import HallDriver
from tests.domain.lines import Line, lines, waiting

steps_ms = st.lists(st.sampled_from([0, 1, 30_000, 400_000]), min_size=14, max_size=14)
"""How long after each call the next one is made."""


def called_next(driver: HallDriver) -> Ticket | None:
    """Let counter 1 finish and call."""
    name = driver.call("1", finish_current=True)
    return None if name is None else driver.ticket(name)


@given(line=lines(), steps=steps_ms)
def test_the_next_is_the_one_found_by_looking_at_everyone(line: Line, steps: list[int]) -> None:
    """Under every rule the ticket called is the best of all waiting that `max_overtake_s` does not bar."""
    driver = line.driven()
    for step_ms in steps:
        driver.now_ms += step_ms
        expected = line.next_of(driver.hall, driver.now_ms)
        called = called_next(driver)
        assert (called and called.id) == (expected and expected.id)


@given(line=lines(), steps=steps_ms)
def test_no_class_overtakes_another_by_more_than_the_bound(line: Line, steps: list[int]) -> None:
    """Under every rule nobody is called while someone of the same service waits longer by more than the bound."""
    driver = line.driven()
    for step_ms in steps:
        driver.now_ms += step_ms
        called = called_next(driver)
        if called is None:
            return
        older = [one.leg.line_since_ms for one in waiting(driver.hall) if one.service == called.service]
        assert called.leg.line_since_ms - min(older, default=called.leg.line_since_ms) <= line.max_overtake_s * 1000


@given(line=lines((OrderRule.LARGEST_SHARE,), classes=1, head_starts=False), steps=steps_ms)
def test_largest_share_bounds_overtaking_between_services(line: Line, steps: list[int]) -> None:
    """Whoever is overtaken by another service is so by at most their wait x (1 - ratio of the order targets)."""
    driver = line.driven()
    for step_ms in steps:
        driver.now_ms += step_ms
        called = called_next(driver)
        if called is None:
            return
        for other in waiting(driver.hall):
            overtaking_ms = called.leg.line_since_ms - other.leg.line_since_ms
            ratio = Fraction(line.terms(called).target_ms, line.terms(other).target_ms)
            wait_ms = driver.now_ms - other.leg.line_since_ms
            assert overtaking_ms <= 0 or overtaking_ms <= wait_ms * (1 - ratio)


@given(line=lines(), steps=steps_ms)
def test_a_lane_is_first_come_first_served(line: Line, steps: list[int]) -> None:
    """Within one service and class the calls come in the order of arrival, under every rule."""
    driver = line.driven()
    arrived: dict[tuple[str, str], list[str]] = {}
    for ticket in driver.hall.tickets.values():
        arrived.setdefault((ticket.service, ticket.priority), []).append(ticket.id)
    called: dict[tuple[str, str], list[str]] = {}
    for step_ms in steps:
        driver.now_ms += step_ms
        if (first := called_next(driver)) is not None:
            called.setdefault((first.service, first.priority), []).append(first.id)
    assert called == arrived


@given(line=lines())
def test_ahead_is_the_count_of_those_who_come_before(line: Line) -> None:
    """Under every rule `ahead` counts those of the same service who, compared now, come before the ticket."""
    driver = line.driven()
    for ticket in waiting(driver.hall):
        rivals = [one for one in waiting(driver.hall) if one.service == ticket.service and one is not ticket]
        before = [one.id for one in rivals if line.comes_before(one, ticket, driver.now_ms)]
        assert ahead(driver.hall, ticket, driver.now_ms) == len(before)


@given(line=lines(services=1, classes=2))
def test_ahead_is_how_many_are_called_before(line: Line) -> None:
    """With two classes, if all are called at once, as many are called before a ticket as it was told."""
    driver = line.driven()
    told = {ticket.id: ahead(driver.hall, ticket, driver.now_ms) for ticket in waiting(driver.hall)}
    assert {name: place for place, name in enumerate(driver.calls("1"))} == told


@given(line=lines())
def test_ahead_is_nothing_for_who_does_not_wait(line: Line) -> None:
    """Nobody is ahead of a ticket that has been called."""
    driver = line.driven()
    called = called_next(driver)
    assert called is not None
    assert ahead(driver.hall, called, driver.now_ms) == 0
