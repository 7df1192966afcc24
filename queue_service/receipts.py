"""Receipts: the answers that keyed commands got, so that a repeat gets the same one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, tuple_
from sqlalchemy.engine.interfaces import DBAPICursor

from models.tables import ReceiptRow
from queue_service.databases.statements import is_postgresql, picked, straight
from queue_service.upsert import Upsert, table_of

KEYS_AT_ONCE = 256
PURGED_ROWS = 1_000

RECEIPT = table_of(ReceiptRow)
RECEIPTS = Upsert(RECEIPT, update=False)

ReceiptKey = tuple[str, str, str]
"""actor, hall, key"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer a keyed command got. `headers` is a JSON object."""

    method: str
    path: str
    body_hash: str
    status: int
    headers: str
    body: str


def ask(connection: Connection, keys: Sequence[ReceiptKey]) -> list[DBAPICursor]:
    """Ask for the stored answers of these keys."""
    return [_ask(connection, keys[start : start + KEYS_AT_ONCE]) for start in range(0, len(keys), KEYS_AT_ONCE)]


def answers(asked: Sequence[DBAPICursor]) -> dict[ReceiptKey, Receipt]:
    """What was found; what was asked later counts."""
    return {(row[0], row[1], row[2]): Receipt(*row[3:]) for one in asked for row in one.fetchall()}


def _ask(connection: Connection, wanted: Sequence[ReceiptKey]) -> DBAPICursor:
    if is_postgresql(connection):
        return straight(connection, _OF_GIVEN, (orjson.dumps(wanted).decode(),))
    size = 1 << (len(wanted) - 1).bit_length()
    filled = [*wanted, *[wanted[-1]] * (size - len(wanted))]
    return straight(connection, _of_values(size), tuple(chain.from_iterable(filled)))


_COLUMNS = "r.actor, r.hall, r.key, r.method, r.path, r.body_hash, r.status, r.headers, r.body"
_JOIN = "JOIN receipt AS r ON r.actor = given.actor AND r.hall = given.hall AND r.key = given.key"
_KEYS = picked((name, "text") for name in ("actor", "hall", "key"))
_OF_GIVEN = f"SELECT {_COLUMNS} FROM (SELECT {_KEYS}) AS given {_JOIN}"  # noqa: S608 (our own names)


@lru_cache
def _of_values(size: int) -> str:
    """For so many keys: powers of two, so that few statements need to stay prepared."""
    marks = ", ".join(["(?, ?, ?)"] * size)
    # A join: `WHERE (actor, hall, key) IN (VALUES ...)` reads the whole table on SQLite.
    return f"WITH given (actor, hall, key) AS (VALUES {marks}) SELECT {_COLUMNS} FROM given {_JOIN}"  # noqa: S608


def store(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep new answers: rows of the table."""
    RECEIPTS.run(connection, rows)


def purge(connection: Connection, before_ms: int) -> int:
    """Forget receipts older than `before_ms`; how many: PURGED_ROWS where there may be more, since commands wait."""
    old = select(*RECEIPT.primary_key).where(RECEIPT.c.at_ms < before_ms).limit(PURGED_ROWS)
    return connection.execute(delete(RECEIPT).where(tuple_(*RECEIPT.primary_key).in_(old))).rowcount
