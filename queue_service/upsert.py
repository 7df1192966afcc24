"""Many rows written by one statement. What is written, and when, stands in `journal`."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Table
from sqlmodel import SQLModel

from queue_service.databases.statements import given, is_postgresql, straight

CHUNK_ROWS = 64
GIVEN_ROWS = 2_000


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def names(table: Table) -> str:
    """The columns of a table, as a list in SQL."""
    return ", ".join(column.name for column in table.columns)


def conflict(table: Table) -> str:
    """What makes an INSERT update the rows that are there."""
    keys = [column.name for column in table.primary_key.columns]
    sets = ", ".join(f"{column.name} = excluded.{column.name}" for column in table.columns if column.name not in keys)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"


class Upsert:
    """An INSERT of many rows into one table, updating rows that are there where `update` says so. `of_a_row`: SQLite's
    statement for one; `of_given`: PostgreSQL's for all."""

    def __init__(self, table: Table, update: bool) -> None:
        """Work out the statements once; on SQLite there is one per number of rows, so that they stay prepared."""
        row = "(" + ", ".join("?" * len(table.columns)) + ")"
        tail = conflict(table) if update else ""
        head = f"INSERT INTO {table.name} ({names(table)}) "
        self._statements = [f"{head}VALUES {', '.join([row] * size)}{tail}" for size in range(CHUNK_ROWS + 1)]
        self.of_a_row = self._statements[1]
        self.of_given = f"{head}SELECT * FROM {given(table)}{tail}"  # noqa: S608 (our own names)

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows, in order."""
        size = GIVEN_ROWS if is_postgresql(connection) else CHUNK_ROWS
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            if is_postgresql(connection):
                straight(connection, self.of_given, (orjson.dumps(chunk).decode(),))
            else:
                straight(connection, self._statements[len(chunk)], tuple(chain.from_iterable(chunk)))
