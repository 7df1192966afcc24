"""The command line on PostgreSQL: the same commands, and a log that goes from one kind of database to the other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from api.cli.plans import apply_plan
from models.plan import PlanDocument
from queue_service import journal
from queue_service.database import Database
from tests.cli.conftest import SAMPLE, Command
from tests.databases import new_postgres_url
from tests.halls import plan
from tests.running import ROOT, WAIT_S

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
