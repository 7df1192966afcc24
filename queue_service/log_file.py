"""The log as a file of JSON lines, one event a line in the shape of `GET …/events`, and a database restored from it.

Everything the hashes are made of is in the lines, so a restored log is the log, hash by hash, and tickets and legs
follow from it. Receipts are not in the log: a retry across a restore is a new command. Between the events there may be
checkpoints, as archives have them: what they say must be so.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from models.vocabulary import Channel
from models.wire import rfc3339
from queue_service import appending, displaced, journal
from queue_service.codec import chain_row, decode
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.errors import BadInput, UnknownEventKind

PAGE_ROWS = 2_000
CHECKPOINT = "checkpoint"

_TYPES = {
    "hall": str, "seq": int, "command_seq": int, "at_ms": int, "kind": str, "version": int, "actor": str,
    "channel": str, "data": dict, "head": str,
}  # fmt: skip
_PLACE = {"hall": str, "seq": int, "head": str}


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


def pages(connection: Connection, halls: Iterable[str]) -> Iterator[list[bytes]]:
    """The logs of some halls, one after the other, a page of lines at a time."""
    for hall in halls:
        after = 0
        while rows := journal.event_rows(connection, hall, after, PAGE_ROWS):
            yield [orjson.dumps(event_document(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows]
            after = rows[-1].seq


def displaced_pages(connection: Connection, halls: Iterable[str]) -> Iterator[list[bytes]]:
    """The same of what was set aside, by seq; when, as `displaced_at`."""
    for hall in halls:
        for rows in displaced.pages(connection, hall, PAGE_ROWS):
            documents = ({**event_document(row), "displaced_at": rfc3339(row.displaced_at_ms)} for row in rows)
            yield [orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in documents]


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
        except NoEvent as fault:
            raise BadInput(f"line {number}: {fault}.") from fault
        if number % PAGE_ROWS == 0:
            _store(connection, halls)
            advance(PAGE_ROWS)
    _store(connection, halls)
    found = {name for name, restored in halls.items() if restored.hall.seq}
    if not found or only - found:
        raise BadInput(f"no events{' of ' if only else ''}{', '.join(sorted(only - found))}.")
    for restored in halls.values():
        if restored.events:
            raise BadInput(f"the log of {restored.hall.id} ends before its first day.")
    return [restored.hall for restored in halls.values()]


class NoEvent(Exception):
    """Why a line is not the next event of its hall."""


def _take(connection: Connection, halls: dict[str, _Restored], line: str, only: frozenset[str]) -> None:
    document = parsed(line)
    hall_id = document.get(CHECKPOINT, document)["hall"]
    if only and hall_id not in only:
        return
    if hall_id not in halls:
        if journal.positions(connection, [hall_id]):
            raise NoEvent(f"the hall {hall_id!r} exists already, and a log is only restored as a whole")
        halls[hall_id] = _Restored(Hall(hall_id))
    restored = halls[hall_id]
    if CHECKPOINT in document:
        _check(restored.hall, document[CHECKPOINT])
    else:
        restored.events.append(followed(restored.hall, document))


def _check(hall: Hall, place: dict[str, Any]) -> None:
    """A checkpoint must say where the log stands."""
    if (place["seq"], place["head"]) != (hall.seq, hall.head):
        raise NoEvent(f"a checkpoint at event {place['seq']} of {hall.id}, but the log before it ends at {hall.seq}")


def followed(hall: Hall, document: dict[str, Any]) -> tuple[Logged, bytes]:
    """Apply the next event of a hall, and its data as stored. Raises NoEvent, and leaves the hall as it was, where it
    does not follow; where only its contents do not, the hall is to be thrown away."""
    logged, data = _following(hall, document)
    try:
        evolve(hall, logged)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoEvent(f"event {logged.seq} does not follow from those before it") from error
    return logged, data


def parsed(line: str | bytes) -> dict[str, Any]:
    """The document of a line: an event, or a checkpoint. Raises NoEvent."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NoEvent(f"not JSON ({error})") from error
    if not isinstance(document, dict) or CHECKPOINT not in document:
        return checked(document)
    place = document[CHECKPOINT]
    if not isinstance(place, dict) or {name: type(value) for name, value in place.items()} != _PLACE:
        raise NoEvent("a checkpoint has hall, seq and head, and nothing else")
    return document


def checked(document: Any) -> dict[str, Any]:
    """A JSON value, if it has all the members of an event. Raises NoEvent."""
    if not isinstance(document, dict):
        raise NoEvent("not a JSON object")
    for name, kind in _TYPES.items():
        if type(document.get(name)) is not kind:
            raise NoEvent(f"{name} is missing or of the wrong type")
    if document["channel"] not in list(Channel):
        raise NoEvent(f"there is no channel {document['channel']!r}")
    return document


def checked_hash(before: str, document: dict[str, Any]) -> bytes:
    """The canonical bytes of an event's data, if its hash follows from `before`. Raises NoEvent."""
    data = orjson.dumps(document["data"], option=orjson.OPT_SORT_KEYS)
    hall, seq, command_seq, at_ms = (document[name] for name in ("hall", "seq", "command_seq", "at_ms"))
    actor, channel, kind, version = (document[name] for name in ("actor", "channel", "kind", "version"))
    if chain_row(before, hall, seq, command_seq, at_ms, actor, channel, kind, version, data) != document["head"]:
        raise NoEvent(f"the hash of event {seq} does not follow from its contents and the event before")
    return data


def _following(hall: Hall, document: dict[str, Any]) -> tuple[Logged, bytes]:
    """The event of a line, if it is the next one and its hash is right."""
    seq, at_ms, kind, version = document["seq"], document["at_ms"], document["kind"], document["version"]
    if (document["hall"], seq) != (hall.id, hall.seq + 1):
        raise NoEvent(f"event {seq} of {document['hall']}, but the next would be {hall.seq + 1}")
    data = checked_hash(hall.head, document)
    if at_ms < hall.last_at_ms:
        raise NoEvent(f"event {seq} is earlier than the one before")
    try:
        event = decode(kind, version, data)
    except UnknownEventKind as error:
        raise NoEvent(str(error).rstrip(".")) from error
    except (TypeError, ValueError) as error:
        raise NoEvent(f"the data of event {seq} is no {kind}") from error
    command_seq, actor, channel = document["command_seq"], document["actor"], document["channel"]
    return Logged(hall.id, seq, command_seq, at_ms, actor, channel, event, document["head"]), data


def _store(connection: Connection, halls: dict[str, _Restored]) -> None:
    """Store what has gathered. A hall whose first day is not open yet waits: it could not be loaded."""
    ready = [restored for restored in halls.values() if restored.events and restored.hall.today is not None]
    if ready:
        writes = [appending.HallWrite(one.hall, one.events, one.stored) for one in ready]
        appending.append(connection, writes)
    for restored in ready:
        restored.events = []
