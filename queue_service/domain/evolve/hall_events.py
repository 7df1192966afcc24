"""What the events of the hall itself and of its counters change."""

from collections.abc import Callable
from typing import Any

from models.vocabulary import HELD_STATES, Apart, TicketState
from queue_service.domain import events as ev
from queue_service.domain.calendar import day_of
from queue_service.domain.carried import take_over
from queue_service.domain.hall import Counter, Hall, Suspension, restored
from queue_service.domain.plan import Plan


def _plan_changed(hall: Hall, logged: ev.Logged, event: ev.PlanChanged) -> None:
    hall.plan = Plan.from_document(event.document)
    hall.plan_version = event.version
    hall.plan_seq = logged.seq
    if hall.today is not None:
        hall.plan_day(hall.today.date)
    planned = hall.plan.counters
    hall.counters = {name: hall.counters.get(name) or Counter(name, since_ms=logged.at_ms) for name in planned}
    for counter in hall.counters.values():
        counter.last = None  # taking back could bring tickets for what is planned no more


def _day_opened(hall: Hall, logged: ev.Logged, event: ev.DayOpened) -> None:
    hall.today = day_of(hall.rules.calendar, event.day)
    hall.day_seq = logged.seq
    hall.tickets, hall.lanes, hall.busy = {}, {}, {}
    hall.number_counts, hall.number_gaps, hall.quota_used = {}, {}, {}
    hall.chosen_calls = 0
    hall.suspended_spans = []
    hall.alerts = {}
    hall.announced_ms = {}
    hall.advice = {}
    hall.counters = {name: Counter(name, since_ms=logged.at_ms) for name in hall.rules.counters}
    take_over(hall, event.carried)


def _suspended(hall: Hall, logged: ev.Logged, event: ev.Suspended) -> None:
    hall.suspensions[event.service] = Suspension(event.service, event.reason, logged.at_ms, event.turn_away)
    for ticket in hall.waiting():
        if ticket.apart is None and hall.suspended_apart(ticket):
            ticket.apart = Apart.SUSPENDED
            hall.touch(ticket, ticket.last_seq)


def _resumed(hall: Hall, logged: ev.Logged, event: ev.Resumed) -> None:
    suspension = hall.suspensions.pop(event.service)
    hall.suspended_spans.append((event.service, suspension.since_ms, logged.at_ms))


def _nothing(hall: Hall, logged: ev.Logged, event: ev.Event) -> None:
    """Told to those who watch; the hall itself does not change."""


def _counter_opened(hall: Hall, logged: ev.Logged, event: ev.CounterOpened) -> None:
    services = None if event.services is None else tuple(event.services)
    hall.counters[event.counter] = Counter(event.counter, True, event.clerk, services, since_ms=logged.at_ms)


def _counter_paused(hall: Hall, logged: ev.Logged, event: ev.CounterPaused) -> None:
    counter = hall.counters[event.counter]
    counter.pause_reason, counter.pause_after, counter.since_ms = event.reason, None, logged.at_ms


def _counter_pause_requested(hall: Hall, logged: ev.Logged, event: ev.CounterPauseRequested) -> None:
    hall.counters[event.counter].pause_after = event.reason


def _counter_resumed(hall: Hall, logged: ev.Logged, event: ev.CounterResumed) -> None:
    counter = hall.counters[event.counter]
    if counter.pause_reason is not None:
        counter.since_ms = logged.at_ms
    counter.pause_reason = counter.pause_after = None


def _counter_closed(hall: Hall, logged: ev.Logged, event: ev.CounterClosed) -> None:
    hall.counters[event.counter] = Counter(event.counter, since_ms=logged.at_ms)


def _counter_relieved(hall: Hall, logged: ev.Logged, event: ev.CounterRelieved) -> None:
    counter = hall.counters[event.counter]
    counter.clerk = event.clerk
    if counter.ticket is not None:
        ticket = hall.tickets[counter.ticket]
        ticket.leg.clerk = event.clerk
        hall.touch(ticket, logged.seq)


def _call_announced(hall: Hall, logged: ev.Logged, event: ev.CallAnnounced) -> None:
    """The first display that tells of a call; kept beside the ticket, so that an undo is still possible."""
    hall.announced_ms.setdefault(event.ticket, logged.at_ms)


def _command_undone(hall: Hall, logged: ev.Logged, event: ev.CommandUndone) -> None:
    counter = hall.counters[event.counter]
    last = counter.last
    assert last is not None, "an undo of nothing"
    assert last.command_seq == event.command_seq, "an undo of another command"
    before = {name: restored(snapshot) for name, snapshot in last.tickets.items()}
    for ticket_id, ticket in before.items():
        present = hall.tickets.get(ticket_id)
        if present is not None:
            if present.counter is not None:
                hall.counters[present.counter].since_ms = logged.at_ms
                hall.counters[present.counter].last = None  # what it did with a ticket that it has no more
            hall.detach(present)
            for number in range(len(ticket.legs) + 1, len(present.legs) + 1):
                hall.touched_legs[ticket_id, number] = None
    counter.pause_reason, counter.pause_after = last.paused
    counter.since_ms, counter.last = logged.at_ms, None
    hall.chosen_calls -= last.chosen_calls
    for ticket in sorted(before.values(), key=lambda one: one.state in HELD_STATES):
        if ticket.state == TicketState.WAITING:
            ticket.apart = ticket.apart or hall.suspended_apart(ticket, last.at_ms)
        hall.attach(ticket)
        hall.touch(ticket, logged.seq)


HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    ev.PlanChanged: _plan_changed,
    ev.DayOpened: _day_opened,
    ev.Suspended: _suspended,
    ev.Resumed: _resumed,
    ev.TurnedAway: _nothing,
    ev.HelpCalled: _nothing,
    ev.CounterOpened: _counter_opened,
    ev.CounterPaused: _counter_paused,
    ev.CounterPauseRequested: _counter_pause_requested,
    ev.CounterResumed: _counter_resumed,
    ev.CounterClosed: _counter_closed,
    ev.CounterRelieved: _counter_relieved,
    ev.CallAnnounced: _call_announced,
    ev.CommandUndone: _command_undone,
}
