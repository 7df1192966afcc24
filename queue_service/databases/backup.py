"""A copy of an SQLite file as of one moment, while others go on writing to it: SQLite's online backup.

A read transaction is held meanwhile. So the copy never has to start over because somebody wrote, and what is committed
later is not in it; nobody waits for it. The write-ahead log cannot start over until it is done.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from queue_service.errors import BadInput

STEP_PAGES = 2_000

Progress = Callable[[int, int], None]
"""Told how many pages are left, and of how many."""


def copy_into(connection: Connection, target: Path, progress: Progress) -> None:
    """Copy the database of an open SQLite connection into a file that is not there yet, and have SQLite check the copy.
    It is not on disk for certain before `settle`."""
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # from here on it sees one state
    source: Any = connection.connection.driver_connection
    try:
        with closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous=OFF")  # `settle` waits for the disk, once
            copy.execute("PRAGMA journal_mode=OFF")
            source.backup(copy, pages=STEP_PAGES, progress=lambda _, left, total: progress(left, total))
            found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        raise BadInput(f"{target} cannot be written: {error}.") from error
    if found != ["ok"]:
        raise BadInput(f"The copy is damaged, and so is the database or the disk: {'; '.join(found)}.")


def settle(part: Path, target: Path) -> None:
    """Bring a finished file to the disk, and give it its name; a file of that name is not overwritten."""
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    refuse_to_overwrite(target)
    part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_to_overwrite(target: Path) -> None:
    """BadInput where there is a file of that name, or no folder for one."""
    if target.exists():
        raise BadInput(f"{target} is there already: name a file that is not.")
    if not target.parent.is_dir():
        raise BadInput(f"{target}: there is no folder {target.parent}.")
