"""Archives: the events of closed days in files of their own, between two checkpoints of the chain of hashes.

A checkpoint is a line that says where in which hall's log it stands: seq and hash. Files whose checkpoints meet are one
unbroken log, wherever they were kept in between. The events are lines as in any export (`log_file`), and `import` takes
archives one after the other as it takes a log.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from queue_service import journal
from queue_service.errors import BadInput
from queue_service.log_file import CHECKPOINT, PAGE_ROWS, NoEvent, checked_hash, event_document, parsed


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place in a hall's log: after the event `seq`, whose hash is `head` (0 and empty: before the first)."""

    hall: str
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a hall's log between two checkpoints, and the business days it holds."""

    begin: Checkpoint
    end: Checkpoint
    days: tuple[str, ...] = ()


class Broken(Exception):
    """Archives that are not what they say, or that do not meet."""


# -- writing


def stretch(connection: Connection, hall: str, period: str) -> Stretch | None:
    """The days of a hall whose dates begin with `period` (a year, a month, a day); None where it had none. Raises
    BadInput while one of them is not over: what is archived does not grow any more."""
    opened = journal.day_openings(connection, hall)
    within = [place for place, (_, day) in enumerate(opened) if day.startswith(period)]
    if not within:
        return None
    if within[-1] + 1 == len(opened):
        raise BadInput(f"{hall}: {opened[-1][1]} is not over, and only closed days are archived.")
    first, last = within[0], within[-1]
    before = 0 if first == 0 else opened[first][0] - 1  # the first plan comes before the first day
    days = tuple(day for _, day in opened[first : last + 1])
    return Stretch(_checkpoint(connection, hall, before), _checkpoint(connection, hall, opened[last + 1][0] - 1), days)


def _checkpoint(connection: Connection, hall: str, seq: int) -> Checkpoint:
    return Checkpoint(hall, seq, journal.head_at(connection, hall, seq) or "")


def pages(connection: Connection, part: Stretch) -> Iterator[list[bytes]]:
    """The lines of an archive, a page at a time."""
    yield [_line({CHECKPOINT: asdict(part.begin)})]
    after = part.begin.seq
    while after < part.end.seq:
        rows = journal.event_rows(connection, part.begin.hall, after, min(PAGE_ROWS, part.end.seq - after))
        yield [_line(event_document(row)) for row in rows]
        after = rows[-1].seq
    yield [_line({CHECKPOINT: asdict(part.end)})]


def _line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


# -- proving


def proved(lines: Iterable[str]) -> Iterator[Stretch]:
    """The stretches that the lines of an archive hold, each hash made again. Raises Broken, naming the line."""
    begin: Checkpoint | None = None
    here: Checkpoint | None = None
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            document = parsed(line)
            if CHECKPOINT not in document:
                here = _next(here, document)
                continue
            there = Checkpoint(**document[CHECKPOINT])
            if begin is None:
                begin = here = there
            else:
                _check_end(here, there)
                yield Stretch(begin, there)
                begin = here = None
        except NoEvent as fault:
            raise Broken(f"line {number}: {fault}.") from fault
    if begin is not None or number == 0:
        raise Broken(f"it ends after line {number}, without a checkpoint: it is not whole.")


def _check_end(here: Checkpoint | None, there: Checkpoint) -> None:
    if there != here:
        raise NoEvent(f"the checkpoint says {_place(there)}, the events before it lead to {_place(here)}")


def _next(here: Checkpoint | None, document: dict[str, Any]) -> Checkpoint:
    if here is None:
        raise NoEvent("an event, but an archive begins with a checkpoint")
    if (document["hall"], document["seq"]) != (here.hall, here.seq + 1):
        raise NoEvent(f"event {document['seq']} of {document['hall']} follows {_place(here)}")
    checked_hash(here.head, document)
    return Checkpoint(here.hall, here.seq + 1, document["head"])


def _place(place: Checkpoint | None) -> str:
    return "nowhere" if place is None else f"event {place.seq} of {place.hall} ({place.head[:12] or 'the beginning'})"


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """One stretch a hall, made of those that meet. Raises Broken where one does not follow the one before."""
    found: dict[str, Stretch] = {}
    for part in sorted(stretches, key=lambda one: (one.begin.hall, one.begin.seq, one.end.seq)):
        known = found.get(part.begin.hall)
        if known is not None and known.end != part.begin:
            raise Broken(
                f"{part.begin.hall}: one archive ends at {_place(known.end)}, the next begins at {_place(part.begin)}."
            )
        found[part.begin.hall] = part if known is None else Stretch(known.begin, part.end)
    return list(found.values())


def check_live(connection: Connection, part: Stretch) -> None:
    """Whether a database's log holds both checkpoints. Raises Broken where it is another log, or too short."""
    for place in (part.begin, part.end):
        head = journal.head_at(connection, place.hall, place.seq)
        if place.seq and head != place.head:
            said = "the database has no such event" if head is None else f"the database has {head[:12]} there"
            raise Broken(f"{place.hall}: the archive says {_place(place)}, but {said}.")
