"""Commands decided ahead of their transaction, on SQLite: whatever the log turns out to be, the answers are right."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from models.vocabulary import Channel
from queue_service import errors, schema
from queue_service.batch import Answer, Batches, Submission
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.verification import prove
from tests.metrics.driving import at, plan_document
from tests.storage.engines import EngineNode, issue

WAIT_S = 30
BUSY_MS = 500
TAKEN_IN = "INSERT INTO intake"


class Faulty(Database):
    """A real database whose next statements that commit themselves meet faults of ours."""

    def __init__(self, url: str) -> None:
        """None yet."""
        super().__init__(url)
        self.faults: list[Exception] = []

    @contextmanager
    def at_once(self) -> Iterator[Connection]:
        """A connection, or a fault."""
        if self.faults:
            raise self.faults.pop()
        with super().at_once() as connection:
            yield connection


class Node(EngineNode):
    """On an SQLite file."""

    database: Faulty

    @property
    def driver(self) -> Any:
        """The writer's connection."""
        return self.database.engine.raw_connection().driver_connection

    async def handed_on(self) -> None:
        """Wait until the writer has all there is."""
        async with asyncio.timeout(WAIT_S):
            while self.engine.waiting:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0)

    def log(self) -> list[tuple[int, str]]:
        """What is stored: seq and kind."""
        statement = "SELECT seq, kind FROM event WHERE actor = 'me' ORDER BY seq"
        return [tuple(row) for row in self.database.read(lambda one: one.exec_driver_sql(statement).fetchall())]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A running engine with a planned hall."""
    database = Faulty(f"sqlite:///{tmp_path}/queue.db")
    schema.prepare(database)
    made = Node(database)
    made.engine.start()
    await made.ask(c.PutPlan(plan_document()))
    yield made
    await made.engine.stop()
    told = [one for commit in made.commits for submission in commit.submissions for one in submission.events]
    assert [(one.seq, one.event.KIND) for one in told if one.actor == "me"] == made.log()
    assert database.read(lambda one: prove(one, "hall", lambda _: None)).hall == "hall"
    database.close()


async def two_batches(node: Node) -> list[Any]:
    """A command that is under way, and two decided on top of it meanwhile; what became of each."""
    first = node.ask(issue(1))
    await node.handed_on()
    return list(await asyncio.gather(first, node.ask(issue(2)), node.ask(issue(3)), return_exceptions=True))


@contextmanager
def statements_of(node: Node) -> Iterator[list[str]]:
    """What the writer's connection is told during the block."""
    said: list[str] = []
    node.driver.set_trace_callback(said.append)
    yield said
    node.driver.set_trace_callback(None)


async def test_what_waits_is_decided_while_another_batch_is_stored(node: Node) -> None:
    """All are answered in order, each by its own event."""
    answers = await two_batches(node)
    assert [int(one.body) for one in answers] == [3, 4, 5]


async def test_a_commit_without_an_answer_takes_along_what_was_decided_on_top(node: Node) -> None:
    """The first is answered undecided (it was rolled back); the others are decided afresh, without it."""
    interruptions = [1]
    node.driver.set_progress_handler(lambda: interruptions.pop() if interruptions else 0, 1)
    first, *others = await two_batches(node)
    assert isinstance(first, errors.OutcomeUnknown)
    assert [int(one.body) for one in others] == [3, 4]
    assert node.count("ticket") == 2


async def test_a_database_that_is_not_available_costs_one_batch(node: Node) -> None:
    """Answered as undecided; what was decided on top of it is stored when it is back."""
    node.driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    with closing(sqlite3.connect(node.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = node.ask(issue(1))
        await node.handed_on()
        others = [node.ask(issue(2)), node.ask(issue(3))]
        with pytest.raises(errors.Unavailable):
            await first
        other.execute("ROLLBACK")
    assert [int(one.body) for one in await asyncio.gather(*others)] == [3, 4]


async def test_a_fault_of_storing_is_tried_from_the_beginning(node: Node) -> None:
    """Nobody notices, order included."""
    node.database.faults = [LookupError("a fault")]
    answers = await two_batches(node)
    assert [int(one.body) for one in answers] == [3, 4, 5]
    assert node.database.faults == []


async def test_what_another_process_wrote_is_read_first(node: Node) -> None:
    """Its event gets its seq; the commands that were decided without it are decided again."""
    other, clock = Database(node.database.url), HandClock(at(8))
    asked = node.ask(issue(1))  # decided, not handed on: the event loop has not turned
    one = Submission("hall", c.IssueTicket("hall.9", "tax"), "another", Channel.API, lambda *_: Answer(200), 2**60)
    with other.write() as connection:
        Batches(clock, ClockGuard(clock)).run(connection, [one])
    other.close()
    assert int((await asked).body) == 4


async def test_a_key_of_an_earlier_batch_gets_its_answer(node: Node) -> None:
    """Stored, under way, or in the same batch: the same answer, and one ticket."""
    stored = await node.ask(issue(1), "stored")
    under_way = node.ask(issue(2), "under way")
    await node.handed_on()
    asked = [
        node.ask(issue(3), "under way"),
        node.ask(issue(4), "same"),
        node.ask(issue(5), "same"),
        node.ask(issue(6), "stored"),
    ]
    again, same, twin, long_ago = await asyncio.gather(*asked)
    assert (again.body, again.replayed) == ((await under_way).body, True)
    assert (twin.body, twin.replayed) == (same.body, True)
    assert (long_ago.body, long_ago.replayed) == (stored.body, True)
    assert node.count("ticket") == 3


async def test_a_key_whose_command_would_be_refused_now_gets_its_answer(node: Node) -> None:
    """A refusal stores no receipt, so nothing but the question itself would find the earlier one."""
    await node.ask(c.OpenCounter("1", "li"))
    await node.ask(c.CloseCounter("1"), "once")
    _, again = await asyncio.gather(node.ask(issue(1)), node.ask(c.CloseCounter("1"), "once"))
    assert again.replayed


async def test_commands_that_need_the_database_wait_for_what_is_under_way(node: Node) -> None:
    """A closed ticket, whose row alone says what became of it, between others: each gets its answer, in order."""
    await node.ask(issue(1))
    cancel = c.Cancel("hall.1")
    await node.ask(cancel)
    got = await asyncio.gather(node.ask(issue(2)), node.ask(cancel), node.ask(issue(3)), return_exceptions=True)
    assert [type(one) for one in got] == [Answer, errors.WrongState, Answer]
    assert node.log()[-2:] == [(5, "ticket_issued"), (6, "ticket_issued")]


async def test_what_was_taken_back_leaves_the_way_open(node: Node) -> None:
    """The first batch that is stored at once is overtaken; those after it are stored at once all the same."""
    same = await asyncio.gather(node.ask(issue(1), "same"), node.ask(issue(2), "same"))
    assert [one.replayed for one in same] == [False, True]
    with statements_of(node) as said:
        assert int((await node.ask(issue(3))).body) == 4
    assert {one.split(" VALUES")[0] for one in said if one.startswith("INSERT")} == {TAKEN_IN}


async def test_rows_that_move_and_rows_that_go_are_stored_at_once(node: Node) -> None:
    """A ticket goes straight from one counter to another, whose own takes its place there; a leg is taken back. The log
    proves the tables afterwards."""
    for number in ("1", "2"):
        await node.ask(c.OpenCounter(number, f"clerk-{number}"))
        await node.ask(issue(int(number)))
        await node.ask(c.CallNext(number))
        await node.ask(c.Start(f"hall.{number}"))
    with statements_of(node) as said:
        await asyncio.gather(
            node.ask(c.Requeue("hall.2")), node.ask(c.HandOver("hall.1", "2")), node.ask(c.CallNext("1"))
        )
        await node.ask(c.Requeue("hall.1"))
        assert node.count("leg") == 4
        await node.ask(c.Undo("2"))
        assert node.count("leg") == 3
    assert {one.split(" VALUES")[0] for one in said if one.startswith(("INSERT", "UPDATE", "DELETE"))} == {TAKEN_IN}


def read_nothing(_: Connection) -> None:
    """Work for the writer."""


async def test_work_that_nobody_waits_for_any_more_stops_nobody(node: Node) -> None:
    """As when a node is asked to stop: what was given later is done all the same."""
    entered, release = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        entered.set()
        release.wait(WAIT_S)

    holding = asyncio.create_task(node.engine.maintain(hold))
    given_up = asyncio.create_task(node.engine.maintain(read_nothing))
    await asyncio.to_thread(entered.wait, WAIT_S)
    given_up.cancel()
    release.set()
    await holding
    async with asyncio.timeout(WAIT_S):
        assert int((await node.ask(issue(1))).body) == 3


async def test_other_work_comes_after_what_is_decided(node: Node) -> None:
    """And before what is given later."""
    first = node.ask(issue(1))
    work = asyncio.create_task(node.engine.maintain(read_nothing))
    await asyncio.sleep(0)
    second = node.ask(issue(2))
    await work
    assert first.done()
    assert int((await second).body) == 4
