"""Who of a simulated hall was called within the promise, by quarter of an hour and service."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from queue_service.planning.simulation.running import Course

QUARTER_MS = 900_000
Cell = tuple[int, str]
"""Quarter since the start (those who wait already: -1), service."""


@dataclass
class Count:
    """Visitors judged, and those among them who waited longer than promised."""

    judged: int = 0
    missed: int = 0

    @property
    def share(self) -> float:
        """The share that was called within the promise; 1 of nobody."""
        return 1.0 - self.missed / self.judged if self.judged else 1.0


@dataclass
class Tally:
    """Counts over many runs. A visitor belongs to the quarter in which the wait began; waits that begin at or after
    `until_ms` are left out, so that the end of a run does not cut them short: let a scene end a promise later."""

    start_ms: int
    until_ms: int
    end_ms: int
    runs: int = 0
    cells: dict[Cell, Count] = field(default_factory=dict)

    def add(self, course: Course) -> None:
        """Judge one run; who left or still waits is judged by how long the wait was."""
        self.runs += 1
        rows = zip(course.visitors, course.called_at_ms, course.left_at_ms, strict=True)
        for visitor, called_at_ms, left_at_ms in rows:
            since_ms, promise_ms = visitor.waiting_since_ms, visitor.promise_ms
            if promise_ms is None or since_ms >= self.until_ms:
                continue
            over_ms = called_at_ms if called_at_ms is not None else left_at_ms
            missed = (self.end_ms if over_ms is None else over_ms) - since_ms > promise_ms
            if called_at_ms is None and not missed:
                continue
            cell = (max(-1, (since_ms - self.start_ms) // QUARTER_MS), visitor.service)
            count = self.cells.get(cell) or self.cells.setdefault(cell, Count())
            count.judged += 1
            count.missed += missed

    def total(self, quarters: Iterable[int] | None = None, services: Iterable[str] | None = None) -> Count:
        """The sum over some quarters and services; None: all."""
        kept_quarters = None if quarters is None else frozenset(quarters)
        kept_services = None if services is None else frozenset(services)
        total = Count()
        for (quarter, service), count in self.cells.items():
            if (kept_quarters is None or quarter in kept_quarters) and (
                kept_services is None or service in kept_services
            ):
                total.judged += count.judged
                total.missed += count.missed
        return total
