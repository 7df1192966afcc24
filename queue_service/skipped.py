"""Commands whose halls other nodes hold: they wait for a later batch, each hall's in the order in which they came.

A hall that was skipped a few times is waited for in line (see `line`), and for as long as others are at it, it is not
tried in any other way: whoever goes on trying his luck has the luck of those who wait.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from queue_service import errors
from queue_service.clock import Clock
from queue_service.submission import Submission

SKIPS = 3
"""A hall that was skipped so often is waited for in line."""
CONTESTED_MS = 1_000
"""So long after the last sign of others at a hall it is tried out of line again."""

Item = TypeVar("Item", bound=tuple[Submission, Any])
"""A command, and what its caller waits for."""


class Skipped(Generic[Item]):
    """What was skipped, by hall. For the writer thread, or the event loop while that does nothing."""

    def __init__(self, clock: Clock, most: int, join_line: Callable[[str], None]) -> None:
        """`most` commands of a hall make a batch; `join_line` for a hall, if it does not stand there."""
        self._clock = clock
        self._most = most
        self._join_line = join_line
        self._halls: dict[str, list[Item]] = {}
        self._contested_until_ms: dict[str, int] = {}
        self._length = 0

    def __len__(self) -> int:
        """How many commands."""
        return self._length

    def waits(self, hall: str) -> bool:
        """Whether commands of a hall are here, or would have to wait in line."""
        return hall in self._halls or (hall in self._contested_until_ms and self._is_contested(hall))

    def before(self, items: Sequence[Item]) -> list[Item]:
        """A batch of these and what is to be tried again; the halls of all others stand in line."""
        batch: list[Item] = []
        for item in items:
            hall = item[0].hall
            if hall in self._halls or self._is_contested(hall):
                self._halls.setdefault(hall, []).append(item)
            else:
                batch.append(item)
        for hall in tuple(self._halls):
            if self._is_contested(hall):
                self._join_line(hall)
            else:
                batch += self.take(hall)
        self._count()
        return batch

    def take(self, hall: str) -> list[Item]:
        """What was skipped of a hall, as much as makes a batch."""
        earlier = self._halls.pop(hall, [])
        if len(earlier) > self._most:
            self._halls[hall] = earlier[self._most :]
        self._count()
        return earlier[: self._most]

    def put_off(self, items: Sequence[Item]) -> list[Item]:
        """Keep the commands that have no result, unless they are too old; the others."""
        decided, put_off = [], dict[str, list[Item]]()
        for item in items:
            one = item[0]
            if one.result is None and one.deadline_ms < self._clock.monotonic_ms():
                one.result = errors.Unavailable()
            if one.result is not None:
                decided.append(item)
                continue
            one.skips += 1
            put_off.setdefault(one.hall, []).append(item)
        for hall, waiting in put_off.items():
            self._halls[hall] = waiting + self._halls.get(hall, [])
            if waiting[0][0].skips >= SKIPS:
                self.contest(hall)
                self._join_line(hall)
        self._count()
        return decided

    def contest(self, hall: str) -> None:
        """Others are at this hall."""
        self._contested_until_ms[hall] = self._clock.monotonic_ms() + CONTESTED_MS

    def _is_contested(self, hall: str) -> bool:
        until_ms = self._contested_until_ms.get(hall)
        if until_ms is None or self._clock.monotonic_ms() < until_ms:
            return until_ms is not None
        del self._contested_until_ms[hall]
        return False

    def _count(self) -> None:
        self._length = sum(map(len, self._halls.values()))
