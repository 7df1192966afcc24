"""The database is locked by someone else for longer than the node waits: 503, reads go on, and a retry succeeds."""

from pathlib import Path

import pytest

from queue_service.clock import HandClock
from tests.faults.locking import write_lock
from tests.faults.proving import prove_all, verify
from tests.halls import plan
from tests.http.reading import log_of
from tests.http.shapes import check_problem
from tests.running import Inner, eventually, inner_node, running_node

EVENING_MS = 1_772_467_140_000
"""Monday 2026-03-02, 23:59 in Asia/Shanghai."""


def test_a_locked_database_is_503_and_a_retry_with_the_same_key_succeeds(tmp_path: Path) -> None:
    """While another program writes: commands are undecided, reads are answered; afterwards the retry makes one."""
    wish, key = {"service": "tax"}, {"Idempotency-Key": "once"}
    with running_node(tmp_path) as node, node.client() as client:
        client.put("/v1/halls/hall", json=plan())
        before = client.post("/v1/halls/hall/tickets", json=wish).json()
        with write_lock(tmp_path):
            locked = client.post("/v1/halls/hall/tickets", json=wish, headers=key)
            assert locked.status_code == 503
            check_problem(locked, "unavailable")
            assert locked.headers["retry-after"] == "1"
            assert client.get("/v1/halls/hall/board").status_code == 200
            passing = {"waited_s": 0, "seq": 0, "estimate": None}
            assert client.get(f"/v1/tickets/{before['id']}").json() | passing == before | passing
        answers = [client.post("/v1/halls/hall/tickets", json=wish, headers=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert [answer.json()["number"] for answer in answers] == ["A002", "A002"]
        assert client.get("/readyz").status_code == 200
        assert prove_all(tmp_path) == len(log_of(client, "hall"))
        assert "database-unavailable: database is locked" in node.log
        assert "Traceback" not in node.log
    verify(tmp_path)


def _days(inner: Inner) -> list[str]:
    rows = inner.service.database.read(
        lambda one: one.exec_driver_sql("SELECT day FROM hall WHERE id = 'hall'").fetchall()
    )
    return [row[0] for row in rows]


async def test_midnight_waits_for_a_locked_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A lock at midnight puts the new day off, says so in one line, and the day is opened once the lock is gone."""
    clock = HandClock(EVENING_MS)
    async with inner_node(tmp_path, clock) as inner:
        await inner.client.put("/v1/halls/hall", json=plan(time_zone="Asia/Shanghai"))
        with write_lock(tmp_path):
            clock.set_ms(EVENING_MS + 120_000)
            await eventually(lambda: "housekeeping-put-off" in caplog.text, "the log says that it is put off")
            assert _days(inner) == ["2026-03-02"]
        await eventually(lambda: _days(inner) == ["2026-03-03"], "the day is opened by itself")
    assert "Traceback" not in caplog.text
