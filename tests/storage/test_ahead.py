"""Commands decided ahead of their transaction: whatever the log turns out to be, the answers are right."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection

from models.vocabulary import Channel
from queue_service import errors, journal
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.databases import sqlite
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.scribe import program
from queue_service.scribe.program import Part
from queue_service.submission import Answer, Submission
from queue_service.verification import prove
from tests.databases import Kind
from tests.faults.locking import write_lock
from tests.metrics.driving import at, plan_document
from tests.running import eventually
from tests.storage.engines import EngineNode, issue

WAIT_S = 30
BUSY_MS = 500


class Node(EngineNode):
    """That counts what its scribe stores."""

    def __init__(self, database: Database) -> None:
        """Nothing yet."""
        super().__init__(database)
        self.stored = 0
        self.words: list[str] = []
        store = self.engine._stored

        def count(decided: Any, word: str, said: str) -> None:
            self.stored += word == program.DONE
            self.words.append(f"{word} {said}".strip())
            store(decided, word, said)

        self.engine._stored = count  # type: ignore[method-assign]

    async def handed_on(self) -> None:
        """Wait until all there is is under way."""
        async with asyncio.timeout(WAIT_S):
            while self.engine.waiting:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0)

    def log(self) -> list[tuple[int, str]]:
        """What is stored: seq and kind."""
        statement = "SELECT seq, kind FROM event WHERE actor = 'me' ORDER BY seq"
        return [tuple(row) for row in self.database.read(lambda one: one.exec_driver_sql(statement).fetchall())]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock of SQLite's for long."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", BUSY_MS)


@pytest.fixture
async def node(database: Database) -> AsyncIterator[Node]:
    """A running engine with a planned hall."""
    made = Node(database)
    made.engine.start()
    await made.ask(c.PutPlan(plan_document()))
    await eventually(lambda: made.engine.scribe.is_ready, "the scribe is there")
    yield made
    await made.engine.stop()
    told = [one for commit in made.commits for submission in commit.submissions for one in submission.events]
    assert [(one.seq, one.event.KIND) for one in told if one.actor == "me"] == made.log()
    assert database.read(lambda one: prove(one, "hall", lambda _: None)).hall == "hall"


async def two_batches(node: Node) -> list[Any]:
    """A command that is under way, and two decided on top of it meanwhile; what became of each."""
    first = node.ask(issue(1))
    await node.handed_on()
    return list(await asyncio.gather(first, node.ask(issue(2)), node.ask(issue(3)), return_exceptions=True))


def written_by_another(connection: Connection) -> list[Logged]:
    """A ticket that another node issues."""
    clock = HandClock(at(8))
    one = Submission("hall", c.IssueTicket("hall.9", "tax"), "another", Channel.API, lambda *_: Answer(200), 2**60)
    return Batches(clock, ClockGuard(clock)).run(connection, [one])


async def test_what_waits_is_decided_while_another_batch_is_stored(node: Node) -> None:
    """All are answered in order, each by its own event."""
    answers = await two_batches(node)
    assert [int(one.body) for one in answers] == [3, 4, 5]


async def test_a_scribe_that_dies_takes_along_what_it_was_at(node: Node) -> None:
    """The first is answered undecided (it was not stored); the others, decided on top of it, are decided afresh, and
    another scribe follows."""
    asked = node.ask(issue(1))
    node.engine.scribe._process._transport.kill()  # type: ignore[union-attr]
    await node.handed_on()
    others = asyncio.gather(node.ask(issue(2)), node.ask(issue(3)))
    with pytest.raises(errors.OutcomeUnknown):
        await asked
    assert [int(one.body) for one in await others] == [3, 4]
    assert node.count("ticket") == 2
    await eventually(lambda: node.engine.scribe.is_ready, "another is there")
    assert int((await node.ask(issue(4))).body) == 5
    assert node.stored == 1


@pytest.mark.parametrize("kind", [Kind.SQLITE], indirect=True)
async def test_a_database_that_is_not_available_costs_one_batch(hasty: None, node: Node) -> None:
    """Answered as undecided; what was decided on top of it is stored when it is back."""
    with write_lock(node.database.path.parent):
        first = node.ask(issue(1))
        await node.handed_on()
        others = [node.ask(issue(2)), node.ask(issue(3))]
        with pytest.raises(errors.Unavailable):
            await first
    assert [int(one.body) for one in await asyncio.gather(*others)] == [3, 4]


async def test_a_fault_of_storing_is_tried_from_the_beginning(node: Node) -> None:
    """Nobody notices, order included."""
    store = node.engine.scribe.store

    def spoilt(batch: list[Part], *rest: Any) -> None:
        node.engine.scribe.store = store  # type: ignore[method-assign]
        store([(number, b'[["?"]]') for number, _ in batch], *rest)

    node.engine.scribe.store = spoilt  # type: ignore[assignment,method-assign]
    answers = await two_batches(node)
    assert [int(one.body) for one in answers] == [3, 4, 5]


async def test_without_a_scribe_all_goes_on(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started the writer thread does it all."""
    monkeypatch.setattr(program, "__file__", "/nowhere")
    node.engine.scribe.cut()
    await eventually(lambda: node.engine.scribe._process is None, "it is gone")
    answers = await two_batches(node)
    assert [int(one.body) for one in answers] == [3, 4, 5]
    assert node.stored == 0


async def test_what_another_node_wrote_is_read_first(node: Node) -> None:
    """Its event gets its seq; the commands that were decided without it are decided again."""
    other = Database(node.database.url)
    asked = node.ask(issue(1))  # decided, not handed on: the event loop has not turned
    with other.write() as connection:
        written_by_another(connection)
    other.close()
    assert int((await asked).body) == 4


async def test_what_is_shown_is_not_read_again(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has lost his copy goes by the hall as displays are shown it, be it behind the log or not: a day that was
    read for them is not read once more, while all other halls wait."""
    position = node.database.read(lambda one: journal.positions(one, ["hall"])["hall"])
    node.shown["hall"] = node.database.read(lambda one: journal.load(one, "hall", position))
    node.engine._batches.forget(["hall"])
    with monkeypatch.context() as nothing:
        nothing.setattr(journal, "load", None)
        assert [int((await node.ask(issue(number))).body) for number in (1, 2)] == [3, 4]
    assert (node.stored, node.shown["hall"].seq, node.shown["hall"].tickets) == (2, 2, {})
    with node.database.write() as connection:
        written_by_another(connection)
    monkeypatch.setattr(journal, "load", None)
    assert int((await node.ask(issue(3))).body) == 6


async def test_a_hall_that_others_write_to_is_not_decided_ahead(node: Node) -> None:
    """Once that was seen, or said by another node: what turns out to be wrong costs the copy."""
    await test_what_another_node_wrote_is_read_first(node)
    copy = node.engine._batches._copies["hall"]
    assert [int((await node.ask(issue(number))).body) for number in (2, 3)] == [5, 6]
    assert (node.stored, node.engine._batches._copies["hall"]) == (0, copy)


async def test_what_another_node_says_is_read_first(node: Node) -> None:
    """Nothing is decided by a copy that is known to end too early."""
    node.engine.heard({"hall": 4})
    await node.ask(issue(1))
    assert node.stored == 0
    await node.ask(issue(2))
    await node.ask(issue(3))
    assert node.stored == 1


async def test_what_is_shown_of_others_is_not_read_again(node: Node) -> None:
    """The copy follows what another node commits, so that its next command needs to read nothing under the lock, and
    may be decided ahead."""
    copy = node.engine._batches._copies["hall"]
    with node.database.write() as connection:
        [event] = written_by_another(connection)
    node.engine.heard({"hall": event.seq})
    node.engine.learned([event])
    assert int((await node.ask(issue(1))).body) == 4
    assert (node.words, node.engine._batches._copies["hall"]) == ([program.DONE], copy)


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


async def test_a_client_that_repeats_itself_costs_no_copy(node: Node) -> None:
    """Else it would have to be taken anew each time, just when everybody asks again."""
    await node.ask(issue(1), "key")
    copy = node.engine._batches._copies["hall"]
    again, under_way = await asyncio.gather(node.ask(issue(2), "key"), node.ask(issue(3), "other"))
    assert (again.replayed, under_way.replayed) == (True, False)
    assert (await node.ask(issue(4), "other")).body == under_way.body
    assert node.engine._batches._copies["hall"] is copy


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
    """The first batch that is stored ahead is refused; those after it are stored so all the same."""
    same = await asyncio.gather(node.ask(issue(1), "same"), node.ask(issue(2), "same"))
    assert [one.replayed for one in same] == [False, True]
    before = node.stored
    assert int((await node.ask(issue(3))).body) == 4
    assert node.stored == before + 1


async def test_rows_that_move_and_rows_that_go(node: Node) -> None:
    """A ticket goes straight from one counter to another, whose own takes its place there; a leg is taken back. The log
    proves the tables afterwards."""
    for number in ("1", "2"):
        await node.ask(c.OpenCounter(number, f"clerk-{number}"))
        await node.ask(issue(int(number)))
        await node.ask(c.CallNext(number))
        await node.ask(c.Start(f"hall.{number}"))
    before = node.stored
    await asyncio.gather(node.ask(c.Requeue("hall.2")), node.ask(c.HandOver("hall.1", "2")), node.ask(c.CallNext("1")))
    await node.ask(c.Requeue("hall.1"))
    assert node.count("leg") == 4
    await node.ask(c.Undo("2"))
    assert node.count("leg") == 3
    assert node.stored == before + 3


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
