"""Random lines of waiting visitors, and the order rules written a second time: every pair scored, nothing sorted."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from models.vocabulary import OrderRule, TicketState
from queue_service.domain.hall import Hall, Ticket
from tests.domain.hall_driver import HallDriver

Arrival = tuple[int, int, int]
"""service, class, milliseconds after the one before"""


@dataclass(frozen=True)
class Terms:
    """What a rule knows of a ticket's service and class."""

    target_ms: int
    head_start_ms: int
    rank: int


@dataclass(frozen=True)
class Line:
    """A hall's order rules and who came when. Arrivals at the same instant are frequent on purpose."""

    rule: OrderRule
    max_overtake_s: int
    targets_s: tuple[int, ...]
    classes: tuple[tuple[int, int], ...]
    arrivals: tuple[Arrival, ...]
    waited_on_ms: int

    def driven(self) -> HallDriver:
        """A hall in which everyone has arrived; counter 1 serves everything."""
        driver = HallDriver(
            order=self.rule,
            max_overtake_s=self.max_overtake_s,
            services=[
                {"id": f"s{index}", "name": "-", "prefix": "ABC"[index], "order_target_s": target_s}
                for index, target_s in enumerate(self.targets_s)
            ],
            priorities=[
                {"id": f"p{index}", "name": "-", "order_target_percent": percent, "head_start_s": head_start_s}
                for index, (percent, head_start_s) in enumerate(self.classes)
            ],
        )
        for service, priority, gap_ms in self.arrivals:
            driver.now_ms += gap_ms
            driver.issue(f"s{service % len(self.targets_s)}", priority=f"p{priority % len(self.classes)}")
        driver.now_ms += self.waited_on_ms
        return driver

    def terms(self, ticket: Ticket) -> Terms:
        """The terms of a ticket's lane, from the plan as it was drawn."""
        rank = int(ticket.priority[1:])
        percent, head_start_s = self.classes[rank]
        target_ms = self.targets_s[int(ticket.service[1:])] * 1000 * percent // 100
        return Terms(target_ms, head_start_s * 1000, rank)

    def score(self, ticket: Ticket, now_ms: int) -> tuple[Any, ...]:
        """The smaller is called first: the rule's own measure, then earlier arrival, then the number's count."""
        terms, since_ms = self.terms(ticket), ticket.leg.line_since_ms
        measure: dict[OrderRule, tuple[Fraction | int, ...]] = {
            OrderRule.LARGEST_SHARE: (-Fraction(now_ms - since_ms + terms.head_start_ms, terms.target_ms),),
            OrderRule.FIFO: (since_ms,),
            OrderRule.EARLIEST_DUE: (since_ms + terms.target_ms - terms.head_start_ms,),
            OrderRule.STRICT: (-terms.rank, since_ms),
        }
        return (*measure[self.rule], ticket.issued_at_ms, len(ticket.number), ticket.number)

    def barred(self, ticket: Ticket, others: list[Ticket]) -> bool:
        """Whether someone of the same service stands in line longer by more than `max_overtake_s`."""
        latest_ms = ticket.leg.line_since_ms - self.max_overtake_s * 1000
        return any(one.service == ticket.service and one.leg.line_since_ms < latest_ms for one in others)

    def next_of(self, hall: Hall, now_ms: int) -> Ticket | None:
        """Whom a counter that serves everything calls next, found by looking at everyone."""
        everyone = waiting(hall)
        allowed = [ticket for ticket in everyone if not self.barred(ticket, everyone)]
        return min(allowed, key=lambda ticket: self.score(ticket, now_ms), default=None)

    def comes_before(self, one: Ticket, other: Ticket, now_ms: int) -> bool:
        """Whether of two tickets of one service `one` is called before `other` when they are compared now."""
        older_by_ms = other.leg.line_since_ms - one.leg.line_since_ms
        if abs(older_by_ms) > self.max_overtake_s * 1000:
            return older_by_ms > 0
        return self.score(one, now_ms) < self.score(other, now_ms)


def waiting(hall: Hall) -> list[Ticket]:
    """Everyone in state waiting."""
    return [ticket for ticket in hall.tickets.values() if ticket.state == TicketState.WAITING]


gaps_ms = st.sampled_from([0, 0, 1, 999, 15_000, 60_000, 300_000, 1_200_000])
arrivals = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), gaps_ms), min_size=1, max_size=14).map(tuple)


def lines(
    rules: tuple[OrderRule, ...] = tuple(OrderRule), services: int = 3, classes: int = 3, head_starts: bool = True
) -> st.SearchStrategy[Line]:
    """Lines of up to so many services and classes, under one of the rules."""
    head_start_s = st.sampled_from([0, 0, 60, 600]) if head_starts else st.just(0)
    return st.builds(
        Line,
        rule=st.sampled_from(rules),
        max_overtake_s=st.sampled_from([1, 60, 600, 3600]),
        targets_s=st.lists(st.sampled_from([1, 7, 120, 600, 1800]), min_size=1, max_size=services).map(tuple),
        classes=st.lists(
            st.tuples(st.sampled_from([10, 33, 50, 100, 250]), head_start_s), min_size=1, max_size=classes
        ).map(tuple),
        arrivals=arrivals,
        waited_on_ms=gaps_ms,
    )
