"""Events as bytes, and the chain of hashes over them. Anyone can recompute it from `GET …/events`:

head(n) = SHA-256( head(n-1) + canonical JSON of {actor, at_ms, channel, command_seq, data, hall, kind, seq, version} ),
keys sorted, no white space, UTF-8; head(0) is empty.
"""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import orjson

from queue_service.domain.events import KINDS, Event
from queue_service.errors import UnknownEventKind

_MEMBERS: dict[type[Event], Callable[[Event], dict[str, Any]]] = {}


def _members(kind: type[Event]) -> Callable[[Event], dict[str, Any]]:
    """Reads all fields of a kind at once. Compiled, as dataclasses' own methods are: each event is encoded."""
    members = ", ".join(f"{name!r}: event.{name}" for name in sorted(field.name for field in fields(kind)))
    read: Callable[[Event], dict[str, Any]] = eval(f"lambda event: {{{members}}}")  # noqa: S307 (our own names)
    _MEMBERS[kind] = read
    return read


def encode(event: Event) -> bytes:
    """The event's own fields as canonical JSON."""
    read = _MEMBERS.get(type(event)) or _members(type(event))
    return orjson.dumps(read(event), option=orjson.OPT_SORT_KEYS)


def decode(kind: str, version: int, data: str | bytes) -> Event:
    """The event of a log row; a kind or version from the future is an UnknownEventKind."""
    known = KINDS.get(kind)
    if known is None or version > known.VERSION:
        raise UnknownEventKind(f"The log holds {kind} version {version}; this version does not know it.", kind=kind)
    return known(**orjson.loads(data))


def chain(
    head: str, hall: str, seq: int, command_seq: int, at_ms: int, actor: str, channel: str, event: Event, data: bytes
) -> str:
    """The hash after this event."""
    return chain_row(head, hall, seq, command_seq, at_ms, actor, channel, event.KIND, event.VERSION, data)


def chain_row(
    head: str,
    hall: str,
    seq: int,
    command_seq: int,
    at_ms: int,
    actor: str,
    channel: str,
    kind: str,
    version: int,
    data: bytes,
) -> str:
    """The same over a row of the log, whether this version knows its kind or not."""
    envelope = {
        "actor": actor,
        "at_ms": at_ms,
        "channel": channel,
        "command_seq": command_seq,
        "data": orjson.Fragment(data),
        "hall": hall,
        "kind": kind,
        "seq": seq,
        "version": version,
    }
    return hashlib.sha256(head.encode() + orjson.dumps(envelope)).hexdigest()
