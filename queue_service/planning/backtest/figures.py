"""What was foretold held against what came: errors of each predictor, the chance of a long wait, the bound by day.

Errors are in minutes. A predictor is judged where it said something; `tickets` says how often that was.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.planning.backtest.running import LIMIT_S, Foretold
from queue_service.planning.predictors.known import Estimate

AHEAD = (0, 1, 5)
"""Errors are told of all tickets, and of those with at least so many before them."""


@dataclass(frozen=True, slots=True)
class Errors:
    """One predictor. None: it said nothing of such tickets. `bias_min`: foretold less real, over all."""

    tickets: int
    mae_min: float | None
    mae_ahead_1_min: float | None
    mae_ahead_5_min: float | None
    bias_min: float | None


@dataclass(frozen=True, slots=True)
class Bound:
    """The nine-in-ten bound of one day: tickets, the share that waited no longer, its mean."""

    tickets: int
    coverage: float
    mean_bound_min: float


def figures(told: Sequence[Foretold]) -> dict[str, Any]:
    """The table of a backtest: counts, `predictors`, `served`, `brier_over_10_min`, `days`."""
    served = [(one, one.served) for one in told if isinstance(one.served, Estimate)]
    bases = [basis for basis in EstimateBasis if any(basis in one.points for one in told)]
    return {
        "tickets": len(told),
        "served": asdict(_errors((one.ahead, said.p50_s - one.wait_s) for one, said in served)),
        "predictors": {
            str(basis): asdict(
                _errors((one.ahead, one.points[basis] - one.wait_s) for one in told if basis in one.points)
            )
            for basis in bases
        },
        "below_moving_average": _below(served),
        "brier_over_10_min": _mean(
            [(said.chance - (one.wait_s > LIMIT_S)) ** 2 for one, said in served if said.chance is not None]
        ),
        "share_over_10_min": _mean([float(one.wait_s > LIMIT_S) for one in told]),
        "served_by": _counted(said.basis for _, said in served),
        "no_estimate": _counted(one.served for one in told if isinstance(one.served, NoEstimate)),
        "days": {day: asdict(bound) for day, bound in _bounds(served).items()},
    }


def _errors(errors: Iterable[tuple[int, float]]) -> Errors:
    found = list(errors)
    overall, behind_1, behind_5 = (_mean([abs(error) / 60 for ahead, error in found if ahead >= one]) for one in AHEAD)
    return Errors(len(found), overall, behind_1, behind_5, _mean([error / 60 for _, error in found]))


def _below(served: Sequence[tuple[Foretold, Estimate]]) -> float | None:
    """How much smaller the served error is than the moving average's, over the tickets of which both spoke."""
    basis = EstimateBasis.MOVING_AVERAGE
    both = [(one, said) for one, said in served if basis in one.points]
    average = sum(abs(one.points[basis] - one.wait_s) for one, _ in both)
    return 1 - sum(abs(said.p50_s - one.wait_s) for one, said in both) / average if average else None


def _bounds(served: Sequence[tuple[Foretold, Estimate]]) -> dict[str, Bound]:
    days: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for one, said in served:
        days[one.day].append((one.wait_s, said.bound_s))
    return {
        day: Bound(
            len(pairs),
            sum(wait_s <= bound_s for wait_s, bound_s in pairs) / len(pairs),
            sum(bound_s for _, bound_s in pairs) / len(pairs) / 60,
        )
        for day, pairs in sorted(days.items())
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _counted(words: Iterable[str]) -> dict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for word in words:
        counts[str(word)] += 1
    return dict(sorted(counts.items()))
