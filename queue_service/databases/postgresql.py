"""PostgreSQL: connections, their bounds, and what its errors mean.

The writer's transactions are READ COMMITTED: what others committed is seen by the next statement, so missing events
are read after the lock. Its bounds let a stuck node hold others up for seconds, not for ever. Reads are REPEATABLE
READ: one committed state each, as on SQLite.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import QueuePool

from queue_service.clock import Clock, DatabaseClock
from queue_service.databases.kinds import Failure, Heard
from queue_service.databases.listening import listen
from queue_service.databases.opened import Opened
from queue_service.databases.statements import marked, now_ms, straight
from queue_service.errors import BadInput

LOG = logging.getLogger("queue_service.databases")

OLDEST = 17
"""The first version with `transaction_timeout`."""

DEFAULTS = {
    "application_name": "queue-service",
    "client_encoding": "UTF8",
    "target_session_attrs": "read-write",  # of several hosts the one that is the primary now
    "connect_timeout": "3",
    # a server that is cut off is noticed within seconds; a display must not look alive meanwhile
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "6000",
}
"""What a URL that does not say otherwise gets."""

WRITER = {
    "idle_in_transaction_session_timeout": "2s",
    "transaction_timeout": "5s",
    # Every statement of the commit path looks rows up by their keys. Planned once on tables that are still empty, it
    # would read them whole ever after.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
READER = {
    "default_transaction_read_only": "on",
    "lock_timeout": "3s",  # a report may take long; but whatever locks a table whole, nobody should hang on it
    "jit": "off",
}

CHANNEL = "queue_service"
PAYLOAD_HALLS = 100
"""So many halls and where their logs end stay far below the 8,000 bytes that a notification may have."""
ALONE_WITH_SCHEMA = 7_164_001
"""Key of the advisory lock of migrations and restores."""

_PASSING = ("40", "55P03")  # rolled back for the sake of others; a lock not given in time
_UNAVAILABLE = ("08", "25", "53", "55", "57", "58")
"""Classes of SQLSTATE: connections, a server that only reads, resources, states, an operator, the system below."""


class PostgresServer:
    """One database of a server, or of the servers of a cluster."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet."""
        try:
            self.conninfo = {**DEFAULTS, **conninfo_to_dict(url)}
        except psycopg.ProgrammingError as error:
            raise BadInput(f"QUEUE_DATABASE_URL is no URL of PostgreSQL: {_in_a_line(error)}.") from error
        self.place = _place(self.conninfo)
        self._opened = Opened()
        self.writer = self._engine("READ COMMITTED", WRITER, pool_size=2, max_overflow=1)
        event.listen(self.writer, "checkout", lambda connection, *_: self._opened.lend(connection))
        event.listen(self.writer, "checkin", lambda connection, *_: self._opened.give_back(connection))
        self._telling = self.writer.execution_options(isolation_level="AUTOCOMMIT")
        self.readers = self._engine("REPEATABLE READ", READER, pool_size=4, max_overflow=6, pool_pre_ping=True)

    def _engine(self, isolation_level: Any, settings: dict[str, str], **pool: Any) -> Engine:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=partial(self._connect, settings),
            isolation_level=isolation_level,
            use_native_hstore=False,
            poolclass=QueuePool,
            pool_timeout=10,
            **pool,
        )

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def _mark(
            _connection: Any, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool
        ) -> tuple[str, Any]:
            plain = context is not None and context.compiled is None
            return marked(statement) if plain else statement, parameters

        return engine

    def _connect(self, settings: dict[str, str]) -> "psycopg.Connection[Any]":
        connection = psycopg.connect(**self.conninfo, autocommit=True, prepare_threshold=0)  # type: ignore[arg-type]
        self._opened.add(connection)
        try:
            self._check(connection)
            given = sql.SQL("; ").join(
                sql.SQL("SET {} = {}").format(sql.Identifier(name), value) for name, value in settings.items()
            )
            connection.execute(given, prepare=False)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: "psycopg.Connection[Any]") -> None:
        if connection.info.server_version < OLDEST * 10_000:
            raise BadInput(f"{self.place} is older than PostgreSQL {OLDEST}.")

    def exists(self) -> bool:
        """A URL alone does not tell; connecting will."""
        return True

    def failure(self, error: Exception) -> Failure:
        """By the connection's state, then by the SQLSTATE."""
        if isinstance(error, NoConnection | InterfaceError):
            return Failure.UNAVAILABLE
        if not isinstance(error, DBAPIError):
            return Failure.LASTING
        if error.connection_invalidated:
            return Failure.PASSING
        state = getattr(error.orig, "sqlstate", None)
        if state is None:  # there was no server to give one
            return Failure.UNAVAILABLE if isinstance(error.orig, psycopg.OperationalError) else Failure.LASTING
        if state.startswith(_PASSING):
            return Failure.PASSING
        return Failure.UNAVAILABLE if state.startswith(_UNAVAILABLE) else Failure.LASTING

    def scribe(self) -> tuple[str, dict[str, Any]]:
        """As the writer."""
        named = {**self.conninfo, "application_name": f"{self.conninfo['application_name']} scribe"}
        return "postgresql", {"conninfo": named, "settings": WRITER, "channel": CHANNEL, "most": PAYLOAD_HALLS}

    def unhurried(self, connection: Connection) -> None:
        """Without the writer's bounds; of several that do this, one after the other."""
        self._opened.give_back(connection.connection.driver_connection)
        connection.exec_driver_sql("SET LOCAL transaction_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (ALONE_WITH_SCHEMA,))

    def clock(self) -> Clock:
        """The database's: of several nodes one may be off."""
        return DatabaseClock()

    def set_clock(self, clock: Clock) -> None:
        """Ask the database; a clock set by hand or running fast is left alone."""
        if isinstance(clock, DatabaseClock):
            with self.readers.connect() as connection:
                clock.tell(now_ms(connection) or 0)

    def changed(self) -> str:
        """Where the server's write-ahead log ends, and since when it runs: another one that took over may end there
        too, with another log."""
        with self.readers.connect() as connection:
            asked = "SELECT pg_current_wal_insert_lsn(), pg_postmaster_start_time()"
            return " ".join(map(str, connection.exec_driver_sql(asked).one()))

    def notify(self, ends: Mapping[str, int]) -> None:
        """By a statement of its own, after the commit: NOTIFY within a transaction makes the commits of the whole
        server wait for one another. What is lost by that, the poll finds."""
        halls = list(ends.items())
        try:
            with self._telling.connect() as connection:
                for start in range(0, len(halls), PAYLOAD_HALLS):
                    payload = orjson.dumps(dict(halls[start : start + PAYLOAD_HALLS])).decode()
                    straight(connection, "SELECT pg_notify(?, ?)", (CHANNEL, payload))
        except SQLAlchemyError as error:
            LOG.debug("not-told: %s", getattr(error, "orig", error))

    async def listen(self, heard: Heard) -> None:
        """LISTEN on a connection of its own, made again whenever it is lost."""
        await listen(self.conninfo, CHANNEL, heard, self._opened)

    def tidy(self) -> None:
        """The server does that by itself."""

    def tidy_between(self) -> None:
        """The server does that by itself."""

    def close(self) -> None:
        """Let go of every connection, those included on which somebody still waits."""
        self._opened.cut()
        self.writer.dispose()
        self.readers.dispose()


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _place(conninfo: dict[str, Any]) -> str:
    hosts = conninfo.get("host") or conninfo.get("hostaddr") or "localhost"
    return f"the database {conninfo.get('dbname') or conninfo.get('user') or 'of the user'} at {hosts}"
