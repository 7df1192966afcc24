"""The engine against a real database: what arrives during a commit is the next batch, and nobody waits for nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from queue_service import errors, journal, near
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.hall import Hall
from queue_service.submission import Answer
from tests.databases import Kind
from tests.faults.locking import write_lock
from tests.metrics.driving import plan_document
from tests.storage.engines import EngineNode, issue

WAIT_S = 30


class Node(EngineNode):
    """Whose writer can be kept busy."""

    async def held_up(self, *commands: c.Command) -> list["asyncio.Future[Answer]"]:
        """Give commands while the writer is busy with something else, which then ends."""
        begun, over = threading.Event(), threading.Event()

        def busy(_: Connection) -> None:
            begun.set()
            over.wait(WAIT_S)

        working = asyncio.create_task(self.engine.maintain(busy))
        await asyncio.to_thread(begun.wait, WAIT_S)
        futures = [self.ask(command) for command in commands]
        over.set()
        await working
        return futures


@pytest.fixture
async def node(database: Database) -> AsyncIterator[Node]:
    """A running engine with a planned hall."""
    made = Node(database)
    made.engine.start()
    await made.ask(c.PutPlan(plan_document()))
    yield made
    if made.engine.is_alive:
        await made.engine.stop()


async def test_what_arrives_meanwhile_is_one_transaction(node: Node) -> None:
    """Forty commands that came while the writer was busy are one commit, decided in the order they came."""
    answers = await asyncio.gather(*await node.held_up(*map(issue, range(40))))
    assert [len(commit.submissions) for commit in node.commits] == [1, 40]
    assert [int(answer.body) for answer in answers] == list(range(3, 43))
    assert [one.seq for commit in node.commits for one in commit.events] == list(range(1, 43))


async def test_a_batch_is_bounded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a batch holds goes into the next."""
    monkeypatch.setattr(near, "LIMIT", 16)
    await asyncio.gather(*await node.held_up(*map(issue, range(40))))
    assert [len(commit.submissions) for commit in node.commits] == [1, 16, 16, 8]


@pytest.mark.parametrize("kind", [Kind.SQLITE], indirect=True)
async def test_a_lock_of_others_costs_no_copy(node: Node) -> None:
    """A command that has to wait for another program is decided by the copy at hand: the day is not read again."""
    copy = node.engine._batches._copies["hall"]
    with write_lock(node.database.path.parent):
        asked = node.ask(issue(1))
        await asyncio.sleep(0)  # it is decided, and handed on to a writer that cannot begin
        await asyncio.sleep(0)
    await asked
    assert node.engine._batches._copies["hall"] is copy


async def test_refusals_beside_successes(node: Node) -> None:
    """Each caller of a batch gets what its own command got."""
    futures = await node.held_up(issue(1), c.Finish("hall.none"), issue(2))
    got = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(one) for one in got] == [Answer, errors.UnknownTicket, Answer]
    assert node.count("ticket") == 2


async def test_maintenance_that_fails_leaves_nothing_and_stops_nobody(node: Node) -> None:
    """Its error goes to who asked for it, its writes are rolled back, and the next command is decided."""

    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM event")
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await node.engine.maintain(fail)
    assert node.count("event") == 2
    assert (await node.ask(issue(1))).status == 200


async def test_a_listener_that_fails_keeps_no_answer_back(node: Node) -> None:
    """What is committed is answered, whatever those who watch make of it."""
    node.listener_fails = True
    assert (await node.ask(issue(1))).status == 200


async def test_a_caller_who_has_gone_changes_nothing_for_the_others(node: Node) -> None:
    """The command of a cancelled caller is decided with its batch."""
    gone, stays = await node.held_up(issue(1), issue(2))
    gone.cancel()
    assert (await stays).status == 200
    assert node.count("ticket") == 2


async def test_stopping_answers_what_was_taken_on(node: Node) -> None:
    """What was submitted before is decided and answered; what comes after is refused as undecided."""
    futures = await node.held_up(*map(issue, range(10)))
    await node.engine.stop()
    with pytest.raises(errors.Unavailable, match="stopping"):
        node.ask(issue(11))
    assert {answer.status for answer in await asyncio.gather(*futures)} == {200}
    assert node.count("ticket") == 10


async def test_a_hall_is_read_once_for_a_batch_however_many_commands_it_has(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer without a copy (after a start, or a fault) reads the day's log once, and before anything is locked."""
    await asyncio.gather(*await node.held_up(*map(issue, range(20))))
    node.engine._batches.forget(["hall"])
    reads: list[bool] = []
    load = journal.load

    def counted(connection: Connection, hall: str, position: journal.Position) -> Hall:
        reads.append(connection.engine is node.database.engine)
        return load(connection, hall, position)

    monkeypatch.setattr(journal, "load", counted)
    await asyncio.gather(*await node.held_up(*map(issue, range(20, 40))))
    assert reads == [False]
