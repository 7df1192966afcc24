"""The write-ahead log: it does not grow without end, whoever reads meanwhile; and who else commits is noticed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from queue_service.database import Database
from queue_service.databases import sqlite as sqlite_module
from queue_service.databases.statements import straight
from tests.databases import Kind
from tests.storage.rows import insert

LIMIT_BYTES = 2**20
COMMIT_BYTES = 30_000
"""About what one commit of these tests adds to the log."""


@pytest.fixture
def kind() -> Kind:
    """Only SQLite has such a log of its own."""
    return Kind.SQLITE


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a gigabyte's work, at a sixty-fourth of their size."""
    monkeypatch.setattr(sqlite_module, "RESTART_WAL_BYTES", LIMIT_BYTES)
    monkeypatch.setattr(sqlite_module, "PASSIVE_WAL_BYTES", LIMIT_BYTES // 16)


class Load:
    """Commits as the engine's writer does: after each, the log may start over."""

    def __init__(self, database: Database) -> None:
        """`sizes`: how large the log was before each chance to start over."""
        self.database = database
        self.sizes: list[int] = []
        self.restarts = 0

    def commit(self, times: int) -> None:
        """Some transactions of a few pages each."""
        for _ in range(times):
            with self.database.write() as connection:
                insert(connection, "event", seq=len(self.sizes) + 1, data="x" * COMMIT_BYTES)
            before = self.database.wal_bytes()
            self.sizes.append(before)
            self.database.restart_log()
            self.restarts += self.database.wal_bytes() < before


@contextmanager
def long_read(database: Database) -> Iterator[None]:
    """Somebody reads an old state for as long as the block lasts (verify, export)."""
    begun, over = threading.Event(), threading.Event()

    def read() -> None:
        def hold(connection: object) -> None:
            straight(connection, "SELECT count(*) FROM event").fetchall()  # type: ignore[arg-type]
            begun.set()
            over.wait(60)

        database.read(hold)

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_the_log_starts_over_when_it_is_too_large(database: Database) -> None:
    """Under load it never passes its limit by more than a commit, and starting over is rare."""
    load = Load(database)
    load.commit(200)
    assert max(load.sizes) < LIMIT_BYTES + 4 * COMMIT_BYTES
    assert 3 <= load.restarts <= 200 * 2 * COMMIT_BYTES / LIMIT_BYTES


def test_a_long_read_only_puts_it_off(database: Database) -> None:
    """While somebody holds an old state nobody waits and the log grows; the first commit after it starts it over."""
    load = Load(database)
    load.commit(5)
    with long_read(database):
        load.commit(60)
        grown = database.wal_bytes()
    assert grown > LIMIT_BYTES
    assert load.restarts == 0
    load.commit(1)
    assert database.wal_bytes() == 0
    load.commit(100)
    assert max(load.sizes[-100:]) < LIMIT_BYTES + 4 * COMMIT_BYTES


def test_readers_that_come_and_go_do_not_keep_it_growing(database: Database) -> None:
    """Short reads during all of the load: passive checkpoints alone would never let the log start over."""
    load, stop, seen = Load(database), threading.Event(), []

    def read_on() -> None:
        while not stop.is_set():
            seen.append(database.read(lambda one: one.exec_driver_sql("SELECT max(seq) FROM event").scalar_one()))
            database.checkpoint()

    thread = threading.Thread(target=read_on)
    thread.start()
    load.commit(200)
    stop.set()
    thread.join()
    assert database.wal_bytes() < 10 * LIMIT_BYTES
    assert load.restarts > 0
    assert seen[-1] > 0


def test_a_checkpoint_moves_the_log_into_the_file(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off the commit path a passive checkpoint brings the file up to date; below its limit it does nothing."""
    Load(database).commit(10)
    size = database.path.stat().st_size
    monkeypatch.setattr(sqlite_module, "PASSIVE_WAL_BYTES", LIMIT_BYTES)
    database.checkpoint()
    assert database.path.stat().st_size == size
    monkeypatch.setattr(sqlite_module, "PASSIVE_WAL_BYTES", LIMIT_BYTES // 16)
    database.checkpoint()
    assert database.path.stat().st_size >= size + 10 * COMMIT_BYTES


def test_a_commit_of_another_process_is_noticed(database: Database) -> None:
    """`changed` is another number after anyone's commit, and the same as long as nobody commits."""
    first = database.changed()
    assert database.changed() == first
    with database.write() as connection:
        insert(connection, "hall")
    mine = database.changed()
    assert mine != first
    script = f"""if True:
        from queue_service.database import Database
        from tests.storage.rows import insert
        database = Database("sqlite:///{database.path}")
        with database.write() as connection:
            insert(connection, "hall", id="far")
        database.close()
    """
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2], timeout=60)
    theirs = database.changed()
    assert theirs != mine
    assert database.changed() == theirs
