"""A batch that was decided ahead, stored on SQLite if the logs still end where it was decided from: by one statement,
which is its transaction, too.

While a statement runs Python's lock is free, and the event loop goes on; to have it back the writer thread takes it
from the loop, which costs both more than a small statement does. So all rows go in by one, COMMIT included: as JSON,
one parameter a table, into a view whose trigger writes the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.exc import IntegrityError

from queue_service.appending import Rows
from queue_service.databases.statements import handed
from queue_service.journal import EVENT, HALL, LEG, TICKET
from queue_service.receipts import RECEIPT, ReceiptKey
from queue_service.upsert import conflict, names

OVERTAKEN = "overtaken"


class Overtaken(Exception):
    """The log, or the answers to a command's key, are not what they were taken to be."""


def prepare(writer: Engine) -> None:
    """Make the view for the connections of a writer: the one it has (outside of transactions, so that none takes it
    back), and later ones. Not before the schema is as it should be: migrations would trip over the trigger."""
    event.listen(writer, "connect", _make_view)
    with writer.connect() as connection:
        _make_view(connection.connection.driver_connection, None)


def _make_view(driver: Any, _: Any) -> None:
    driver.execute(_VIEW)
    driver.execute(_TRIGGER)


def store(
    connection: Connection, rows: Rows, ends: Mapping[str, tuple[int, str]], unkept: Sequence[ReceiptKey]
) -> None:
    """Store and commit a batch. Raises Overtaken.

    `ends`: where the logs ended (seq, hash) of all halls that it wrote to or only looked at. `unkept`: keys that were
    taken to be new and get no answer stored: nothing else would notice that they have one."""
    parts = (
        [(hall, *end) for hall, end in ends.items()], unkept, rows.events, rows.moved, rows.tickets,
        rows.legs, rows.gone, rows.receipts, rows.halls,
    )  # fmt: skip
    try:
        handed(connection, _TAKE, tuple(orjson.dumps(part).decode() for part in parts))
    except IntegrityError as error:
        if str(error.orig) == OVERTAKEN:
            raise Overtaken from error
        raise


# -- SQLite: a view that can be written to, seen by this connection only

_PARTS = ("ends", "unkept", "events", "moved", "tickets", "legs", "gone", "receipts", "halls")
_VIEW = f"CREATE TEMP VIEW IF NOT EXISTS intake AS SELECT {', '.join(f'NULL AS {part}' for part in _PARTS)} WHERE false"
_TAKE = f"INSERT INTO intake VALUES ({', '.join('?' * len(_PARTS))})"  # noqa: S608 (marks only)


def _value(number: int) -> str:
    return f"json_extract(given.value, '$[{number}]')"


def _all(table: Table, part: str, update: bool) -> str:
    """Every row of a part into its table; `WHERE true` keeps ON CONFLICT from being read as a join's ON."""
    values = ", ".join(_value(number) for number in range(len(table.columns)))
    given = f"SELECT {values} FROM json_each(NEW.{part}) AS given WHERE true"  # noqa: S608 (our own names)
    return f"INSERT INTO {table.name} ({names(table)}) {given}{conflict(table) if update else ''}"


_STANDS = f"""SELECT RAISE(ABORT, '{OVERTAKEN}') WHERE EXISTS (
        SELECT 1 FROM json_each(NEW.ends) AS given LEFT JOIN hall ON hall.id = {_value(0)}
        WHERE hall.last_seq IS NOT {_value(1)} OR hall.last_hash IS NOT {_value(2)}
    ) OR EXISTS (
        SELECT 1 FROM json_each(NEW.unkept) AS given JOIN receipt
        ON receipt.actor = {_value(0)} AND receipt.hall = {_value(1)} AND receipt.key = {_value(2)}
    )"""  # noqa: S608 (our own names)
_RELEASE = """UPDATE ticket SET counter = NULL, state = 'waiting'
    WHERE id IN (SELECT value FROM json_each(NEW.moved))"""
_FORGET = f"""DELETE FROM leg
    WHERE (ticket, leg) IN (SELECT {_value(0)}, {_value(1)} FROM json_each(NEW.gone) AS given)"""  # noqa: S608
_STATEMENTS = (
    _STANDS,
    _all(EVENT, "events", update=False),
    _RELEASE,
    _all(TICKET, "tickets", update=True),
    _all(LEG, "legs", update=True),
    _FORGET,
    _all(RECEIPT, "receipts", update=False),
    _all(HALL, "halls", update=True),
)
_TRIGGER = (
    "CREATE TEMP TRIGGER IF NOT EXISTS take_in INSTEAD OF INSERT ON intake BEGIN "
    + "".join(f"{statement}; " for statement in _STATEMENTS)
    + "END"
)
