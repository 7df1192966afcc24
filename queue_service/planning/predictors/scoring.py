"""How well each predictor has done for a service, recent tickets weighing more; who is best serves."""

from collections.abc import Callable

from models.vocabulary import EstimateBasis

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


class Scores:
    """The errors of one service's predictors: mean absolute error in seconds."""

    __slots__ = ("_counts", "_errors")

    def __init__(self) -> None:
        self._errors: dict[EstimateBasis, float] = {}
        self._counts: dict[EstimateBasis, int] = {}

    def add(self, basis: EstimateBasis, error_s: float) -> None:
        """A ticket's wait is known: how far off this predictor was."""
        count = self._counts[basis] = self._counts.get(basis, 0) + 1
        before = self._errors.get(basis, 0.0)
        self._errors[basis] = before + max(WEIGHT, 1 / count) * (abs(error_s) - before)

    def mae_s(self, basis: EstimateBasis) -> float | None:
        """The error so far; None while too few were scored."""
        return self._errors[basis] if self._counts.get(basis, 0) >= LEAST else None

    def best(self, point_of: Callable[[EstimateBasis], float | None]) -> tuple[EstimateBasis, float] | None:
        """Who serves, of those who can say something, and what it says; None where nobody can. Only those are asked
        whose word would count."""
        chosen: tuple[EstimateBasis, float] | None = None
        least = float("inf")
        errors, counts = self._errors, self._counts
        for basis in PREFERENCE:
            error = errors[basis] if counts.get(basis, 0) >= LEAST else float("inf")
            if (chosen is None or error < MARGIN * least) and (point := point_of(basis)) is not None:
                chosen, least = (basis, point), error
        return chosen
