"""What crosses midnight: into the event that opens a day as plain values, and out of it again. Not the counters' last
commands: nothing is undone across midnight."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from models.vocabulary import LegOutcome, TicketState
from queue_service.domain.hall import Counter, Hall, Leg, Suspension, Ticket


def carried(hall: Hall) -> dict[str, Any]:
    """Open counters, tickets being served, suspensions."""
    serving = [ticket for ticket in hall.tickets.values() if ticket.state == TicketState.SERVING]
    return {
        "counters": [_carried_counter(counter) for counter in hall.counters.values() if counter.is_open],
        "tickets": [asdict(ticket) for ticket in serving],
        "suspensions": [asdict(suspension) for suspension in hall.suspensions.values()],
    }


def _carried_counter(counter: Counter) -> dict[str, Any]:
    return {
        "id": counter.id,
        "is_open": counter.is_open,
        "clerk": counter.clerk,
        "services": counter.services,
        "ticket": counter.ticket,
        "pause_reason": counter.pause_reason,
        "pause_after": counter.pause_after,
        "since_ms": counter.since_ms,
    }


def take_over(hall: Hall, values: Mapping[str, Any]) -> None:
    """Give a hall whose day has just begun what `carried` took along."""
    for document in values.get("counters", ()):
        services = document["services"]
        services = None if services is None else tuple(services)
        hall.counters[document["id"]] = Counter(**{**document, "services": services})
    for document in values.get("tickets", ()):
        hall.attach(_ticket_from(document))
    suspensions = [Suspension(**document) for document in values.get("suspensions", ())]
    hall.suspensions = {suspension.service: suspension for suspension in suspensions}


def _ticket_from(document: dict[str, Any]) -> Ticket:
    """A carried ticket as it was (the inverse of `asdict`)."""
    legs = [Leg(**{**leg, "outcome": leg["outcome"] and LegOutcome(leg["outcome"])}) for leg in document["legs"]]
    return Ticket(**{**document, "state": TicketState(document["state"]), "legs": legs})
