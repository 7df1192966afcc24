"""Deciding ahead: each command is decided on the event loop as it comes, before its transaction; what has gathered is
stored by a process beside the node (see `scribe`), and meanwhile the next batch gathers.

The copies say how each hall will stand once all that was decided is stored, so deciding waits for no disk. The batch
makes sure that the logs still end where its commands were decided from, and that none of their keys was answered
before. Where that is not so (another node wrote, a client repeats itself), or where anything else goes wrong or the
database must be asked (a hall without a copy or that others are at, a closed ticket, an error), the commands are left
to the writer thread, which does them again from the beginning, with nothing else under way.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

from queue_service import appending
from queue_service.batch import Batches, NotAtOnce, Work
from queue_service.clock import Clock
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.submission import Submission

LIMIT = 128
"""Commands of a batch; more wait undecided."""
SHARED_MS = 10_000
"""So long after others wrote to a hall nothing is decided ahead there. Each time that turns out to be wrong, all is
done twice, and the copy is lost."""

Shown = Callable[[str], Hall | None]
"""A hall as displays are shown it; None where they are not."""
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


class Storing(Protocol):
    """What is to be done with what was taken."""

    def can_store(self) -> bool:
        """Whether a batch that was decided ahead could be handed on."""
        ...

    def waits(self, hall: str) -> bool:
        """Whether earlier commands for a hall wait for others to let go of it."""
        ...

    def store(self, decided: Decided[Any]) -> None:
        """Have a batch stored; `done`, `refused` or `failed` is called after it."""
        ...

    def work_off(self, thing: Any) -> None:
        """Have the writer thread do commands from the beginning, or something else; it calls `done` after it."""
        ...


class Near(Generic[Ask]):
    """What waits to be done, what is decided, and whether something is under way. All of it on the event loop, except
    for `worked_off`: nothing is decided while the writer thread is at work."""

    def __init__(
        self,
        batches: Batches,
        clock: Clock,
        submission_of: Callable[[Ask], Submission | None],
        storing: Storing,
        shown: Shown,
    ) -> None:
        """`submission_of` an ask is None where it is no command; such are handed on as they are."""
        self._batches = batches
        self._clock = clock
        self._submission_of = submission_of
        self._storing = storing
        self._shown = shown
        self._heard: dict[str, int] = {}
        self._shared_until_ms: dict[str, int] = {}
        self._refused: Mapping[str, tuple[int, str]] = {}
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
        for ask in work if isinstance(work, list) else ():
            if (submission := self._submission_of(ask)) is not None:
                self._reaches(submission.hall)
        self._is_alone = True
        self._storing.work_off(work)

    def _hand_on_decided(self, decided: Decided[Ask]) -> None:
        is_late = decided.submissions[0].deadline_ms < self._clock.monotonic_ms()
        if is_late or not self._storing.can_store():
            self.refused(decided)  # from the beginning, who stood decided for too long is told so
            return
        try:
            decided.rows = self._batches.close(decided.work)
            self._storing.store(decided)
        except Exception:  # noqa: BLE001 (the writer thread meets the same, and says so)
            self.refused(decided)
            return
        self._decide_waiting()

    def refused(self, decided: Decided[Ask]) -> None:
        """It could not be stored, and all is as it was before: do it from the beginning, and whatever was decided on
        top of it."""
        self._refused = decided.work.stood_on
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
        if not self._is_mine(submission.hall) or not self._storing.can_store():
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

    # -- halls that other nodes are at, too

    def learned(self, events: Sequence[Logged]) -> None:
        """What others committed to a hall, as it is shown."""
        if events and not self._is_alone:
            self._batches.follow(events)

    def heard(self, ends: Mapping[str, int]) -> None:
        """The logs of some halls go so far."""
        for hall, seq in ends.items():
            if seq > self._heard.get(hall, 0):
                self._heard[hall] = seq

    def worked_off(self, events: Sequence[Logged], learned: Sequence[Logged], ends: Mapping[str, int]) -> None:
        """The writer thread has stored these, having learned those of others; halls it only looked at end there. Where
        others are at a hall nothing is decided ahead for a while: it would only have to be decided again."""
        first = {one.hall: one.previous for one in reversed(events)}
        shared = {one.hall for one in learned}
        for hall, (seq, head) in self._refused.items():
            if first.get(hall, head) != head or ends.get(hall, seq) != seq:
                shared.add(hall)
        self._refused = {}
        self._shared_until_ms |= dict.fromkeys(shared, self._clock.monotonic_ms() + SHARED_MS)

    def _is_mine(self, hall: str) -> bool:
        """Whether a hall's copy is, as far as is known, where the log ends."""
        seq = self._reaches(hall)
        if seq is None or seq < self._heard.get(hall, 0) or self._storing.waits(hall):
            return False
        until_ms = self._shared_until_ms.get(hall)
        if until_ms is not None and until_ms <= self._clock.monotonic_ms():
            del self._shared_until_ms[hall]
            return True
        return until_ms is None

    def _reaches(self, hall: str) -> int | None:
        """Up to which seq the copy of a hall goes: if there is none, one is taken of what is shown."""
        seq = self._batches.reaches(hall)
        if seq is None and (shown := self._shown(hall)) is not None:
            self._batches.adopt(shown)
            seq = shown.seq
        return seq

    def _take(self) -> Ask | list[Ask]:
        """The commands at the front, or one thing that is none."""
        asks: list[Ask] = []
        while self._waiting and len(asks) < LIMIT:
            if self._submission_of(self._waiting[0]) is None:
                break
            asks.append(self._waiting.popleft())
        return asks or self._waiting.popleft()
