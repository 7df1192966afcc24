"""The beginning of a run from the hall as it stands: who waits, who is held, which counters are open."""

from models.vocabulary import HELD_STATES, CounterState
from queue_service.domain.hall import Counter, Hall, Ticket
from queue_service.planning.simulation.drawing import Held
from queue_service.planning.simulation.scene import Shift, Visitor


def waiting_of(hall: Hall) -> list[Visitor]:
    """Everyone in a lane, as visitors whose service time is not known yet. Tickets apart are not judged."""
    return [_visitor(hall, ticket) for ticket in hall.waiting() if ticket.legs]


def _visitor(hall: Hall, ticket: Ticket) -> Visitor:
    leg = ticket.leg
    judged = ticket.promise_ms if ticket.apart is None else None
    return Visitor(
        service=leg.service,
        priority=leg.priority,
        waiting_since_ms=leg.waiting_since_ms,
        line_since_ms=leg.line_since_ms,
        issued_at_ms=ticket.issued_at_ms,
        held_ms=0,
        promise_ms=None if judged is None else judged - ticket.waited_so_far_ms(),
        number=ticket.sorted_number,
        for_counter=leg.for_counter or _seat_of(hall, leg.for_clerk),
        reserved_until_ms=leg.reserved_until_ms,
    )


def _seat_of(hall: Hall, clerk: str | None) -> str | None:
    return next((one.id for one in hall.counters.values() if clerk is not None and one.clerk == clerk), None)


def held_of(hall: Hall, now_ms: int) -> list[Held]:
    """Every ticket at a counter, with the time since it was called (or came back to it)."""
    held = []
    for ticket in hall.tickets.values():
        if ticket.state in HELD_STATES and ticket.counter is not None:
            leg = ticket.leg
            since_ms = leg.called_at_ms or leg.started_at_ms or now_ms
            held.append(Held(ticket.counter, leg.service, max(0, now_ms - since_ms)))
    return held


def idle_since_of(hall: Hall) -> dict[str, int]:
    """Since when the idle counters are."""
    idle = CounterState.IDLE
    return {name: one.since_ms for name, one in hall.counters.items() if hall.counter_state(one) == idle}


def works(counter: Counter) -> bool:
    """Whether a counter is at work: open, neither paused nor about to pause."""
    return counter.is_open and counter.pause_reason is None and counter.pause_after is None


def shifts_of(hall: Hall, from_ms: int, to_ms: int) -> tuple[Shift, ...]:
    """The counters at work now, as if they stayed so until `to_ms`; paused ones are not among them."""
    return tuple(Shift(one.id, from_ms, to_ms, hall.able(one)) for one in hall.counters.values() if works(one))
