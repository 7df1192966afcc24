"""Estimates of one hall: every predictor's point, the best by the service's own score, a bound kept honest by what
came true.

Told of each issue and each call, in order of time. The figures of dear predictors (a learned model, a simulation) are
handed in: they are not asked here.
"""

from collections import defaultdict
from types import MappingProxyType
from typing import NamedTuple

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.planning.predictors.conformal import HALL_GAMMA, LEAST, Level, Window, allowed
from queue_service.planning.predictors.known import LEAST_SPREAD_S, Estimate, Given, Known
from queue_service.planning.predictors.points import points_of
from queue_service.planning.predictors.scoring import Scores

NOTHING: Given = MappingProxyType({})


class Pending(NamedTuple):
    """What was known and said of a ticket that waits. Who was right is worked out once its wait is known."""

    known: Known
    given: Given
    served: Estimate | None


class _Service:
    __slots__ = ("level", "scores", "windows")

    def __init__(self) -> None:
        self.scores = Scores()
        self.level = Level()
        self.windows: defaultdict[EstimateBasis, Window] = defaultdict(Window)


class Scored(NamedTuple):
    """What was said of a ticket whose wait is known now."""

    points: dict[EstimateBasis, float]
    served: Estimate | None


class Estimator:
    """The predictors of a hall, scored as it goes: by service, and what of it holds for the whole hall."""

    def __init__(self) -> None:
        self.services: defaultdict[str, _Service] = defaultdict(_Service)
        self.hall: defaultdict[EstimateBasis, Window] = defaultdict(Window)
        self.level = Level(HALL_GAMMA)
        self._pending: dict[str, Pending] = {}

    def open_day(self) -> None:
        """What still waits is never scored; scores, windows and levels stay."""
        self._pending.clear()

    def issued(
        self, ticket: str, known: Known, promise_s: float | None, given: Given = NOTHING
    ) -> Estimate | NoEstimate:
        """The estimate for a ticket that joins its line now. It is scored when `called` tells of the ticket.
        `promise_s`: None where nobody asks for the chance of passing it."""
        served = self._serve(self.services[known.service], known, promise_s, given)
        self._pending[ticket] = Pending(known, given, served)
        knows_better = served is not None and served.basis in given
        if known.counters == 0 and not known.ahead and not known.called_30_min and not knows_better:
            return NoEstimate.NO_COUNTER_OPEN
        if served is None:
            return NoEstimate.SERVICE_NEVER_SEEN if known.last_wait_s is None else NoEstimate.TOO_LITTLE_HISTORY
        return served

    def _serve(self, service: _Service, known: Known, promise_s: float | None, given: Given) -> Estimate | None:
        best = service.scores.best(known, given)
        if best is None:
            return None
        basis, p50_s = best
        window = self._window(service, basis)
        if window is None:
            return None
        spread_s = given[basis].spread_s if basis in given else p50_s + LEAST_SPREAD_S
        bound_s = p50_s + window.quantile(1 - allowed(service.level, self.level)) * spread_s
        chance = given[basis].chance if basis in given else None
        if chance is None and promise_s is not None:
            chance = window.share_over((promise_s - p50_s) / spread_s)
        return Estimate(p50_s, max(bound_s, p50_s), basis, chance)

    def _window(self, service: _Service, basis: EstimateBasis) -> Window | None:
        """What came true of a predictor: of the service, else of the hall; None where that is too little."""
        for windows in (service.windows, self.hall):
            window = windows.get(basis)
            if window is not None and len(window) >= LEAST:
                return window
        return None

    def called(self, ticket: str, wait_s: float) -> Scored | None:
        """The wait of a ticket is known: score what was said of it. None: nothing was."""
        pending = self._pending.pop(ticket, None)
        return None if pending is None else Scored(self._learn(pending, wait_s), pending.served)

    def _learn(self, pending: Pending, wait_s: float) -> dict[EstimateBasis, float]:
        """Score what each predictor said, and what was served; the points."""
        points, given = points_of(pending.known), pending.given
        for basis, figures in given.items():
            points[basis] = figures.p50_s
        service = self.services[pending.known.service]
        for basis, point_s in points.items():
            error_s = wait_s - point_s
            service.scores.add(basis, error_s)
            score = error_s / (given[basis].spread_s if basis in given else point_s + LEAST_SPREAD_S)
            service.windows[basis].add(score)
            self.hall[basis].add(score)
        if pending.served is not None:
            missed = wait_s > pending.served.bound_s
            service.level.add(missed)
            self.level.add(missed)
        return points

    def left(self, ticket: str) -> None:
        """The ticket was not called: nothing is learned of it."""
        self._pending.pop(ticket, None)
