"""One queue of commands and one writer thread per process (what it stores on a near database is decided: see `near`).

What arrives while a commit is running makes the next batch (group commit): no timer, no added delay. Queue and batch
are bounded; a command older than its deadline is answered undecided. Commands of a hall that another node holds wait
for a later batch and keep nobody up. After the commit, and only then, callers are answered and the events handed on.
"""

import asyncio
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from queue_service import at_once, errors
from queue_service.batch import Answer, Answering, Batches, Keyed, Submission
from queue_service.clock import Clock, ClockGuard
from queue_service.database import Database
from queue_service.databases.kinds import Failure
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.line import Line, Turn
from queue_service.near import Decided, Near
from queue_service.skipped import Skipped
from queue_service.transactions import Transactions, Write

LOG = logging.getLogger("queue_service.engine")

DEADLINE_MS = 5_000
QUEUE_LIMIT = 10_000
BATCH_LIMIT = 256
SKIPPED_S = 0.002
"""With nothing else to do, skipped halls are tried again after so long."""
SWITCH_INTERVAL_S = 0.0002
"""Python's default of 5 ms would let the event loop hold up each of the writer's statements that long."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did, for those who measure: its submissions, events, how long it took, and when it was done
    (`time.perf_counter()`); what of others' commits was read for it, which comes before its own events; and where the
    logs end of halls that it only looked at."""

    submissions: Sequence[Submission]
    events: Sequence[Logged]
    seconds: float
    finished: float
    learned: Sequence[Logged] = ()
    ends: Mapping[str, int] = field(default_factory=dict)


Listener = Callable[[Commit], None]


class _Maintenance:
    """Work for the writer thread that is not a command."""

    def __init__(self, work: Callable[[Connection], Any], future: "Future[Any]") -> None:
        self.work = work
        self.future = future


_Item = tuple[Submission, "asyncio.Future[Answer]"]
_Thing = _Item | list[_Item] | Decided[_Item] | _Maintenance | Turn | None


class Engine:
    """Submits commands to the writer thread; tells the listener of each commit, on the event loop."""

    def __init__(self, database: Database, clock: Clock, listener: Listener) -> None:
        """`listener` is called on the event loop before the callers of that commit are answered."""
        self._database = database
        self._clock = clock
        self.guard = ClockGuard(clock)
        self._listener = listener
        self._batches = Batches(clock, self.guard)
        self._queue: queue.SimpleQueue[_Thing] = queue.SimpleQueue()
        self._near = Near(self._batches, clock, _submission_of, self._queue.put) if database.is_near else None
        self._line = Line(database, self._queue.put)
        self._skipped: Skipped[_Item] = Skipped(clock, BATCH_LIMIT, self._line.join)
        self._transactions = Transactions(database, self._batches)
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the writer thread; call it on the running event loop."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.guard.begin()
        if self._near is not None:
            at_once.prepare(self._database.engine)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what was submitted, then end the writer thread."""
        self._stopping = True
        self._put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._line.stop)

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
        if self.waiting >= QUEUE_LIMIT:
            raise errors.Overloaded
        deadline_ms = self._clock.monotonic_ms() + DEADLINE_MS
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._put((Submission(hall, command, actor, channel, answering, deadline_ms, keyed), future))
        return future

    async def maintain(self, work: Callable[[Connection], Any]) -> Any:
        """Run `work` in a write transaction of its own, between batches."""
        future: Future[Any] = Future()
        self._put(_Maintenance(work, future))
        return await asyncio.wrap_future(future)

    @property
    def waiting(self) -> int:
        """How much waits to be done."""
        return self._queue.qsize() + len(self._skipped) + (len(self._near) if self._near is not None else 0)

    def _put(self, thing: _Item | _Maintenance | None) -> None:
        if self._near is None:
            self._queue.put(thing)
        else:
            assert self._loop is not None, "start() first"
            self._near.put(thing, self._loop.call_soon)

    # -- the writer thread

    def _run(self) -> None:
        while not (self._ending and self._queue.empty() and not self._skipped):
            try:
                self._step()
            except Exception:
                LOG.exception("writer-failed")
        LOG.info("writer-stopped")

    def _step(self) -> None:
        """Wait for something to do (where commands were skipped, only for a moment), then do all that has arrived."""
        items: list[_Item] = []
        try:
            self._take(self._queue.get(timeout=SKIPPED_S if self._skipped else None), items)
            while len(items) < BATCH_LIMIT:
                self._take(self._queue.get_nowait(), items)
        except queue.Empty:
            pass
        batch = self._skipped.before(items)
        if batch:
            self._work_off(batch, self._database.write)

    def _take(self, thing: _Thing, items: list[_Item]) -> None:
        """A command joins the batch; anything else is done at once, by itself."""
        if isinstance(thing, tuple):
            items.append(thing)
            return
        if isinstance(thing, Decided):
            self._store(thing)
            return
        try:
            if isinstance(thing, list):
                self._work_off(thing, self._database.write)
            elif isinstance(thing, _Maintenance):
                self._maintain(thing)
            elif isinstance(thing, Turn):
                self._take_turn(thing)
            else:
                self._ending = True
        finally:
            self._tell_done()

    def _tell_done(self) -> None:
        """Whatever became of it: nothing would be done any more if the event loop took it to be under way."""
        if self._near is not None:
            self._tell_loop(self._near.done)

    def _maintain(self, item: _Maintenance) -> None:
        if not item.future.set_running_or_notify_cancel():
            return
        try:
            with self._database.write() as connection:
                result = item.work(connection)
            item.future.set_result(result)
        except Exception as error:  # noqa: BLE001 (whoever asked for the work gets its error)
            if self._database.failure(error) != Failure.LASTING:
                error = errors.Unavailable(f"The database is not available: {getattr(error, 'orig', error)}.")
            item.future.set_exception(error)

    def _take_turn(self, turn: Turn) -> None:
        """The hall that was waited for is locked: decide what is still there to be decided."""
        try:
            if items := self._skipped.take(turn.hall):
                self._work_off(items, turn.write, is_locked=True)
                if any(one.hall == turn.hall for one in self._transactions.learned):  # the others are still at it
                    self._skipped.contest(turn.hall)
        except Exception:
            LOG.exception("turn-failed")
        finally:
            turn.let_go()

    def _store(self, decided: Decided[_Item]) -> None:
        """Store what was decided on the event loop."""
        assert self._near is not None, "nobody else decides ahead"
        self._transactions.begin()
        events = decided.work.events
        has_begun = False
        try:
            with self._database.at_once() as connection:
                has_begun = True
                decided.store(connection)
        except Exception as error:  # noqa: BLE001 (done again from the beginning, it meets the same, and says so)
            may_be_done = has_begun and not self._database.is_undone(error)
            outcome = self._transactions.outcome_of(error, may_be_done)
            if outcome is None:
                self._tell_loop(self._near.refused, decided)
                return
            self._tell_loop(self._near.failed, decided, outcome)
            events = []
        try:
            self._announce(decided.asks, events, decided.begun)
        finally:
            self._tell_done()

    def _work_off(self, items: list[_Item], write: Write, is_locked: bool = False) -> None:
        begun = time.perf_counter()
        self._transactions.begin()
        events = self._transactions.run([submission for submission, _ in items], write, is_locked=is_locked)
        self._announce(self._skipped.put_off(items), events, begun)

    def _announce(self, items: Sequence[_Item], events: Sequence[Logged], begun: float) -> None:
        """Tell the event loop what was done, and other nodes where to look for it."""
        finished = time.perf_counter()
        if items:
            submissions = [submission for submission, _ in items]
            told = self._transactions
            commit = Commit(submissions, events, finished - begun, finished, told.learned, told.ends)
            self._tell_loop(self._deliver, commit, items)
        self._database.notify({one.hall: one.seq for one in events})
        self._database.restart_log()

    def _tell_loop(self, do: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None, "start() first"
        self._loop.call_soon_threadsafe(do, *arguments)

    # -- the event loop

    def _deliver(self, commit: Commit, items: Sequence[_Item]) -> None:
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


def _submission_of(thing: _Item | _Maintenance | None) -> Submission | None:
    """The command of an item; None where it is something else."""
    return thing[0] if isinstance(thing, tuple) else None
