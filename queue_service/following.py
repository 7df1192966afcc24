"""Halls whose events another node decides: their logs are taken in as they are, once each hash was made again.

Nothing is decided here. The journal appends and derives rows as it does after a decision, so a hall that is followed is
stored as at its own node. How the events come here, `api.following` knows.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from queue_service import appending, journal
from queue_service.copies import Copy, copy_at, held_tickets
from queue_service.displaced import cut_back
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.errors import Unavailable
from queue_service.log_file import NoEvent, checked, followed


class FollowedHalls:
    """The copies of the halls that are followed. On the writer thread, each call in a write transaction of its own."""

    def __init__(self) -> None:
        """Nothing is loaded until events come."""
        self._copies: dict[str, Copy] = {}

    def take(self, connection: Connection, hall_id: str, documents: Sequence[dict[str, Any]]) -> list[Logged]:
        """Append what of these events is not in the hall's log yet; what was appended. Raises NoEvent where one does
        not follow. A hall begins to be stored with its first day: a page that ends before it changes nothing."""
        return self._append(connection, self._copy(connection, hall_id), documents)

    def replace(
        self, connection: Connection, hall_id: str, after: int, documents: Sequence[dict[str, Any]], at_ms: int
    ) -> None:
        """Set aside what is in the hall's log after a seq, and put these events in its place. Raises NoEvent."""
        self._copy(connection, hall_id)
        hall = cut_back(connection, hall_id, after, at_ms)
        self._append(connection, Copy(hall, held_tickets(hall)), documents)
        if hall.today is None:
            raise NoEvent("has no day of this hall to begin with")

    def _copy(self, connection: Connection, hall_id: str) -> Copy:
        """The hall as of the end of its log, which is locked. A copy that a failed commit left behind is not."""
        held = journal.hold(connection, [hall_id], {hall_id}, [], wait=True)
        if hall_id in held.skipped:
            raise Unavailable(f"Another node holds {hall_id}.")
        copy, position = self._copies.pop(hall_id, None), held.positions.get(hall_id)
        return Copy(Hall(hall_id)) if position is None else copy_at(connection, hall_id, position, copy)

    def _append(self, connection: Connection, copy: Copy, documents: Sequence[dict[str, Any]]) -> list[Logged]:
        hall, known = copy.hall, copy.hall.seq
        events = [followed(hall, one) for one in map(checked, documents) if one["seq"] > known]
        if hall.today is None:
            return []
        if events:
            appending.append(connection, [appending.HallWrite(hall, events, copy.stored)])
        self._copies[hall.id] = copy
        return [logged for logged, _ in events]
