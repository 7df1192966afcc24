"""Copies of halls that a writer keeps, so that it need not read a day's log before each batch."""

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from queue_service import journal
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall, restored

_SHARED = {"plan", "today"}
"""What nobody changes."""
_BY_HAND = {"tickets", "touched", "touched_legs"}


@dataclass(slots=True)
class Copy:
    """The writer's copy of a hall, and which counter the tickets table has for each held ticket."""

    hall: Hall
    stored: dict[str, str] = field(default_factory=dict)

    def take_in(self, events: Iterable[Logged]) -> None:
        """Events that others have stored, with all that follows from them."""
        for logged in events:
            evolve(self.hall, logged)
        self.hall.drain()
        self.stored = held_tickets(self.hall)


def copy_at(connection: Connection, hall_id: str, position: journal.Position, kept: Copy | None = None) -> Copy:
    """The copy as of the end of the log: the one that was kept, if it is that, else read afresh."""
    if kept is not None and (kept.hall.seq, kept.hall.head) == (position.seq, position.head):
        return kept
    hall = journal.load(connection, hall_id, position)
    return Copy(hall, held_tickets(hall))


def copy_of(shown: Hall) -> Copy:
    """A copy of a hall that is shown, with nothing left to be written: to read its day's log once more would take
    longer by all the tickets that are over.

    Pickled, since that forgets no field; but tickets, of which there may be many, are restored, which is faster."""
    hall = Hall(shown.id)
    values = vars(shown)
    hall.__dict__ |= pickle.loads(pickle.dumps({name: values[name] for name in values.keys() - _SHARED - _BY_HAND}))  # noqa: S301 (our own)
    hall.__dict__ |= {name: values[name] for name in _SHARED}
    hall.tickets = {name: restored(ticket.snapshot()) for name, ticket in shown.tickets.items()}
    return Copy(hall, held_tickets(hall))


def held_tickets(hall: Hall) -> dict[str, str]:
    """Which counter the tickets table has for each held ticket, just after it was written."""
    return {counter.ticket: counter.id for counter in hall.counters.values() if counter.ticket is not None}


class Writer(Protocol):
    """Who decides by copies of the halls, and wants to know what others have done."""

    def heard(self, ends: Mapping[str, int]) -> None:
        """Logs go so far, as other nodes say."""
        ...

    def learned(self, events: Sequence[Logged]) -> None:
        """Others committed these to a hall, in order."""
        ...
