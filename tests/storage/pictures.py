"""What a log tells, folded from its first event, as digests: by the names of version 1, whatever is added later."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall, Leg, Ticket

TICKET = (
    "id", "number", "day", "service", "priority", "channel", "state", "issued_at_ms", "language", "items", "party",
    "ref", "counter", "period", "promise_ms", "percentile", "apart", "closed_at_ms", "rejoins", "postpones", "last_seq",
)  # fmt: skip
LEG = (
    "service", "priority", "waiting_since_ms", "line_since_ms", "for_counter", "for_clerk", "reserved_until_ms",
    "counter", "clerk", "called_at_ms", "waited_ms", "recalls", "started_at_ms", "start_implied", "ended_at_ms",
    "outcome",
)  # fmt: skip
COUNTER = ("id", "is_open", "clerk", "services", "ticket", "pause_reason", "pause_after", "since_ms")


def fold(log: Iterable[Logged]) -> tuple[Hall, dict[str, Ticket]]:
    """The hall at the end of a log, and every ticket that ever was."""
    hall: Hall | None = None
    tickets: dict[str, Ticket] = {}
    for one in log:
        hall = hall or Hall(one.hall)
        evolve(hall, one)
        tickets |= hall.drain()[0]
    assert hall is not None, "an empty log"
    return hall, tickets


def _chosen(value: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _legs(legs: list[Leg]) -> list[dict[str, Any]]:
    return [_chosen(leg, LEG) for leg in legs]


def picture(log: Iterable[Logged]) -> dict[str, Any]:
    """All that a log tells, in parts."""
    hall, tickets = fold(log)
    return {
        "place": [hall.seq, hall.head, hall.last_at_ms, hall.day.date, hall.day_seq, hall.plan_version, hall.plan_seq],
        "tickets": {name: _chosen(tickets[name], TICKET) for name in sorted(tickets)},
        "legs": {name: _legs(tickets[name].legs) for name in sorted(tickets)},
        "open": sorted(hall.tickets),
        "lanes": {"/".join(key): [place[3] for place in lane] for key, lane in sorted(hall.lanes.items()) if lane},
        "counters": {name: _chosen(one, COUNTER) for name, one in sorted(hall.counters.items())},
        "bounds": [sorted(hall.number_counts.items()), sorted(hall.quota_used.items()), hall.chosen_calls],
        "suspended": [[one.service, one.reason, one.since_ms, one.turn_away] for one in hall.suspensions.values()],
    }


def digests(log: Iterable[Logged]) -> dict[str, str]:
    """The SHA-256 of each part of the picture."""
    return {
        part: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        for part, value in picture(log).items()
    }
