"""What the process that stores makes of a batch, by itself: a batch is stored as a whole, or nothing of it."""

import subprocess
import sys
from collections.abc import Iterator
from subprocess import PIPE
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from models.vocabulary import Channel
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.near import Decided
from queue_service.scribe import program
from queue_service.scribe.process import _Process
from queue_service.scribe.program import Book, Part, framed
from queue_service.scribe.statements import parts, statements
from queue_service.submission import Answer, Keyed, Submission
from tests.databases import Kind
from tests.metrics.driving import at, plan_document
from tests.running import WAIT_S
from tests.storage.engines import issue

LONG_AGO_MS, FAR_OFF_MS = 1_000, 2**52


def submission(command: c.Command, key: str | None = None) -> Submission:
    """A command that may take its time."""
    keyed = None if key is None else Keyed(key, "POST", "/somewhere", "same")
    return Submission("hall", command, "me", Channel.API, lambda *_: Answer(200), 2**60, keyed)


class Desk:
    """Decides ahead by copies of its own, and has its batches stored by a book."""

    def __init__(self, database: Database, book: Book) -> None:
        """With a planned hall."""
        self._database = database
        self._clock = HandClock(at(8))
        self.book = book
        with database.write() as connection:
            Batches(self._clock, ClockGuard(self._clock)).run(connection, [submission(c.PutPlan(plan_document()))])
        self.begin_anew()

    def begin_anew(self) -> None:
        """As another node, that knows what is stored and nothing else."""
        self.batches = Batches(self._clock, ClockGuard(self._clock))
        self._database.read(lambda connection: self.batches.read(connection, ["hall"]))

    def decided(self, *submissions: Submission, until_ms: int | None = None) -> list[Part]:
        """A batch of these."""
        decided: Decided[Any] = Decided(self.batches.open(), submissions=list(submissions))
        for one in submissions:
            self.batches.decide_ahead(decided.work, one)
        decided.rows = self.batches.close(decided.work)
        return parts(decided, until_ms)


@pytest.fixture
def book(database: Database) -> Iterator[Book]:
    """The program's own, on the test's database."""
    kind, options = database.kind.scribe()
    made = program.BOOKS[kind](**options, statements=statements(kind))
    yield made
    made._connection.close()


@pytest.fixture
def desk(database: Database, book: Book) -> Iterator[Desk]:
    """One node's."""
    made = Desk(database, book)
    yield made
    assert made.book.is_there()


def count(database: Database, table: str) -> int:
    """How many rows there are."""
    return int(database.read(lambda one: one.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()))  # noqa: S608


def test_a_batch_is_stored_after_the_one_before(desk: Desk, database: Database) -> None:
    """Each stands on the other."""
    for first in (1, 3):
        batch = desk.decided(submission(issue(first), f"key-{first}"), submission(issue(first + 1)))
        assert desk.book.store(batch) == (program.DONE, "")
    assert [count(database, table) for table in ("ticket", "leg", "receipt")] == [4, 4, 2]


def test_a_batch_that_stands_on_another_log_is_refused(desk: Desk, database: Database) -> None:
    """One that was left out is missing; nothing of it is stored, and the connection is as good as before."""
    first = desk.decided(submission(issue(1)))
    second = desk.decided(submission(issue(2)))
    assert desk.book.store(second)[0] == program.REFUSED
    assert count(database, "ticket") == 0
    assert [desk.book.store(batch)[0] for batch in (first, second, second)] == ["done", "done", "refused"]
    assert count(database, "ticket") == 2


def test_a_key_that_has_its_answer_is_refused(desk: Desk, database: Database) -> None:
    """Also where the command would be refused now, and store nothing that could stand in the way."""
    assert desk.book.store(desk.decided(submission(c.OpenCounter("1", "li"), "key")))[0] == program.DONE
    for command in (issue(1), c.OpenCounter("1", "wang")):
        desk.begin_anew()
        assert desk.book.store(desk.decided(submission(command, "key")))[0] == program.REFUSED
    assert count(database, "ticket") == 0


def test_a_batch_that_comes_too_late_is_refused(desk: Desk, database: Database) -> None:
    """By the database's clock, for whatever kept it on its way; SQLite's file has none but the machine's, which the
    program itself has looked at."""
    late = desk.decided(submission(issue(1)), until_ms=LONG_AGO_MS)
    is_file = database.engine.dialect.name == "sqlite"
    assert desk.book.store(late)[0] == (program.DONE if is_file else program.REFUSED)
    desk.begin_anew()
    assert desk.book.store(desk.decided(submission(issue(2)), until_ms=FAR_OFF_MS))[0] == program.DONE


def test_rows_that_break_a_promise_are_refused(desk: Desk, database: Database) -> None:
    """The tables' own constraints hold whoever writes: one ticket, one number."""
    batch = desk.decided(submission(issue(1)), submission(issue(2)))
    spoilt = [(number, rows.replace(b'"A002"', b'"A001"')) for number, rows in batch]
    assert spoilt != batch
    assert desk.book.store(spoilt)[0] == program.REFUSED
    assert count(database, "event") == 2
    assert desk.book.store(batch)[0] == program.DONE


@pytest.mark.parametrize("kind", [Kind.POSTGRESQL], indirect=True)
def test_others_at_a_hall_are_not_waited_for(desk: Desk, database: Database) -> None:
    """PostgreSQL: who holds its row, or stands in line for it, has it; the batch is refused at once."""
    batch = desk.decided(submission(issue(1)))
    with database.engine.connect() as other:
        for held in (
            "SELECT 1 FROM hall FOR UPDATE",
            "SELECT pg_advisory_xact_lock(hashtextextended('queue-service line hall', 0))",
        ):
            other.exec_driver_sql(held)
            assert desk.book.store(batch)[0] == program.REFUSED
            other.rollback()
    assert desk.book.store(batch)[0] == program.DONE


def test_who_is_gone_is_answered_in_silence(database: Database) -> None:
    """A node that was killed hears nothing; its process ends with what it has in hand, and no fault is seen."""
    kind, options = database.kind.scribe()
    setup = orjson.dumps((kind, {**options, "statements": statements(kind)}))
    command = [sys.executable, "-P", program.__file__]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(program.framed(setup))
        process.stdin.close()
        assert (process.stderr.read(), process.wait(WAIT_S)) == (b"", 0)


async def test_words_that_come_together_or_in_pieces_are_heard_one_by_one() -> None:
    """However the pipe cuts them."""
    process, heard = _Process(), list[str]()
    process._input = SimpleNamespace(write=lambda _: None)

    def then(word: str, said: str) -> None:
        heard.append(word + said)
        process.tell(b"", then)

    process.tell(b"", then)
    words = b"".join(framed(orjson.dumps((program.DONE, said))) for said in ("1", "2", "3"))
    for start in range(0, len(words), 25):
        process.pipe_data_received(1, words[start : start + 25])
    assert heard == ["done1", "done2", "done3"]


def test_rows_are_json(desk: Desk) -> None:
    """Numbered statements, in the order in which they are run: first what is asked, last where each log ends."""
    batch = desk.decided(submission(issue(1), "key"))
    assert [number for number, _ in batch] == sorted(number for number, _ in batch)
    assert all(isinstance(orjson.loads(rows), list) for _, rows in batch)
