"""What the events of a ticket's life change: its state, its legs, and its place in a lane or at a counter."""

from collections.abc import Callable
from typing import Any

from models.vocabulary import TERMINAL_STATES, LegOutcome, TicketState
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, Leg, Ticket


def _ticket_checked_in(hall: Hall, logged: ev.Logged, event: ev.TicketCheckedIn) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.period, ticket.promise_ms, ticket.percentile = event.period, event.promise_ms, event.percentile
    _wait_again(hall, logged, ticket, logged.at_ms)


def _wait_again(hall: Hall, logged: ev.Logged, ticket: Ticket, from_ms: int) -> None:
    """A new leg that keeps the wait: it stands in line as if it had waited all it waited so far without a break."""
    line_since = from_ms - ticket.waited_so_far_ms()
    ticket.legs.append(Leg(ticket.service, ticket.priority, from_ms, line_since))
    ticket.apart = ticket.apart or hall.suspended_apart(ticket)
    ticket.state, ticket.counter, ticket.closed_at_ms = TicketState.WAITING, None, None
    hall.attach(ticket)
    hall.touch(ticket, logged.seq)


def _end_leg(hall: Hall, ticket: Ticket, seq: int, at_ms: int, outcome: LegOutcome, waited_ms: int | None) -> None:
    """End the present leg and take the ticket from its lane or counter; `waited_ms` if a wait was running."""
    hall.detach(ticket)
    if ticket.legs:
        leg = ticket.leg
        if waited_ms is not None:
            leg.waited_ms = waited_ms
        if leg.outcome is None:
            leg.ended_at_ms, leg.outcome = at_ms, outcome
    ticket.counter = None
    hall.touch(ticket, seq)


_Leaving = ev.TicketFinished | ev.TicketNoShow | ev.TicketParked | ev.TicketCancelled | ev.TicketExpired


def _leave(
    hall: Hall,
    logged: ev.Logged,
    event: _Leaving,
    state: TicketState,
    outcome: LegOutcome,
    at_ms: int,
    waited_ms: int | None = None,
) -> None:
    """The leg ends and the ticket stands in `state`; in a terminal one the hall forgets it."""
    ticket = hall.tickets[event.ticket]
    _end_leg(hall, ticket, logged.seq, at_ms, outcome, waited_ms)
    ticket.state = state
    if state in TERMINAL_STATES:
        ticket.closed_at_ms = at_ms
        del hall.tickets[ticket.id]
    counter = hall.counters.get(event.counter or "")
    if counter is not None:
        counter.since_ms = logged.at_ms


def _ticket_called(hall: Hall, logged: ev.Logged, event: ev.TicketCalled) -> None:
    ticket = hall.tickets[event.ticket]
    hall.detach(ticket)
    leg = ticket.leg
    leg.counter, leg.clerk, leg.called_at_ms, leg.waited_ms = event.counter, event.clerk, logged.at_ms, event.waited_ms
    ticket.state, ticket.counter = TicketState.CALLED, event.counter
    hall.announced_ms.pop(ticket.id, None)
    hall.attach(ticket)
    hall.touch(ticket, logged.seq)
    hall.counters[event.counter].since_ms = logged.at_ms
    if event.chosen is not None:
        hall.chosen_calls += 1


def _ticket_recalled(hall: Hall, logged: ev.Logged, event: ev.TicketRecalled) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.leg.recalls += 1
    hall.touch(ticket, logged.seq)


def _ticket_started(hall: Hall, logged: ev.Logged, event: ev.TicketStarted) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.leg.started_at_ms, ticket.leg.start_implied = logged.at_ms, event.implied
    ticket.state = TicketState.SERVING
    hall.counters[event.counter].since_ms = logged.at_ms
    hall.touch(ticket, logged.seq)


def _ticket_finished(hall: Hall, logged: ev.Logged, event: ev.TicketFinished) -> None:
    _leave(hall, logged, event, TicketState.FINISHED, LegOutcome.FINISHED, logged.at_ms)


def _ticket_no_show(hall: Hall, logged: ev.Logged, event: ev.TicketNoShow) -> None:
    _leave(hall, logged, event, TicketState.NO_SHOW, LegOutcome.NO_SHOW, logged.at_ms)
    hall.tickets[event.ticket].closed_at_ms = logged.at_ms


def _ticket_cancelled(hall: Hall, logged: ev.Logged, event: ev.TicketCancelled) -> None:
    _leave(hall, logged, event, TicketState.CANCELLED, LegOutcome.CANCELLED, logged.at_ms, event.waited_ms)


def _ticket_expired(hall: Hall, logged: ev.Logged, event: ev.TicketExpired) -> None:
    _leave(hall, logged, event, TicketState.EXPIRED, LegOutcome.EXPIRED, event.ended_at_ms, event.waited_ms)


def _ticket_parked(hall: Hall, logged: ev.Logged, event: ev.TicketParked) -> None:
    _leave(hall, logged, event, TicketState.PARKED, LegOutcome.PARKED, logged.at_ms)


def _ticket_rejoined(hall: Hall, logged: ev.Logged, event: ev.TicketRejoined) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.rejoins += 1
    _wait_again(hall, logged, ticket, logged.at_ms)


def _ticket_requeued(hall: Hall, logged: ev.Logged, event: ev.TicketRequeued) -> None:
    ticket = hall.tickets[event.ticket]
    _end_leg(hall, ticket, logged.seq, logged.at_ms, LegOutcome.REQUEUED, None)
    hall.counters[event.counter].since_ms = logged.at_ms
    _wait_again(hall, logged, ticket, logged.at_ms)


def _ticket_returned(hall: Hall, logged: ev.Logged, event: ev.TicketReturned) -> None:
    ticket = hall.tickets[event.ticket]
    if event.counter is None:
        _wait_again(hall, logged, ticket, logged.at_ms)
        return
    now = logged.at_ms
    line_since = now - ticket.waited_so_far_ms()
    leg = Leg(ticket.service, ticket.priority, now, line_since, counter=event.counter, clerk=event.clerk)
    leg.called_at_ms, leg.waited_ms, leg.started_at_ms = now, 0, now
    ticket.legs.append(leg)
    ticket.state, ticket.counter = TicketState.SERVING, event.counter
    hall.attach(ticket)
    hall.counters[event.counter].since_ms = now
    hall.touch(ticket, logged.seq)


def _ticket_transferred(hall: Hall, logged: ev.Logged, event: ev.TicketTransferred) -> None:
    ticket = hall.tickets[event.ticket]
    _end_leg(hall, ticket, logged.seq, logged.at_ms, LegOutcome.TRANSFERRED, event.waited_ms)
    if event.counter is not None:
        hall.counters[event.counter].since_ms = logged.at_ms
    ticket.service = event.to_service
    _wait_again(hall, logged, ticket, logged.at_ms)
    leg = ticket.leg
    leg.for_counter, leg.for_clerk = event.for_counter, event.for_clerk
    leg.reserved_until_ms = event.reserved_until_ms


def _ticket_changed(hall: Hall, logged: ev.Logged, event: ev.TicketChanged) -> None:
    ticket = hall.tickets[event.ticket]
    hall.detach(ticket)
    ticket.service, ticket.priority = event.to_service, event.to_priority
    if ticket.legs:
        ticket.leg.service, ticket.leg.priority = event.to_service, event.to_priority
        if ticket.state == TicketState.WAITING:
            ticket.apart = ticket.apart or hall.suspended_apart(ticket)
    hall.attach(ticket)
    hall.touch(ticket, logged.seq)


def _ticket_handed_over(hall: Hall, logged: ev.Logged, event: ev.TicketHandedOver) -> None:
    ticket = hall.tickets[event.ticket]
    hall.detach(ticket)
    ticket.counter = ticket.leg.counter = event.to_counter
    ticket.leg.clerk = event.clerk
    hall.attach(ticket)
    hall.touch(ticket, logged.seq)
    hall.counters[event.counter].since_ms = logged.at_ms
    hall.counters[event.to_counter].since_ms = logged.at_ms
    hall.counters[event.to_counter].last = None


def _ticket_postponed(hall: Hall, logged: ev.Logged, event: ev.TicketPostponed) -> None:
    ticket = hall.tickets[event.ticket]
    _end_leg(hall, ticket, logged.seq, logged.at_ms, LegOutcome.POSTPONED, event.waited_ms)
    ticket.postpones += 1
    _wait_again(hall, logged, ticket, event.until_ms)


HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    ev.TicketCheckedIn: _ticket_checked_in,
    ev.TicketCalled: _ticket_called,
    ev.TicketRecalled: _ticket_recalled,
    ev.TicketStarted: _ticket_started,
    ev.TicketFinished: _ticket_finished,
    ev.TicketNoShow: _ticket_no_show,
    ev.TicketRejoined: _ticket_rejoined,
    ev.TicketRequeued: _ticket_requeued,
    ev.TicketParked: _ticket_parked,
    ev.TicketReturned: _ticket_returned,
    ev.TicketTransferred: _ticket_transferred,
    ev.TicketChanged: _ticket_changed,
    ev.TicketHandedOver: _ticket_handed_over,
    ev.TicketPostponed: _ticket_postponed,
    ev.TicketCancelled: _ticket_cancelled,
    ev.TicketExpired: _ticket_expired,
}
