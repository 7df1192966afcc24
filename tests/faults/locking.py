"""Holding the database's write lock from outside, so that a node's writer waits."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.running import until


@contextmanager
def write_lock(folder: Path) -> Iterator[None]:
    """Another connection is in a write transaction for the length of the block, and changes nothing."""
    with closing(sqlite3.connect(folder / "queue.db", isolation_level=None, timeout=0)) as outside:
        until(lambda: _begun(outside), "the write lock is free for a moment")
        try:
            yield
        finally:
            outside.execute("ROLLBACK")


def _begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True
