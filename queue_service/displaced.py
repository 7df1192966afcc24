"""Events that were in a hall's log here and are not in the log of the hall's own node any more: set aside, never
deleted. What was derived from them is made as it was before them. Only a centre has such.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, delete, func, select

from models.tables import DisplacedRow
from queue_service import appending, journal
from queue_service.databases.statements import straight
from queue_service.domain.events import DayOpened
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.journal import EVENT, HALL, LEG, TICKET
from queue_service.upsert import table_of

DISPLACED = table_of(DisplacedRow)
_COLUMNS = ", ".join(column.name for column in EVENT.columns)
_KEEP = f"""INSERT INTO displaced ({_COLUMNS}, displaced_at_ms)
    SELECT {_COLUMNS}, ? FROM event WHERE hall = ? AND seq > ? ON CONFLICT DO NOTHING"""  # noqa: S608 (our own names)


def cut_back(connection: Connection, hall_id: str, after: int, at_ms: int) -> Hall:
    """Set aside the events of a hall after a seq, in an open write transaction that holds the hall; the hall as of that
    seq. Nothing of the hall is left where its first day was opened later: then it is empty."""
    day = select(func.max(EVENT.c.seq)).where(
        EVENT.c.hall == hall_id, EVENT.c.seq <= after, EVENT.c.kind == DayOpened.KIND
    )
    day_seq = connection.execute(day).scalar()
    after = 0 if day_seq is None else after
    straight(connection, _KEEP, (at_ms, hall_id, after))
    gone = select(TICKET.c.id).where(TICKET.c.hall == hall_id, TICKET.c.last_seq > after)
    connection.execute(delete(LEG).where(LEG.c.ticket.in_(gone)))
    connection.execute(delete(TICKET).where(TICKET.c.id.in_(gone)))
    connection.execute(delete(EVENT).where(EVENT.c.hall == hall_id, EVENT.c.seq > after))
    if day_seq is None:
        connection.execute(delete(HALL).where(HALL.c.id == hall_id))
        return Hall(hall_id)
    return _as_it_was(connection, hall_id, int(day_seq))


def _as_it_was(connection: Connection, hall_id: str, day_seq: int) -> Hall:
    """Write the rows anew as of where the log ends now. What later events had changed was open then, or of that day."""
    hall = journal.day_start(connection, hall_id, day_seq)
    for logged in journal.events_after(connection, hall_id, day_seq - 1):
        evolve(hall, logged)
    hall.touched = {**hall.touched, **hall.tickets}
    legs = ((ticket.id, number, leg) for ticket in hall.touched.values() for number, leg in enumerate(ticket.legs, 1))
    hall.touched_legs = {(ticket_id, number): leg for ticket_id, number, leg in legs}
    appending.append(connection, [appending.HallWrite(hall, [], {})])
    return hall


def pages(connection: Connection, hall: str, page_rows: int) -> Iterator[list[Any]]:
    """A hall's events that were set aside, by seq, some at a time."""
    last = (0, "")
    while True:
        beyond = (DISPLACED.c.seq > last[0]) | ((DISPLACED.c.seq == last[0]) & (DISPLACED.c.hash > last[1]))
        wanted = select(DISPLACED).where(DISPLACED.c.hall == hall, beyond)
        rows = list(connection.execute(wanted.order_by(DISPLACED.c.seq, DISPLACED.c.hash).limit(page_rows)))
        if not rows:
            return
        yield rows
        last = (rows[-1].seq, rows[-1].hash)
