"""What goes wrong between a node and its database, at the driver's own calls: every statement, and every COMMIT.

On PostgreSQL a connection that is cut is really cut, and its server process gone, before anything else happens. Errors
that only a broken disk or a busy server could cause are raised by the driver's cursor in the server's words.
"""

import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus
from sqlalchemy import Engine, event

from queue_service.database import Database
from queue_service.scribe.program import COMMIT, ROLLBACK, PostgresBook, SqliteBook

TERMINATED_MS = 20_000


class Killed(BaseException):
    """The node's process is gone: nothing of its code may run on."""


class Hazard(StrEnum):
    """What may go wrong."""

    UNAVAILABLE = "unavailable"
    """A statement fails; it may be better later."""
    LASTING = "lasting"
    """A statement fails for good."""
    PASSING = "passing"
    """The transaction is rolled back for the sake of others."""
    CUT = "cut"
    """The connection is lost at a statement."""
    KILLED = "killed"
    """The process dies at a statement."""
    LOST_BEFORE = "lost before"
    """COMMIT is not done, and there is no answer."""
    LOST_AFTER = "lost after"
    """COMMIT is done, and there is no answer."""
    KILLED_BEFORE = "killed before"
    """The process dies just before COMMIT."""
    KILLED_AFTER = "killed after"
    """The process dies just after COMMIT."""


AT_COMMIT = frozenset({Hazard.LOST_BEFORE, Hazard.LOST_AFTER, Hazard.KILLED_BEFORE, Hazard.KILLED_AFTER})
FATAL = frozenset({Hazard.KILLED, Hazard.KILLED_BEFORE, Hazard.KILLED_AFTER})

_SQLITE = {
    Hazard.UNAVAILABLE: (sqlite3.OperationalError, "disk I/O error", sqlite3.SQLITE_IOERR),
    Hazard.LASTING: (sqlite3.DatabaseError, "database disk image is malformed", sqlite3.SQLITE_CORRUPT),
    Hazard.PASSING: (sqlite3.OperationalError, "database is locked", sqlite3.SQLITE_BUSY),
    Hazard.CUT: (sqlite3.OperationalError, "unable to open database file", sqlite3.SQLITE_CANTOPEN),
}
_SQLSTATES = {Hazard.UNAVAILABLE: "53100", Hazard.LASTING: "XX001", Hazard.PASSING: "40001"}


class Hazards:
    """Of one node: what is to come, and what came."""

    def __init__(self) -> None:
        """Nothing is to come."""
        self.dead = False
        self.came: Counter[Hazard] = Counter()
        self.statements = 0
        self.connections: list[Any] = []
        self._hazard: Hazard | None = None
        self._after = 0
        self._times = 0

    def expect(self, hazard: Hazard, after: int, times: int) -> None:
        """After so many statements (or commits) more, so many times in a row."""
        self._hazard, self._after, self._times = hazard, after, times

    def forgive(self) -> None:
        """Nothing more is to come."""
        self._hazard = None

    def _comes(self, at_commit: bool) -> Hazard | None:
        hazard = self._hazard
        if self.dead:
            raise Killed
        if hazard is None or (hazard in AT_COMMIT) != at_commit:
            return None
        self._after -= 1
        if self._after >= 0:
            return None
        self._times -= 1
        if self._times <= 0:
            self._hazard = None
        self.came[hazard] += 1
        if hazard in FATAL and hazard != Hazard.KILLED_AFTER:
            self.dead = True
            raise Killed
        return hazard

    def at_statement(self, connection: Any) -> None:
        """A statement is about to be executed."""
        self.statements += 1
        hazard = self._comes(at_commit=False)
        if hazard is None:
            return
        if isinstance(connection, sqlite3.Connection):
            raise _sqlite_error(hazard)
        if hazard != Hazard.CUT:
            raise psycopg.errors.lookup(_SQLSTATES[hazard])(f"{hazard} by the simulation")
        cut(connection)  # the statement itself meets it

    def at_commit(self, commit: Callable[[Any], None], connection: Any) -> None:
        """COMMIT is about to be done by `commit`."""
        self.around_commit(lambda: commit(connection), connection.driver_connection)

    def around_commit(self, commit: Callable[[], Any], driver: Any) -> None:
        """Do what commits, unless that goes wrong."""
        hazard = self._comes(at_commit=True)
        if hazard == Hazard.LOST_BEFORE:
            _break(driver)
        commit()
        if hazard == Hazard.KILLED_AFTER:
            self.dead = True
            raise Killed
        if hazard == Hazard.LOST_AFTER:
            _break(driver)
            driver.execute("SELECT 1")

    def at_rollback(self, rollback: Callable[[Any], None], connection: Any) -> None:
        """A transaction is given up. A dead process does not even that; its memory is only cleared away."""
        if not self.dead:
            rollback(connection)

    def bury(self) -> None:
        """Take the connections of a dead process away, as its operating system does."""
        self.dead = True
        for connection in tuple(self.connections):
            if isinstance(connection, sqlite3.Connection):
                connection.close()
            elif not connection.closed:
                cut(connection)
                connection.close()
        self.connections.clear()


def _sqlite_error(hazard: Hazard) -> sqlite3.Error:
    kind, said, code = _SQLITE[hazard]
    error = kind(said)
    error.sqlite_errorcode = code
    return error


def _break(driver: Any) -> None:
    """Lose the connection, or what is like it on a database that has none."""
    if isinstance(driver, sqlite3.Connection):
        raise _sqlite_error(Hazard.UNAVAILABLE)
    cut(driver)


def cut(connection: "psycopg.Connection[Any]") -> None:
    """Cut it, and wait until the server has noticed and let go of its locks: schedules must not depend on when."""
    if connection.closed:
        return
    info, server_process = connection.info, connection.info.backend_pid
    with socket.socket(fileno=connection.fileno()) as line:
        line.shutdown(socket.SHUT_RDWR)
        line.detach()
    where = {"host": info.host, "port": info.port, "user": info.user, "dbname": info.dbname, "password": info.password}
    with psycopg.connect(**where, autocommit=True) as other:  # type: ignore[arg-type]
        other.execute("SELECT pg_terminate_backend(%s, %s)", (server_process, TERMINATED_MS))


class _SqliteConnection(sqlite3.Connection):
    """Whose cursors ask first."""

    hazards: Hazards

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_SqliteCursor)

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def close(self) -> None:
        if self in self.hazards.connections:
            self.hazards.connections.remove(self)
        super().close()


class _SqliteCursor(sqlite3.Cursor):
    def execute(self, *arguments: Any) -> "_SqliteCursor":
        statement = arguments[0]
        if statement == COMMIT:
            self._hazards.around_commit(lambda: super(_SqliteCursor, self).execute(*arguments), self.connection)
            return self
        if statement != ROLLBACK:
            self._hazards.at_statement(self.connection)
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> "_SqliteCursor":
        self._hazards.at_statement(self.connection)
        return super().executemany(*arguments)

    @property
    def _hazards(self) -> Hazards:
        assert isinstance(self.connection, _SqliteConnection), "no other makes such cursors"
        return self.connection.hazards


def beset(database: Database, hazards: Hazards) -> None:
    """From now on this database's connections meet the hazards."""
    for engine in (database.kind.writer, database.kind.readers):
        if engine.dialect.name == "sqlite":
            _beset_sqlite(engine, hazards)
        else:
            _beset_postgresql(engine, hazards)
        dialect: Any = engine.dialect
        dialect.do_commit = partial(hazards.at_commit, dialect.do_commit)
        dialect.do_rollback = partial(hazards.at_rollback, dialect.do_rollback)


def _beset_sqlite(engine: Engine, hazards: Hazards) -> None:
    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> sqlite3.Connection:
        made = sqlite3.connect(*arguments, **options, factory=_SqliteConnection)
        made.hazards = hazards
        hazards.connections.append(made)
        return made


def _beset_postgresql(engine: Engine, hazards: Hazards) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        _beset_connection(connection, hazards)


def _beset_connection(connection: "psycopg.Connection[Any]", hazards: Hazards) -> None:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            if arguments[0] == COMMIT:
                hazards.around_commit(lambda: self._executed(*arguments, **options), self.connection)
                return self
            if arguments[0] != ROLLBACK:
                hazards.at_statement(self.connection)
            return self._executed(*arguments, **options)

        def _executed(self, *arguments: Any, **options: Any) -> Any:
            """Where statements go off without waiting for answers, wait all the same: which one is the first that is
            not sent any more because an earlier one has failed would depend on how fast the server is."""
            if self.connection.pgconn.pipeline_status == PipelineStatus.OFF:
                return super().execute(*arguments, **options)
            with self.connection.pipeline():
                return super().execute(*arguments, **options)

    connection.cursor_factory = Cursor
    hazards.connections.append(connection)


def beset_book(book: SqliteBook | PostgresBook, options: Mapping[str, Any], hazards: Hazards) -> None:
    """The same for what the process beside a node stores in."""
    if isinstance(book, PostgresBook):
        _beset_connection(book._connection, hazards)
        return
    book._connection.close()
    made = sqlite3.connect(
        options["file"], isolation_level=None, timeout=options["timeout_s"], factory=_SqliteConnection
    )
    made.hazards = Hazards()
    for setting in options["settings"]:
        made.execute(setting)
    made.hazards = hazards
    hazards.connections.append(made)
    book._connection = made
