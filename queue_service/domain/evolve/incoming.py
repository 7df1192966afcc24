"""What the events change by which a ticket comes in: issued here and now, from paper, or of recorded history."""

from collections.abc import Callable, Iterator
from typing import Any

from models.vocabulary import Apart, Channel, LegOutcome, TicketState
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, Leg, Ticket


def _take_number(hall: Hall, number: str) -> None:
    prefix = number.rstrip("0123456789")
    count = int(number[len(prefix) :])
    last = hall.number_counts.get(prefix, 0)
    if count > last:
        hall.number_counts[prefix] = count
    if count > last + 1:
        hall.number_gaps.setdefault(prefix, []).append((last + 1, count - 1))
    elif count <= last:
        hall.number_gaps[prefix] = list(_without(count, hall.number_gaps.get(prefix, [])))


def _without(count: int, gaps: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of the gaps once a number is taken out of them."""
    for first, last in gaps:
        if not first <= count <= last:
            yield first, last
            continue
        if first < count:
            yield first, count - 1
        if count < last:
            yield count + 1, last


def _ticket_issued(hall: Hall, logged: ev.Logged, event: ev.TicketIssued) -> None:
    waits = event.state == TicketState.WAITING
    ticket = Ticket(
        event.ticket,
        event.number,
        hall.day.date,
        event.service,
        event.priority,
        event.channel,
        TicketState.WAITING if waits else TicketState(event.state),
        logged.at_ms,
    )
    ticket.language, ticket.items, ticket.party, ticket.ref = event.language, event.items, event.party, event.ref
    ticket.period, ticket.promise_ms, ticket.percentile = event.period, event.promise_ms, event.percentile
    ticket.apart = event.apart
    _take_number(hall, event.number)
    half = "am" if logged.at_ms < hall.day.noon_ms else "pm"
    key = (event.service, half, event.channel)
    hall.quota_used[key] = hall.quota_used.get(key, 0) + event.items
    if waits:
        ticket.legs.append(Leg(event.service, event.priority, logged.at_ms, logged.at_ms))
    hall.attach(ticket)
    hall.touch(ticket, logged.seq)


def _ticket_backfilled(hall: Hall, logged: ev.Logged, event: ev.TicketBackfilled) -> None:
    leg = Leg(event.service, event.priority, event.arrived_at_ms, event.arrived_at_ms)
    ticket = Ticket(
        id=event.ticket,
        number=event.number,
        day=hall.day.date,
        service=event.service,
        priority=event.priority,
        channel=Channel.PAPER,
        state=TicketState.WAITING,
        issued_at_ms=event.arrived_at_ms,
        ref=event.ref,
        period=event.period,
        promise_ms=event.promise_ms,
        percentile=event.percentile,
        apart=Apart.BACKFILLED,
        legs=[leg],
    )
    _take_number(hall, event.number)
    if event.called_at_ms is not None:
        leg.called_at_ms, leg.counter = event.called_at_ms, event.counter
        leg.waited_ms = hall.waited_ms(leg, event.called_at_ms)
        leg.started_at_ms = event.started_at_ms or event.called_at_ms
        leg.start_implied = event.started_at_ms is None
        _close(ticket, TicketState.FINISHED, LegOutcome.FINISHED, event.finished_at_ms or leg.started_at_ms)
    else:
        hall.attach(ticket)
    hall.touch(ticket, logged.seq)


def _ticket_recorded(hall: Hall, logged: ev.Logged, event: ev.TicketRecorded) -> None:
    """Only the tables hear of it: the hall's own day is not concerned."""
    leg = Leg(event.service, hall.rules.default_priority, event.issued_at_ms, event.issued_at_ms)
    ticket = Ticket(
        id=event.ticket,
        number=event.number,
        day=event.day,
        service=event.service,
        priority=leg.priority,
        channel=Channel.HISTORY,
        state=TicketState.FINISHED,
        issued_at_ms=event.issued_at_ms,
        period=event.period,
        promise_ms=event.promise_ms,
        percentile=event.percentile,
        legs=[leg],
    )
    ended_at_ms = event.day_end_ms if event.called_at_ms is None else event.called_at_ms
    leg.called_at_ms = event.called_at_ms
    leg.waited_ms = ended_at_ms - event.issued_at_ms
    if event.called_at_ms is None:
        _close(ticket, TicketState.EXPIRED, LegOutcome.EXPIRED, ended_at_ms)
    else:
        _close(ticket, TicketState.FINISHED, LegOutcome.FINISHED, ended_at_ms)
    hall.touch(ticket, logged.seq)


def _close(ticket: Ticket, state: TicketState, outcome: LegOutcome, at_ms: int) -> None:
    """End a ticket that never entered this hall's line."""
    ticket.leg.ended_at_ms, ticket.leg.outcome = at_ms, outcome
    ticket.state, ticket.closed_at_ms = state, at_ms


HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    ev.TicketIssued: _ticket_issued,
    ev.TicketBackfilled: _ticket_backfilled,
    ev.TicketRecorded: _ticket_recorded,
}
