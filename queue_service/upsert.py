"""Multi-row INSERTs. What is written, and when, stands in `journal`."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table

from queue_service.database import straight

CHUNK_ROWS = 64


class Upsert:
    """A multi-row INSERT into one table, updating rows that are there where `update` says so."""

    def __init__(self, table: Table, update: bool) -> None:
        """Work out the statements once; there is one per number of rows, so that they stay prepared."""
        columns = [column.name for column in table.columns]
        keys = [column.name for column in table.primary_key.columns]
        row = "(" + ", ".join("?" * len(columns)) + ")"
        sets = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
        tail = f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}" if update else ""
        head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608 (our own names)
        self._statements = [head + ", ".join([row] * size) + tail for size in range(CHUNK_ROWS + 1)]

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows, in order."""
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = rows[start : start + CHUNK_ROWS]
            straight(connection, self._statements[len(chunk)], tuple(chain.from_iterable(chunk)))
