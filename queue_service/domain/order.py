"""Who is called next, and which counter is free for whom.

Lanes are sorted by place; only the first eligible ticket of each lane is compared. Under every rule
`max_overtake_s` holds: between classes of one service no head is called while an older one by more than that waits
(`heads` compares them). `largest_share` is the generalised largest delay rule (Van Mieghem, Operations Research
51(1), 2003).
"""

from bisect import bisect_left
from collections.abc import Collection, Container, Sequence

from models.vocabulary import CounterState, OrderRule, TicketState
from queue_service.domain.hall import Counter, Hall, Place, Ticket, party_of
from queue_service.domain.heads import KEYS, Head, first_of, free_key


def eligible(ticket: Ticket, counter: Counter, now_ms: int, busy: Container[str]) -> bool:
    """Whether this counter may call the ticket now: begun to wait, nobody of its party held, not kept for others."""
    leg = ticket.legs[-1]
    if leg.waiting_since_ms > now_ms or party_of(ticket) in busy:
        return False
    if leg.reserved_until_ms is None or leg.reserved_until_ms <= now_ms:
        return True
    return leg.for_counter in (None, counter.id) and leg.for_clerk in (None, counter.clerk)


def _served(hall: Hall, counter: Counter) -> Sequence[str]:
    """The services that the counter may call for now."""
    able = hall.able(counter)
    return [service for service in able if not hall.is_suspended(service)] if hall.suspensions else able


def heads(hall: Hall, counter: Counter, now_ms: int) -> Collection[list[Head]]:
    """The first eligible ticket of each lane the counter serves, service by service."""
    found: list[list[Head]] = []
    lanes, tickets, planned, busy = hall.lanes, hall.tickets, hall.rules.lanes, hall.busy
    for service in _served(hall, counter):
        classes: list[Head] = []
        for key, terms in planned[service]:
            for place in lanes.get(key, ()):
                if eligible(tickets[place[3]], counter, now_ms, busy):
                    classes.append((place, terms))
                    break
        if classes:
            found.append(classes)
    return found


def next_ticket(hall: Hall, counter: Counter, now_ms: int, rule: OrderRule | None = None) -> Ticket | None:
    """Whom the counter calls next by the plan's rule (or another, for what-if); None: nobody it may call waits.

    Ties: the earlier arrival, then the number.
    """
    key = KEYS[rule or hall.rules.order]
    place = first_of(heads(hall, counter, now_ms), key, hall.rules.max_overtake_ms, now_ms)
    return None if place is None else hall.tickets[place[3]]


def overtaken_by(hall: Hall, chosen: Ticket, counter: Counter, now_ms: int) -> int:
    """How many eligible tickets of the counter's lanes stood in line before a ticket called out of order."""
    lanes = (hall.lanes.get(key, []) for service in _served(hall, counter) for key, _ in hall.rules.lanes[service])
    return sum(
        eligible(hall.tickets[place[3]], counter, now_ms, hall.busy)
        for lane in lanes
        for place in lane[: bisect_left(lane, chosen.place)]
        if place[3] != chosen.id
    )


def ahead(hall: Hall, ticket: Ticket, now_ms: int) -> int:
    """How many of the same service come before a waiting ticket, each compared with it as of now."""
    if ticket.state != TicketState.WAITING:
        return 0
    plan, leg, place = hall.rules, ticket.legs[-1], ticket.place
    own_key = (leg.service, leg.priority)
    own = plan.lane_terms[own_key]
    count = bisect_left(hall.lanes[own_key], place)
    for key, terms in plan.lanes[leg.service]:
        lane = hall.lanes.get(key)
        if lane and key != own_key:
            rival = _rival_place(plan.order, place, own, terms, now_ms)
            count += bisect_left(lane, _bounded(rival, place[0], plan.max_overtake_ms))
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
