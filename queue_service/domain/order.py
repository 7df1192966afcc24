"""Who is called next, and which counter is free for whom.

Lanes are sorted by place; only the first eligible ticket of each lane is compared. Under every rule
`max_overtake_s` holds: between classes of one service no head is called while an older one by more than that waits
(`heads` compares them). `largest_share` is the generalised largest delay rule (Van Mieghem, Operations Research
51(1), 2003).
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator

from models.vocabulary import CounterState, OrderRule, TicketState
from queue_service.domain.hall import Counter, Hall, LaneKey, Place, Ticket
from queue_service.domain.heads import KEYS, Head, first_of, free_key


def party_of(ticket: Ticket) -> str:
    """The name of the group a ticket belongs to: the ticket it came `with`, or itself."""
    return ticket.party or ticket.id


def busy_parties(hall: Hall) -> frozenset[str]:
    """The parties of which somebody is at a counter."""
    tickets = hall.tickets
    held = [tickets[counter.ticket] for counter in hall.counters.values() if counter.ticket is not None]
    return frozenset([ticket.party or ticket.id for ticket in held])


def eligible(hall: Hall, ticket: Ticket, counter: Counter, now_ms: int, busy: frozenset[str]) -> bool:
    """Whether this counter may call the ticket now: begun to wait, nobody of its party held, not kept for others."""
    leg = ticket.leg
    if leg.waiting_since_ms > now_ms or party_of(ticket) in busy:
        return False
    if leg.reserved_until_ms is None or leg.reserved_until_ms <= now_ms:
        return True
    return leg.for_counter in (None, counter.id) and leg.for_clerk in (None, counter.clerk)


def _lanes_of(hall: Hall, services: Iterable[str]) -> Iterator[tuple[LaneKey, list[Place]]]:
    for service in services:
        if hall.is_suspended(service):
            continue
        for priority in hall.rules.priorities:
            lane = hall.lanes.get((service, priority))
            if lane:
                yield (service, priority), lane


def heads(hall: Hall, counter: Counter, now_ms: int) -> Collection[list[Head]]:
    """The first eligible ticket of each lane the counter serves, service by service."""
    busy, terms = busy_parties(hall), hall.rules.lane_terms
    found: dict[str, list[Head]] = {}
    for key, lane in _lanes_of(hall, hall.able(counter)):
        for place in lane:
            if eligible(hall, hall.tickets[place[3]], counter, now_ms, busy):
                found.setdefault(key[0], []).append((place, terms[key]))
                break
    return found.values()


def next_ticket(hall: Hall, counter: Counter, now_ms: int, rule: OrderRule | None = None) -> Ticket | None:
    """Whom the counter calls next by the plan's rule (or another, for what-if); None: nobody it may call waits.

    Ties: the earlier arrival, then the number.
    """
    key = KEYS[rule or hall.rules.order]
    place = first_of(heads(hall, counter, now_ms), key, hall.rules.max_overtake_ms, now_ms)
    return None if place is None else hall.tickets[place[3]]


def overtaken_by(hall: Hall, chosen: Ticket, counter: Counter, now_ms: int) -> int:
    """How many eligible tickets of the counter's lanes stood in line before a ticket called out of order."""
    busy = busy_parties(hall)
    return sum(
        eligible(hall, hall.tickets[place[3]], counter, now_ms, busy)
        for _, lane in _lanes_of(hall, hall.able(counter))
        for place in lane[: bisect_left(lane, chosen.place)]
        if place[3] != chosen.id
    )


def ahead(hall: Hall, ticket: Ticket, now_ms: int) -> int:
    """How many of the same service come before a waiting ticket, each compared with it as of now."""
    if ticket.state != TicketState.WAITING:
        return 0
    plan, service = hall.rules, ticket.leg.service
    own = plan.lane_terms[service, ticket.leg.priority]
    count = 0
    for priority in plan.priorities:
        lane = hall.lanes.get((service, priority))
        if lane:
            rival = _rival_place(plan.order, ticket.place, own, plan.lane_terms[service, priority], now_ms)
            count += bisect_left(lane, _bounded(rival, ticket.place[0], plan.max_overtake_ms))
    return count


def _from(line_since_ms: int) -> Place:
    """The first place that anyone could have who stands in line since then."""
    return (line_since_ms, -1, "", "")


def _rival_place(
    rule: OrderRule, place: Place, own: tuple[int, int, int], rival: tuple[int, int, int], now_ms: int
) -> Place:
    """The place in a rival lane that is called just when `place` of the own lane is."""
    if rule == OrderRule.STRICT and own[2] != rival[2]:
        return _from(0 if rival[2] < own[2] else 2**62)
    if rule == OrderRule.LARGEST_SHARE:
        waited_ms, rest = divmod((now_ms - place[0] + own[1]) * rival[0], own[0])
        since = now_ms + rival[1] - waited_ms
        return _from(since) if rest else (since, *place[1:])
    if rule == OrderRule.EARLIEST_DUE:
        return (place[0] - own[1] + own[0] + rival[1] - rival[0], *place[1:])
    return place


def _bounded(rival: Place, since_ms: int, bound_ms: int) -> Place:
    """`max_overtake_s` on top: older by more comes first whatever the rule says, newer by more comes later."""
    return min(max(rival, _from(since_ms - bound_ms)), _from(since_ms + bound_ms + 1))


def free_counter(hall: Hall, service: str) -> Counter | None:
    """Which of several idle counters should take a service: able, fewest other services, then longest idle."""
    idle = (
        counter
        for counter in hall.counters.values()
        if hall.counter_state(counter) == CounterState.IDLE and service in hall.able(counter)
    )
    return min(idle, key=lambda one: free_key(len(hall.able(one)), one.since_ms, one.id), default=None)
