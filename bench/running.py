"""One run of the benchmark: how large it is, where its files are, and telling what is going on."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a run is. Loads last whole seconds: wrk knows no others."""

    name: str
    rounds: int
    load_s: int
    issued: int
    paced_s: float
    displays: int
    shown: int
    waiting: tuple[int, int, int]
    pairs: int
    history: int
    busy_day: int
    halls: int
    tickets: int
    nation_halls: int
    nation_s: float
    nation_more_s: float


FULL = Scale(
    name="full",
    rounds=5,
    load_s=3,
    issued=100_000,
    paced_s=5.0,
    displays=2_000,
    shown=30,
    waiting=(10, 1_000, 10_000),
    pairs=60,
    history=1_000_000,
    busy_day=100_000,
    halls=50,
    tickets=20_000,
    nation_halls=3_058,
    nation_s=23.0,
    nation_more_s=13.0,
)
QUICK = Scale(
    name="quick",
    rounds=2,
    load_s=1,
    issued=5_000,
    paced_s=1.0,
    displays=500,
    shown=10,
    waiting=(10, 100, 1_000),
    pairs=20,
    history=20_000,
    busy_day=5_000,
    halls=10,
    tickets=2_000,
    nation_halls=300,
    nation_s=7.0,
    nation_more_s=6.0,
)


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run's files are, and whom to tell what is being done."""

    folder: Path
    scale: Scale
    say: Callable[[str], None]

    def new_folder(self, name: str) -> Path:
        """A folder for one part's databases and logs."""
        made = self.folder / name
        made.mkdir()
        return made


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed round does not decide."""
    return statistics.median(values)


def percentile(values: Iterable[float], share: int) -> float:
    """The nearest-rank percentile."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * share // 100) - 1)]
