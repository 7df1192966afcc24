"""Who is passed over for a companion or a counter keeps the place, and which counter is asked: by Hypothesis."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import HELD_STATES, CounterState, OrderRule
from queue_service.domain import commands as c
from queue_service.domain.hall import Ticket, party_of
from queue_service.domain.order import free_counter
from tests.domain.hall_driver import HallDriver
from tests.domain.lines import waiting

COUNTERS = ("1", "2", "3")
rules = st.sampled_from(list(OrderRule))
gaps_s = st.sampled_from([0, 0, 1, 60, 301])


@dataclass(frozen=True)
class Visitor:
    """When somebody comes after the one before, for what, and with which of those who came before (None: alone)."""

    gap_s: int
    service: str
    companion: int | None


visitors = st.lists(
    st.builds(
        Visitor, gap_s=gaps_s, service=st.sampled_from("ab"), companion=st.none() | st.integers(0, 3)
    ),
    min_size=2,
    max_size=10,
)  # fmt: skip
presses = st.lists(st.tuples(st.sampled_from(COUNTERS), st.booleans(), gaps_s), min_size=5, max_size=25)
"""At which counter the button is pressed, whether what is held is finished first, and how much later."""


def arrived(driver: HallDriver, coming: list[Visitor]) -> list[str]:
    """Everyone has come."""
    tickets: list[str] = []
    for visitor in coming:
        driver.later(visitor.gap_s)
        alone = visitor.companion is None or not tickets
        party = None if alone else tickets[(visitor.companion or 0) % len(tickets)]
        tickets.append(driver.issue(visitor.service, party=party))
    return tickets


def held(driver: HallDriver) -> list[Ticket]:
    """Everyone at a counter."""
    return [ticket for ticket in driver.hall.tickets.values() if ticket.state in HELD_STATES]


@given(rule=rules, coming=visitors, pressed=presses)
def test_companions_are_not_called_side_by_side_and_keep_their_place(
    rule: OrderRule, coming: list[Visitor], pressed: list[tuple[str, bool, int]]
) -> None:
    """Nobody is called while a companion is held; and in each lane whoever is called is the first who could be."""
    driver = HallDriver(order=rule, open_counters=COUNTERS)
    arrived(driver, coming)
    for counter, finish, later_s in pressed:
        driver.later(later_s)
        if driver.counter(counter).ticket is not None and not finish:
            continue
        before = waiting(driver.hall)
        called = driver.call(counter, finish_current=True)
        busy = [party_of(one) for one in held(driver) if one.id != called]
        assert len(busy) == len(set(busy))
        free = [one for one in before if party_of(one) not in busy]
        if called is None:
            assert free == []
            continue
        ticket = driver.ticket(called)
        lane = [one for one in free if (one.service, one.priority) == (ticket.service, ticket.priority)]
        assert party_of(ticket) not in busy
        assert ticket.place == min(one.place for one in lane)


@given(
    rule=rules,
    coming=visitors,
    kept=st.lists(st.tuples(st.integers(0, 9), st.sampled_from(COUNTERS), st.booleans(), st.integers(0, 90))),
    pressed=presses,
)
def test_a_reservation_is_kept_until_its_fall_back_and_then_forgotten(
    rule: OrderRule,
    coming: list[Visitor],
    kept: list[tuple[int, str, bool, int]],
    pressed: list[tuple[str, bool, int]],
) -> None:
    """Until then a ticket is called by its counter or clerk alone, and by that one in its turn; from then on by all."""
    driver = HallDriver(order=rule, open_counters=COUNTERS)
    tickets = arrived(driver, [Visitor(one.gap_s, one.service, None) for one in coming])
    for number, counter, by_clerk, reserve_s in kept:
        ticket = tickets[number % len(tickets)]
        names = {"for_clerk": f"clerk-{counter}"} if by_clerk else {"for_counter": counter}
        driver.do(c.Transfer(ticket, driver.ticket(ticket).service, **names, reserve_ms=reserve_s * 1000))
    for counter, _, later_s in pressed:
        driver.later(later_s)
        allowed = [one for one in waiting(driver.hall) if _may(one, counter, driver.now_ms)]
        called = driver.call(counter, finish_current=True)
        assert (called is None) == (allowed == [])
        if called is not None:
            ticket_called = driver.ticket(called)
            assert ticket_called.id in [one.id for one in allowed]
            lane = [one for one in allowed if one.service == ticket_called.service]
            assert ticket_called.leg.line_since_ms == min(one.leg.line_since_ms for one in lane)


def _may(ticket: Ticket, counter: str, now_ms: int) -> bool:
    leg = ticket.leg
    if leg.reserved_until_ms is None or now_ms >= leg.reserved_until_ms:
        return True
    return leg.for_counter == counter or leg.for_clerk == f"clerk-{counter}"


@given(
    able=st.lists(st.sets(st.sampled_from("abd"), min_size=1), min_size=1, max_size=6),
    done=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["open", "pause", "call", "finish"]), gaps_s), max_size=30
    ),
    service=st.sampled_from("abd"),
)
def test_the_free_counter_is_able_special_and_longest_idle(
    able: list[set[str]], done: list[tuple[int, str, int]], service: str
) -> None:
    """Of the idle counters that serve it: the one with fewest other services, then the one idle longest."""
    names = [f"{number}" for number in range(len(able))]
    plan = [{"id": name, "name": "-", "services": sorted(some)} for name, some in zip(names, able, strict=True)]
    services = [{"id": one, "name": "-", "prefix": one.upper()} for one in "abd"]
    everything = {"id": "all", "name": "-"}
    driver = HallDriver(open_counters=(), counters=[*plan, everything], services=services)
    idle_since = dict.fromkeys(names, driver.now_ms)
    for number, what, later_s in done:
        driver.later(later_s)
        _go_on(driver, names[number % len(names)], what, idle_since)
    idle = [name for name in names if driver.hall.counter_state(driver.counter(name)) == CounterState.IDLE]
    ranked = [(len(able[int(name)]), idle_since[name], name) for name in idle if service in able[int(name)]]
    found = free_counter(driver.hall, service)
    assert (found and found.id) == (min(ranked)[2] if ranked else None)


def _go_on(driver: HallDriver, name: str, what: str, idle_since: dict[str, int]) -> None:
    """One more thing at a counter, if it can be; when it becomes idle, note since when."""
    counter, before = driver.counter(name), driver.hall.counter_state(driver.counter(name))
    if not counter.is_open:
        driver.open(name)
    elif what == "pause":
        driver.do(c.PauseCounter(name, "break") if before == CounterState.IDLE else c.CallHelp(name))
    elif before == CounterState.PAUSED:
        driver.do(c.ResumeCounter(name))
    elif what == "call" and before == CounterState.IDLE:
        driver.issue(driver.hall.able(counter)[0])
        driver.call(name)
    elif counter.ticket is not None:
        driver.do(c.Requeue(counter.ticket))
    if driver.hall.counter_state(driver.counter(name)) == CounterState.IDLE != before:
        idle_since[name] = driver.now_ms


@given(
    rule=rules,
    count=st.integers(2, 12),
    classes=st.lists(st.sampled_from(["normal", "elder"]), min_size=12, max_size=12),
)
def test_ties_go_by_arrival_and_then_by_number(rule: OrderRule, count: int, classes: list[str]) -> None:
    """All who come at one instant for one service and class are called by number; across services, too."""
    driver = HallDriver(order=rule)
    tickets = [driver.issue("ab"[number % 2], priority=classes[number]) for number in range(count)]
    called = driver.calls()
    assert sorted(called) == sorted(tickets)
    for one in ("normal", "elder"):
        same = [name for name in called if driver.ticket(name).priority == one]
        assert same == sorted(same, key=lambda name: driver.ticket(name).number)
