"""Calling: the next ticket by the hall's rule, or a chosen one for a reason."""

from collections.abc import Iterator

from models.vocabulary import TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Counter, Hall, Ticket
from queue_service.domain.order import next_ticket, overtaken_by
from queue_service.domain.rules.lookup import check_state, holds_ticket, open_counter_of, wrong_counter_state
from queue_service.domain.rules.table import CALL
from queue_service.domain.rules.tickets import pause_if_asked


def call_next(hall: Hall, command: c.CallNext, now_ms: int) -> Iterator[ev.Event]:
    """The one button: finish what is held (if asked), then call whoever is next. Nobody waiting: no call."""
    counter = _ready(hall, command.counter, command.finish_current)
    finishing = counter.ticket is not None
    if None in hall.suspensions and not finishing:
        raise _suspended(hall, None)
    if finishing:
        yield from _finish_held(hall, counter)
        if counter.pause_reason is not None:
            return
    ticket = next_ticket(hall, counter, now_ms)
    if ticket is not None:
        yield _called(hall, ticket, counter, now_ms, chosen=None, overtaken=0)


def _ready(hall: Hall, counter_id: str, finish_current: bool) -> Counter:
    counter = open_counter_of(hall, counter_id)
    if counter.ticket is not None and not finish_current:
        raise holds_ticket(hall, counter)
    if counter.ticket is None and counter.pause_reason is not None:
        raise wrong_counter_state(hall, counter, "resume first")
    return counter


def _suspended(hall: Hall, service: str | None) -> errors.Suspended:
    reason = hall.suspensions[None if None in hall.suspensions else service].reason
    return errors.Suspended(f"Calls are suspended: {reason}.", service=service, reason=reason)


def _finish_held(hall: Hall, counter: Counter) -> Iterator[ev.Event]:
    """Finish the held ticket; one that was only called gets an implied start."""
    assert counter.ticket is not None, "only asked of a counter that holds a ticket"
    ticket = hall.tickets[counter.ticket]
    if ticket.state == TicketState.CALLED:
        yield ev.TicketStarted(ticket.id, ticket.number, ticket.service, counter.id, implied=True)
    yield ev.TicketFinished(ticket.id, ticket.number, ticket.service, counter.id)
    yield from pause_if_asked(hall, counter.id)


def _called(
    hall: Hall, ticket: Ticket, counter: Counter, now_ms: int, chosen: str | None, overtaken: int
) -> ev.TicketCalled:
    return ev.TicketCalled(
        ticket.id,
        ticket.number,
        ticket.service,
        counter.id,
        counter.clerk or "",
        hall.waited_ms(ticket.leg, now_ms),
        chosen,
        overtaken,
    )


def call_chosen(hall: Hall, command: c.CallChosen, now_ms: int) -> Iterator[ev.Event]:
    """A certain ticket, for a reason: exempt from the order, bounded per day, counted with those overtaken."""
    counter = _ready(hall, command.counter, command.finish_current)
    ticket = _chosen(hall, command)
    check_state(ticket.state, CALL, ticket.number)
    if ticket.service not in hall.able(counter):
        raise errors.BadValue(f"Counter {counter.id} does not serve {ticket.service}.", place="/ticket")
    if hall.is_suspended(ticket.service):
        raise _suspended(hall, ticket.service)
    allowed = hall.rules.chosen_calls_per_day
    if hall.chosen_calls >= allowed:
        raise errors.BoundReached(f"The plan allows {allowed} chosen calls a day.", allowed=allowed)
    if counter.ticket is not None:
        if counter.pause_after is not None:
            raise wrong_counter_state(hall, counter, "it pauses after this ticket; resume first")
        yield from _finish_held(hall, counter)
    overtaken = overtaken_by(hall, ticket, counter, now_ms)
    yield _called(hall, ticket, counter, now_ms, chosen=command.reason, overtaken=overtaken)


def _chosen(hall: Hall, command: c.CallChosen) -> Ticket:
    if (command.ticket is None) == (command.number is None):
        raise errors.BadValue("Name either a ticket or a number.", place="/ticket")
    if command.ticket is not None:
        found = hall.tickets.get(command.ticket)
    else:
        named = [ticket for ticket in hall.tickets.values() if ticket.number == command.number]
        found = max(named, key=lambda ticket: ticket.day, default=None)
    if found is None:
        name = command.ticket or command.number
        raise errors.UnknownTicket(f"This hall has no ticket {name!r} today.", ticket=name)
    return found
