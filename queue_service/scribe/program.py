"""The program of the process. It is started as a file of its own and imports hardly anything, to be there in a moment.

It ends with the node, and not before: a batch that was handed on is stored.

Messages have their length before them. A batch is a head, [until when it may begin (`time.monotonic()`), the numbers of
its statements, where the halls' logs end with it], and for each statement its rows, as JSON. The answer is a word and
what there is to say about it.
"""

import gc
import os
import select
import signal
import sqlite3
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import orjson

LENGTH = struct.Struct("<I")

DONE = "done"
REFUSED = "refused"
"""Nothing is done. The log, or the answers to a key, are not what they were taken to be; or whatever else went wrong:
who does it from the beginning meets it, too, and has a name for it."""
UNAVAILABLE = "unavailable"
"""Nothing is done, and the database can do nothing now."""
UNKNOWN = "unknown"
"""It may be done or not; the process ends with that."""
MOST_SAID = 1_000
GARBAGE = 50_000
"""Objects until the collector looks for cycles: a batch's rows are thousands, and none of them is in one."""

COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"

Part = tuple[int, bytes]
"""The number of a statement, and its rows."""
Answer = tuple[str, str]


class Book(Protocol):
    """A database that batches are stored in."""

    def is_there(self) -> bool:
        """Whether it still is, as far as can be told without asking it."""
        ...

    def store(self, parts: Sequence[Part]) -> Answer:
        """Store a batch as one transaction."""
        ...

    def afterwards(self, ends: Mapping[str, int]) -> bool:
        """What is to be done when the answer is on its way; whether there can be another batch. Nobody hears of what
        goes wrong: a word about it would be taken for the answer to that one."""
        ...


class SqliteBook:
    """An SQLite file. A statement that asks (SELECT) must find nothing."""

    def __init__(
        self, file: str, settings: Sequence[str], statements: Sequence[str], timeout_s: float, log_bytes: int
    ) -> None:
        """`settings` are statements for a new connection. A write-ahead log longer than `log_bytes` starts over."""
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=timeout_s)
        for setting in settings:
            self._connection.execute(setting)
        self._statements = statements
        self._timeout_ms = round(timeout_s * 1000)
        self._log = Path(f"{file}-wal")
        self._log_bytes = log_bytes

    def is_there(self) -> bool:
        """A file does not go away by itself."""
        return True

    def store(self, parts: Sequence[Part]) -> Answer:
        """Store a batch."""
        reaches_commit = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if not all(self._run(self._statements[number], orjson.loads(rows)) for number, rows in parts):
                self._connection.execute(ROLLBACK)
                return REFUSED, "overtaken"
            reaches_commit = True
            self._connection.execute(COMMIT)
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute(ROLLBACK)
            if reaches_commit:
                return UNKNOWN, f"{error}"
            return UNAVAILABLE if isinstance(error, sqlite3.OperationalError) else REFUSED, f"{error}"
        return DONE, ""

    def _run(self, statement: str, rows: Sequence[Sequence[Any]]) -> bool:
        if statement.startswith("SELECT"):
            return not any(self._connection.execute(statement, row).fetchone() for row in rows)
        self._connection.executemany(statement, rows)
        return True

    def afterwards(self, _: Mapping[str, int]) -> bool:
        """Let the write-ahead log start over when it grew too large (see `queue_service.databases.sqlite`)."""
        with suppress(OSError, sqlite3.OperationalError):  # a long read is in the way: after the next batch again
            if self._log.stat().st_size > self._log_bytes:
                start_log_over(self._connection, self._timeout_ms)
        return True


def start_log_over(connection: sqlite3.Connection, timeout_ms: int) -> None:
    """Empty the write-ahead log; waits for nobody, neither then nor for longer than `timeout_ms` afterwards."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout={timeout_ms}")


class PostgresBook:
    """A database of a PostgreSQL server. Every statement has its rows as one parameter, and goes off without waiting
    for the answer of the one before: a batch is one journey there and back. A statement that asks fails where it finds
    what must not be."""

    def __init__(
        self,
        conninfo: Mapping[str, str],
        settings: Mapping[str, str],
        statements: Sequence[str],
        channel: str,
        most: int,
    ) -> None:
        """`channel`: where other nodes hear what was stored, of so many halls (`most`) at once."""
        import psycopg  # noqa: PLC0415 (a node on SQLite has no use for it)
        from psycopg import sql  # noqa: PLC0415

        self._psycopg = psycopg
        self._connection = psycopg.connect(**conninfo, autocommit=True, prepare_threshold=0)  # type: ignore[arg-type]
        for name, value in settings.items():
            self._connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), value), prepare=False)
        self._statements = [statement.encode() for statement in statements]
        self._tell = b"SELECT pg_notify(%s, %s)"
        self._channel = channel
        self._most = most

    def is_there(self) -> bool:
        """Nothing is said on a connection unless it was asked for something; a server that ends it says so."""
        return not select.select([self._connection], [], [], 0)[0]

    def store(self, parts: Sequence[Part]) -> Answer:
        """Store a batch."""
        connection, status = self._connection, self._psycopg.pq.TransactionStatus
        try:
            with connection.pipeline():
                connection.execute("BEGIN")
                for number, rows in parts:
                    connection.execute(self._statements[number], (rows.decode(),))
                connection.execute(COMMIT, prepare=False)
        except self._psycopg.Error as error:
            if connection.info.transaction_status not in (status.INTRANS, status.INERROR):  # COMMIT was reached
                return UNKNOWN, _in_a_line(error)
            connection.execute(ROLLBACK)
            return REFUSED, _in_a_line(error)
        return DONE, ""

    def afterwards(self, ends: Mapping[str, int]) -> bool:
        """Tell other nodes. NOTIFY within the batch would make the commits of the whole server wait for one another;
        what is lost by telling it later, their poll finds."""
        halls = list(ends.items())
        try:
            for start in range(0, len(halls), self._most):
                told = orjson.dumps(dict(halls[start : start + self._most])).decode()
                self._connection.execute(self._tell, (self._channel, told))
        except self._psycopg.Error:
            return not self._connection.closed
        return True


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


# -- what the node says, and is told


def framed(data: bytes) -> bytes:
    """A message as it is sent."""
    return LENGTH.pack(len(data)) + data


def _read() -> bytes:
    """The next message; the node's end is the end of this process."""
    source = sys.stdin.buffer
    length = source.read(LENGTH.size)
    if len(length) == LENGTH.size:
        (size,) = LENGTH.unpack(length)
        data = source.read(size)
        if len(data) == size:
            return data
    sys.exit()


def _answer(answer: Answer) -> None:
    with suppress(BrokenPipeError):  # the node is gone: there is no next message
        os.write(sys.stdout.fileno(), framed(orjson.dumps(answer)))  # shorter than what a pipe takes at once


def main() -> None:
    """Serve the node that started this, until it ends. Signals that reach both are the node's to heed."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    gc.set_threshold(GARBAGE)
    kind, options = orjson.loads(_read())
    try:
        book: Book = BOOKS[kind](**options)
        _answer((DONE, ""))
        while _serve(book):
            pass
    except Exception as error:  # noqa: BLE001 (the node is told, and starts another)
        _answer((UNKNOWN, _in_a_line(error)[:MOST_SAID]))


def _serve(book: Book) -> bool:
    """Store a batch; whether there can be another."""
    until_s, numbers, ends = orjson.loads(_read())
    parts = [(number, _read()) for number in numbers]
    if not book.is_there():
        _answer((REFUSED, "the database is gone"))
        return False
    word, said = book.store(parts) if time.monotonic() < until_s else (REFUSED, "too late")
    _answer((word, said[:MOST_SAID]))
    return word != UNKNOWN and (word != DONE or book.afterwards(ends))


BOOKS = {"sqlite": SqliteBook, "postgresql": PostgresBook}

if __name__ == "__main__":
    main()
