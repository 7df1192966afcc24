"""How well each predictor has done for a service, recent tickets weighing more; who is best serves."""

from models.vocabulary import EstimateBasis
from queue_service.planning.predictors.known import Given, Known
from queue_service.planning.predictors.points import PREDICTORS

WEIGHT = 0.02
"""Of a new error: a memory of about fifty tickets, with plain means until so many were scored."""
PREFERENCE = (
    EstimateBasis.LEARNED,
    EstimateBasis.SIMULATION,
    EstimateBasis.QUEUE_LENGTH,
    EstimateBasis.HEAD_OF_LINE,
    EstimateBasis.LAST_TO_ENTER,
    EstimateBasis.MOVING_AVERAGE,
)
"""Who serves while scores are equal or missing: what did best on recorded halls."""
MARGIN = 0.97
"""A less preferred predictor must be better by this factor, so that chance alone does not switch."""
LEAST = 10
"""Scored tickets before a score counts."""
_ALL = tuple((basis, PREDICTORS.get(basis)) for basis in PREFERENCE)
_SIMPLE = tuple(one for one in _ALL if one[1] is not None)
_WORST = float("inf")


class Scores:
    """The errors of one service's predictors: mean absolute error in seconds."""

    __slots__ = ("_counts", "_errors", "_telling")

    def __init__(self) -> None:
        self._errors: dict[EstimateBasis, float] = {}
        self._counts: dict[EstimateBasis, int] = {}
        self._telling: dict[EstimateBasis, float] = {}

    def add(self, basis: EstimateBasis, error_s: float) -> None:
        """A ticket's wait is known: how far off this predictor was."""
        count = self._counts[basis] = self._counts.get(basis, 0) + 1
        before = self._errors.get(basis, 0.0)
        error = self._errors[basis] = before + max(WEIGHT, 1 / count) * (abs(error_s) - before)
        if count >= LEAST:
            self._telling[basis] = error

    def mae_s(self, basis: EstimateBasis) -> float | None:
        """The error so far; None while too few were scored."""
        return self._telling.get(basis)

    def best(self, known: Known, given: Given) -> tuple[EstimateBasis, float] | None:
        """Who serves, of those who can say something, and what it says; None where nobody can. `given`: what those say
        that are not asked here; of the others only those are asked whose word would count."""
        chosen: tuple[EstimateBasis, float] | None = None
        limit, telling = _WORST, self._telling
        for basis, predict in _ALL if given else _SIMPLE:
            error = telling.get(basis, _WORST)
            if chosen is None or error < limit:
                figures = given.get(basis)
                point = figures.p50_s if figures is not None else None if predict is None else predict(known)
                if point is not None:
                    chosen, limit = (basis, point), MARGIN * error
        return chosen
