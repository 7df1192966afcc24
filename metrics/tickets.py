"""Counters and histograms of what happens to tickets, fed with this node's own commits.

They only grow: what is undone was counted all the same, and what other nodes commit they count themselves. Today's
truth is in the gauges (`metrics.gauges`). Labels are the hall, the service and words of closed vocabularies.
"""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry

from metrics.counts import Counts, Durations
from models.vocabulary import Channel
from queue_service.domain import events as ev

_SERVICE = ("hall", "service")
_PLAIN = {
    ev.TicketRecalled: ("queue_recalls", "Calls repeated."),
    ev.TicketNoShow: ("queue_no_shows", "Tickets passed over because nobody came."),
    ev.TicketFinished: ("queue_tickets_finished", "Tickets served."),
    ev.TicketCancelled: ("queue_tickets_cancelled", "Tickets given up."),
    ev.TicketExpired: ("queue_tickets_expired", "Tickets that the end of the day closed."),
}
"""Events that are just counted by hall and service."""


class TicketMetrics:
    """What `observe` counts."""

    def __init__(self, registry: CollectorRegistry, wait_buckets: Sequence[float]) -> None:
        """`wait_buckets`: upper bounds in seconds for waits and services; put every promise among them."""

        def count(name: str, about: str, labels: Sequence[str]) -> Counts:
            return Counts(name, about, labels, registry)

        def durations(name: str, about: str) -> Durations:
            return Durations(name, about, _SERVICE, wait_buckets, registry)

        self._issued = count(
            "queue_tickets_issued", "Tickets given, paper entered later included.", (*_SERVICE, "channel")
        )
        self._turned_away = count("queue_turned_away", "Visitors who got no ticket.", (*_SERVICE, "reason"))
        self._calls = count("queue_calls", "First calls of a leg.", _SERVICE)
        self._chosen = count("queue_chosen_calls", "Calls out of order, for a reason.", _SERVICE)
        self._waits = durations("queue_wait_seconds", "Wait of a leg, at its first call.")
        self._services = durations("queue_service_seconds", "Service, at its finish; implied starts left out.")
        self._plain = {kind: count(name, about, _SERVICE) for kind, (name, about) in _PLAIN.items()}
        self._started: dict[tuple[str, str], tuple[str, int]] = {}
        self._handlers = self._dispatch()

    def observe(self, events: Iterable[ev.Logged]) -> None:
        """Count events this node has committed, in order."""
        handlers = self._handlers
        for logged in events:
            handler = handlers.get(type(logged.event))
            if handler is not None:
                handler(logged)

    def _dispatch(self) -> dict[type[ev.Event], Callable[[ev.Logged], None]]:
        return {
            ev.TicketIssued: self._on_issued,
            ev.TicketBackfilled: self._on_backfilled,
            ev.TurnedAway: self._on_turned_away,
            ev.TicketCalled: self._on_called,
            ev.TicketStarted: self._on_started,
            ev.TicketReturned: self._on_returned,
            ev.TicketHandedOver: self._on_handed_over,
            **dict.fromkeys(_PLAIN, self._on_plain),
            ev.TicketFinished: self._on_finished,
        }

    def _on_plain(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketEvent), "only ticket events are plain"
        self._plain[type(event)].add((logged.hall, event.service))

    def _on_issued(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketIssued), "dispatched by type"
        self._issued.add((logged.hall, event.service, event.channel))

    def _on_backfilled(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketBackfilled), "dispatched by type"
        self._issued.add((logged.hall, event.service, Channel.PAPER.value))

    def _on_turned_away(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TurnedAway), "dispatched by type"
        self._turned_away.add((logged.hall, event.service, event.reason))

    def _on_called(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketCalled), "dispatched by type"
        place = (logged.hall, event.service)
        self._calls.add(place)
        self._waits.add(place, event.waited_ms / 1000)
        if event.chosen is not None:
            self._chosen.add(place)

    # -- service times: when the service at each counter began, as far as this node has seen it

    def _on_started(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketStarted), "dispatched by type"
        self._started.pop((logged.hall, event.counter), None)
        if not event.implied:
            self._started[logged.hall, event.counter] = (event.ticket, logged.at_ms)

    def _on_returned(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketReturned), "dispatched by type"
        if event.counter is not None:
            self._started[logged.hall, event.counter] = (event.ticket, logged.at_ms)

    def _on_handed_over(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketHandedOver), "dispatched by type"
        started = self._started.pop((logged.hall, event.counter), None)
        if started is not None:
            self._started[logged.hall, event.to_counter] = started

    def _on_finished(self, logged: ev.Logged) -> None:
        event = logged.event
        assert isinstance(event, ev.TicketFinished), "dispatched by type"
        self._on_plain(logged)
        ticket, started_at_ms = self._started.pop((logged.hall, event.counter), ("", 0))
        if ticket == event.ticket:
            self._services.add((logged.hall, event.service), (logged.at_ms - started_at_ms) / 1000)
