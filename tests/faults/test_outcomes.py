"""What becomes of a batch whose commit fails, that one command breaks, or that has to wait too long."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from queue_service import engine
from queue_service.clock import HandClock
from queue_service.database import Database
from queue_service.scribe.process import Scribe
from tests.faults.proving import prove_all
from tests.halls import plan
from tests.http.shapes import check_problem
from tests.running import Inner, eventually, inner_node, writer_held

NOON_MS = 1_772_424_000_000
"""Monday 2026-03-02, 12:00 in Asia/Shanghai."""
Loss = Literal["before", "after"]
Lose = Callable[[Inner, Loss], Awaitable[None]]
Wish = tuple[str, str]
"""An idempotency key, which is the ticket's ref as well, and a hall."""


class Unreliable(Database):
    """A real database that loses the answer to the next COMMIT: before it was done, or after."""

    loses: Loss | None = None
    fault: type[DBAPIError] = OperationalError

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction; the loss, if one is due, happens once."""
        loses, self.loses = self.loses, None
        with super().write() as connection:
            yield connection
            if loses == "before":
                raise self.fault("COMMIT", None, sqlite3.OperationalError("disk I/O error"))
        if loses == "after":
            raise self.fault("COMMIT", None, sqlite3.OperationalError("disk I/O error"))


def lose_next(scribe: Scribe, loses: Loss, stored: Callable[[], int]) -> None:
    """The process that stores is killed at the next batch: before it was told of it, or when it has stored it and
    nobody has read what it answered. `stored` counts what is there."""
    loop, store, before = asyncio.get_running_loop(), scribe.store, stored()

    def cut_when_stored() -> None:
        if stored() > before:
            scribe.cut()
        else:
            loop.call_soon(cut_when_stored)

    def once(*batch: Any) -> None:
        del scribe.store
        if loses == "before":
            scribe.cut()
        else:
            assert scribe._process is not None, "it is there"
            scribe._process._transport.get_pipe_transport(1).pause_reading()
            cut_when_stored()
        store(*batch)

    scribe.store = once  # type: ignore[assignment,method-assign]


@pytest.fixture(params=["by the writer", "by the scribe"])
def lose(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lose:
    """Loses the answer to what is stored next, in either way of storing."""
    monkeypatch.setattr("api.service.Database", Unreliable)
    if request.param == "by the writer":
        monkeypatch.setattr(Scribe, "is_ready", False)

    async def lose(inner: Inner, loses: Loss) -> None:
        scribe = inner.service.engine.scribe
        if request.param == "by the writer":
            inner.service.database.loses = loses  # type: ignore[attr-defined]
        else:
            await eventually(lambda: scribe.is_ready, "the scribe is there")
            lose_next(scribe, loses, lambda: _events(inner.service.database.path))

    return lose


def _events(file: Path) -> int:
    with closing(sqlite3.connect(file)) as outside:
        return int(outside.execute("SELECT count(*) FROM event").fetchone()[0])


@asynccontextmanager
async def _node(folder: Path, clock: HandClock | None = None) -> AsyncIterator[Inner]:
    """A node with two halls."""
    async with inner_node(folder, clock) as inner:
        for hall in ("hall", "other"):
            put = await inner.client.put(f"/v1/halls/{hall}", json=plan(hall))
            assert put.status_code == 201
        yield inner


async def _issue(inner: Inner, *wishes: Wish) -> list[httpx.Response]:
    return await asyncio.gather(*(_issue_one(inner, *wish) for wish in wishes))


async def _issue_one(inner: Inner, key: str, hall: str) -> httpx.Response:
    body, headers = {"service": "tax", "ref": key}, {"Idempotency-Key": key}
    return await inner.client.post(f"/v1/halls/{hall}/tickets", json=body, headers=headers)


async def _queued(inner: Inner, *wishes: Wish) -> "asyncio.Task[list[httpx.Response]]":
    """Ask for tickets while the writer is held, and wait until all are in the queue."""
    asking = asyncio.create_task(_issue(inner, *wishes))
    await eventually(lambda: inner.service.engine.waiting == len(wishes), "all commands are queued")
    return asking


async def _commits(inner: Inner) -> tuple[int, int]:
    """How many transactions of commands there were, and how many commands in all of them."""
    text = (await inner.client.get("/metrics")).text
    found = [re.search(rf"^queue_commit_batch_size_{name} (\d+)", text, re.MULTILINE) for name in ("count", "sum")]
    count, total = (int(one[1]) for one in found if one)
    return count, total


def _trigger(folder: Path, ref: str) -> None:
    """From now on the database itself refuses tickets with this ref, for good."""
    with closing(sqlite3.connect(folder / "queue.db")) as outside:
        outside.execute(
            f"CREATE TRIGGER culprit BEFORE INSERT ON ticket WHEN NEW.ref = '{ref}'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )


def _numbers(answers: list[httpx.Response]) -> list[str]:
    return sorted(answer.json()["number"] for answer in answers)


@pytest.mark.parametrize("loses", ["before", "after"])
async def test_a_commit_without_an_answer_is_repeated_without_harm(tmp_path: Path, lose: Lose, loses: Loss) -> None:
    """Whether it was done or not: 503 outcome-unknown to all its callers, and their retries give one ticket each."""
    wishes = [(f"key-{number}", "hall") for number in range(8)]
    async with _node(tmp_path) as inner:
        await _issue(inner, ("before", "hall"))
        async with writer_held(inner):
            asking = await _queued(inner, *wishes)
            await lose(inner, loses)
        for answer in await asking:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            check_problem(answer, "outcome-unknown")
        again, once_more = await _issue(inner, *wishes), await _issue(inner, *wishes)
        assert [answer.content for answer in again] == [answer.content for answer in once_more]
        assert {"idempotency-replayed" in answer.headers for answer in again} == {loses == "after"}
        assert _numbers(again) == [f"A{number:03d}" for number in range(2, 10)]
        listed = (await inner.client.get("/v1/halls/hall/tickets")).json()["items"]
        assert len(listed) == 9
    assert prove_all(tmp_path) > 0


@pytest.mark.parametrize("loses", ["before", "after"])
async def test_a_commit_that_failed_in_an_unknown_way_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lose: Lose, loses: Loss
) -> None:
    """Any error at COMMIT leaves the outcome unknown: commands without a key are not run twice by the node itself."""
    monkeypatch.setattr(Unreliable, "fault", DatabaseError)
    async with _node(tmp_path) as inner:
        await lose(inner, loses)
        lost = await inner.client.post("/v1/halls/hall/tickets", json={"service": "tax"})
        assert lost.status_code == 503
        check_problem(lost, "outcome-unknown")
        following = await inner.client.post("/v1/halls/hall/tickets", json={"service": "tax"})
        assert following.json()["number"] == ("A001" if loses == "before" else "A002")
    assert prove_all(tmp_path) > 0


async def test_what_was_stored_without_an_answer_is_shown(tmp_path: Path, lose: Lose) -> None:
    """A commit whose answer was lost reaches boards and the ticket's page though nobody asks again."""
    async with _node(tmp_path) as inner:
        await lose(inner, "after")
        [lost] = await _issue(inner, ("lost", "hall"))
        assert lost.status_code == 503

        async def waiting() -> bool:
            board = (await inner.client.get("/v1/halls/hall/board")).json()["board"]
            return bool(board["services"]["tax"]["waiting"] == 1)

        await eventually(waiting, "the board shows it")
        [ticket] = (await inner.client.get("/v1/halls/hall/tickets", params={"ref": "lost"})).json()["items"]
        assert (ticket["number"], ticket["state"]) == ("A001", "waiting")


async def test_of_a_batch_only_the_culprit_fails(tmp_path: Path) -> None:
    """A command that the database refuses for good is 500; the others of its batch get dense numbers all the same."""
    wishes = [("culprit" if number == 3 else f"key-{number}", "hall") for number in range(8)]
    async with _node(tmp_path) as inner:
        _trigger(tmp_path, "culprit")
        before = await _commits(inner)
        async with writer_held(inner):
            asking = await _queued(inner, *wishes)
        answers = await asking
        after = await _commits(inner)
        assert (after[0] - before[0], after[1] - before[1]) == (1, 8)
        culprit = answers.pop(3)
        assert {answer.status_code for answer in answers} == {201}
        assert _numbers(answers) == [f"A{number:03d}" for number in range(1, 8)]
        assert culprit.status_code == 500
        check_problem(culprit, "internal")
        assert "not this one" not in culprit.text
        assert (await _issue(inner, ("later", "hall")))[0].json()["number"] == "A008"
        assert (await inner.client.get("/readyz")).status_code == 200
    assert prove_all(tmp_path) > 0


async def test_a_hall_is_not_harmed_by_anothers_culprit(tmp_path: Path) -> None:
    """A batch of two halls is split by hall first; the culprit's answers are the only ones that differ."""
    wishes = [("a", "hall"), ("b", "other"), ("culprit", "hall"), ("c", "other"), ("d", "hall")]
    async with _node(tmp_path) as inner:
        _trigger(tmp_path, "culprit")
        async with writer_held(inner):
            asking = await _queued(inner, *wishes)
        answers = await asking
        assert [answer.status_code for answer in answers] == [201, 201, 500, 201, 201]
        assert _numbers([one for one in answers if one.is_success]) == ["A001", "A001", "A002", "A002"]
        shown = [await inner.client.get(answer.headers["location"]) for answer in answers if answer.is_success]
        assert [answer.json()["state"] for answer in shown] == ["waiting"] * 4
    assert prove_all(tmp_path) > 0


async def test_a_command_that_waited_too_long_is_undecided(tmp_path: Path) -> None:
    """After five seconds in the queue it is 503 and nothing was done; the same key is decided afresh."""
    clock = HandClock(NOON_MS)
    async with _node(tmp_path, clock) as inner:
        async with writer_held(inner):
            asking = await _queued(inner, ("late", "hall"))
            clock.set_ms(NOON_MS + engine.DEADLINE_MS + 1)
        [late] = await asking
        assert late.status_code == 503
        check_problem(late, "unavailable")
        assert (await inner.client.get("/v1/halls/hall/tickets")).json()["items"] == []
        [again] = await _issue(inner, ("late", "hall"))
        assert (again.status_code, again.json()["number"]) == (201, "A001")


async def test_a_command_within_its_time_is_decided(tmp_path: Path) -> None:
    """At exactly five seconds it still counts."""
    clock = HandClock(NOON_MS)
    async with _node(tmp_path, clock) as inner:
        async with writer_held(inner):
            asking = await _queued(inner, ("just-in-time", "hall"))
            clock.set_ms(NOON_MS + engine.DEADLINE_MS)
        assert (await asking)[0].status_code == 201


async def test_a_full_queue_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More commands than the queue holds are 503 overloaded while the others wait; those are answered in the end."""
    monkeypatch.setattr(engine, "QUEUE_LIMIT", 3)
    wishes = [(f"key-{number}", "hall") for number in range(3)]
    async with _node(tmp_path) as inner:
        async with writer_held(inner):
            asking = await _queued(inner, *wishes)
            [refused] = await _issue(inner, ("one-too-many", "hall"))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            check_problem(refused, "overloaded")
            assert (await inner.client.get("/v1/halls/hall/board")).status_code == 200
            assert not asking.done()
        assert _numbers(await asking) == ["A001", "A002", "A003"]
        assert (await _issue(inner, ("one-too-many", "hall")))[0].json()["number"] == "A004"


async def test_who_has_gone_away_stops_nobody(tmp_path: Path) -> None:
    """A client that hangs up while its command waits: it is decided all the same, and the others are answered."""
    async with _node(tmp_path) as inner:
        async with writer_held(inner):
            asking = await _queued(inner, ("gone", "hall"), ("stays", "other"))
            async with httpx.AsyncClient(base_url=inner.base_url) as other:
                leaving = asyncio.create_task(
                    other.post("/v1/halls/hall/tickets", json={"service": "tax", "ref": "left"})
                )
                await eventually(lambda: inner.service.engine.waiting == 3, "it is queued")
                leaving.cancel()
        assert {answer.status_code for answer in await asking} == {201}
        [left] = (await inner.client.get("/v1/halls/hall/tickets", params={"ref": "left"})).json()["items"]
        assert left["number"] == "A002"
    assert prove_all(tmp_path) > 0
