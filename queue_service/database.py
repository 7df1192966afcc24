"""The connections, and all that differs between databases. No statement about halls is here (see `journal`).

One connection writes (held by the engine's thread), a few read. SQLite: WAL, synchronous=FULL, every write
transaction `BEGIN IMMEDIATE`; checkpoints run off the commit path.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from queue_service.errors import BadInput

Result = TypeVar("Result")

PASSIVE_WAL_BYTES = 4 * 2**20
RESTART_WAL_BYTES = 64 * 2**20
BUSY_TIMEOUT_MS = 2_000


def straight(connection: Connection, statement: str, values: Sequence[Any] = ()) -> DBAPICursor:
    """Hand a statement of the commit path to the driver as it is. SQLAlchemy's own way costs more than SQLite needs
    for it. Errors are SQLAlchemy's all the same."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, Exception, dialect=connection.dialect) from error
    return cursor


class Database:
    """One database: `write()` for the engine's thread alone, `read()` from any thread."""

    def __init__(self, url: str, synchronous: str = "FULL") -> None:
        """`url` is `sqlite:///path`. `synchronous` is weakened only to prove that a test notices."""
        self.url = make_url(url)
        if self.url.get_backend_name() != "sqlite" or not self.url.database or self.url.database == ":memory:":
            raise BadInput(f"QUEUE_DATABASE_URL must be sqlite:///FILE, not {self.url.render_as_string()!r}.")
        self.path = Path(self.url.database)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"There is no folder for the database {self.path}: {error.strerror}.") from error
        self._writer = self._engine("BEGIN IMMEDIATE", synchronous, poolclass=StaticPool)
        self._readers = self._engine("BEGIN", synchronous, poolclass=QueuePool, pool_size=4, max_overflow=4)
        self._watch_lock = threading.Lock()
        self._watcher: Any = None

    def _engine(self, begin: str, synchronous: str, **pool: Any) -> Engine:
        timeout_s = BUSY_TIMEOUT_MS / 1000
        arguments = {
            "check_same_thread": False,
            "isolation_level": None,
            "timeout": timeout_s,
            "cached_statements": 512,
        }
        engine = create_engine(self.url, connect_args=arguments, **pool)

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA cache_size=-65536")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: commits at the end, rolls back on any error. One thread at a time."""
        with self._writer.begin() as connection:
            yield connection

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a read transaction: it sees one committed state."""
        with self._readers.connect() as connection:
            return work(connection)

    def changed(self) -> int:
        """A number that changes whenever anyone commits (SQLite: data_version of a connection of its own)."""
        with self._watch_lock:
            if self._watcher is None:
                pooled = self._readers.raw_connection()
                self._watcher = pooled.driver_connection
                pooled.detach()  # it stays ours: data_version counts per connection
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def wal_bytes(self) -> int:
        """How large the write-ahead log is."""
        try:
            return Path(f"{self.path}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database without stopping anyone; called off the commit path."""
        if self.wal_bytes() > PASSIVE_WAL_BYTES:
            with self._readers.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def restart_log(self) -> None:
        """Let the write-ahead log start over; called by the writer between transactions when it grew too large.

        It waits for nobody: while a long read (verify, export) holds an old state, the log goes on growing.
        TRUNCATE is RESTART and a short file: the file of a log that only starts over stays as long as it was, and the
        writer would find it too large after every transaction from then on.
        """
        if self.wal_bytes() > RESTART_WAL_BYTES:
            with self._writer.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
                try:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def close(self) -> None:
        """Let go of every connection."""
        with self._watch_lock:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._writer.dispose()
        self._readers.dispose()

    @property
    def engine(self) -> Engine:
        """For migrations."""
        return self._writer
