"""Everything a staffing run knows, as plain values: it crosses to the worker process and back."""

from dataclasses import dataclass

from models.vocabulary import OrderRule
from queue_service.domain.calendar import Span
from queue_service.domain.hall import LaneKey
from queue_service.domain.heads import Terms
from queue_service.planning.simulation.drawing import Durations, Flow, Held
from queue_service.planning.simulation.scene import Scene, Shift, Visitor

HORIZON_MS = 3 * 3_600_000
RUNS = 200


@dataclass(frozen=True)
class Promises:
    """The promise of a wait by the instant in which it begins."""

    peaks: tuple[Span, ...]
    peak_ms: int
    peak_share: float
    off_peak_ms: int
    off_peak_share: float

    def is_peak(self, at_ms: int) -> bool:
        """Whether the peak promise holds."""
        return any(start <= at_ms < end for start, end in self.peaks)

    def at(self, at_ms: int) -> int:
        """The promise, ms."""
        return self.peak_ms if self.is_peak(at_ms) else self.off_peak_ms

    def share_at(self, at_ms: int) -> float:
        """The share that is to be called within it."""
        return self.peak_share if self.is_peak(at_ms) else self.off_peak_share


@dataclass(frozen=True)
class Reserve:
    """Clerks who can be called in, `count` at once during `[from_ms, to_ms)`, for some services."""

    services: frozenset[str]
    count: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class Situation:
    """A hall at an instant, and what is expected of the next hours.

    `shifts`: the counters at work until `until_ms`; `seats`: what every counter of the plan could serve."""

    now_ms: int
    until_ms: int
    order: OrderRule
    max_overtake_ms: int
    lane_terms: dict[LaneKey, Terms]
    promises: Promises
    shifts: tuple[Shift, ...]
    seats: dict[str, tuple[str, ...]]
    taken: frozenset[str]
    reserves: tuple[Reserve, ...]
    flows: tuple[Flow, ...]
    durations: dict[str, Durations]
    waiting: tuple[Visitor, ...] = ()
    held: tuple[Held, ...] = ()
    idle_since_ms: dict[str, int] | None = None
    suspended: frozenset[str] = frozenset()
    seed: int = 0
    runs: int = RUNS

    @property
    def end_ms(self) -> int:
        """When runs end: a promise after the last wait that is judged began."""
        return self.until_ms + max(self.promises.peak_ms, self.promises.off_peak_ms) + 1

    def scene(self, shifts: tuple[Shift, ...]) -> Scene:
        """The hall with some shifts."""
        return Scene(
            self.order, self.max_overtake_ms, self.lane_terms, shifts, self.now_ms, self.end_ms, self.suspended
        )
