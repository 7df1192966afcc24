"""One queue of commands and one writer thread per process.

What arrives while a commit is running makes the next batch (group commit): no timer, no added delay. Queue and batch
are bounded; a command older than its deadline is answered undecided. After the commit, and only then, callers are
answered and the events handed on.
"""

import asyncio
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from queue_service import errors
from queue_service.batch import Answer, Answering, Batches, Keyed, Submission
from queue_service.clock import Clock, ClockGuard
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.events import Logged

LOG = logging.getLogger("queue_service.engine")

DEADLINE_MS = 5_000
QUEUE_LIMIT = 10_000
BATCH_LIMIT = 256
SWITCH_INTERVAL_S = 0.0002
"""Python's default of 5 ms would let the event loop hold up each of the writer's statements that long."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did, for those who measure: its submissions, events, how long it took, and when it was done
    (`time.perf_counter()`)."""

    submissions: Sequence[Submission]
    events: Sequence[Logged]
    seconds: float
    finished: float


Listener = Callable[[Commit], None]


class _Maintenance:
    """Work for the writer thread that is not a command."""

    def __init__(self, work: Callable[[Connection], Any], future: "Future[Any]") -> None:
        self.work = work
        self.future = future


_Item = tuple[Submission, "asyncio.Future[Answer]"]


class Engine:
    """Submits commands to the writer thread; tells the listener of each commit, on the event loop."""

    def __init__(self, database: Database, clock: Clock, listener: Listener) -> None:
        """`listener` is called on the event loop before the callers of that commit are answered."""
        self._database = database
        self._clock = clock
        self.guard = ClockGuard(clock)
        self._listener = listener
        self._batches = Batches(clock, self.guard)
        self._queue: queue.SimpleQueue[_Item | _Maintenance | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the writer thread; call it on the running event loop."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what was submitted, then end the writer thread."""
        self._stopping = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    @property
    def is_alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    def submit(
        self,
        hall: str,
        command: c.Command,
        *,
        actor: str,
        channel: str,
        answering: Answering,
        keyed: Keyed | None = None,
    ) -> "asyncio.Future[Answer]":
        """Queue a command; the future ends with its answer once it is durable, or with a QueueServiceError."""
        assert self._loop is not None, "start() first"
        if self._stopping:
            raise errors.Unavailable("The node is stopping.")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise errors.Overloaded
        deadline_ms = self._clock.monotonic_ms() + DEADLINE_MS
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._queue.put((Submission(hall, command, actor, channel, answering, deadline_ms, keyed), future))
        return future

    async def maintain(self, work: Callable[[Connection], Any]) -> Any:
        """Run `work` in a write transaction of its own, between batches."""
        future: Future[Any] = Future()
        self._queue.put(_Maintenance(work, future))
        return await asyncio.wrap_future(future)

    # -- the writer thread

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, _Maintenance):
                    self._maintain(item)
                else:
                    self._work_off(self._collect(item))
            except Exception:
                LOG.exception("writer-failed")
        LOG.info("writer-stopped")

    def _collect(self, first: _Item) -> list[_Item]:
        """Everything that has arrived, up to the bound. Maintenance work met on the way is done at once, by itself."""
        items = [first]
        while len(items) < BATCH_LIMIT:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            if isinstance(item, _Maintenance):
                self._maintain(item)
            else:
                items.append(item)
        return items

    def _maintain(self, item: _Maintenance) -> None:
        try:
            with self._database.write() as connection:
                result = item.work(connection)
            item.future.set_result(result)
        except OperationalError as error:
            item.future.set_exception(errors.Unavailable(f"The database is not available: {error.orig}."))
        except Exception as error:  # noqa: BLE001 (whoever asked for the work gets its error)
            item.future.set_exception(error)

    def _work_off(self, items: list[_Item]) -> None:
        submissions = [submission for submission, _ in items]
        started = time.perf_counter()
        events = self._transact(submissions)
        finished = time.perf_counter()
        commit = Commit(submissions, events, finished - started, finished)
        assert self._loop is not None, "start() first"
        self._loop.call_soon_threadsafe(self._deliver, commit, items)
        self._database.restart_log()

    def _transact(self, submissions: list[Submission]) -> list[Logged]:
        """Store a batch; when a statement fails for good, split it so that only the culprit fails."""
        reached_commit = False
        try:
            with self._database.write() as connection:
                events = self._batches.run(connection, submissions)
                reached_commit = True
            return events
        except Exception as error:
            if reached_commit or isinstance(error, OperationalError):  # to run it again might do it twice
                LOG.warning("database-unavailable: %s", getattr(error, "orig", error))
                self._fail(submissions, errors.OutcomeUnknown() if reached_commit else errors.Unavailable())
                return []
            LOG.exception("batch-failed")
            self._batches.forget([one.hall for one in submissions])
            return self._split(submissions, error)

    def _fail(self, submissions: list[Submission], error: Exception) -> None:
        """Answer every command undecided. Copies that the batch may have changed are dropped."""
        self._batches.forget([one.hall for one in submissions])
        for one in submissions:
            one.result, one.events = error, []

    def _split(self, submissions: list[Submission], error: Exception) -> list[Logged]:
        if len(submissions) == 1:
            submissions[0].result, submissions[0].events = error, []
            return []
        for one in submissions:
            one.result, one.events = None, []
        halls = dict.fromkeys(one.hall for one in submissions)
        if len(halls) > 1:
            parts = [[one for one in submissions if one.hall == hall] for hall in halls]
        else:
            parts = [[one] for one in submissions]
        return [logged for part in parts for logged in self._transact(part)]

    # -- the event loop

    def _deliver(self, commit: Commit, items: list[_Item]) -> None:
        try:
            self._listener(commit)
        except Exception:
            LOG.exception("listener-failed")  # what is committed is answered, whatever those who watch make of it
        for submission, future in items:
            if future.done():
                continue
            if isinstance(submission.result, Answer):
                future.set_result(submission.result)
            else:
                future.set_exception(submission.result or errors.OutcomeUnknown())
