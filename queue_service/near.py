"""The short way for a database that is near (SQLite): batches are decided on the event loop, and only their COMMIT goes
to the writer thread.

Two threads that share Python's lock and a hall's objects hold each other up at every statement: the same work took
a third longer, and its parallel part was lost in handing over. COMMIT alone waits for the disk, so it alone is worth a
thread. One thing is under way at a time, here or there. Whatever may take longer (a lock that another process holds,
a log to be read, an error) is left to the writer thread, which does all of it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeVar

from queue_service.batch import Batches, NotAtOnce, Submission
from queue_service.database import Database
from queue_service.domain.events import Logged

LIMIT = 128
"""Commands of a batch: the event loop does nothing else meanwhile."""

Ask = TypeVar("Ask")
"""A command on its way, as the engine keeps it."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[Ask]):
    """A batch that stands in its transaction; closing `transaction` commits it."""

    asks: Sequence[Ask]
    events: list[Logged]
    transaction: ExitStack
    begun: float


class Near(Generic[Ask]):
    """What waits to be done, and whether something is under way."""

    def __init__(
        self,
        database: Database,
        batches: Batches,
        submission_of: Callable[[Ask], Submission | None],
        hand_on: Callable[[Any], object],
    ) -> None:
        """`submission_of` an ask is None where it is no command; such are handed on as they are. `hand_on` gives the
        writer thread an ask, a batch of asks, or a Decided; it calls `done` on the event loop after each."""
        self._database = database
        self._batches = batches
        self._submission_of = submission_of
        self._hand_on = hand_on
        self._waiting: deque[Ask] = deque()
        self._is_busy = False

    def __len__(self) -> int:
        """How much waits."""
        return len(self._waiting)

    def put(self, ask: Ask, soon: Callable[[Callable[[], None]], object]) -> None:
        """Do it next, but not before the caller, and all that the event loop has ready (`soon`), had its turn."""
        self._waiting.append(ask)
        if not self._is_busy:
            self._is_busy = True
            soon(self.done)

    def done(self) -> None:
        """Nothing is under way any more: go on with what waits."""
        self._is_busy = bool(self._waiting)
        if not self._is_busy:
            return
        asks, submissions = self._take()
        self._hand_on((self._decided(asks, submissions) or asks) if submissions else asks[0])

    def _take(self) -> tuple[list[Ask], list[Submission]]:
        """The commands at the front, or one thing that is none."""
        asks: list[Ask] = []
        submissions: list[Submission] = []
        while self._waiting and len(asks) < LIMIT:
            submission = self._submission_of(self._waiting[0])
            if submission is None and asks:
                break
            asks.append(self._waiting.popleft())
            if submission is None:
                break
            submissions.append(submission)
        return asks, submissions

    def _decided(self, asks: list[Ask], submissions: list[Submission]) -> Decided[Ask] | None:
        """The batch, decided; None where that has to be left to the writer thread, as if it had not been tried."""
        begun, has_begun = perf_counter(), False
        try:
            with ExitStack() as stack:
                connection = stack.enter_context(self._database.write(wait=False))
                has_begun = True
                events = self._batches.run(connection, submissions, at_once=True)
                return Decided(asks, events, stack.pop_all(), begun)
        except NotAtOnce:
            has_begun = False
        except Exception:  # noqa: BLE001, S110 (the writer thread meets the same, and says so)
            pass
        if has_begun:  # else the copies are as good as they were: reading them afresh would cost a day's log
            self._batches.forget([one.hall for one in submissions])
            for one in submissions:
                one.result, one.events = None, []
        return None
