"""The short way for a database that is near (SQLite): each command is decided on the event loop as it comes, ahead of
its transaction; what has gathered is stored by one statement on the writer thread (see `at_once`).

The copies say how each hall will stand once all that was decided is stored, so deciding waits for no disk. The
statement makes sure that the log still ends where the commands were decided from, and that none of their keys was
answered before. Where that is not so (another process wrote, a client repeats itself), or where anything else goes
wrong or the database must be asked (a hall without a copy, a closed ticket, an error), the commands are left to the
writer thread, which does them again from the beginning, with nothing else under way.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from queue_service import appending, at_once
from queue_service.batch import Batches, NotAtOnce, Submission, Work
from queue_service.clock import Clock

LIMIT = 128
"""Commands of a batch; more wait undecided."""

Ask = TypeVar("Ask")
"""A command on its way, as the engine keeps it."""


@dataclass(slots=True)
class Decided(Generic[Ask]):
    """A batch decided ahead of its transaction."""

    work: Work
    asks: list[Ask] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    rows: appending.Rows = appending.NOTHING
    begun: float = 0.0

    def store(self, connection: Connection) -> None:
        """Store it, by the writer thread. Raises Overtaken."""
        at_once.store(connection, self.rows, self.work.stood_on, self.work.unkept(self.submissions))


class Near(Generic[Ask]):
    """What waits to be done, what is decided, and whether something is under way. All of it on the event loop."""

    def __init__(
        self,
        batches: Batches,
        clock: Clock,
        submission_of: Callable[[Ask], Submission | None],
        hand_on: Callable[[Any], object],
    ) -> None:
        """`submission_of` an ask is None where it is no command; such are handed on as they are. `hand_on` gives the
        writer thread an ask, commands to be done from the beginning, or a Decided; it calls `done` after each."""
        self._batches = batches
        self._clock = clock
        self._submission_of = submission_of
        self._hand_on = hand_on
        self._waiting: deque[Ask] = deque()
        self._ahead: Decided[Ask] | None = None
        self._is_busy = self._is_alone = False

    def __len__(self) -> int:
        """How much waits."""
        return len(self._waiting) + (len(self._ahead.asks) if self._ahead is not None else 0)

    def put(self, ask: Ask, soon: Callable[[Callable[[], None]], object]) -> None:
        """Decide it now, or next. It is handed on when nothing is under way, but not before all that the event loop has
        ready (`soon`) had its turn."""
        self._waiting.append(ask)
        if len(self._waiting) == 1 and not self._is_alone:
            self._decide_waiting()
        if not self._is_busy:
            self._is_busy = True
            soon(self.done)

    def done(self) -> None:
        """Nothing is under way any more: go on with what is decided, else with what waits."""
        self._is_alone = False
        if self._ahead is None:
            self._decide_waiting()
        decided, self._ahead = self._ahead, None
        self._is_busy = decided is not None or bool(self._waiting)
        if decided is not None:
            self._hand_on_decided(decided)
        elif self._waiting:
            self._hand_on_alone(self._take())

    def _hand_on_alone(self, work: Ask | list[Ask]) -> None:
        """The writer thread may use the copies: nothing is decided meanwhile."""
        self._is_alone = True
        self._hand_on(work)

    def _hand_on_decided(self, decided: Decided[Ask]) -> None:
        if decided.submissions[0].deadline_ms < self._clock.monotonic_ms():
            self.refused(decided)  # they stood decided for too long: from the beginning, they are told so
            return
        try:
            decided.rows = self._batches.close(decided.work)
        except Exception:  # noqa: BLE001 (the writer thread meets the same, and says so)
            self.refused(decided)
            return
        self._hand_on(decided)
        self._decide_waiting()

    def refused(self, decided: Decided[Ask]) -> None:
        """It could not be stored, and all is as it was before: do it from the beginning, and whatever was decided on
        top of it."""
        self._hand_on_alone([*decided.asks, *self._take_back(decided)])

    def failed(self, decided: Decided[Ask], outcome: Exception) -> None:
        """That is the answer to all of it; what was decided on top of it waits to be decided afresh."""
        self._waiting.extendleft(reversed(self._take_back(decided)))
        for one in decided.submissions:
            one.result = outcome

    def _take_back(self, decided: Decided[Ask]) -> list[Ask]:
        """Forget a batch and what was decided on top of it; that is undecided again."""
        self._batches.undo(decided.submissions)
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return []
        self._batches.undo(ahead.submissions)
        return ahead.asks

    def _decide_waiting(self) -> None:
        """Decide what waits, up to the first that cannot be decided yet."""
        while self._waiting and (self._ahead is None or len(self._ahead.asks) < LIMIT):
            submission = self._submission_of(self._waiting[0])
            if submission is None or not self._decide(submission):
                return
            assert self._ahead is not None, "it was decided"
            self._ahead.submissions.append(submission)
            self._ahead.asks.append(self._waiting.popleft())

    def _decide(self, submission: Submission) -> bool:
        """Decide one command; False: the writer thread must do it."""
        if not self._batches.knows(submission.hall):
            return False
        if self._ahead is None:
            self._ahead = Decided(self._batches.open(), begun=perf_counter())
        try:
            self._batches.decide_ahead(self._ahead.work, submission)
        except NotAtOnce:
            if not self._ahead.asks:
                self._ahead = None
            return False
        except Exception:  # noqa: BLE001 (the writer thread meets the same, and says so)
            self._batches.undo([submission])
            self._waiting.extendleft(reversed(self._take_back(self._ahead)))
            return False
        return True

    def _take(self) -> Ask | list[Ask]:
        """The commands at the front, or one thing that is none."""
        asks: list[Ask] = []
        while self._waiting and len(asks) < LIMIT:
            if self._submission_of(self._waiting[0]) is None:
                break
            asks.append(self._waiting.popleft())
        return asks or self._waiting.popleft()
