"""Random visitors: arrivals by rates, service times from a sample or a distribution. All chance of a run is here.

Every flow of a run has a random stream of its own, made of the seed, the run and the flow's place in the list: scenes
that are compared get the same visitors, and changing one flow leaves the others as they were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from queue_service.planning.simulation.scene import Visitor

Rng = np.random.Generator
Milliseconds = npt.NDArray[np.int64]
PromiseAt = Callable[[int], int | None]
"""The promise in ms of a wait that begins at an instant (ms since 1970)."""
WAITING, HELD = 1_000_000, 1_000_001
"""The streams of those who wait and are held at the start; flows have the lower numbers."""


class Durations(Protocol):
    """Where service times come from."""

    def draw(self, rng: Rng, count: int) -> Milliseconds:
        """So many of them, ms."""
        ...

    def left_ms(self, rng: Rng, elapsed_ms: int) -> int:
        """How long a service goes on that has taken `elapsed_ms` so far."""
        ...


class Resampled:
    """Recorded service times, drawn with replacement."""

    def __init__(self, sample_ms: Sequence[int]) -> None:
        """`sample_ms`: at least one."""
        if not sample_ms:
            raise ValueError("nothing to draw from")
        self.sample_ms: Milliseconds = np.sort(np.asarray(sample_ms, dtype=np.int64))

    def draw(self, rng: Rng, count: int) -> Milliseconds:
        """With replacement."""
        return self.sample_ms[rng.integers(0, len(self.sample_ms), count)]

    def left_ms(self, rng: Rng, elapsed_ms: int) -> int:
        """Among those that took longer; the mean of all where none did."""
        first = int(np.searchsorted(self.sample_ms, elapsed_ms, side="right"))
        quantile = rng.random()
        if first == len(self.sample_ms):
            return int(self.sample_ms.mean())
        return int(self.sample_ms[first + int(quantile * (len(self.sample_ms) - first))]) - elapsed_ms


class Exponential:
    """Exponential service times, for comparison with theory."""

    def __init__(self, mean_ms: float) -> None:
        """`mean_ms`: their mean."""
        self.mean_ms = mean_ms

    def draw(self, rng: Rng, count: int) -> Milliseconds:
        """Rounded to whole milliseconds."""
        return np.rint(rng.exponential(self.mean_ms, count)).astype(np.int64)

    def left_ms(self, rng: Rng, elapsed_ms: int) -> int:
        """Without memory."""
        return round(rng.exponential(self.mean_ms))


class Stretch(NamedTuple):
    """A Poisson stream of `per_hour` during `[from_ms, to_ms)`."""

    from_ms: int
    to_ms: int
    per_hour: float


@dataclass(frozen=True)
class Flow:
    """Who comes for a service with a priority class, and how long they take. `patience`: how long they would wait."""

    service: str
    priority: str
    stretches: tuple[Stretch, ...]
    durations: Durations
    patience: Durations | None = None


class Held(NamedTuple):
    """A ticket at a counter at the start; taken for `elapsed_ms` so far."""

    counter: str
    service: str
    elapsed_ms: int


@dataclass(frozen=True)
class Drawn:
    """One run's visitors: those who wait already first, then those to come; and until when counters are taken."""

    visitors: list[Visitor]
    busy_until_ms: dict[str, int]


def draw(
    flows: Sequence[Flow],
    promise_at: PromiseAt,
    seed: int,
    run: int,
    waiting: Sequence[Visitor] = (),
    held: Sequence[Held] = (),
    durations: Mapping[str, Durations] | None = None,
    start_ms: int = 0,
) -> Drawn:
    """The visitors of a run.

    `waiting` and `held`: who is there at `start_ms`; how long they take is drawn from `durations` (by service)."""
    durations = durations or {}
    visitors = _there_already(waiting, durations, _stream(seed, run, WAITING))
    for number, flow in enumerate(flows):
        visitors += _comers(flow, promise_at, _stream(seed, run, number))
    rng = _stream(seed, run, HELD)
    busy = {one.counter: start_ms + durations[one.service].left_ms(rng, one.elapsed_ms) for one in held}
    return Drawn(visitors, busy)


def _stream(seed: int, run: int, number: int) -> Rng:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(run, number))))


def _there_already(waiting: Sequence[Visitor], durations: Mapping[str, Durations], rng: Rng) -> list[Visitor]:
    visitors = list(waiting)
    places: dict[str, list[int]] = {}
    for place, one in enumerate(waiting):
        places.setdefault(one.service, []).append(place)
    for service, its_places in places.items():
        for place, held_ms in zip(its_places, durations[service].draw(rng, len(its_places)).tolist(), strict=True):
            visitors[place] = visitors[place]._replace(held_ms=held_ms)
    return visitors


def _comers(flow: Flow, promise_at: PromiseAt, rng: Rng) -> list[Visitor]:
    arrivals = [_arrivals(stretch, rng) for stretch in flow.stretches]
    times = np.sort(np.concatenate(arrivals)).tolist() if arrivals else []
    held = flow.durations.draw(rng, len(times)).tolist()
    patience = [None] * len(times) if flow.patience is None else flow.patience.draw(rng, len(times)).tolist()
    service, priority = flow.service, flow.priority
    return [
        Visitor(service, priority, at_ms, at_ms, at_ms, held_ms, promise_at(at_ms), "", patience_ms)
        for at_ms, held_ms, patience_ms in zip(times, held, patience, strict=True)
    ]


def _arrivals(stretch: Stretch, rng: Rng) -> Milliseconds:
    length_ms = stretch.to_ms - stretch.from_ms
    count = int(rng.poisson(stretch.per_hour * length_ms / 3_600_000))
    return stretch.from_ms + (rng.random(count) * length_ms).astype(np.int64)
