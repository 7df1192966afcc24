"""Recorded history as a CSV file (also `.csv.gz`): its columns, and every fault of every row. Nothing is stored here.

A row is one ticket that another system gave. Rows count as a spreadsheet counts them: the header is row 1.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO, TypeVar
from zoneinfo import ZoneInfo

from models.plan import HALL_ID_PATTERN
from queue_service.domain.calendar import to_ms
from queue_service.errors import BadInput

REQUIRED = ("hall", "service", "service_name", "number", "issued_at", "called_at")
OPTIONAL = {"issued_uncertainty_s": -1, "called_uncertainty_s": -1, "counters_open": 0, "waiting_before": 0}
"""Whole numbers that are kept beside the ticket, and the least each may be."""

MOST_NAMED = 20
"""How many broken rows are named; the others are only counted."""
FIRST_YEAR, LAST_YEAR = 1971, 9998
_HALL_ID = re.compile(HALL_ID_PATTERN)
_SERVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Value = TypeVar("Value")
ZoneOf = Callable[[str], ZoneInfo]
"""The time zone of a hall by its id."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A ticket of the file. `day` is the local date of its issue."""

    row: int
    service: str
    number: str
    day: str
    issued_at_ms: int
    called_at_ms: int | None
    extra: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RecordedHall:
    """A hall of the file: its name there, its time zone, the names of its services, its tickets in order of issue."""

    id: str
    name: str
    zone: ZoneInfo
    services: dict[str, str] = field(default_factory=dict)
    tickets: list[Recorded] = field(default_factory=list)

    @property
    def days(self) -> list[str]:
        """The days that have tickets, in order."""
        return sorted({ticket.day for ticket in self.tickets})


@lru_cache(maxsize=2_000)
def hall_id_of(name: str) -> str:
    """The id of a hall from its name in a file: lower case, whatever an id cannot hold as `-`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def read_history(
    path: Path,
    zone_of: ZoneOf,
    only: Iterable[str] = (),
    before: datetime | None = None,
    day: str | None = None,
    broken: list[int] | None = None,
) -> list[RecordedHall]:
    """The halls of a file, by id; or a BadInput that names what is wrong, row by row.

    `only`: these halls (ids, or names as in the file). `before`: each ticket must be of an earlier local day than that.
    `day`: keep the tickets of this local date; the others are checked all the same.
    `broken`: leave broken rows out instead of refusing the file; their number is appended to it.
    """
    file = _File(zone_of, frozenset(only), before)
    with reading(path) as text:
        rows = csv.reader(text, strict=True)
        file.read(_header(path, rows), rows)
    if broken is not None:
        broken.append(file.broken)
    elif file.broken:
        counted = "1 row" if file.broken == 1 else f"{file.broken} rows"
        raise BadInput(f"{path}: {counted} cannot be taken, so nothing was.", faults=file.faults)
    halls = [file.halls[name] for name in sorted(file.halls)]
    for hall in halls:
        hall.tickets[:] = sorted(
            (ticket for ticket in hall.tickets if day in (None, ticket.day)), key=lambda ticket: ticket.issued_at_ms
        )
    missing = frozenset(only).difference(*({hall.id, hall.name} for hall in halls))
    found = [hall for hall in halls if hall.tickets]
    if missing or not found:
        raise BadInput(f"{path}: no tickets{_of(missing)}{f' on {day}' if day and not missing else ''}.")
    return found


def _of(halls: Iterable[str]) -> str:
    return f" of {', '.join(sorted(halls))}" if halls else ""


@contextmanager
def reading(path: Path) -> Iterator[TextIO]:
    """A text file, unpacked where its name ends in `.gz`; whatever keeps it from being read is a BadInput."""
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 ({error.reason}).") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: not a whole gzip file ({error}).") from error
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error


def _header(path: Path, rows: Iterator[list[str]]) -> list[str]:
    try:
        names = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise BadInput(f"{path}: row 1: {error}.") from error
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in REQUIRED and name not in OPTIONAL]
    wrong = [f"{name} is missing" for name in missing]
    wrong += [f"{name!r} is no column of recorded history" for name in unknown]
    wrong += [f"{name} is there twice" for name in {*REQUIRED, *OPTIONAL} if names.count(name) > 1]
    if wrong:
        raise BadInput(f"{path}: row 1, the header: {'; '.join(wrong)}.")
    return names


class _Fault(Exception):
    """What is wrong with a cell."""


class _Row:
    """The cells of a row by column, and what is wrong with them so far."""

    def __init__(self, cells: dict[str, str]) -> None:
        self.cells = cells
        self.faults: list[str] = []

    def take(self, column: str, parse: Callable[[str], Value]) -> Value | None:
        """A cell as `parse` understands it; None where it does not."""
        try:
            return parse(self.cells[column].strip())
        except _Fault as fault:
            self.faults.append(f"{column}: {fault}")
            return None


class _File:
    """What was read so far."""

    def __init__(self, zone_of: ZoneOf, only: frozenset[str], before: datetime | None) -> None:
        self.halls: dict[str, RecordedHall] = {}
        self.faults: list[dict[str, str]] = []
        self.broken = 0
        self._zone_of = zone_of
        self._only = only
        self._before = before
        self._seen: dict[tuple[str, str, str], int] = {}

    def read(self, names: list[str], rows: Iterator[list[str]]) -> None:
        """Take every row; where the quoting is broken, what follows means nothing."""
        row = 1
        try:
            for row, cells in enumerate(rows, 2):
                if cells:
                    self._take(row, names, cells)
        except csv.Error as error:
            self._refuse(row + 1, f"{error}; what follows was not read")

    def _take(self, number: int, names: list[str], cells: list[str]) -> None:
        if len(cells) != len(names):
            self._refuse(number, f"{len(cells)} cells, but the header has {len(names)}")
            return
        row = _Row(dict(zip(names, cells, strict=True)))
        hall = row.take("hall", self._hall)
        if hall is None and not row.faults:
            return
        extra = {name: row.take(name, whole) for name, whole in _WHOLES.items() if name in names}
        service, title = row.take("service", _service), row.take("service_name", _text)
        ticket_number = row.take("number", _number)
        issued, called = row.take("issued_at", _moment), row.take("called_at", _moment_or_none)
        day = None
        if hall is not None and issued is not None:
            day = issued.astimezone(hall.zone).date().isoformat()
            row.faults += self._misplaced(hall, day, issued, called, ticket_number, number)
        if row.faults or hall is None or issued is None or day is None or service is None or ticket_number is None:
            self._refuse(number, "; ".join(row.faults))
            return
        hall.services.setdefault(service, title or service)
        known = {name: value for name, value in extra.items() if value is not None}
        called_at_ms = None if called is None else to_ms(called)
        hall.tickets.append(Recorded(number, service, ticket_number, day, to_ms(issued), called_at_ms, known))

    def _hall(self, name: str) -> RecordedHall | None:
        """The hall of that name; None where its rows are not wanted."""
        hall_id = hall_id_of(name)
        if self._only and not self._only & {name, hall_id}:
            return None
        if not _HALL_ID.match(hall_id) or len(name) > 120:
            raise _Fault(f"{name!r} makes no hall id (a-z, 0-9 and '-', at most 40)")
        hall = self.halls.get(hall_id)
        if hall is None:
            hall = self.halls[hall_id] = RecordedHall(hall_id, name, self._zone_of(hall_id))
        if hall.name != name:
            raise _Fault(f"{name!r} and {hall.name!r} would both be the hall {hall_id!r}")
        return hall

    def _misplaced(
        self, hall: RecordedHall, day: str, issued: datetime, called: datetime | None, number: str | None, row: int
    ) -> Iterator[str]:
        """What cannot be at that time, or not twice."""
        if called is not None and called < issued:
            yield "called_at: is before issued_at"
        elif called is not None and called.astimezone(hall.zone).date().isoformat() != day:
            yield "called_at: is on a later day than issued_at; a ticket ends with its day"
        if self._before is not None and day >= self._before.astimezone(hall.zone).date().isoformat():
            yield f"issued_at: {day} is not over yet; history ends before today"
        if number is not None:
            first = self._seen.setdefault((hall.id, day, number), row)
            if first != row:
                yield f"number: {number!r} was given on {day} already, in row {first}"

    def _refuse(self, row: int, why: str) -> None:
        self.broken += 1
        if len(self.faults) < MOST_NAMED:
            self.faults.append({"place": f"row {row}", "message": why})


# -- cells


def _text(cell: str) -> str:
    if not cell:
        raise _Fault("is empty")
    if len(cell) > 120:
        raise _Fault("has more than 120 characters")
    if _CONTROL.search(cell):
        raise _Fault("holds a control character")
    return cell


def _number(cell: str) -> str:
    if len(cell) > 100:
        raise _Fault("has more than 100 characters")
    return _text(cell)


@lru_cache(maxsize=2_000)
def _service(cell: str) -> str:
    if not _SERVICE_ID.fullmatch(cell):
        raise _Fault(f"{cell[:60]!r} is no service id (letters, digits, '_' and '-', at most 40)")
    return cell


def _moment(cell: str) -> datetime:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError as error:
        raise _Fault(f"{cell[:60]!r} is no time; write it as 2026-03-02T09:14:05+01:00") from error
    if moment.tzinfo is None:
        raise _Fault(f"{cell} has no offset; write it as 2026-03-02T09:14:05+01:00")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _Fault(f"{cell}: the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return moment


def _moment_or_none(cell: str) -> datetime | None:
    return _moment(cell) if cell else None


def _whole_from(least: int) -> Callable[[str], int | None]:
    @lru_cache(maxsize=2_000)
    def parse(cell: str) -> int | None:
        if not cell:
            return None
        if not _WHOLE.fullmatch(cell) or int(cell) < least:
            raise _Fault(f"{cell[:60]!r} is no whole number from {least} up")
        return int(cell)

    return parse


_WHOLES = {name: _whole_from(least) for name, least in OPTIONAL.items()}
