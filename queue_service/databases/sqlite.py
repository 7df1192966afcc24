"""SQLite: the file, its connections and its write-ahead log.

WAL, synchronous=FULL, every write transaction `BEGIN IMMEDIATE`: that is the lock, over all halls at once. Checkpoints
run off the commit path.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from queue_service.clock import Clock, SystemClock
from queue_service.databases.kinds import Failure, Heard
from queue_service.databases.statements import handed
from queue_service.errors import BadInput
from queue_service.scribe.program import start_log_over

PASSIVE_WAL_BYTES = 4 * 2**20
RESTART_WAL_BYTES = 64 * 2**20
BUSY_TIMEOUT_MS = 2_000


class SqliteFile:
    """One file."""

    def __init__(self, url: URL, synchronous: str) -> None:
        """`synchronous` is weakened only to prove that a test notices."""
        assert url.database, "looked at before"
        self.path = Path(url.database)
        self.place = str(self.path)
        self._url = url
        self._settings = [
            "PRAGMA journal_mode=WAL",
            f"PRAGMA synchronous={synchronous}",
            "PRAGMA foreign_keys=ON",
            "PRAGMA wal_autocheckpoint=0",
            "PRAGMA cache_size=-65536",
        ]
        self.writer = self._engine("BEGIN IMMEDIATE", poolclass=StaticPool)
        self.readers = self._engine("BEGIN", poolclass=QueuePool, pool_size=4, max_overflow=4)
        self._watch_lock = threading.Lock()
        self._watcher: Any = None

    def _engine(self, begin: str, **pool: Any) -> Engine:
        timeout_s = BUSY_TIMEOUT_MS / 1000
        arguments = {
            "check_same_thread": False,
            "isolation_level": None,
            "timeout": timeout_s,
            "cached_statements": 512,
        }
        engine = create_engine(self._url, connect_args=arguments, **pool)

        @event.listens_for(engine, "do_connect", once=True)
        def _make_room(*_: Any) -> None:
            self._make_folder()

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _: Any) -> None:
            for setting in self._settings:
                connection.execute(setting)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            handed(connection, begin)  # once a batch: SQLAlchemy's own way costs as much as a ticket

        return engine

    def _make_folder(self) -> None:
        """Not before something is opened: who only asks whether there is a database must leave nothing behind."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"There is no folder for the database {self.path}: {error.strerror}.") from error

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    def failure(self, error: Exception) -> Failure:
        """Locked, full, unreadable: it may be better later. SQLite has waited already where that may help."""
        return Failure.UNAVAILABLE if isinstance(error, OperationalError) else Failure.LASTING

    def scribe(self) -> tuple[str, dict[str, Any]]:
        """As the writer."""
        bounds = {"timeout_s": BUSY_TIMEOUT_MS / 1000, "log_bytes": RESTART_WAL_BYTES}
        return "sqlite", {"file": str(self.path), "settings": self._settings, **bounds}

    def unhurried(self, connection: Connection) -> None:
        """Nothing hurries a transaction here, and it is alone."""

    def clock(self) -> Clock:
        """The machine's."""
        return SystemClock()

    def set_clock(self, clock: Clock) -> None:
        """It is set already."""

    def changed(self) -> str:
        """data_version of a connection of its own: it counts what other connections commit."""
        with self._watch_lock:
            if self._watcher is None:
                pooled = self.readers.raw_connection()
                self._watcher = pooled.driver_connection
                pooled.detach()  # it stays ours: data_version counts per connection
            return str(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def notify(self, ends: Mapping[str, int]) -> None:
        """There is nobody to tell: who else uses the file polls it."""

    async def listen(self, heard: Heard) -> None:
        """Nobody says anything."""

    def wal_bytes(self) -> int:
        """How large the write-ahead log is."""
        try:
            return Path(f"{self.path}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def tidy(self) -> None:
        """Move the write-ahead log into the database without stopping anyone."""
        if self.wal_bytes() > PASSIVE_WAL_BYTES:
            with self.readers.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def tidy_between(self) -> None:
        """Let the write-ahead log start over when it grew too large.

        It waits for nobody: while a long read (verify, export) holds an old state, the log goes on growing.
        TRUNCATE is RESTART and a short file: the file of a log that only starts over stays as long as it was, and the
        writer would find it too large after every transaction from then on.
        """
        if self.wal_bytes() > RESTART_WAL_BYTES:
            with self.writer.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                start_log_over(connection.connection.driver_connection, BUSY_TIMEOUT_MS)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let go of every connection."""
        with self._watch_lock:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self.writer.dispose()
        self.readers.dispose()
