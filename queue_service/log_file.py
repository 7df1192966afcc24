"""The log as a file of JSON lines, one event a line in the shape of `GET …/events`, and a database restored from it.

Everything the hashes are made of is in the lines, so a restored log is the log, hash by hash, and tickets and legs
follow from it. Receipts are not in the log: a retry across a restore is a new command.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from models.vocabulary import Channel
from models.wire import rfc3339
from queue_service import journal
from queue_service.codec import chain_row, decode
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.errors import BadInput, UnknownEventKind

PAGE_ROWS = 2_000

_TYPES = {
    "hall": str, "seq": int, "command_seq": int, "at_ms": int, "kind": str, "version": int, "actor": str,
    "channel": str, "data": dict, "head": str,
}  # fmt: skip


def event_document(row: Any) -> dict[str, Any]:
    """A row of the log with all that its hash is made of; `at` only for people to read."""
    return {
        "hall": row.hall,
        "seq": row.seq,
        "command_seq": row.command_seq,
        "at": rfc3339(row.at_ms),
        "at_ms": row.at_ms,
        "kind": row.kind,
        "version": row.version,
        "actor": row.actor,
        "channel": row.channel,
        "data": orjson.Fragment(row.data),
        "head": row.hash,
    }


def pages(connection: Connection, halls: Sequence[str]) -> Iterator[list[bytes]]:
    """The logs of some halls, one after the other, a page of lines at a time."""
    for hall in halls:
        after = 0
        while rows := journal.event_rows(connection, hall, after, PAGE_ROWS):
            yield [orjson.dumps(event_document(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows]
            after = rows[-1].seq


@dataclass(slots=True)
class _Restored:
    """A hall on its way back, and its events that are not stored yet."""

    hall: Hall
    events: list[tuple[Logged, bytes]] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)


def restore(
    connection: Connection, lines: Iterable[str], only: frozenset[str], advance: Callable[[int], None]
) -> list[Hall]:
    """Store the log that the lines tell (of some halls, or of all) in an open write transaction; the halls.

    They must be new. A line that does not follow is a BadInput naming it: then roll back. `advance` is told how many
    more lines were read.
    """
    halls: dict[str, _Restored] = {}
    for number, line in enumerate(lines, 1):
        try:
            _take(connection, halls, line, only)
        except _NoEvent as fault:
            raise BadInput(f"line {number}: {fault}.") from fault
        if number % PAGE_ROWS == 0:
            _store(connection, halls)
            advance(PAGE_ROWS)
    _store(connection, halls)
    if not halls or only - halls.keys():
        raise BadInput(f"no events{' of ' if only else ''}{', '.join(sorted(only - halls.keys()))}.")
    for restored in halls.values():
        if restored.events:
            raise BadInput(f"the log of {restored.hall.id} ends before its first day.")
    return [restored.hall for restored in halls.values()]


class _NoEvent(Exception):
    """Why a line is not the next event of its hall."""


def _take(connection: Connection, halls: dict[str, _Restored], line: str, only: frozenset[str]) -> None:
    document = _parsed(line)
    hall_id = document["hall"]
    if only and hall_id not in only:
        return
    if hall_id not in halls:
        if journal.positions(connection, [hall_id]):
            raise _NoEvent(f"the hall {hall_id!r} exists already, and a log is only restored as a whole")
        halls[hall_id] = _Restored(Hall(hall_id))
    restored = halls[hall_id]
    data = orjson.dumps(document["data"], option=orjson.OPT_SORT_KEYS)
    logged = _following(restored.hall, document, data)
    try:
        evolve(restored.hall, logged)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _NoEvent(f"event {logged.seq} does not follow from those before it") from error
    restored.events.append((logged, data))


def _parsed(line: str) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _NoEvent(f"not JSON ({error})") from error
    if not isinstance(document, dict):
        raise _NoEvent("not a JSON object")
    for name, kind in _TYPES.items():
        if type(document.get(name)) is not kind:
            raise _NoEvent(f"{name} is missing or of the wrong type")
    if document["channel"] not in list(Channel):
        raise _NoEvent(f"there is no channel {document['channel']!r}")
    return document


def _following(hall: Hall, document: dict[str, Any], data: bytes) -> Logged:
    """The event of a line, if it is the next one and its hash is right."""
    seq, head, at_ms = document["seq"], document["head"], document["at_ms"]
    command_seq, kind, version = document["command_seq"], document["kind"], document["version"]
    actor, channel = document["actor"], document["channel"]
    if seq != hall.seq + 1:
        raise _NoEvent(f"event {seq} of {hall.id}, but the next would be {hall.seq + 1}")
    if chain_row(hall.head, hall.id, seq, command_seq, at_ms, actor, channel, kind, version, data) != head:
        raise _NoEvent(f"the hash of event {seq} does not follow from its contents and the event before")
    if at_ms < hall.last_at_ms:
        raise _NoEvent(f"event {seq} is earlier than the one before")
    try:
        event = decode(kind, version, data)
    except UnknownEventKind as error:
        raise _NoEvent(str(error).rstrip(".")) from error
    except (TypeError, ValueError) as error:
        raise _NoEvent(f"the data of event {seq} is no {kind}") from error
    return Logged(hall.id, seq, command_seq, at_ms, actor, channel, event, head)


def _store(connection: Connection, halls: dict[str, _Restored]) -> None:
    """Store what has gathered. A hall whose first day is not open yet waits: it could not be loaded."""
    ready = [restored for restored in halls.values() if restored.events and restored.hall.today is not None]
    if ready:
        writes = [journal.HallWrite(one.hall, one.events, one.stored) for one in ready]
        journal.store(connection, journal.rows(writes, []))
    for restored in ready:
        restored.events = []
