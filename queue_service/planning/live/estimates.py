"""One hall's predictors, told of its events as they are published; and how well they have done.

What the simple predictors say follows from the log: after a restart, today's events fold to the same estimates. What
dear ones say (`Curve`) is handed in as it is made, and what the days before taught (`warm`) once it has been read.
Nothing is added to the transaction of a ticket. Each leg is a wait of its own.
"""

from collections import Counter, deque
from collections.abc import Mapping
from datetime import date
from typing import Any

from models.vocabulary import EstimateBasis, NoEstimate, TicketState
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall
from queue_service.estimate_errors import Errors, OwnError, Scored
from queue_service.planning.live.curve import Curve
from queue_service.planning.live.outlook import Outlook
from queue_service.planning.predictors.conformal import allowed
from queue_service.planning.predictors.estimator import NOTHING, Estimator, Pending
from queue_service.planning.predictors.known import Given, Known
from queue_service.planning.predictors.points import scale_s
from queue_service.planning.predictors.tracker import Tracker

REMEMBERED = 500
"""Of today's scored tickets, until what the days before taught is there: to be learned from once more, after it."""


UNWRITTEN = 20_000
"""So many scored tickets are kept for whoever writes them down."""


class LiveEstimator(Estimator):
    """The predictors, and what they would say to whoever joins now without taking note of anybody."""

    def __init__(self) -> None:
        """Cold: what the days before taught was not read yet."""
        super().__init__()
        self._cold: deque[tuple[Pending, float]] | None = deque(maxlen=REMEMBERED)

    @property
    def is_cold(self) -> bool:
        """Whether what the days before taught was not read yet."""
        return self._cold is not None

    def open_day(self) -> None:
        """The same; what was scored so far is among the days before."""
        super().open_day()
        if self._cold is not None:
            self._cold.clear()

    def _learn(self, pending: Pending, wait_s: float) -> dict[EstimateBasis, float]:
        if self._cold is not None:
            self._cold.append((pending, wait_s))
        return super()._learn(pending, wait_s)

    def warm(self, before: Estimator) -> None:
        """Take over what the days before taught, and learn what today has shown after it."""
        today, self._cold = self._cold or (), None
        self.services, self.hall, self.level = before.services, before.hall, before.level
        for pending, wait_s in today:
            self._learn(pending, wait_s)

    def outlook(self, known: Known, curves: Mapping[EstimateBasis, Curve]) -> Outlook:
        """What may be said of a service; `curves`: what dear predictors say of it."""
        if known.last_wait_s is None:
            return Outlook(known.at_ms, NoEstimate.SERVICE_NEVER_SEEN)
        given = {basis: curve.at(known.ahead) for basis, curve in curves.items()}
        service = self.services.get(known.service)
        best = service and service.scores.best(known, given)
        window = self._window(service, best[0]) if service and best else None
        if not service or not best or window is None:
            return Outlook(known.at_ms, NoEstimate.TOO_LITTLE_HISTORY)
        basis, point_s = best
        stretch, scores = window.quantile(1 - allowed(service.level, self.level)), tuple(window.scores())
        if basis in curves:
            curve = curves[basis]
            return Outlook(curve.as_of_ms, None, basis, None, None, stretch, scores, curve)
        whole_s = None if basis == EstimateBasis.QUEUE_LENGTH else point_s
        return Outlook(known.at_ms, None, basis, whole_s, scale_s(known), stretch, scores)


class HallEstimates:
    """What one hall's events teach. Only the event loop may touch it; outlooks are for everyone."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self.day = ""
        self.errors: Errors = {}
        """Today's, of what was served."""
        self.scored: deque[Scored] = deque(maxlen=UNWRITTEN)
        """What was not written down yet."""
        self.tracker = Tracker()
        self.estimator = LiveEstimator()
        self._curves: dict[EstimateBasis, Mapping[str, Curve]] = {}
        self._working: Counter[str] | None = None

    def fold(self, hall: Hall, logged: ev.Logged) -> None:
        """Take in an event after `evolve` applied it."""
        event = logged.event
        if isinstance(event, ev.TicketIssued) and event.state == TicketState.WAITING:
            self._issued(hall, event, logged.at_ms)
            return
        if not isinstance(event, ev.TicketEvent):  # those change no counter's hours: a hundred need not be asked again
            self._working = None
        if isinstance(event, ev.DayOpened):
            self._open_day(hall)
        elif isinstance(event, ev.CommandUndone):
            for ticket_id in event.tickets:
                self._leave(ticket_id)
                self._join_again(hall, ticket_id, logged.at_ms)
        elif isinstance(event, ev.TicketCalled):
            self._called(event, logged)
        elif isinstance(event, ev.TicketEvent) and not isinstance(event, ev.TicketRecorded):
            self._leave(event.ticket)
            self._join_again(hall, event.ticket, logged.at_ms)

    def _open_day(self, hall: Hall) -> None:
        self.day, self.errors = hall.day.date, {}
        self.tracker.open_day(hall.day.start_ms, date.fromisoformat(hall.day.date).weekday())
        self.estimator.open_day()

    def _called(self, event: ev.TicketCalled, logged: ev.Logged) -> None:
        wait_s = self.tracker.call(event.ticket, logged.at_ms)
        if wait_s is None:
            return
        found = self.estimator.called(event.ticket, wait_s)
        if found is not None and (served := found.served) is not None:
            error_s, covered = served.p50_s - wait_s, wait_s <= served.bound_s
            scored = Scored(logged.seq, self.day, event.service, served.basis, error_s, covered)
            key = event.service, served.basis
            (self.errors.get(key) or self.errors.setdefault(key, OwnError())).add(scored)
            self.scored.append(scored)

    def _issued(self, hall: Hall, event: ev.TicketIssued, at_ms: int) -> None:
        if self._working is None:
            self._working = working(hall)
        known = self.tracker.known(event.service, at_ms, self._working[event.service])
        given = self._given(event.service, known.ahead, at_ms) if self._curves else NOTHING
        self.estimator.issued(event.ticket, known, None, given)
        self.tracker.join(event.ticket, event.service, at_ms)

    def _given(self, service: str, ahead: int, at_ms: int) -> Given:
        found = {}
        for basis, curves in self._curves.items():
            curve = curves.get(service)
            if curve is not None and curve.is_fresh(at_ms):
                found[basis] = curve.at(ahead)
        return found

    def curves(self, service: str, now_ms: int) -> dict[EstimateBasis, Curve]:
        """What dear predictors say of a service, if that is not too old."""
        found = ((basis, curves.get(service)) for basis, curves in self._curves.items())
        return {basis: curve for basis, curve in found if curve is not None and curve.is_fresh(now_ms)}

    def _leave(self, ticket_id: str) -> None:
        self.tracker.leave(ticket_id)
        self.estimator.left(ticket_id)

    def _join_again(self, hall: Hall, ticket_id: str, at_ms: int) -> None:
        """A leg that did not begin with an issue teaches how fast the line moves; nothing was said to be scored."""
        ticket = hall.tickets.get(ticket_id)
        if ticket is not None and ticket.state == TicketState.WAITING:
            self.tracker.join(ticket_id, ticket.leg.service, at_ms)

    # -- what is handed in

    def tell(self, basis: EstimateBasis, curves: Mapping[str, Curve]) -> None:
        """What a dear predictor says from now on, by service."""
        self._curves[basis] = curves

    def warm(self, tracker: Tracker, estimator: Estimator) -> None:
        """Take over what the days before taught; once, while cold."""
        self.tracker.warm(tracker)
        self.estimator.warm(estimator)

    def lines(self, hall: Hall, now_ms: int) -> list[Known]:
        """What is known of each line that some counter works for: what dear predictors are asked about."""
        return [self.tracker.known(service, now_ms, count) for service, count in working(hall).items()]

    # -- what may be said

    def outlooks(self, hall: Hall, now_ms: int) -> dict[str, Outlook]:
        """What may be said of each service of the plan, as of now. Costs some microseconds per service."""
        counters = working(hall)
        return {service: self._outlook(service, counters[service], now_ms) for service in hall.rules.services}

    def _outlook(self, service: str, counters: int, now_ms: int) -> Outlook:
        if not counters:
            return Outlook(now_ms, NoEstimate.NO_COUNTER_OPEN)
        known = self.tracker.known(service, now_ms, counters)
        return self.estimator.outlook(known, self.curves(service, now_ms))


def working(hall: Hall) -> Counter[str]:
    """How many counters are open and not paused, by service they may call for."""
    counters = (one for one in hall.counters.values() if one.is_open and one.pause_reason is None)
    return Counter(service for one in counters for service in hall.able(one))


def own_error(estimates: HallEstimates) -> dict[str, dict[str, Any]]:
    """Today's, by service: coverage of the bound, bias and mean absolute error in seconds, over the tickets scored."""
    by_service: dict[str, OwnError] = {}
    for (service, _), one in tuple(estimates.errors.items()):
        total = by_service.setdefault(service, OwnError())
        total.merge(one)
    return {
        service: {"scored": one.scored, "coverage": one.coverage, "bias_s": one.bias_s, "mae_s": one.mae_s}
        for service, one in by_service.items()
    }
