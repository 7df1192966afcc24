"""What a batch appends to the logs of halls, and the rows that say the same.

Writes are set-wise: one multi-row statement a table and chunk, so that the writer thread gives up Python's lock a few
times a batch, not once a row (row-wise writing beside a busy event loop was measured to be ten times slower).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete

from queue_service import receipts
from queue_service.databases.statements import together
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall, Leg, Ticket
from queue_service.journal import EVENT, HALL, LEG, TICKET
from queue_service.upsert import Upsert

EVENTS = Upsert(EVENT, update=False)
HALLS = Upsert(HALL, update=True)
TICKETS = Upsert(TICKET, update=True)
LEGS = Upsert(LEG, update=True)


@dataclass(slots=True)
class HallWrite:
    """What a batch changed in one hall. `stored` says which counter the tickets table has for held tickets."""

    hall: Hall
    events: list[tuple[Logged, bytes]]
    stored: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch writes, as values of the tables' columns: nothing of it changes, so any thread may store it.
    `moved`: tickets that go straight from one counter to another; `gone`: legs (ticket, number) taken back."""

    events: list[tuple[Any, ...]]
    moved: list[str]
    tickets: list[tuple[Any, ...]]
    legs: list[tuple[Any, ...]]
    gone: list[tuple[str, int]]
    receipts: Sequence[tuple[Any, ...]]
    halls: list[tuple[Any, ...]]


NOTHING = Rows([], [], [], [], [], (), [])


def append(connection: Connection, writes: Sequence[HallWrite]) -> None:
    """Store what halls' logs have gained, at once."""
    store(connection, rows(writes, ()))


def rows(writes: Sequence[HallWrite], new_receipts: Sequence[tuple[Any, ...]]) -> Rows:
    """What a batch writes; the halls' lists of what was touched are empty then."""
    tickets: list[Ticket] = []
    legs: list[tuple[Any, ...]] = []
    gone: list[tuple[str, int]] = []
    moved: list[str] = []
    for write in writes:
        touched, touched_legs = write.hall.drain()
        moved += [
            ticket.id
            for ticket in touched.values()
            if ticket.counter and write.stored.get(ticket.id, ticket.counter) != ticket.counter
        ]
        _note_stored(write.stored, touched.values())
        tickets += touched.values()
        for (ticket_id, number), leg in touched_legs.items():
            if leg is None:
                gone.append((ticket_id, number))
            else:
                legs.append(_leg_values(touched[ticket_id], number, leg, write.hall.id))
    tickets.sort(key=lambda ticket: ticket.counter is not None)  # leave counters before others enter them
    return Rows(
        events=[_event_values(one, data) for write in writes for one, data in write.events],
        moved=moved,
        tickets=[_ticket_values(ticket) for ticket in tickets],
        legs=legs,
        gone=gone,
        receipts=new_receipts,
        halls=[_hall_values(write.hall) for write in writes],
    )


def store(connection: Connection, batch: Rows) -> None:
    """Store a batch: events, one final row per ticket and leg touched, receipts, and where each log ends now."""
    with together(connection):
        EVENTS.run(connection, batch.events)
        _release(connection, batch.moved)
        TICKETS.run(connection, batch.tickets)
        LEGS.run(connection, batch.legs)
        for ticket_id, number in batch.gone:
            connection.execute(delete(LEG).where(LEG.c.ticket == ticket_id, LEG.c.leg == number))
        receipts.store(connection, batch.receipts)
        HALLS.run(connection, batch.halls)


def _note_stored(stored: dict[str, str], tickets: Iterable[Ticket]) -> None:
    for ticket in tickets:
        if ticket.counter is None:
            stored.pop(ticket.id, None)
        else:
            stored[ticket.id] = ticket.counter


def _release(connection: Connection, ticket_ids: Sequence[str]) -> None:
    """Free the counters of tickets that move straight from one to another: two may be changing places."""
    if ticket_ids:
        held = TICKET.update().where(TICKET.c.id.in_(ticket_ids))
        connection.execute(held.values(counter=None, state="waiting"))


def _event_values(one: Logged, data: bytes) -> tuple[Any, ...]:
    event = one.event
    return (
        one.hall, one.seq, one.command_seq, one.at_ms, event.KIND, event.VERSION, one.actor, one.channel,
        data.decode(), one.head,
    )  # fmt: skip


def _hall_values(hall: Hall) -> tuple[Any, ...]:
    return (hall.id, hall.rules.name, hall.seq, hall.head, hall.day.date, hall.day_seq)


def _ticket_values(ticket: Ticket) -> tuple[Any, ...]:
    hall = ticket.id.rpartition(".")[0]
    return (
        ticket.id, hall, ticket.day, ticket.number, ticket.service, ticket.priority, ticket.channel, ticket.language,
        ticket.items, ticket.party, ticket.ref, ticket.state, ticket.counter, ticket.issued_at_ms, ticket.period,
        ticket.promise_ms, ticket.percentile, ticket.apart, ticket.closed_at_ms, ticket.last_seq,
    )  # fmt: skip


def _leg_values(ticket: Ticket, number: int, leg: Leg, hall: str) -> tuple[Any, ...]:
    return (
        ticket.id, number, hall, ticket.day, leg.service, leg.priority, leg.waiting_since_ms, leg.called_at_ms,
        leg.waited_ms, leg.counter, leg.clerk, leg.recalls, leg.started_at_ms, int(leg.start_implied),
        leg.ended_at_ms, leg.outcome,
    )  # fmt: skip
