"""Good rows of every table, and writing them past all rules: what is refused then, the database refuses."""

from typing import Any

from sqlalchemy import Connection

GOOD: dict[str, dict[str, Any]] = {
    "hall": {"id": "hall", "name": "大厅", "last_seq": 2, "last_hash": "0" * 64, "day": "2026-03-02", "day_seq": 2},
    "event": {
        "hall": "hall", "seq": 1, "command_seq": 1, "at_ms": 1, "kind": "plan_changed", "version": 1, "actor": "me",
        "channel": "api", "data": "{}", "hash": "0" * 64,
    },
    "ticket": {
        "id": "hall.1", "hall": "hall", "day": "2026-03-02", "number": "A001", "service": "a", "priority": "normal",
        "channel": "kiosk", "language": None, "items": 1, "party": None, "ref": None, "state": "waiting",
        "counter": None, "issued_at_ms": 1, "period": "peak", "promise_ms": 600_000, "percentile": 90, "apart": None,
        "closed_at_ms": None, "last_seq": 3,
    },
    "leg": {
        "ticket": "hall.1", "leg": 1, "hall": "hall", "day": "2026-03-02", "service": "a", "priority": "normal",
        "waiting_since_ms": 1, "called_at_ms": None, "waited_ms": None, "counter": None, "clerk": None, "recalls": 0,
        "started_at_ms": None, "start_implied": 0, "ended_at_ms": None, "outcome": None,
    },
    "displaced": {
        "hall": "hall", "seq": 1, "hash": "0" * 64, "command_seq": 1, "at_ms": 1, "kind": "plan_changed", "version": 1,
        "actor": "me", "channel": "api", "data": "{}", "displaced_at_ms": 2,
    },
    "receipt": {
        "actor": "me", "hall": "hall", "key": "k", "method": "POST", "path": "/", "body_hash": "0" * 64, "status": 201,
        "headers": "{}", "body": "{}", "at_ms": 1,
    },
    "estimate_error": {
        "hall": "hall", "day": "2026-03-02", "service": "a", "basis": "learned", "scored": 9, "covered": 8,
        "error_ms": -5, "absolute_ms": 40, "last_seq": 3,
    },
}  # fmt: skip


def insert(connection: Connection, table: str, **changes: Any) -> None:
    """A good row, but for the changes."""
    row = {**GOOD[table], **changes}
    marks = ", ".join("?" * len(row))
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
