"""How each event changes what a hall knows. One small function a kind; nothing here decides or refuses."""

from collections.abc import Callable
from typing import Any

from queue_service.domain import events as ev
from queue_service.domain.evolve import advice, alerts, hall_events, incoming, life
from queue_service.domain.hall import Hall, LastCommand

UNDOABLE: tuple[type[ev.Event], ...] = (
    ev.TicketCalled,
    ev.TicketRecalled,
    ev.TicketStarted,
    ev.TicketFinished,
    ev.TicketNoShow,
    ev.TicketRequeued,
    ev.TicketParked,
    ev.TicketReturned,
    ev.TicketTransferred,
    ev.TicketHandedOver,
    ev.CounterPaused,
    ev.CounterPauseRequested,
    ev.CounterResumed,
)
_UNDOABLE = frozenset(UNDOABLE)
_LEAVING_IT = (ev.HelpCalled, ev.CallAnnounced, ev.CommandUndone, ev.TicketBackfilled, ev.AlertRaised)
"""At a counter, but without changing what its last command was."""
_HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    **hall_events.HANDLERS,
    **incoming.HANDLERS,
    **life.HANDLERS,
    **alerts.HANDLERS,
    **advice.HANDLERS,
}


def evolve(hall: Hall, logged: ev.Logged) -> None:
    """Apply one event: the hall is then as of that event."""
    event = logged.event
    counter_id: str | None = getattr(event, "counter", None)
    if counter_id is not None:
        _remember(hall, logged, counter_id)
    _HANDLERS[type(event)](hall, logged, event)
    hall.seq = logged.seq
    hall.head = logged.head
    hall.last_at_ms = logged.at_ms


def _remember(hall: Hall, logged: ev.Logged, counter_id: str) -> None:
    """Keep what an undoable event is about to change; any other event at the counter ends the chance to undo."""
    counter = hall.counters.get(counter_id)
    if counter is None:
        return
    event = logged.event
    if type(event) not in _UNDOABLE:
        if not isinstance(event, _LEAVING_IT):
            counter.last = None
        return
    if logged.seq == logged.command_seq:
        paused = counter.pause_reason, counter.pause_after
        counter.last = LastCommand(logged.command_seq, logged.seq, logged.at_ms, {}, paused)
    elif counter.last is not None and counter.last.command_seq != logged.command_seq:
        counter.last = None  # it follows from what cannot be taken back here: a cancel, another counter's undo
    if counter.last is not None:
        _note(hall, counter.last, logged)


def _note(hall: Hall, last: LastCommand, logged: ev.Logged) -> None:
    """One more event of the last command: the ticket as it was before it, and what else an undo must know."""
    event = logged.event
    last.last_seq = logged.seq
    if isinstance(event, ev.TicketEvent) and event.ticket not in last.tickets:
        last.tickets[event.ticket] = hall.tickets[event.ticket].snapshot()
    if isinstance(event, ev.TicketFinished):
        last.finished.add(event.ticket)
    if isinstance(event, ev.TicketCalled) and event.chosen is not None:
        last.chosen_calls += 1
