"""Damage done to a copy of a database by raw SQL, past every constraint, and logs forged so that their hashes hold."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from queue_service.codec import chain_row

Row = dict[str, Any]


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as sqlite3 opens it, without the checks that the schema asks for; what was done is committed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.row_factory = sqlite3.Row
        yield connection
        connection.commit()


def one(path: Path, statement: str, *values: Any) -> Any:
    """The first value of the first row."""
    with raw(path) as connection:
        return connection.execute(statement, values).fetchone()[0]


def do(path: Path, statement: str, *values: Any) -> None:
    """Change exactly one row."""
    with raw(path) as connection:
        assert connection.execute(statement, values).rowcount == 1


def other(value: Any, kind: str) -> Any:
    """A value that is not that value, of the column's kind."""
    if "INT" in kind:
        return 1 if value is None else value + 1
    return "x" if value is None else f"x{value}"[: max(1, len(value))]


def columns(table: str, path: Path) -> dict[str, str]:
    """A table's columns with their types."""
    with raw(path) as connection:
        return {row["name"]: row["type"] for row in connection.execute(f"PRAGMA table_info({table})")}


def forge(path: Path, seq: int, change: Callable[[Row, Row], None]) -> None:
    """Change an event (its row, its data) and make every hash from there on right again, the hall's row included."""
    with raw(path) as connection:
        head = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq - 1,)).fetchone()[0] if seq > 1 else ""
        for stored in connection.execute("SELECT * FROM event WHERE seq >= ? ORDER BY seq", (seq,)).fetchall():
            row = dict(stored)
            if row["seq"] == seq:
                data = orjson.loads(row["data"])
                change(row, data)
                row["data"] = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
            row["hash"] = head = _hash(head, row)
            names = ", ".join(f"{name} = :{name}" for name in row)
            connection.execute(f"UPDATE event SET {names} WHERE hall = :hall AND seq = :seq", row)  # noqa: S608
        connection.execute("UPDATE hall SET last_hash = ?", (head,))


def _hash(head: str, row: Row) -> str:
    return chain_row(
        head, row["hall"], row["seq"], row["command_seq"], row["at_ms"], row["actor"], row["channel"], row["kind"],
        row["version"], row["data"].encode(),
    )  # fmt: skip
