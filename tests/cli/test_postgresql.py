"""The command line on PostgreSQL: the same commands, and a log that goes from one kind of database to the other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import psycopg
import pytest

from api.cli.plans import apply_plan
from models.plan import PlanDocument
from queue_service import journal
from queue_service.database import Database
from tests.cli.conftest import SAMPLE, Command
from tests.databases import new_postgres_url
from tests.faults.proving import verify
from tests.halls import plan
from tests.running import ROOT, WAIT_S, assigned, command_line, database_url, running_node
from tests.stream.sockets import hall_socket

PLAN = ROOT / "deploy" / "halls" / "fengxian.toml"


@pytest.fixture
def server_url() -> str:
    """An empty database of a server."""
    return new_postgres_url(migrated=False)


def test_a_log_moves_to_postgresql_and_back_unchanged(
    queue_service: Command, loaded: Path, server_url: str, tmp_path: Path
) -> None:
    """Exported from SQLite, imported, verified, exported again: the same bytes, and a report as before."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    origin = f"sqlite:///{loaded}"
    assert queue_service("export", "-o", first, "--database-url", origin).code == 0
    assert queue_service("import", first, "--database-url", server_url).code == 0
    proved = queue_service("verify", "--database-url", server_url)
    assert proved.code == 0, proved.err
    assert proved.out == queue_service("verify", "--database-url", origin).out
    assert queue_service("export", "-o", second, "--database-url", server_url).code == 0
    assert second.read_bytes() == first.read_bytes()
    twice = queue_service("import", first, "--database-url", server_url)
    assert (twice.code, "exists already" in twice.err) == (2, True)


def test_a_hall_that_moved_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    """A served hall moves from SQLite to PostgreSQL: the same events, heads, tickets and legs; the next number follows;
    a display is sent what it missed. Only receipts stay behind: a repeated issue is a second ticket, a repeated command
    of a ticket is refused by its state."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    assigned(new, new_postgres_url(migrated=False))
    key = {"Idempotency-Key": "lost-answer"}
    with running_node(old) as node, node.client() as client:
        assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        ticket = client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers=key).json()
        client.post("/v1/halls/hall/counters/1/open", json={"clerk": "li"})
        client.post("/v1/halls/hall/counters/1/call-next")
        started = client.post(f"/v1/tickets/{ticket['id']}/start", headers={"Idempotency-Key": "start"}).json()
        before = shown(client)
    log = tmp_path / "log.jsonl.gz"
    for command in (("export", "-o", str(log)), ("import", str(log))):
        done = command_line(*command, "--database-url", database_url(old if command[0] == "export" else new))
        assert done.returncode == 0, done.stderr
    verify(old)
    verify(new)
    with running_node(new) as node, node.client() as client:
        assert shown(client) == before
        again = client.post(f"/v1/tickets/{ticket['id']}/start", headers={"Idempotency-Key": "start"})
        assert (again.status_code, again.json()["state"]) == (409, "serving")
        repeated = client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers=key).json()
        assert (repeated["number"], repeated["seq"]) == ("A002", started["seq"] + 1)
        missed = asyncio.run(first_frame(node.base_url, after=started["seq"], head=before[-2]))
        assert (missed["type"], missed["number"]) == ("event", "A002")
    verify(new)


async def first_frame(base_url: str, **place: Any) -> dict[str, Any]:
    """What a display that comes back is told first."""
    async with hall_socket(base_url, **place) as socket:
        frame: dict[str, Any] = await socket.frame()
        return frame


def shown(client: httpx.Client) -> list[object]:
    """All that a node shows of its hall: the log, tickets and legs, the board."""
    tickets = client.get("/v1/halls/hall/tickets").json()["items"]
    legs = [client.get(f"/v1/tickets/{one['id']}/legs").json() for one in tickets]
    board = client.get("/v1/halls/hall/board").json()
    return [client.get("/v1/halls/hall/events").json(), tickets, legs, board["head"], board["board"]]


def test_a_changed_row_is_named(queue_service: Command, loaded: Path, server_url: str, tmp_path: Path) -> None:
    """`verify` finds on PostgreSQL what it finds on SQLite."""
    log = tmp_path / "log.jsonl"
    queue_service("export", "-o", log, "--database-url", f"sqlite:///{loaded}")
    queue_service("import", log, "--database-url", server_url)
    with psycopg.connect(server_url) as connection:
        connection.execute("UPDATE event SET data = replace(data, 'A001', 'A002') WHERE kind = 'ticket_issued'")
    found = queue_service("verify", "--database-url", server_url)
    assert found.code == 1
    assert "hash: expected" in found.err


def test_history_plans_and_reports(queue_service: Command, server_url: str) -> None:
    """A plan is applied, recorded history imported and reported; migrating has nothing to do."""
    assert "created" in queue_service("apply", PLAN, "--database-url", server_url).out
    assert "unchanged" in queue_service("apply", PLAN, "--database-url", server_url).out
    assert "nothing to do" in queue_service("migrate", "--database-url", server_url).out
    imported = queue_service("import", SAMPLE, "--zone", "Asia/Shanghai", "--database-url", server_url)
    assert imported.code == 0, imported.err
    hall = imported.out.partition(":")[0]
    report = queue_service("report", hall, "--day", "2026-03-02", "--json", "--database-url", server_url)
    assert report.code == 0, report.err
    assert queue_service("verify", "--database-url", server_url).code == 0


def test_processes_that_start_together_make_a_hall_once() -> None:
    """Nodes are told to make the halls that are new, and several start at once: one makes each, the others keep it."""
    url, size = new_postgres_url(), 4
    databases, together = [Database(url) for _ in range(size)], Barrier(size)

    def start(database: Database, document: PlanDocument) -> str:
        database.read(journal.all_positions)
        together.wait(WAIT_S)
        return apply_plan(database, document, only_new=True)

    with ThreadPoolExecutor(size) as pool:
        for number in range(25):
            document = PlanDocument.model_validate(plan(f"hall-{number}"))
            assert sorted(pool.map(start, databases, [document] * size)) == ["created", *["kept"] * (size - 1)]
    for database in databases:
        database.close()


def test_an_empty_database_of_a_server_has_nothing_to_verify(queue_service: Command, server_url: str) -> None:
    """It is said so, and it stays empty."""
    done = queue_service("verify", "--database-url", server_url)
    assert (done.code, "There is no database at the database" in done.err) == (2, True)
    database = Database(server_url)
    with database.kind.readers.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").scalar() == 0
    database.close()


def test_no_server_is_one_clear_line(queue_service: Command) -> None:
    """Whose server is down reads one line: where it was looked for, and not the password."""
    done = queue_service("verify", "--database-url", "postgresql://me:not-to-be-shown@127.0.0.1:9/queue")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "127.0.0.1" in done.err
    assert "not-to-be-shown" not in done.err
