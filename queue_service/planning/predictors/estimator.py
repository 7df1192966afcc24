"""Estimates of one hall: every predictor's point, the best by the service's own score, a bound kept honest by what
came true.

Told of each issue and each call, in order of time. A learned model's figures are handed in (`Learned`): it is too
dear to be asked here.
"""

from typing import NamedTuple

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.planning.predictors.conformal import HALL_GAMMA, LEAST, Level, Window, allowed
from queue_service.planning.predictors.known import Estimate, Known
from queue_service.planning.predictors.points import PREDICTORS
from queue_service.planning.predictors.scoring import Scores

LEAST_SPREAD_S = 60.0
"""So that a point of nothing has a bound, too."""


class Learned(NamedTuple):
    """What a learned model says of a ticket: median, raw nine-in-ten quantile, chance of passing the promise."""

    p50_s: float
    p90_s: float
    chance: float | None


class _Pending(NamedTuple):
    points: dict[EstimateBasis, float]
    spreads: dict[EstimateBasis, float]
    served: Estimate | None


class _Service:
    __slots__ = ("level", "scores", "windows")

    def __init__(self) -> None:
        self.scores = Scores()
        self.level = Level()
        self.windows: dict[EstimateBasis, Window] = {}


class Scored(NamedTuple):
    """What was said of a ticket whose wait is known now."""

    points: dict[EstimateBasis, float]
    served: Estimate | None


def points_of(known: Known) -> dict[EstimateBasis, float]:
    """What each predictor says, in seconds; those that can say nothing are left out."""
    return {basis: point for basis, predict in PREDICTORS.items() if (point := predict(known)) is not None}


class Estimator:
    """The predictors of a hall, scored as it goes."""

    def __init__(self) -> None:
        self._services: dict[str, _Service] = {}
        self._hall: dict[EstimateBasis, Window] = {}
        self._level = Level(HALL_GAMMA)
        self._pending: dict[str, tuple[str, _Pending]] = {}

    def open_day(self) -> None:
        """What still waits is never scored; scores, windows and levels stay."""
        self._pending.clear()

    def issued(
        self, ticket: str, known: Known, promise_s: float, learned: Learned | None = None
    ) -> Estimate | NoEstimate:
        """The estimate for a ticket that joins its line now. It is scored when `called` tells of the ticket."""
        service = self._services.get(known.service)
        if service is None:
            service = self._services[known.service] = _Service()
        points = points_of(known)
        spreads = {basis: point + LEAST_SPREAD_S for basis, point in points.items()}
        if learned is not None:
            points[EstimateBasis.LEARNED] = learned.p50_s
            spreads[EstimateBasis.LEARNED] = max(learned.p90_s - learned.p50_s, LEAST_SPREAD_S)
        served = self._serve(service, points, spreads, promise_s, learned)
        self._pending[ticket] = (known.service, _Pending(points, spreads, served))
        is_learned = served is not None and served.basis is EstimateBasis.LEARNED
        if known.counters == 0 and not known.ahead and not known.called_30_min and not is_learned:
            return NoEstimate.NO_COUNTER_OPEN
        if served is None:
            return NoEstimate.SERVICE_NEVER_SEEN if known.last_wait_s is None else NoEstimate.TOO_LITTLE_HISTORY
        return served

    def _serve(
        self,
        service: _Service,
        points: dict[EstimateBasis, float],
        spreads: dict[EstimateBasis, float],
        promise_s: float,
        learned: Learned | None,
    ) -> Estimate | None:
        basis = service.scores.best(points)
        if basis is None:
            return None
        window = self._window(service, basis)
        if window is None:
            return None
        p50_s, spread_s = points[basis], spreads[basis]
        bound_s = p50_s + window.quantile(1 - allowed(service.level, self._level)) * spread_s
        chance = learned.chance if learned is not None and basis is EstimateBasis.LEARNED else None
        if chance is None:
            chance = window.share_over((promise_s - p50_s) / spread_s)
        return Estimate(p50_s, max(bound_s, p50_s), basis, chance)

    def _window(self, service: _Service, basis: EstimateBasis) -> Window | None:
        """What came true of a predictor: of the service, else of the hall; None where that is too little."""
        windows = (service.windows.get(basis), self._hall.get(basis))
        return next((one for one in windows if one is not None and len(one) >= LEAST), None)

    def called(self, ticket: str, wait_s: float) -> Scored | None:
        """The wait of a ticket is known: score what was said of it. None: nothing was."""
        found = self._pending.pop(ticket, None)
        if found is None:
            return None
        name, pending = found
        service = self._services[name]
        for basis, point_s in pending.points.items():
            service.scores.add(basis, wait_s - point_s)
            score = (wait_s - point_s) / pending.spreads[basis]
            for windows in (service.windows, self._hall):
                if basis not in windows:
                    windows[basis] = Window()
                windows[basis].add(score)
        if pending.served is not None:
            missed = wait_s > pending.served.bound_s
            service.level.add(missed)
            self._level.add(missed)
        return Scored(pending.points, pending.served)

    def left(self, ticket: str) -> None:
        """The ticket was not called: nothing is learned of it."""
        self._pending.pop(ticket, None)
