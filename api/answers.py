"""Answers as bytes. Made inside the transaction for commands, from the views or the tables for reads."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from models.vocabulary import TicketState
from models.wire import rfc3339, rfc3339_or_none, seconds, seconds_or_none
from queue_service.board import suspended
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.order import ahead
from queue_service.submission import Answer

NO_CONTENT = 204


Estimating = Callable[[Hall, Ticket, int | None, int], dict[str, Any] | None]
"""The estimate of a ticket with so many ahead, as the wire shows it; None unless it waits. Called on any thread."""


def no_estimate(hall: Hall, ticket: Ticket, places_ahead: int | None, now_ms: int) -> None:
    """Where estimates have no place."""


def ticket_document(ticket: Ticket, hall_id: str, places_ahead: int | None, waited_ms: int, seq: int) -> dict[str, Any]:
    """A ticket as `TicketAnswer` describes it."""
    leg = ticket.legs[-1] if ticket.legs else None
    return {
        "id": ticket.id,
        "hall": hall_id,
        "number": ticket.number,
        "day": ticket.day,
        "service": ticket.service,
        "priority": ticket.priority,
        "channel": ticket.channel,
        "language": ticket.language,
        "items": ticket.items,
        "with": ticket.party,
        "ref": ticket.ref,
        "state": ticket.state,
        "counter": ticket.counter,
        "ahead": places_ahead,
        "estimate": None,
        "issued_at": rfc3339(ticket.issued_at_ms),
        "waiting_since": leg and rfc3339(leg.waiting_since_ms),
        "called_at": leg and rfc3339_or_none(leg.called_at_ms),
        "started_at": leg and rfc3339_or_none(leg.started_at_ms),
        "closed_at": rfc3339_or_none(ticket.closed_at_ms),
        "waited_s": seconds(waited_ms),
        "recalls": leg.recalls if leg else 0,
        "leg": len(ticket.legs),
        "period": ticket.period,
        "promise_s": seconds_or_none(ticket.promise_ms),
        "apart": ticket.apart,
        "seq": seq,
    }


def leg_documents(ticket: Ticket) -> list[dict[str, Any]]:
    """A ticket's legs as `LegAnswer` describes them."""
    return [
        {
            "leg": number,
            "service": leg.service,
            "priority": leg.priority,
            "counter": leg.counter,
            "clerk": leg.clerk,
            "waiting_since": rfc3339(leg.waiting_since_ms),
            "called_at": rfc3339_or_none(leg.called_at_ms),
            "started_at": rfc3339_or_none(leg.started_at_ms),
            "ended_at": rfc3339_or_none(leg.ended_at_ms),
            "waited_s": seconds_or_none(leg.waited_ms),
            "recalls": leg.recalls,
            "outcome": leg.outcome,
        }
        for number, leg in enumerate(ticket.legs, 1)
    ]


def live_ticket(hall: Hall, ticket: Ticket, now_ms: int, estimating: Estimating = no_estimate) -> dict[str, Any]:
    """An open ticket of a hall, its running wait counted up to now, with what `estimating` says of the rest of it."""
    waited_ms = ticket.waited_so_far_ms()
    places_ahead = None
    if ticket.state == TicketState.WAITING:
        waited_ms += hall.waited_ms(ticket.leg, now_ms)
        places_ahead = ahead(hall, ticket, now_ms)
    document = ticket_document(ticket, hall.id, places_ahead, waited_ms, hall.seq)
    document["estimate"] = estimating(hall, ticket, places_ahead, now_ms)
    return document


def ticket_in(hall: Hall, ticket_id: str, now_ms: int, estimating: Estimating = no_estimate) -> bytes:
    """The ticket a command was about; one that it closed is still among the touched."""
    ticket = hall.tickets.get(ticket_id) or hall.touched[ticket_id]
    return orjson.dumps(live_ticket(hall, ticket, now_ms, estimating))


def issued(hall: Hall, events: Sequence[ev.Logged], now_ms: int, estimating: Estimating = no_estimate) -> Answer:
    """201 with the new ticket."""
    event = events[-1].event
    assert isinstance(event, ev.TicketIssued), "an issue that was not refused ends with its ticket"
    location = {"Location": f"/v1/tickets/{event.ticket}"}
    return Answer(201, ticket_in(hall, event.ticket, now_ms, estimating), location)


def about_ticket(hall: Hall, events: Sequence[ev.Logged], now_ms: int, estimating: Estimating = no_estimate) -> Answer:
    """200 with the ticket of the command's first event."""
    event = events[0].event
    assert isinstance(event, ev.TicketEvent), "a ticket command begins with its ticket"
    return Answer(200, ticket_in(hall, event.ticket, now_ms, estimating))


def called(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
    """200 with the called ticket; 204 where nobody waits. `Queue-Finished` names the ticket that was finished."""
    headers, body = {}, b""
    for logged in events:
        if isinstance(logged.event, ev.TicketFinished):
            headers["Queue-Finished"] = logged.event.ticket
        elif isinstance(logged.event, ev.TicketCalled):
            body = ticket_in(hall, logged.event.ticket, now_ms)
    return Answer(200 if body else NO_CONTENT, body, headers)


def about_counter(counter_id: str) -> Any:
    """200 with the counter as it stands after the command."""

    def answer(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
        return Answer(200, orjson.dumps(counter_document(hall, counter_id)))

    return answer


def counter_document(hall: Hall, counter_id: str) -> dict[str, Any]:
    """A counter as `CounterAnswer` describes it."""
    counter = hall.counters[counter_id]
    ticket = hall.tickets.get(counter.ticket or "")
    return {
        "hall": hall.id,
        "counter": counter.id,
        "state": hall.counter_state(counter),
        "clerk": counter.clerk,
        "services": list(hall.able(counter)),
        "ticket": counter.ticket,
        "number": ticket.number if ticket else None,
        "pause_reason": counter.pause_reason,
        "pause_after": counter.pause_after,
        "announced_at": rfc3339_or_none(hall.announced_ms.get(ticket.id)) if ticket else None,
        "since": rfc3339(counter.since_ms),
        "seq": hall.seq,
    }


def about_suspensions(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
    """200 with what is suspended now."""
    return Answer(200, orjson.dumps({"hall": hall.id, "suspended": suspended(hall), "seq": hall.seq}))


def backfilled(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
    """201 with the tickets entered."""
    names = [one.event.ticket for one in events if isinstance(one.event, ev.TicketBackfilled)]
    tickets = [hall.tickets.get(name) or hall.touched[name] for name in names]
    return Answer(201, orjson.dumps({"items": [live_ticket(hall, ticket, now_ms) for ticket in tickets]}))


def plan_headers(hall: Hall) -> dict[str, str]:
    """The plan's version as an ETag."""
    return {"ETag": f'"{hall.plan_version}"'}


def planned(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
    """The plan, complete with defaults: 201 when it made the hall, else 200."""
    created = any(isinstance(one.event, ev.PlanChanged) and one.event.version == 1 for one in events)
    return Answer(201 if created else 200, orjson.dumps(hall.rules.document), plan_headers(hall))


def nothing(hall: Hall, events: Sequence[ev.Logged], now_ms: int) -> Answer:
    """204."""
    return Answer(NO_CONTENT)
