"""Who is next in the model: everyone is compared with everyone, nothing is kept in order."""

from fractions import Fraction
from typing import Any

from tests.model.state import Counter, HallModel, Ticket


def may_call(hall: HallModel, counter: Counter, ticket: Ticket) -> bool:
    """Whether a counter may call a waiting ticket now."""
    leg = ticket.leg
    if leg.service not in hall.served(counter) or hall.stands_still(leg.service):
        return False
    if leg.waiting_since_ms > hall.now_ms:
        return False
    if any(other.group == ticket.group for other in hall.in_state("called", "serving")):
        return False
    if leg.reserved_until_ms is None or leg.reserved_until_ms <= hall.now_ms:
        return True
    return leg.for_counter in (None, counter.id) and leg.for_clerk in (None, counter.clerk)


def next_for(hall: HallModel, counter: Counter) -> Ticket | None:
    """Whom a counter calls next by the plan's rule."""
    able = [ticket for ticket in hall.in_state("waiting") if may_call(hall, counter, ticket)]
    bound_ms = hall.rules["max_overtake_s"] * 1000
    in_turn = [
        ticket
        for ticket in able
        if not any(
            other.leg.service == ticket.leg.service and ticket.leg.line_since_ms - other.leg.line_since_ms > bound_ms
            for other in able
        )
    ]
    return min(in_turn, key=lambda ticket: claim(hall, ticket), default=None)


def claim(hall: HallModel, ticket: Ticket) -> tuple[Any, ...]:
    """The smallest is called first: by the rule, then by arrival, then by number."""
    priority = next(one for one in hall.rules["priorities"] if one["id"] == ticket.leg.priority)
    service = hall.service(ticket.leg.service)
    assert service is not None
    target_ms = max(1, service["order_target_s"] * 1000 * priority["order_target_percent"] // 100)
    head_start_ms = priority["head_start_s"] * 1000
    since_ms = ticket.leg.line_since_ms
    measure: dict[str, tuple[Any, ...]] = {
        "largest_share": (-Fraction(hall.now_ms - since_ms + head_start_ms, target_ms),),
        "fifo": (since_ms,),
        "earliest_due": (since_ms - head_start_ms + target_ms,),
        "strict": (-hall.priorities.index(priority["id"]), since_ms),
    }
    return (*measure[hall.rules["order"]], ticket.issued_at_ms, len(ticket.number), ticket.number)


def ahead(hall: HallModel, ticket: Ticket) -> int:
    """How many of the same service come before a ticket, each compared with it alone and as of now."""
    rivals = [one for one in hall.in_state("waiting") if one.leg.service == ticket.leg.service and one.id != ticket.id]
    return sum(_before(hall, one, ticket) for one in rivals)


def _before(hall: HallModel, one: Ticket, other: Ticket) -> bool:
    older_by_ms = other.leg.line_since_ms - one.leg.line_since_ms
    if abs(older_by_ms) > hall.rules["max_overtake_s"] * 1000:
        return older_by_ms > 0
    return claim(hall, one) < claim(hall, other)


def place(ticket: Ticket) -> tuple[Any, ...]:
    """Where a ticket stands among those of its service and class."""
    return (ticket.leg.line_since_ms, ticket.issued_at_ms, len(ticket.number), ticket.number, ticket.id)


def lanes(hall: HallModel) -> dict[tuple[str, str], list[str]]:
    """Everyone waiting, by service and class, in order."""
    found: dict[tuple[str, str], list[str]] = {}
    for ticket in sorted(hall.in_state("waiting"), key=place):
        found.setdefault((ticket.leg.service, ticket.leg.priority), []).append(ticket.id)
    return found


def overtaken(hall: HallModel, counter: Counter, chosen: Ticket) -> int:
    """How many the counter could have called stood in line before a chosen ticket."""
    others = [one for one in hall.in_state("waiting") if one.id != chosen.id and may_call(hall, counter, one)]
    return sum(place(one) < place(chosen) for one in others)


def free_counter(hall: HallModel, service: str) -> str | None:
    """Which idle counter should take a service: able, fewest other services, longest idle."""
    able = [
        counter
        for counter in hall.counters.values()
        if counter.is_open and not counter.pause and not hall.held(counter.id) and service in hall.served(counter)
    ]
    ranked = sorted((len(hall.served(counter)), counter.since_ms, counter.id) for counter in able)
    return ranked[0][2] if ranked else None
