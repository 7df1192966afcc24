"""The learned predictor of a running node: from a hall's own earlier days, beside the node, not before a week."""

import asyncio
import logging
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from api.foretelling import FEWEST_WAITING, RETRY_MS
from models.vocabulary import EstimateBasis
from queue_service import schema
from queue_service.clock import HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.planning.live import foretelling
from queue_service.planning.live.curve import FRESH_MS
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.studying import HELD_DAYS, study
from queue_service.planning.predictors import learning
from queue_service.view import View
from tests.databases import BOTH, kept_by
from tests.metrics.driving import MIDNIGHT_MS, Drive
from tests.planning.past import DAY_MS, OPENS_MS, TICKETS, live
from tests.running import WAIT_S, Inner, database_url, eventually, inner_node

LEARNED, SIMULATION = EstimateBasis.LEARNED, EstimateBasis.SIMULATION
FEW, ENOUGH, WEEK = 4, 5, 7
HALF_PAST_NINE_MS = OPENS_MS + 30 * 60_000

Past = Callable[[int, Path], Path]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Puts into a folder the database of a hall that has lived through so many days, the next one just begun."""
    folder = tmp_path_factory.mktemp("past")
    database = Database(database_url(folder), synchronous="OFF")
    schema.prepare(database)
    drive = Drive(database)
    drive.plan()
    drive.open("1", "2")
    for day in range(1, WEEK + 1):
        live(drive, MIDNIGHT_MS + (day - 1) * DAY_MS)
        drive.send(c.OpenDay(), at_ms=MIDNIGHT_MS + day * DAY_MS)
        if day in (FEW, ENOUGH, WEEK):
            _copied(folder / "queue.db", folder / f"{day}.db")
    database.close()

    def put(days: int, into: Path) -> Path:
        _copied(folder / f"{days}.db", into / "queue.db")
        return into

    return put


def _copied(file: Path, to: Path) -> None:
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


class Node:
    """A node at half past nine of the day after those that passed."""

    def __init__(self, inner: Inner, clock: HandClock, view: View) -> None:
        """Made by `node_after`."""
        self.client, self.clock, self.view = inner.client, clock, view
        self.service = inner.service
        self.foretelling = inner.service.foretelling
        self.estimates: HallEstimates = inner.service.live.estimates_of("hall")

    async def study(self) -> None:
        """Have the hall studied now, as the node does by itself."""
        await self.foretelling.study(self.view)

    async def issue(self) -> dict[str, Any]:
        """What a visitor is told, with estimates as of now."""
        await self.foretelling.ask()
        self.service.live.look_ahead(self.view.hall)
        answer = await self.client.post("/v1/halls/hall/tickets", json={"service": "tax"})
        assert answer.status_code == 201, answer.text
        estimate: dict[str, Any] = answer.json()["estimate"]
        return estimate

    async def call(self) -> None:
        """Counter 1 calls the next."""
        answer = await self.client.post("/v1/halls/hall/counters/1/call-next", json={"finish_current": True})
        assert answer.status_code in (200, 204), answer.text

    def later(self, ms: int) -> None:
        """Let time pass."""
        self.clock.set_ms(self.clock.now_ms() + ms)

    def error_s(self, basis: EstimateBasis) -> float | None:
        """The present error of a predictor; None while too few were scored."""
        service = self.estimates.estimator.services.get("tax")
        return None if service is None else service.scores.mae_s(basis)


After = Callable[[int], AbstractAsyncContextManager[Node]]


@pytest.fixture
def node_after(past: Past, tmp_path: Path) -> After:
    """Starts a node on a hall with so many days behind it."""

    @asynccontextmanager
    async def started(days: int) -> AsyncIterator[Node]:
        clock = HandClock(MIDNIGHT_MS + days * DAY_MS + HALF_PAST_NINE_MS)
        async with inner_node(past(days, tmp_path), clock) as inner:
            yield Node(inner, clock, await inner.service.current_view("hall"))

    return started


async def test_before_a_week_is_over_earlier_days_warm_the_simple_ones(
    node_after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four days there is no model; but the first visitor of a node that has just started gets an estimate. The
    hall is studied because somebody asked about it, and not again before the next business day; where there is no
    place for it, another that nobody asks about is forgotten."""
    monkeypatch.setattr(foretelling, "MOST_HALLS", 1)
    async with node_after(FEW) as node:
        assert node.foretelling.due() == []
        assert "because" in await node.issue()
        assert node.foretelling.due() == [node.view]
        node.foretelling.foreteller._packed["another"] = (b"", False)
        await node.study()
        assert node.foretelling.foreteller.halls() == ["hall"]
        assert node.foretelling.due() == []
        estimate = await node.issue()
        assert estimate["basis"] != LEARNED
        assert 0 <= estimate["p50_s"] <= estimate["p90_s"]
        assert (node.error_s(EstimateBasis.QUEUE_LENGTH) or 0) > 0
        assert node.error_s(LEARNED) is None
        node.later(DAY_MS)
        await node.service.current_view("hall")
        assert node.foretelling.due() == []
        await node.issue()
        assert node.foretelling.due() == [node.view]


async def test_after_a_week_the_learned_predictor_serves_if_it_is_the_best(
    node_after: After, caplog: pytest.LogCaptureFixture
) -> None:
    """The hall's pace goes by the clock, which only the learned one looks at. It is scored beside the others; where its
    process is killed they serve, tickets are issued as before, and it comes back."""
    caplog.set_level(logging.WARNING)
    async with node_after(WEEK) as node:
        await node.issue()
        await node.study()
        others = [node.error_s(basis) or 0 for basis in EstimateBasis if basis not in (LEARNED, SIMULATION)]
        assert (node.error_s(LEARNED) or 0) < min(others)
        await _it_serves_and_is_scored(node)
        await _a_simulation_is_scored_beside_it(node)
        (pid, *_) = node.foretelling.foreteller.asked.pids
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not Path(f"/proc/{pid}").exists(), "the process is gone")
        node.later(FRESH_MS + 1)
        node.service.live.look_ahead(node.view.hall)
        answer = await node.client.post("/v1/halls/hall/tickets", json={"service": "tax"})
        assert answer.json()["estimate"]["basis"] != LEARNED
        await eventually(lambda: "foreteller-died" in caplog.text, "the node says that it died")

        async def is_back() -> bool:
            node.later(1_000)
            node.service.live.look_ahead(node.view.hall)
            return bool(node.service.live.estimates(node.view.hall)["tax"].get("basis") == LEARNED)

        await eventually(is_back, "another process answers")


async def _it_serves_and_is_scored(node: Node) -> None:
    estimate = await node.issue()
    assert estimate["basis"] == LEARNED
    assert 0 <= estimate["p50_s"] <= estimate["p90_s"]
    metrics = (await node.client.get("/metrics")).text
    assert 'queue_estimate_basis{basis="learned",hall="hall",service="tax"} 1.0' in metrics
    board = (await node.client.get("/v1/halls/hall/board")).json()
    assert board["estimates"]["tax"]["basis"] == LEARNED
    assert "because" in board["estimates"]["land"]
    window = node.estimates.estimator.services["tax"].windows[LEARNED]
    before = len(window)
    for _ in range(2):
        await node.call()  # the first was issued before there was anything to say
    assert len(window) == before + 1


async def _a_simulation_is_scored_beside_it(node: Node) -> None:
    """Of a hall where some wait; by the same process."""
    for _ in range(FEWEST_WAITING):
        await node.issue()
    await node.foretelling.simulate()
    await eventually(lambda: SIMULATION in node.estimates.curves("tax", node.clock.now_ms()), "it was simulated")
    await node.issue()
    while node.view.hall.waiting_count("tax"):
        await node.call()
    assert SIMULATION in node.estimates.estimator.services["tax"].windows


async def test_a_study_that_fails_is_tried_again_later(node_after: After, caplog: pytest.LogCaptureFixture) -> None:
    """Its process is killed: the node says so, goes on, and the hall is due again after a while."""
    async with node_after(FEW) as node:
        await node.issue()
        study = asyncio.create_task(node.study())
        pids = await eventually(lambda: node.foretelling.foreteller.studying.pids, "the process is there")
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.wait_for(study, WAIT_S)
        assert node.foretelling.due() == []
        assert "study-put-off: hall: its process died" in caplog.text
        node.later(RETRY_MS)
        await node.issue()
        assert node.foretelling.due() == [node.view]


def test_what_comes_later_teaches_nothing(past: Past, tmp_path: Path) -> None:
    """A study for a day gives the same whether that day and those after it are in the log or not."""
    day = "2026-03-07"
    found = []
    for days in (ENOUGH, WEEK):
        (tmp_path / str(days)).mkdir()
        folder = past(days, tmp_path / str(days))
        found.append(study(database_url(folder), "hall", day, with_model=True))
    one, other = (
        (s.days, {name: s.estimator.services["tax"].scores.mae_s(name) for name in EstimateBasis}, s.packed)
        for s in found
    )
    assert one == other
    assert one[0] == ENOUGH


def test_no_day_is_foretold_by_a_model_that_has_seen_it(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last two of seven days are scored with a model of the five before; the model that serves has all seven."""
    grown: list[tuple[int, int]] = []

    def train(rows: list[object], waits_s: list[float], days: int, limit_s: float | None) -> None:
        grown.append((days, len(rows)))

    monkeypatch.setattr(learning, "train", train)
    study(database_url(past(WEEK, tmp_path)), "hall", f"2026-03-{2 + WEEK:02}", with_model=True)
    assert grown == [(WEEK - HELD_DAYS, (WEEK - HELD_DAYS) * TICKETS), (WEEK, WEEK * TICKETS)]


def test_either_kind_of_database_teaches_the_same(tmp_path: Path) -> None:
    """Two short days in SQLite and in PostgreSQL, a third begun: the same days, errors and lines."""
    found = []
    for kind in BOTH:
        (tmp_path / kind).mkdir()
        folder = kept_by(kind, tmp_path / kind)
        database = Database(database_url(folder))
        schema.prepare(database)
        drive = Drive(database)
        drive.plan()
        drive.open("1", "2")
        for day in range(2):
            live(drive, MIDNIGHT_MS + day * DAY_MS, tickets=30)
            drive.send(c.OpenDay(), at_ms=MIDNIGHT_MS + (day + 1) * DAY_MS)
        studied = study(database.url, "hall", drive.view.day.date, with_model=False)
        scores, line = studied.estimator.services["tax"].scores, studied.tracker.lines["tax"]
        errors = {basis: scores.mae_s(basis) for basis in EstimateBasis}
        found.append((studied.days, studied.has_model, errors, line.last_wait_s, line.interval_s))
        database.close()
    assert found[0] == found[1]
    assert found[0][:2] == (2, False)
    assert found[0][2][EstimateBasis.HEAD_OF_LINE] is not None
