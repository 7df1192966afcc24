"""The process that is asked: it keeps what was studied of each hall, and says of every line how long who joins it, or
stands in it, will wait. Everything here runs there; what it is asked and answers crosses as plain values.
"""

import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from queue_service.domain.plan import Plan
from queue_service.planning.live.curve import Answer, Points
from queue_service.planning.live.simulated import Standing, simulated
from queue_service.planning.predictors.features import features
from queue_service.planning.predictors.known import Known
from queue_service.planning.staffing.learning import Learned

if TYPE_CHECKING:
    from queue_service.planning.predictors.learning import Model

STEPS = (0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 130, 190, 280, 400, 600)
MORE = (0, 1, 4)
"""Beyond those who wait now: for the next to come until it is asked again."""


@dataclass(frozen=True)
class Taught:
    """What was studied of a hall: a model if there were days enough; who comes, how long they take; its plan then."""

    model: "Model | None"
    demand: Learned
    plan: Plan


_TAUGHT: dict[str, Taught] = {}


def teach(hall: str, packed: bytes) -> None:
    """Keep what was studied of a hall, in place of what was kept of it."""
    _TAUGHT[hall] = pickle.loads(zlib.decompress(packed))  # noqa: S301 (this node's own process made it)


def forget(hall: str) -> None:
    """Make room."""
    _TAUGHT.pop(hall, None)


def ask(questions: Sequence[tuple[str, Sequence[Known]]]) -> dict[str, Answer]:
    """What the learned models say of the lines of some halls, each as known now. Halls without a model are left out."""
    found = ((hall, _TAUGHT.get(hall), known) for hall, known in questions)
    return {hall: learned(taught.model, known) for hall, taught, known in found if taught and taught.model}


def learned(model: "Model", lines: Sequence[Known]) -> Answer:
    """What a model says of some lines."""
    grids = [_grid(known.ahead) for known in lines]
    rows = [features(known._replace(ahead=n)) for known, grid in zip(lines, grids, strict=True) for n in grid]
    said = iter(model.ask(rows))
    answer = {}
    for known, grid in zip(lines, grids, strict=True):
        figures = [next(said) for _ in grid]
        p50_s, p90_s = ([one.p50_s for one in figures], [one.p90_s for one in figures])
        answer[known.service] = Points(_dense(grid, p50_s), _dense(grid, p90_s))
    return answer


def _grid(ahead: int) -> tuple[int, ...]:
    return (*(step for step in STEPS if step < ahead), *(ahead + more for more in MORE))


def _dense(grid: Sequence[int], values: Sequence[float]) -> tuple[float, ...]:
    """A value for every number ahead, between those that were asked in proportion. Nobody waits longer for standing
    further in front."""
    return tuple(np.interp(np.arange(grid[-1] + 1), grid, np.maximum.accumulate(values)).tolist())


def simulate(hall: str, standing: Standing) -> tuple[Answer, float] | None:
    """What a simulation of a hall as it stands says, and the seconds of processor time it took; None: not taught."""
    taught = _TAUGHT.get(hall)
    if taught is None:
        return None
    return simulated(standing, taught.demand, taught.plan)
