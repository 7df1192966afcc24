"""The proof behind `queue-service verify`: that a hall's log follows from itself, and its rows from the log.

The statements are its own and read every row as it is stored. The fold is the rules' own (`evolve`), from event 1. A
ticket is compared as soon as no event can change it any more, so memory holds what is open and not the whole history.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from queue_service.codec import chain_row, decode
from queue_service.databases.statements import as_stored, listed
from queue_service.domain import events as ev
from queue_service.domain.carried import carried
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall, Ticket
from queue_service.errors import UnknownEventKind
from queue_service.journal import EVENT, HALL, LEG, TICKET

PAGE_ROWS = 2_000
BEFORE_ALL = -(2**62)

Progress = Callable[[int], None]
"""Told how many more events were read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, in which column, what the log says there and what was found."""

    hall: str
    place: str
    problem: str
    column: str | None = None
    expected: Any = None
    found: Any = None

    def __str__(self) -> str:
        """In one line."""
        where = ", ".join(part for part in (f"hall {self.hall}", self.place, self.column) if part)
        return f"{where}: {self.problem}"


class Disproved(Exception):
    """The proof failed at the first fault."""

    def __init__(self, hall: str, place: str, problem: str) -> None:
        """Something is there or missing that should not be."""
        super().__init__(problem)
        self.fault = Fault(hall, place, problem)


class Differs(Disproved):
    """A stored value is not what the log says."""

    def __init__(self, hall: str, place: str, column: str, expected: Any, found: Any, why: str = "") -> None:
        """`why` tells where the expectation comes from."""
        problem = f"expected {_shown(expected)}{why}, found {_shown(found)}"
        super().__init__(hall, place, problem)
        self.fault = Fault(hall, place, problem, column, expected, found)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))  # as the table has it
    return "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Proof:
    """A hall whose log and rows agree: how many there are and the hash of the last event."""

    hall: str
    events: int
    tickets: int
    legs: int
    head: str


def halls(connection: Connection) -> list[tuple[str, int]]:
    """Every hall that any table speaks of, and how long its row says its log is (0 where it has no row)."""
    lengths = {row[0]: int(row[1]) for row in connection.exec_driver_sql("SELECT id, last_seq FROM hall")}
    spoken_of = {name for table in (EVENT, TICKET, LEG) for name in _halls_in(connection, table)}
    return sorted({**dict.fromkeys(spoken_of, 0), **lengths}.items())


def _halls_in(connection: Connection, table: Table) -> Iterator[str]:
    """The halls of a table, by leaps over its index."""
    after: str | None = ""
    while after is not None:
        statement = f"SELECT min(hall) FROM {table.name} WHERE hall > ?"  # noqa: S608 (our own name)
        after = connection.exec_driver_sql(statement, (after,)).scalar_one()
        if after is not None:
            yield after


def prove(connection: Connection, hall_id: str, progress: Progress) -> Proof:
    """Check everything about one hall, in one read transaction. Raises `Disproved` with the first fault."""
    row = connection.execute(HALL.select().where(HALL.c.id == hall_id)).one_or_none()
    if row is None:
        raise Disproved(hall_id, "hall row", "is missing, but there are rows of this hall")
    fold = _Fold(connection, hall_id)
    for page in _pages(connection, hall_id, row.last_seq):
        for stored in page:
            fold.follow(stored)
        fold.compare(fold.settled())  # as far as it goes: memory is to hold what is open, not all there was
        progress(len(page))
    _check_hall_row(row, fold.hall)
    fold.compare(fold.pending)
    fold.check_counts()
    return Proof(hall_id, fold.hall.seq, fold.tickets, fold.legs, fold.hall.head)


# -- the log

_EVENT_PAGE = """SELECT seq, command_seq, at_ms, kind, version, actor, channel, {data}, hash FROM event
    WHERE hall = ? AND seq > ? ORDER BY seq LIMIT ?"""


def _pages(connection: Connection, hall_id: str, last_seq: int) -> Iterator[Sequence[Any]]:
    """The log as it is stored, gapless from 1 to where the hall's row says it ends."""
    expected, after = 1, BEFORE_ALL
    statement = _EVENT_PAGE.format(data=as_stored(connection, "data"))
    while True:
        try:
            page = connection.exec_driver_sql(statement, (hall_id, after, PAGE_ROWS)).all()
        except DBAPIError as error:
            raise Disproved(hall_id, f"events from {expected}", f"cannot be read: {error.orig}") from error
        for row in page:
            if row[0] != expected:
                raise Disproved(hall_id, f"event {expected}", f"is missing; event {row[0]} follows")
            expected += 1
        if page:
            yield page
            after = page[-1][0]
        if len(page) < PAGE_ROWS:
            break
    if expected <= last_seq:
        raise Disproved(
            hall_id, f"event {expected}", f"is missing; the hall's row says that the log ends at {last_seq}"
        )


class _Fold:
    """A hall folded from its log, and the tickets that are still to be compared with their rows."""

    def __init__(self, connection: Connection, hall_id: str) -> None:
        self.hall = Hall(hall_id)
        self.pending: dict[str, Ticket] = {}
        self.tickets = 0
        self.legs = 0
        self._connection = connection

    def follow(self, row: Any) -> None:
        """Check one event against its predecessors and apply it."""
        logged = self._checked(row)
        event = logged.event
        if isinstance(event, ev.TicketIssued | ev.TicketBackfilled | ev.TicketRecorded):
            self.tickets += 1
        if isinstance(event, ev.DayOpened):
            self._check_opening(event, logged.seq)
        try:
            evolve(self.hall, logged)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"does not follow from the events before it: {_why(error)}"
            raise Disproved(self.hall.id, f"event {logged.seq}", problem) from error

    def _checked(self, row: Any) -> ev.Logged:
        seq, command_seq, at_ms, kind, version, actor, channel, data, found = row
        hall, place = self.hall, f"event {seq}"
        head = chain_row(hall.head, hall.id, seq, command_seq, at_ms, actor, channel, kind, version, data)
        if head != found:
            raise Differs(hall.id, place, "hash", head, found, f" of its contents and event {seq - 1}'s hash")
        if at_ms < hall.last_at_ms:
            raise Differs(hall.id, place, "at_ms", hall.last_at_ms, at_ms, " or later, as the event before")
        try:
            event = decode(kind, version, data)
        except UnknownEventKind as error:
            raise Disproved(hall.id, place, str(error)) from error
        except (TypeError, ValueError) as error:
            said = str(error).rpartition("() ")[2]  # without the name of the class that was to be made of it
            raise Disproved(hall.id, place, f"its data is no {kind}: {said}") from error
        return ev.Logged(hall.id, seq, command_seq, at_ms, actor, channel, event, head)

    def _check_opening(self, event: ev.DayOpened, seq: int) -> None:
        """A hall is loaded from the event that opened its day, so that event must carry what the log says."""
        hall = self.hall
        expected = {"plan_seq": hall.plan_seq, "plan_version": hall.plan_version, "carried": carried(hall)}
        for name, value in expected.items():
            wanted, found = _canonical(value), _canonical(getattr(event, name))
            if wanted != found:
                raise Differs(hall.id, f"event {seq}", name, wanted, found)

    # -- the rows

    def settled(self) -> dict[str, Ticket]:
        """The tickets that were touched and that no event can change any more: neither open nor undoable."""
        self.pending.update(self.hall.drain()[0])
        open_tickets = self.hall.tickets
        undoable = {name for counter in self.hall.counters.values() if counter.last for name in counter.last.tickets}
        done = {
            name: ticket for name, ticket in self.pending.items() if name not in open_tickets and name not in undoable
        }
        for name in done:
            del self.pending[name]
        return done

    def compare(self, tickets: dict[str, Ticket]) -> None:
        """Compare tickets and their legs with their rows, every column."""
        names, wanted = orjson.dumps(list(tickets)).decode(), listed(self._connection)
        rows = {row[0]: tuple(row) for row in self._connection.exec_driver_sql(_TICKET_ROWS + wanted, (names,))}
        legs: dict[str, list[tuple[Any, ...]]] = {name: [] for name in tickets}
        for leg in self._connection.exec_driver_sql(_LEG_ROWS + wanted, (names,)):
            legs[leg[0]].append(tuple(leg))
        for ticket in tickets.values():
            self._compare_ticket(ticket, rows.get(ticket.id))
            self._compare_legs(ticket, legs[ticket.id])

    def _compare_ticket(self, ticket: Ticket, found: tuple[Any, ...] | None) -> None:
        place = f"ticket {ticket.id} ({ticket.number}, last changed by event {ticket.last_seq})"
        if found is None:
            raise Disproved(self.hall.id, place, "its row is missing")
        self._compare(place, _TICKET_COLUMNS, (*_ticket_values(ticket), self.hall.id), found)

    def _compare_legs(self, ticket: Ticket, found: list[tuple[Any, ...]]) -> None:
        stored = {row[1]: row for row in found}
        for number, leg in enumerate(ticket.legs, 1):
            place = f"leg {number} of ticket {ticket.id} ({ticket.number})"
            if number not in stored:
                raise Disproved(self.hall.id, place, "its row is missing")
            expected = (ticket.id, number, self.hall.id, ticket.day, *_leg_values(leg))
            self._compare(place, _LEG_COLUMNS, expected, stored.pop(number))
            self.legs += 1
        for number in stored:
            raise Disproved(self.hall.id, f"leg {number} of ticket {ticket.id} ({ticket.number})", "no event made it")

    def _compare(self, place: str, columns: Sequence[str], expected: Sequence[Any], found: Sequence[Any]) -> None:
        if expected != found:
            for column, wanted, stored in zip(columns, expected, found, strict=True):
                if wanted != stored:
                    raise Differs(self.hall.id, place, column, wanted, stored)

    def check_counts(self) -> None:
        """No ticket or leg is stored that no event made; each that events made has been compared by now."""
        stored = self._connection.exec_driver_sql(_TICKET_COUNT, (self.hall.id,)).scalar_one()
        if stored != self.tickets:
            raise Disproved(self.hall.id, *_superfluous(self._connection, self.hall.id, self.tickets, stored))
        orphan = self._connection.exec_driver_sql(_LEG_OF_NOTHING, (self.hall.id,)).first()
        if orphan is not None:
            raise Disproved(self.hall.id, f"leg {orphan[1]} of ticket {orphan[0]}", "no event made it")


_TICKET_COLUMNS = (*(column.name for column in TICKET.columns if column.name != "hall"), "hall")
_LEG_PLACE = ("ticket", "leg", "hall", "day")
_LEG_COLUMNS = (*_LEG_PLACE, *(column.name for column in LEG.columns if column.name not in _LEG_PLACE))
_ticket_values = attrgetter(*_TICKET_COLUMNS[:-1])
_leg_values = attrgetter(*_LEG_COLUMNS[len(_LEG_PLACE) :])

_TICKET_ROWS = f"SELECT {', '.join(_TICKET_COLUMNS)} FROM ticket WHERE id IN "  # noqa: S608
_LEG_ROWS = f"SELECT {', '.join(_LEG_COLUMNS)} FROM leg WHERE ticket IN "  # noqa: S608
_TICKET_COUNT = "SELECT count(*) FROM ticket WHERE hall = ?"
_TICKET_IDS = "SELECT id, number FROM ticket WHERE hall = ? ORDER BY id"
_LEG_OF_NOTHING = "SELECT ticket, leg FROM leg WHERE hall = ? AND ticket NOT IN (SELECT id FROM ticket) LIMIT 1"
_MAKING = """SELECT {data} FROM event
    WHERE hall = ? AND kind IN ('ticket_issued', 'ticket_backfilled', 'ticket_recorded')"""


def _superfluous(connection: Connection, hall_id: str, made: int, stored: int) -> tuple[str, str]:
    """The place and problem of a ticket row that no event made. Only a failed proof pays for the list of all ids."""
    making = _MAKING.format(data=as_stored(connection, "data"))
    known = {orjson.loads(row[0])["ticket"] for row in connection.exec_driver_sql(making, (hall_id,))}
    for row in connection.exec_driver_sql(_TICKET_IDS, (hall_id,)):
        if row[0] not in known:
            return f"ticket {row[0]} ({row[1]})", "no event made it"
    return "tickets", f"{made} events make tickets, but there are {stored} rows"


def _check_hall_row(row: Any, hall: Hall) -> None:
    expected = {
        "last_seq": hall.seq,
        "last_hash": hall.head,
        "day": hall.today and hall.today.date,
        "day_seq": hall.day_seq,
        "name": hall.plan and hall.plan.name,
    }
    for column, value in expected.items():
        found = getattr(row, column)
        if value != found:
            raise Differs(hall.id, "hall row", column, value, found)


def _canonical(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _why(error: Exception) -> str:
    """What keeps an event from following, as far as it can be told without what this code calls things."""
    if isinstance(error, KeyError):
        return f"there is no {error}"
    return str(error) if isinstance(error, AssertionError) else "one of its values cannot be"
