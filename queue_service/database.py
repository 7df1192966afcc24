"""One database: `write()` for one thread at a time, `read()` from any thread. No statement about halls is here (see
`journal`), and what differs between kinds of databases is in `queue_service.databases`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from queue_service.clock import Clock
from queue_service.databases.backup import Progress, copy_into
from queue_service.databases.kinds import Failure, Heard, Kind
from queue_service.databases.sqlite import SqliteFile
from queue_service.errors import BadInput

Result = TypeVar("Result")

POSTGRESQL_URLS = ("postgresql://", "postgres://")
SHAPES = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


class Database:
    """One database of either kind."""

    def __init__(self, url: str, synchronous: str = "FULL") -> None:
        """`url` is `sqlite:///path` or `postgresql://…` as libpq knows it, several hosts included. `synchronous` (of
        SQLite) is weakened only to prove that a test notices."""
        self.url = url
        self.kind = _kind(url, synchronous)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.kind.place

    @property
    def path(self) -> Path:
        """SQLite's file."""
        assert isinstance(self.kind, SqliteFile), "other databases are no file"
        return self.kind.path

    @property
    def engine(self) -> Engine:
        """For migrations."""
        return self.kind.writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: commits at the end, rolls back on any error."""
        with self.kind.writer.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write_unhurried(self) -> Iterator[Connection]:
        """The same for what may take long and is done by one at a time: a migration, a restored log."""
        with self.write() as connection:
            self.kind.unhurried(connection)
            yield connection

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a read transaction: it sees one committed state."""
        with self.kind.readers.connect() as connection:
            return work(connection)

    def copy_into(self, target: Path, progress: Progress) -> None:
        """Copy SQLite's file, as of one moment, while others write. A server has better tools of its own."""
        if not isinstance(self.kind, SqliteFile):
            raise BadInput(
                f"{self.place} is PostgreSQL's to back up: `pg_dump --format=custom` for a copy as of now, "
                "`pg_basebackup` with WAL archiving for any moment; then `queue-service verify` on what was restored."
            )
        self.read(lambda connection: copy_into(connection, target, progress))

    def exists(self) -> bool:
        """Whether there is something to read, as far as can be told without asking what it is."""
        return self.kind.exists()

    def failure(self, error: Exception) -> Failure:
        """What an error of a statement means for its transaction."""
        return self.kind.failure(error)

    def clock(self) -> Clock:
        """The clock that events are dated by; `set_clock` sets it."""
        return self.kind.clock()

    def set_clock(self, clock: Clock) -> None:
        """Set it, where it is not this machine's own."""
        self.kind.set_clock(clock)

    def changed(self) -> str:
        """A word that changes whenever anyone commits."""
        return self.kind.changed()

    def notify(self, ends: Mapping[str, int]) -> None:
        """Tell other nodes where the logs of some halls end now: a hint, which may be lost."""
        if ends:
            self.kind.notify(ends)

    async def listen(self, heard: Heard) -> None:
        """Be told by other nodes where logs end now, until cancelled. Ends at once where nobody would say anything."""
        await self.kind.listen(heard)

    def checkpoint(self) -> None:
        """Upkeep off the commit path."""
        self.kind.tidy()

    def restart_log(self) -> None:
        """Upkeep by the writer, between transactions."""
        self.kind.tidy_between()

    def wal_bytes(self) -> int:
        """How large SQLite's write-ahead log is."""
        assert isinstance(self.kind, SqliteFile), "other databases look after theirs"
        return self.kind.wal_bytes()

    def close(self) -> None:
        """Let go of every connection."""
        self.kind.close()


def _kind(url: str, synchronous: str) -> Kind:
    if url.startswith(POSTGRESQL_URLS):
        # its driver is loaded only where it is used
        from queue_service.databases.postgresql import PostgresServer  # noqa: PLC0415

        return PostgresServer(url)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(f"{url!r} is no database URL: write it as {SHAPES}.") from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BadInput(f"QUEUE_DATABASE_URL must be {SHAPES}, not {parsed.render_as_string()!r}.")
    return SqliteFile(parsed, synchronous)
