"""Plain SQL handed to the driver, and the few statements that SQLite and PostgreSQL must be asked in their own words.

Statements are written with SQLite's marks (`?`). What is asked, and when, stands in `queue_service.journal`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Table
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

POSTGRESQL = "postgresql"


def is_postgresql(connection: Connection) -> bool:
    """Whether a connection speaks PostgreSQL's dialect; else it is SQLite's."""
    return connection.dialect.name == POSTGRESQL


@lru_cache(1024)
def marked(statement: str) -> str:
    """The statement with psycopg's marks."""
    return statement.replace("%", "%%").replace("?", "%s")


def straight(connection: Connection, statement: str, values: Sequence[Any] = ()) -> DBAPICursor:
    """Hand a statement of the commit path to the driver as it is. SQLAlchemy's own way costs more than SQLite needs
    for it. Errors are SQLAlchemy's all the same."""
    if not connection.in_transaction():
        connection.begin()
    return handed(connection, statement, values)


def handed(connection: Connection, statement: str, values: Sequence[Any] = ()) -> DBAPICursor:
    """The same, whether a transaction has begun or not."""
    cursor = connection.connection.cursor()
    with _errors(connection, statement):
        cursor.execute(marked(statement) if is_postgresql(connection) else statement, values)
    return cursor


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Send the statements of the block without waiting for the answer of each. On PostgreSQL every answer is a
    journey there and back, and at each the writer thread has to get Python's lock again from the event loop."""
    if not is_postgresql(connection):
        yield
        return
    if not connection.in_transaction():
        connection.begin()
    with _errors(connection, "(several)"), connection.connection.driver_connection.pipeline():  # type: ignore[union-attr]
        yield


@contextmanager
def _errors(connection: Connection, statement: str) -> Iterator[None]:
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        own = connection.connection.driver_connection
        is_lost = connection.dialect.is_disconnect(error, own, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, Exception, connection_invalidated=is_lost, dialect=connection.dialect
        ) from error


# -- locking halls

_POSITION = "id, last_seq, last_hash, day, day_seq, name"
NOW_MS = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_LINE_KEY = "hashtextextended('queue-service line ' || %s, 0)"
_LINE = f"SELECT pg_advisory_xact_lock({_LINE_KEY % '?'})"
NOBODY_IN_LINE = f"AND pg_try_advisory_xact_lock_shared({_LINE_KEY % 'hall.id'})"
"""Whoever stands in line holds its lock, or waits for it, and then nobody else is given it."""
_LOCK = f"""WITH held AS MATERIALIZED (SELECT {_POSITION} FROM hall WHERE id = ANY(?) %s ORDER BY id FOR UPDATE %s)
    SELECT *, {NOW_MS} FROM held"""  # noqa: S608 (our own names)
_LOCK_FREE, _LOCK_ALL = _LOCK % (NOBODY_IN_LINE, "SKIP LOCKED"), _LOCK % ("", "")
_EXISTING = "SELECT id FROM hall WHERE id = ANY(?)"
_CREATION_KEY = "hashtextextended('queue-service hall ' || ?, 0)"
_CREATE_IF_FREE = f"SELECT pg_try_advisory_xact_lock({_CREATION_KEY})"
_CREATE = f"SELECT true FROM (SELECT pg_advisory_xact_lock({_CREATION_KEY})) AS waited"  # noqa: S608


@dataclass(slots=True)
class Locked:
    """The rows of the halls that are locked now, the halls that others hold, and the database's time after the locks
    were taken (None where the process's clock is the database's)."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    at_ms: int | None = None


def lock(connection: Connection, halls: Sequence[str], new: set[str], wait: bool, then: Callable[[], object]) -> Locked:
    """Lock the rows of `halls`; of those in `new` that do not exist, the right to create them. `wait`: for locks that
    others hold, instead of leaving those halls out. `then` asks what is to be read under the locks: it is sent along,
    and is called again where more was locked after that."""
    if not is_postgresql(connection):  # BEGIN IMMEDIATE has locked them all
        marks = ", ".join("?" * len(halls))
        statement = f"SELECT {_POSITION} FROM hall WHERE id IN ({marks})"  # noqa: S608 (marks only)
        locked = Locked(straight(connection, statement, tuple(halls)).fetchall())  # type: ignore[arg-type]
        then()
        return locked
    locked = Locked()
    missing = _lock_rows(connection, halls, wait, locked, then)
    if missing:
        found = straight(connection, _EXISTING, (list(missing),)).fetchall()
        locked.skipped |= {row[0] for row in found}
        if _lock_creation(connection, sorted((missing & new) - locked.skipped), wait, locked):
            then()
    if locked.at_ms is None:
        locked.at_ms = now_ms(connection)
    return locked


def _lock_rows(
    connection: Connection, halls: Sequence[str], wait: bool, locked: Locked, then: Callable[[], object] | None = None
) -> set[str]:
    """Lock the rows that there are and that are free; the halls that are left."""
    with together(connection):
        asked = straight(connection, _LOCK_ALL if wait else _LOCK_FREE, (list(halls),))
        if then is not None:
            then()
    found = asked.fetchall()
    for row in found:
        locked.rows.append(row[:-1])
        locked.at_ms = max(locked.at_ms or 0, row[-1])
    return set(halls) - {row[0] for row in found}


def _lock_creation(connection: Connection, halls: Sequence[str], wait: bool, locked: Locked) -> bool:
    """There is no row to lock before a hall's first event: a lock by its name stands in. Whoever gets it looks again:
    another may have created the hall just before. Whether any was given."""
    for hall in halls:
        if not straight(connection, _CREATE if wait else _CREATE_IF_FREE, (hall,)).fetchall()[0][0]:
            locked.skipped.add(hall)
    taken = [hall for hall in halls if hall not in locked.skipped]
    if taken:
        missing = _lock_rows(connection, taken, wait, locked)
        locked.skipped |= {row[0] for row in straight(connection, _EXISTING, (list(missing),)).fetchall()}
    return bool(taken)


def stand_in_line(connection: Connection, hall: str, wait_ms: int) -> None:
    """Wait for the row of a hall, or the right to create it, in the order in which others began to; at most so long.

    A lock by the hall's name keeps that order. The row's own would not: each turn makes a new version of the row, and
    for that one all who wait start from the same line."""
    straight(connection, f"SET LOCAL lock_timeout = {wait_ms:d}")
    straight(connection, _LINE, (hall,))
    locked = Locked()
    if _lock_rows(connection, [hall], True, locked):
        _lock_creation(connection, [hall], True, locked)


def now_ms(connection: Connection) -> int | None:
    """The time by the database's clock; None where that is the process's."""
    if not is_postgresql(connection):
        return None
    return int(straight(connection, f"SELECT {NOW_MS}").fetchall()[0][0])


# -- many rows at once


def given(table: Table) -> str:
    """PostgreSQL: rows of a table from one JSON parameter, an array of arrays, as a subquery of that name. Measured
    with 32 rows of 20 columns, server and client: 4 + 1 µs a row; objects (`json_to_recordset`) 6 + 4, an array for
    each column (`unnest`) 6 + 6, a mark for each value 8 + 55."""
    return f"(SELECT {picked((column.name, _type_name(column.type)) for column in table.columns)}) AS given"


def picked(columns: Iterable[tuple[str, str]]) -> str:
    """The same for columns (name, type), without parentheses: what stands behind a SELECT."""
    values = (f"(one ->> {place})::{kind} AS {name}" for place, (name, kind) in enumerate(columns))
    return f"{', '.join(values)} FROM jsonb_array_elements(?::jsonb) AS one"


def _type_name(kind: Any) -> str:
    return "bigint" if isinstance(kind, BigInteger) else "integer" if isinstance(kind, Integer) else "text"


def listed(connection: Connection) -> str:
    """A subquery of the texts in one parameter, a JSON array."""
    if is_postgresql(connection):
        return "(SELECT json_array_elements_text(?::json))"
    return "(SELECT value FROM json_each(?))"


def as_stored(connection: Connection, column: str) -> str:
    """A text column's bytes, even where SQLite was made to hold what is no text."""
    return f"convert_to({column}, 'UTF8')" if is_postgresql(connection) else f"CAST({column} AS BLOB)"
