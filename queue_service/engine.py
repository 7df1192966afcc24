"""One queue of commands, and one batch of them at a time under way: decided ahead and stored by a process beside the
node (see `near`, `scribe`), or, where that cannot be, decided and stored by one writer thread.

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

from queue_service import errors
from queue_service.batch import Batches
from queue_service.clock import Clock, ClockGuard, DatabaseClock
from queue_service.database import Database
from queue_service.databases.kinds import Failure
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.line import Line, Turn
from queue_service.near import Decided, Near, Shown
from queue_service.scribe import program
from queue_service.scribe.process import Scribe
from queue_service.scribe.statements import parts
from queue_service.skipped import Skipped
from queue_service.submission import Answer, Answering, Keyed, Submission
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


_OUTCOMES = {
    program.UNAVAILABLE: ("database-unavailable", errors.Unavailable),
    program.UNKNOWN: ("commit-unanswered", errors.OutcomeUnknown),
}


class _Maintenance:
    """Work for the writer thread that is not a command."""

    def __init__(self, work: Callable[[Connection], Any], future: "Future[Any]") -> None:
        self.work = work
        self.future = future


class _Again:
    """What was skipped is to be tried again."""


_Item = tuple[Submission, "asyncio.Future[Answer]"]
_Errand = _Maintenance | Turn | _Again | None
"""What is no command; None: the end."""


class Engine:
    """Submits commands to the writer thread; tells the listener of each commit, on the event loop."""

    def __init__(self, database: Database, clock: Clock, listener: Listener, shown: Shown = lambda _hall: None) -> None:
        """`listener` is called on the event loop before the callers of that commit are answered. What is `shown` of a
        hall is taken for a copy of it."""
        self._database = database
        self._clock = clock
        self.guard = ClockGuard(clock)
        self._listener = listener
        self._batches = Batches(clock, self.guard)
        self._queue: queue.SimpleQueue[list[_Item] | _Errand] = queue.SimpleQueue()
        self.scribe = Scribe(database.kind)
        self._near: Near[Any] = Near(self._batches, clock, _submission_of, self, shown)
        self._line = Line(database, lambda turn: self._tell_loop(self._put, turn))
        self._skipped: Skipped[_Item] = Skipped(clock, BATCH_LIMIT, self._line.join)
        self._transactions = Transactions(database, self._batches)
        self._ending = self._asked_again = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the writer thread; call it on the running event loop."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.guard.begin()
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self.scribe.begin()

    async def stop(self) -> None:
        """Finish what was submitted, then end the writer thread."""
        self._stopping = True
        self._put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._line.stop)
        await self.scribe.stop()

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
        return self._queue.qsize() + len(self._skipped) + len(self._near)

    def heard(self, ends: Mapping[str, int]) -> None:
        """The logs of some halls go so far, as other nodes say."""
        self._near.heard(ends)

    def learned(self, events: Sequence[Logged]) -> None:
        """Other nodes committed these to a hall, in order, and they are shown now."""
        self._near.learned(events)

    def _put(self, thing: _Item | _Errand) -> None:
        assert self._loop is not None, "start() first"
        self._near.put(thing, self._loop.call_soon)

    # -- what becomes of what was taken

    def can_store(self) -> bool:
        """Whether the process beside the node could store a batch."""
        return self.scribe.is_ready

    def waits(self, hall: str) -> bool:
        """Whether earlier commands for a hall wait for others to let go of it."""
        return self._skipped.waits(hall)

    def work_off(self, thing: list[_Item] | _Errand) -> None:
        """Have the writer thread do it."""
        self._queue.put(thing)

    def store(self, decided: Decided[_Item]) -> None:
        """Have the process beside the node store it."""
        remaining_ms = decided.submissions[0].deadline_ms - self._clock.monotonic_ms()
        until_ms = self._clock.now_ms() + remaining_ms if isinstance(self._clock, DatabaseClock) else None
        ends = {write.hall.id: write.hall.seq for write in decided.work.writes.values()}
        self.scribe.store(
            parts(decided, until_ms), remaining_ms, ends, lambda word, said: self._stored(decided, word, said)
        )

    def _stored(self, decided: Decided[_Item], word: str, said: str) -> None:
        if word == program.REFUSED:
            LOG.debug("batch-refused: %s", said)
            self._near.refused(decided)
            return
        events = decided.work.events
        if word != program.DONE:
            name, outcome = _OUTCOMES[word]
            LOG.warning("%s: %s", name, said)
            self._near.failed(decided, outcome())
            events = []
        finished = time.perf_counter()
        commit = Commit(decided.submissions, events, finished - decided.begun, finished)
        try:
            self._deliver(commit, decided.asks)
        finally:
            self._near.done()

    # -- the writer thread

    def _run(self) -> None:
        while not (self._ending and self._queue.empty() and not self._skipped):
            try:
                self._step()
            except Exception:
                LOG.exception("writer-failed")
        LOG.info("writer-stopped")

    def _step(self) -> None:
        """Wait for something to do, and do it. Skipped commands are tried again with each batch; if there is none, they
        ask for one."""
        try:
            thing = self._queue.get(timeout=SKIPPED_S if self._skipped and not self._asked_again else None)
        except queue.Empty:
            self._asked_again = True
            self._tell_loop(self._put, _Again())
            return
        try:
            if isinstance(thing, _Maintenance):
                self._maintain(thing)
            elif isinstance(thing, Turn):
                self._take_turn(thing)
            elif thing is None:
                self._ending = True
            else:
                self._work_off_with_skipped(thing if isinstance(thing, list) else [])
        finally:
            self._tell_loop(self._near.done)  # whatever became of it: else nothing would be done any more

    def _work_off_with_skipped(self, items: list[_Item]) -> None:
        self._asked_again = False
        batch = self._skipped.before(items)
        if batch:
            self._work_off(batch, self._database.write)

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

    def _work_off(self, items: list[_Item], write: Write, is_locked: bool = False) -> None:
        begun = time.perf_counter()
        self._transactions.begin()
        events = self._transactions.run([submission for submission, _ in items], write, is_locked=is_locked)
        self._near.worked_off(events, self._transactions.learned, self._transactions.ends)
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


def _submission_of(thing: _Item | _Errand) -> Submission | None:
    """The command of an item; None where it is something else."""
    return thing[0] if isinstance(thing, tuple) else None
