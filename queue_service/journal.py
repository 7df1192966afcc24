"""Every question about halls: where their logs end, their events, and the rows that say the same. What is written
stands in `appending`, receipts in `receipts`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, select
from sqlalchemy.engine.interfaces import DBAPICursor

from models.tables import EventRow, HallRow, LegRow, TicketRow
from models.vocabulary import LegOutcome, TicketState
from queue_service import receipts
from queue_service.codec import decode
from queue_service.databases.statements import lock, straight
from queue_service.domain.events import DayOpened, Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall, Leg, Ticket
from queue_service.errors import LogCorrupt
from queue_service.receipts import Receipt, ReceiptKey
from queue_service.upsert import table_of

PAGE_ROWS = 2_000


HALL, EVENT, TICKET, LEG = (table_of(model) for model in (HallRow, EventRow, TicketRow, LegRow))


@dataclass(frozen=True, slots=True)
class Position:
    """Where a hall's log ends."""

    seq: int
    head: str
    day: str
    day_seq: int
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """The halls a transaction holds, by id, and where their logs end; those that others hold; the answers known for
    the transaction's keys; the database's time after the locks (None: the process's clock is the database's)."""

    positions: dict[str, Position]
    skipped: frozenset[str]
    receipts: dict[ReceiptKey, Receipt]
    at_ms: int | None


def hold(connection: Connection, halls: Sequence[str], new: set[str], keys: Sequence[ReceiptKey], wait: bool) -> Held:
    """Lock these halls and read where their logs end, then look up receipts. Halls that do not exist are left out;
    those in `new` may be created. `wait`: for halls that others hold, instead of skipping them."""
    asked: list[DBAPICursor] = []
    locked = lock(connection, halls, new, wait, lambda: asked.extend(receipts.ask(connection, keys)))
    found = {row[0]: Position(*row[1:]) for row in locked.rows}
    return Held(found, frozenset(locked.skipped), receipts.answers(asked), locked.at_ms)


def _is_text(asked: str) -> bool:
    """Whether it can be the name of anything. NUL is no text to PostgreSQL: to ask for it would be an error."""
    return "\x00" not in asked


def positions(connection: Connection, halls: Sequence[str]) -> dict[str, Position]:
    """Where the logs of these halls end, without locking them; halls that do not exist are left out."""
    asked = tuple(filter(_is_text, halls))
    if not asked:
        return {}
    marks = ", ".join("?" * len(asked))
    statement = f"SELECT id, last_seq, last_hash, day, day_seq, name FROM hall WHERE id IN ({marks})"  # noqa: S608 (marks only)
    found = straight(connection, statement, asked)
    return {row[0]: Position(*row[1:]) for row in found.fetchall()}


def all_positions(connection: Connection) -> dict[str, Position]:
    """Where every hall's log ends, by hall id."""
    rows = connection.execute(select(HALL).order_by(HALL.c.id))
    return {row.id: Position(row.last_seq, row.last_hash, row.day, row.day_seq, row.name) for row in rows}


_PAGE = (
    select(EVENT)
    .where(EVENT.c.hall == bindparam("hall"), EVENT.c.seq > bindparam("after"))
    .order_by(EVENT.c.seq)
    .limit(bindparam("limit"))
)


def event_rows(connection: Connection, hall: str, after: int, limit: int) -> list[Any]:
    """Up to `limit` rows of a hall's log after a seq, as stored."""
    return list(connection.execute(_PAGE, {"hall": hall, "after": after, "limit": limit}))


def head_at(connection: Connection, hall: str, seq: int) -> str | None:
    """The hash of one event of a hall's log; None: the log does not reach so far."""
    return connection.execute(select(EVENT.c.hash).where(EVENT.c.hall == hall, EVENT.c.seq == seq)).scalar_one_or_none()


def day_openings(connection: Connection, hall: str) -> list[tuple[int, str]]:
    """Where in a hall's log each business day begins, and its date; reads the log's index from end to end."""
    opened = select(EVENT.c.seq, EVENT.c.data).where(EVENT.c.hall == hall, EVENT.c.kind == DayOpened.KIND)
    return [(row.seq, orjson.loads(row.data)["day"]) for row in connection.execute(opened.order_by(EVENT.c.seq))]


def logged(row: Any, previous: str | None = None) -> Logged:
    """The event of a row; `previous`: the hash of the row before it. Raises LogCorrupt where it cannot be read."""
    hall, seq, command_seq, at_ms, kind, version, actor, channel, data, head = row
    try:
        event = decode(kind, version, data)
    except (ValueError, TypeError) as error:  # no JSON, or not what this kind is made of
        raise LogCorrupt(f"Hall {hall}: event {seq} cannot be read: {error}.", seq=seq) from error
    return Logged(hall, seq, command_seq, at_ms, actor, channel, event, head, previous)


def events_after(connection: Connection, hall: str, after: int, head: str | None = None) -> Iterator[Logged]:
    """The hall's events after a seq, whose hash is `head` if that is known, in order; gaps are a LogCorrupt."""
    while rows := event_rows(connection, hall, after, PAGE_ROWS):
        for row in rows:
            if row.seq != after + 1:
                raise LogCorrupt(f"Hall {hall}: event {after + 1} is missing, {row.seq} follows.", seq=after + 1)
            yield logged(row, head)
            after, head = row.seq, row.hash
        if len(rows) < PAGE_ROWS:
            return


def _event_at(connection: Connection, hall: str, seq: int) -> Logged:
    rows = event_rows(connection, hall, seq - 1, 1)
    if not rows or rows[0].seq != seq:
        raise LogCorrupt(f"Hall {hall}: event {seq} is missing.", seq=seq)
    return logged(rows[0])


def first_seq(connection: Connection, hall: str, at_ms: int, last: int) -> int:
    """The seq of the hall's first event at or after an instant, up to `last`; `last` + 1 where there is none.

    Times rise with seq and seq has no gaps, so a search by halves finds it, however long the history is."""

    def at(seq: int) -> int:
        found = select(EVENT.c.at_ms).where(EVENT.c.hall == hall, EVENT.c.seq == seq)
        return int(connection.execute(found).scalar_one())

    return bisect_left(range(1, last + 1), at_ms, key=at) + 1


def day_start(connection: Connection, hall_id: str, day_seq: int) -> Hall:
    """A hall that knows its plan and nothing else, as the business day that this event opened begins with it."""
    hall = Hall(hall_id)
    opened = _event_at(connection, hall_id, day_seq).event
    if not isinstance(opened, DayOpened):
        raise LogCorrupt(f"Hall {hall_id}: event {day_seq} does not open a day.", seq=day_seq)
    evolve(hall, _event_at(connection, hall_id, opened.plan_seq))
    return hall


def day_events(connection: Connection, hall_id: str, position: Position) -> Iterator[Logged]:
    """The events of the hall's present business day, which the log must end with."""
    last = None
    for last in events_after(connection, hall_id, position.day_seq - 1):
        yield last
    if last is None or (last.seq, last.head) != (position.seq, position.head):
        seq = 0 if last is None else last.seq
        raise LogCorrupt(f"Hall {hall_id}: the log ends at {seq}, its row says {position.seq}.", seq=seq)


def load(connection: Connection, hall_id: str, position: Position) -> Hall:
    """The hall as of the end of its log, read from the event that opened its business day."""
    hall = day_start(connection, hall_id, position.day_seq)
    for one in day_events(connection, hall_id, position):
        evolve(hall, one)
    hall.drain()
    return hall


def ticket_row(connection: Connection, ticket_id: str) -> Any | None:
    """The row of a ticket, open or closed."""
    if not _is_text(ticket_id):
        return None
    return connection.execute(select(TICKET).where(TICKET.c.id == ticket_id)).one_or_none()


def leg_rows(connection: Connection, ticket_ids: Iterable[str]) -> list[Any]:
    """The legs of some tickets, in order."""
    wanted = list(ticket_ids)
    return list(connection.execute(select(LEG).where(LEG.c.ticket.in_(wanted)).order_by(LEG.c.ticket, LEG.c.leg)))


def ticket_rows(connection: Connection, hall: str, filters: dict[str, str], after: str, limit: int) -> list[Any]:
    """Tickets of a hall whose columns equal `filters`, by id after `after`."""
    if not all(map(_is_text, (hall, after, *filters.values()))):
        return []
    wanted = [TICKET.c[name] == value for name, value in filters.items()]
    statement = select(TICKET).where(and_(TICKET.c.hall == hall, TICKET.c.id > after, *wanted))
    return list(connection.execute(statement.order_by(TICKET.c.id).limit(limit)))


def tickets_from(connection: Connection, rows: Sequence[Any]) -> list[tuple[str, Ticket]]:
    """Rows of the ticket table with their legs: (hall, ticket) in the rows' order."""
    legs: dict[str, list[Leg]] = {row.id: [] for row in rows}
    for row in leg_rows(connection, legs):
        legs[row.ticket].append(_leg_of(row))
    return [(row.hall, _ticket_of(row, legs[row.id])) for row in rows]


def _leg_of(row: Any) -> Leg:
    return Leg(
        service=row.service,
        priority=row.priority,
        waiting_since_ms=row.waiting_since_ms,
        line_since_ms=row.waiting_since_ms,
        counter=row.counter,
        clerk=row.clerk,
        called_at_ms=row.called_at_ms,
        waited_ms=row.waited_ms,
        recalls=row.recalls,
        started_at_ms=row.started_at_ms,
        start_implied=bool(row.start_implied),
        ended_at_ms=row.ended_at_ms,
        outcome=row.outcome and LegOutcome(row.outcome),
    )


def _ticket_of(row: Any, legs: list[Leg]) -> Ticket:
    columns = {name: value for name, value in row._mapping.items() if name not in ("hall", "state")}
    return Ticket(**columns, state=TicketState(row.state), legs=legs)
