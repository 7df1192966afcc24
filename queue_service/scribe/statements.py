"""What a batch has stored, statement by statement, in the words of either database.

First it asks: whether the logs still end where it was decided from, whether its halls are free, and whether none of its
keys was answered. On SQLite a question must find nothing; on PostgreSQL, where nobody waits to see what was found, one
that finds something fails, by a division by zero.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from queue_service import appending, receipts
from queue_service.databases.statements import NOBODY_IN_LINE, NOW_MS, marked, picked
from queue_service.near import Decided
from queue_service.scribe.program import Part

_POSITION = (("id", "text"), ("last_seq", "bigint"), ("last_hash", "text"))
_KEY = (("actor", "text"), ("hall", "text"), ("key", "text"))
_LEG = (("ticket", "text"), ("leg", "integer"))
_WRITTEN = (appending.EVENTS, appending.TICKETS, appending.LEGS, receipts.RECEIPTS, appending.HALLS)


def parts(decided: Decided[Any], until_ms: int | None) -> list[Part]:
    """A batch as numbered statements, and the rows of each as JSON. `until_ms`: not to be stored later, by the
    database's clock."""
    rows, work = decided.rows, decided.work
    given_rows = (
        [(hall, *end) for hall, end in work.stood_on.items()],
        work.unkept(decided.submissions),
        [] if until_ms is None else [(until_ms,)],
        rows.events,
        [(ticket,) for ticket in rows.moved],
        rows.tickets,
        rows.legs,
        rows.gone,
        rows.receipts,
        rows.halls,
    )
    return [(number, orjson.dumps(some)) for number, some in enumerate(given_rows) if some]


def statements(kind: str) -> list[str]:
    """What the numbers stand for."""
    return _sqlite() if kind == "sqlite" else [marked(statement) for statement in _postgresql()]


def _sqlite() -> list[str]:
    events, tickets, legs, answers, halls = (one.of_a_row for one in _WRITTEN)
    return [
        f"SELECT true WHERE NOT EXISTS (SELECT true FROM hall WHERE {_equal(_POSITION)})",  # noqa: S608 (our own names)
        f"SELECT true FROM receipt WHERE {_equal(_KEY)}",  # noqa: S608 (our own names)
        "SELECT false WHERE ? IS NULL",  # a file has no clock but the machine's, which the program has looked at
        events,
        "UPDATE ticket SET counter = NULL, state = 'waiting' WHERE id = ?",
        tickets,
        legs,
        f"DELETE FROM leg WHERE {_equal(_LEG)}",  # noqa: S608 (our own names)
        answers,
        halls,
    ]


def _equal(columns: Iterable[tuple[str, str]]) -> str:
    return " AND ".join(f"{name} = ?" for name, _ in columns)


def _postgresql() -> list[str]:
    events, tickets, legs, answers, halls = (one.of_given for one in _WRITTEN)
    return [
        _MINE,
        _unless(f"EXISTS (SELECT FROM (SELECT {picked(_KEY)}) AS given JOIN receipt USING (actor, hall, key))"),
        _unless(f"{NOW_MS} > (SELECT until_ms FROM (SELECT {picked([('until_ms', 'bigint')])}) AS given)"),  # noqa: S608
        events,
        f"UPDATE ticket SET counter = NULL, state = 'waiting' WHERE id IN (SELECT {picked([('id', 'text')])})",  # noqa: S608
        tickets,
        legs,
        f"DELETE FROM leg WHERE (ticket, leg) IN (SELECT {picked(_LEG)})",  # noqa: S608 (our own names)
        answers,
        halls,
    ]


def _unless(condition: str) -> str:
    return f"SELECT 1 / (NOT ({condition}))::integer"


_MINE = f"""WITH given AS MATERIALIZED (SELECT {picked(_POSITION)}),
    held AS MATERIALIZED (
        SELECT id FROM hall JOIN given USING (id, last_seq, last_hash) WHERE true {NOBODY_IN_LINE}
        ORDER BY id FOR UPDATE OF hall SKIP LOCKED
    )
    SELECT 1 / ((SELECT count(*) FROM held) = (SELECT count(*) FROM given))::integer"""  # noqa: S608 (our own names)
