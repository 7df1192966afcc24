"""Signing on and off, pausing, relieving, ringing."""

from collections.abc import Iterator

from models.vocabulary import TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall
from queue_service.domain.rules.lookup import counter_of, holds_ticket, open_counter_of, service_of, wrong_counter_state
from queue_service.domain.rules.tickets import check_reason


def open_counter(hall: Hall, command: c.OpenCounter, now_ms: int) -> Iterator[ev.Event]:
    """A clerk signs on; `services` may narrow what the plan lets the counter serve."""
    counter = counter_of(hall, command.counter)
    if counter.is_open:
        raise wrong_counter_state(hall, counter, f"{counter.clerk} is signed on; relieve or close it first")
    _refuse_second_counter(hall, command.clerk, command.counter)
    planned = hall.rules.counters[counter.id].services
    for index, service in enumerate(command.services or ()):
        service_of(hall, service)
        if service not in planned:
            raise errors.BadValue(
                f"The plan does not let counter {counter.id} serve {service}.",
                place=f"/services/{index}",
                allowed=sorted(planned),
            )
    yield ev.CounterOpened(counter=counter.id, clerk=command.clerk, services=command.services)


def _refuse_second_counter(hall: Hall, clerk: str, counter_id: str) -> None:
    for other in hall.counters.values():
        if other.clerk == clerk and other.id != counter_id:
            raise errors.ClerkElsewhere(f"{clerk} is signed on at counter {other.id}.", clerk=clerk, counter=other.id)


def pause(hall: Hall, command: c.PauseCounter, now_ms: int) -> Iterator[ev.Event]:
    """Now, or after the ticket held; the reason is one of the plan's."""
    counter = open_counter_of(hall, command.counter)
    check_reason(command.reason, hall.rules.pause_reasons)
    if counter.pause_reason is not None:
        raise wrong_counter_state(hall, counter, "it is paused already")
    if counter.ticket is None:
        yield ev.CounterPaused(counter=counter.id, reason=command.reason)
    elif command.after_current:
        yield ev.CounterPauseRequested(counter=counter.id, reason=command.reason)
    else:
        raise holds_ticket(hall, counter)


def resume(hall: Hall, command: c.ResumeCounter, now_ms: int) -> Iterator[ev.Event]:
    """End the pause, or the wish to pause after this one."""
    counter = open_counter_of(hall, command.counter)
    if counter.pause_reason is None and counter.pause_after is None:
        raise wrong_counter_state(hall, counter, "it is not paused")
    yield ev.CounterResumed(counter=counter.id)


def close(hall: Hall, command: c.CloseCounter, now_ms: int) -> Iterator[ev.Event]:
    """The clerk signs off. A supervisor's reason forces it: the ticket held goes back in line."""
    counter = open_counter_of(hall, command.counter)
    if counter.ticket is not None:
        if command.force is None:
            raise holds_ticket(hall, counter)
        ticket = hall.tickets[counter.ticket]
        yield ev.TicketRequeued(
            ticket.id, ticket.number, ticket.service, counter.id, from_state=ticket.state, reason=command.force
        )
    yield ev.CounterClosed(counter=counter.id, forced=command.force)


def relieve(hall: Hall, command: c.RelieveCounter, now_ms: int) -> Iterator[ev.Event]:
    """Another clerk takes over in one step, with the ticket held."""
    counter = open_counter_of(hall, command.counter)
    if command.clerk == counter.clerk:
        raise errors.ClerkElsewhere(
            f"{command.clerk} is signed on here already.", clerk=command.clerk, counter=counter.id
        )
    _refuse_second_counter(hall, command.clerk, counter.id)
    yield ev.CounterRelieved(counter=counter.id, clerk=command.clerk)


def announce_call(hall: Hall, command: c.AnnounceCall, now_ms: int) -> Iterator[ev.Event]:
    """What a display has told the lobby; a call that is over by then is refused."""
    counter = counter_of(hall, command.counter)
    ticket = hall.tickets.get(counter.ticket or "")
    if ticket is None or ticket.number != command.number or ticket.state != TicketState.CALLED:
        raise wrong_counter_state(hall, counter, f"it does not call {command.number}")
    yield ev.CallAnnounced(counter.id, ticket.id, ticket.number, command.display, command.voice, command.lag_ms)


def call_help(hall: Hall, command: c.CallHelp, now_ms: int) -> Iterator[ev.Event]:
    """Ring the supervisor."""
    yield ev.HelpCalled(counter=open_counter_of(hall, command.counter).id)
