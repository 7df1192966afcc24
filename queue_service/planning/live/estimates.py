"""One hall's predictors, told of its events as they are published; and how well they have done.

All of it follows from the log: after a restart, today's events fold to the same estimates and errors. So nothing is
stored beside the log, and nothing is added to the transaction of a ticket. Each leg is a wait of its own.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.vocabulary import EstimateBasis, NoEstimate, TicketState
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall
from queue_service.planning.live.outlook import Outlook
from queue_service.planning.predictors.conformal import allowed
from queue_service.planning.predictors.estimator import Estimator, points_of
from queue_service.planning.predictors.known import Estimate, Known
from queue_service.planning.predictors.points import scale_s
from queue_service.planning.predictors.tracker import Tracker


@dataclass(slots=True)
class OwnError:
    """How far estimates were off since the node began: tickets scored, those within the bound, sums in seconds."""

    scored: int = 0
    covered: int = 0
    error_s: float = 0.0
    absolute_s: float = 0.0

    def add(self, wait_s: float, served: Estimate) -> None:
        """A wait is known."""
        self.scored += 1
        self.covered += wait_s <= served.bound_s
        self.error_s += served.p50_s - wait_s
        self.absolute_s += abs(served.p50_s - wait_s)


class LiveEstimator(Estimator):
    """The predictors, and what they would say to whoever joins now without taking note of anybody."""

    def outlook(self, known: Known) -> Outlook:
        """What may be said of a service."""
        points = points_of(known)
        service = self._services.get(known.service)
        if known.last_wait_s is None:
            return Outlook(known.at_ms, NoEstimate.SERVICE_NEVER_SEEN)
        basis = service.scores.best(points) if service is not None else None
        if service is None or basis is None:
            return Outlook(known.at_ms, NoEstimate.TOO_LITTLE_HISTORY)
        window = self._window(service, basis)
        if window is None:
            return Outlook(known.at_ms, NoEstimate.TOO_LITTLE_HISTORY)
        stretch = window.quantile(1 - allowed(service.level, self._level))
        point_s = None if basis == EstimateBasis.QUEUE_LENGTH else points[basis]
        scores = tuple(window.scores())
        return Outlook(known.at_ms, None, basis, point_s, scale_s(known), stretch, scores)


class HallEstimates:
    """What one hall's events teach. Only the event loop may touch it; outlooks are for everyone."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self.errors: dict[str, OwnError] = {}
        self._tracker = Tracker()
        self._estimator = LiveEstimator()
        self._working: Counter[str] | None = None

    def fold(self, hall: Hall, logged: ev.Logged) -> None:
        """Take in an event after `evolve` applied it."""
        event = logged.event
        if not isinstance(event, ev.TicketEvent):  # those change no counter's hours: a hundred need not be asked again
            self._working = None
        if isinstance(event, ev.DayOpened):
            self._open_day(hall)
        elif isinstance(event, ev.CommandUndone):
            for ticket_id in event.tickets:
                self._leave(ticket_id)
                self._join_again(hall, ticket_id, logged.at_ms)
        elif isinstance(event, ev.TicketCalled):
            self._called(event, logged.at_ms)
        elif isinstance(event, ev.TicketEvent) and not isinstance(event, ev.TicketRecorded):
            self._moved(hall, event, logged.at_ms)

    def _open_day(self, hall: Hall) -> None:
        self._tracker.open_day(hall.day.start_ms, date.fromisoformat(hall.day.date).weekday())
        self._estimator.open_day()

    def _called(self, event: ev.TicketCalled, at_ms: int) -> None:
        wait_s = self._tracker.call(event.ticket, at_ms)
        if wait_s is None:
            return
        scored = self._estimator.called(event.ticket, wait_s)
        if scored is not None and scored.served is not None:
            self.errors.setdefault(event.service, OwnError()).add(wait_s, scored.served)

    def _moved(self, hall: Hall, event: ev.TicketEvent, at_ms: int) -> None:
        """Into a line, from one to another, or out of it."""
        if isinstance(event, ev.TicketIssued) and event.state == TicketState.WAITING:
            self._issued(hall, event, at_ms)
            return
        self._leave(event.ticket)
        self._join_again(hall, event.ticket, at_ms)

    def _issued(self, hall: Hall, event: ev.TicketIssued, at_ms: int) -> None:
        if self._working is None:
            self._working = working(hall)
        known = self._tracker.known(event.service, at_ms, self._working[event.service])
        self._estimator.issued(event.ticket, known, (event.promise_ms or 0) / 1000)
        self._tracker.join(event.ticket, event.service, at_ms)

    def _leave(self, ticket_id: str) -> None:
        self._tracker.leave(ticket_id)
        self._estimator.left(ticket_id)

    def _join_again(self, hall: Hall, ticket_id: str, at_ms: int) -> None:
        """A leg that did not begin with an issue teaches how fast the line moves; nothing was said to be scored."""
        ticket = hall.tickets.get(ticket_id)
        if ticket is not None and ticket.state == TicketState.WAITING:
            self._tracker.join(ticket_id, ticket.leg.service, at_ms)

    def outlooks(self, hall: Hall, now_ms: int) -> dict[str, Outlook]:
        """What may be said of each service of the plan, as of now. Costs some microseconds per service."""
        counters = working(hall)
        return {service: self._outlook(service, counters[service], now_ms) for service in hall.rules.services}

    def _outlook(self, service: str, counters: int, now_ms: int) -> Outlook:
        if not counters:
            return Outlook(now_ms, NoEstimate.NO_COUNTER_OPEN)
        return self._estimator.outlook(self._tracker.known(service, now_ms, counters))


def working(hall: Hall) -> Counter[str]:
    """How many counters are open and not paused, by service they may call for."""
    counters = (one for one in hall.counters.values() if one.is_open and one.pause_reason is None)
    return Counter(service for one in counters for service in hall.able(one))


def own_error(estimates: HallEstimates) -> dict[str, dict[str, Any]]:
    """By service: coverage of the bound, bias and mean absolute error in seconds, over the tickets scored."""
    return {
        service: {
            "scored": one.scored,
            "coverage": one.covered / one.scored,
            "bias_s": one.error_s / one.scored,
            "mae_s": one.absolute_s / one.scored,
        }
        for service, one in estimates.errors.items()
        if one.scored
    }
