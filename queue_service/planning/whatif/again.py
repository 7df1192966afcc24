"""A recorded event of a ticket, as it is when the ticket comes to it at another time or another counter."""

from dataclasses import replace

from models.vocabulary import CounterState, LegOutcome, TicketState
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.rules.table import TABLE

VERBS: dict[type[ev.Event], str] = {
    ev.TicketStarted: "start",
    ev.TicketFinished: "finish",
    ev.TicketNoShow: "no-show",
    ev.TicketRejoined: "rejoin",
    ev.TicketRequeued: "requeue",
    ev.TicketParked: "park",
    ev.TicketReturned: "return",
    ev.TicketTransferred: "transfer",
    ev.TicketChanged: "change",
    ev.TicketHandedOver: "hand-over",
    ev.TicketCheckedIn: "check-in",
    ev.TicketPostponed: "postpone",
    ev.TicketCancelled: "cancel",
}


def again(hall: Hall, event: ev.Event, ticket: Ticket, now_ms: int, before_ms: int) -> ev.Event | None:
    """A recorded event as it would be now; None where the ticket's state, or another counter's, rules it out."""
    if (ticket.state, VERBS[type(event)]) not in TABLE:
        return None
    fields: dict[str, object] = {"service": ticket.service}
    if isinstance(event, ev.TicketHandedOver | ev.TicketReturned):
        return _to_counter(hall, event, ticket)
    if hasattr(event, "counter"):
        fields["counter"] = ticket.counter
    if hasattr(event, "from_state"):
        fields["from_state"] = ticket.state
    if hasattr(event, "waited_ms"):
        waiting = ticket.state == TicketState.WAITING
        fields["waited_ms"] = hall.waited_ms(ticket.leg, now_ms) if waiting else None
    for name in ("until_ms", "reserved_until_ms"):
        recorded_ms = getattr(event, name, None)
        if recorded_ms is not None:
            fields[name] = recorded_ms - before_ms + now_ms
    return replace(event, **fields)


def _to_counter(hall: Hall, event: ev.TicketHandedOver | ev.TicketReturned, ticket: Ticket) -> ev.Event | None:
    wanted = event.to_counter if isinstance(event, ev.TicketHandedOver) else event.counter
    target = hall.counters.get(wanted or "")
    free = target is not None and hall.counter_state(target) == CounterState.IDLE
    if isinstance(event, ev.TicketHandedOver):
        if target is None or not free or ticket.counter is None:
            return None
        return replace(event, service=ticket.service, counter=ticket.counter, clerk=target.clerk or "")
    parked = [leg.counter for leg in ticket.legs if leg.outcome == LegOutcome.PARKED]
    if target is None or not free or parked[-1] != target.id:
        return replace(event, service=ticket.service, counter=None, clerk=None)
    return replace(event, service=ticket.service, clerk=target.clerk)
