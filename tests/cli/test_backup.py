"""`backup`: a copy of a database that is being served, with all that was acknowledged before it began."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from queue_service import schema
from tests.cli.conftest import Command
from tests.cli.corruption import do, one
from tests.databases import new_postgres_url
from tests.halls import plan
from tests.running import WAIT_S, Node, command_line, running_node, until

VISITORS = 3
SOME = 150


class Visitors:
    """Visitors who take tickets by key, one after the other; `numbers` by key, as answered."""

    def __init__(self, node: Node) -> None:
        """They wait until `taking`."""
        self._node = node
        self._keys = count()
        self._enough = threading.Event()
        self.numbers: dict[str, str] = {}

    def _take(self) -> None:
        with self._node.client() as client:
            while not self._enough.is_set():
                key = f"key-{next(self._keys)}"
                self.numbers[key] = take(client, key)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """They take tickets meanwhile."""
        threads = [threading.Thread(target=self._take) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join(WAIT_S)


@contextmanager
def old_state(database: Path) -> Iterator[None]:
    """Somebody looks at an old state meanwhile: what is new stays in the write-ahead log, beside the file."""
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        yield


def take(client: httpx.Client, key: str) -> str:
    """Take a ticket; its number."""
    answer = client.post("/v1/halls/hall/tickets", json={"service": "tax"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["number"]
    return number


def test_a_backup_under_load_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    """It verifies, holds every ticket answered before it began, and a node that goes on from it repeats those answers
    by their keys and gives the next number."""
    copy = tmp_path / "kept" / "queue.db"
    copy.parent.mkdir()
    with running_node(tmp_path) as node:
        with node.client() as client:
            assert client.put("/v1/halls/hall", json=plan()).status_code == 201
        visitors = Visitors(node)
        with old_state(node.database), visitors.taking():
            until(lambda: len(visitors.numbers) >= SOME, "some tickets are taken")
            before = dict(visitors.numbers)
            done = command_line("backup", str(copy), "--database-url", f"sqlite:///{node.database}")
            assert done.returncode == 0, done.stderr
            until(lambda: len(visitors.numbers) > len(before), "more are taken meanwhile")
    events, tickets = one(copy, "SELECT last_seq FROM hall"), one(copy, "SELECT count(*) FROM ticket")
    assert f"hall: {events} events, {tickets} tickets" in done.stdout
    assert [path.name for path in copy.parent.iterdir()] == ["queue.db"]
    assert command_line("verify", "--database-url", f"sqlite:///{copy}").returncode == 0
    with running_node(copy.parent) as node, node.client() as client:
        assert {key: take(client, key) for key in before} == before
        assert take(client, "another") == f"A{tickets + 1:03d}"


def test_nothing_is_overwritten(queue_service: Command, copied: Path, url: str, tmp_path: Path) -> None:
    """Neither a file nor a backup of yesterday; and a folder that is not there is named."""
    kept = tmp_path / "backup.db"
    kept.write_text("of yesterday", encoding="utf-8")
    outcome = queue_service("backup", kept, "--database-url", url)
    assert (outcome.code, outcome.err) == (2, f"{kept} is there already: name a file that is not.\n")
    assert kept.read_text(encoding="utf-8") == "of yesterday"
    nowhere = tmp_path / "nowhere" / "backup.db"
    outcome = queue_service("backup", nowhere, "--database-url", url)
    assert (outcome.code, "there is no folder" in outcome.err) == (2, True)


def test_what_is_left_of_a_backup_that_was_cut_off_is_no_obstacle(
    queue_service: Command, copied: Path, url: str, tmp_path: Path
) -> None:
    """The next one takes its place."""
    (tmp_path / "backup.db.part").write_text("half", encoding="utf-8")
    assert queue_service("backup", tmp_path / "backup.db", "--database-url", url).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.db", "queue.db"]


def test_a_database_that_is_not_sound_gives_no_backup(
    queue_service: Command, copied: Path, url: str, tmp_path: Path
) -> None:
    """A copy that could not be proved would be found out on the day it is needed."""
    do(copied, "UPDATE event SET actor = 'somebody else' WHERE seq = 100")
    outcome = queue_service("backup", tmp_path / "backup.db", "--database-url", url)
    assert (outcome.code, "no backup was kept. hall hall, event 100, hash:" in outcome.err) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["queue.db"]


def test_an_older_schema_can_be_backed_up(
    queue_service: Command, copied: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is what is asked for before a migration; it is said that its log was not proved."""
    monkeypatch.setattr(schema, "newest", lambda: "0099")
    outcome = queue_service("backup", tmp_path / "backup.db", "--database-url", url)
    assert (outcome.code, "its log was not proved" in outcome.err) == (0, True), outcome.err
    assert one(tmp_path / "backup.db", "SELECT count(*) FROM event") == one(copied, "SELECT count(*) FROM event")


def test_a_server_is_left_to_its_own_tools(queue_service: Command, tmp_path: Path) -> None:
    """Which ones, it is said."""
    outcome = queue_service("backup", tmp_path / "backup.db", "--database-url", new_postgres_url())
    assert (outcome.code, "pg_dump" in outcome.err, "pg_basebackup" in outcome.err) == (2, True, True)
    assert list(tmp_path.iterdir()) == []


def test_there_must_be_a_database(queue_service: Command, tmp_path: Path, url: str) -> None:
    """A backup of nothing is none."""
    outcome = queue_service("backup", tmp_path / "backup.db", "--database-url", url)
    assert (outcome.code, "There is no database at" in outcome.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
