"""Gauges worked out at the scrape from the halls as this node publishes them. They are the same on every node.

They need no database: `tally` knows what was settled, the hall what is open.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metrics.tally import DayTally, by_period_of, shares
from models.vocabulary import CounterState, Verdict
from queue_service.domain.hall import Hall


@dataclass(frozen=True, slots=True)
class Live:
    """Where the gauges look, each time they are read: on the event loop, which alone changes what they see.

    `halls`: the published state of each hall; `sockets`: open ones by view; `skew_ms`: of the wall clock."""

    halls: Callable[[], Iterable[Hall]]
    now_ms: Callable[[], int]
    sockets: Callable[[], Mapping[str, int]]
    skew_ms: Callable[[], int]


_HALL_GAUGES = {
    "queue_waiting": ("Tickets in line.", ("service",)),
    "queue_oldest_wait_seconds": ("Wait of whoever has been in line longest; 0 when nobody is.", ("service",)),
    "queue_counters": ("Counters by what they do.", ("state",)),
    "queue_promise_seconds": ("The wait that is promised.", ("period",)),
    "queue_promise_share": ("The share of visitors it is promised to.", ("period",)),
    "queue_promise_tickets": ("Today's tickets by what became of the promise.", ("period", "verdict")),
    "queue_share_kept": ("Today's share of promises kept, of those counted.", ("period",)),
}

_Found = Iterator[tuple[str, tuple[str, ...], float]]
"""Gauge, its labels after the hall, value."""


class Gauges(Collector):
    """The collector behind every gauge."""

    def __init__(self, live: Live, tallies: Mapping[str, DayTally]) -> None:
        """`tallies`: what each hall's day has settled, by hall id."""
        self._live = live
        self._tallies = tallies

    def collect(self) -> Iterator[Metric]:
        """All gauges as of now. Costs some microseconds per open ticket."""
        now_ms = self._live.now_ms()
        families = {
            name: GaugeMetricFamily(name, about, labels=("hall", *labels))
            for name, (about, labels) in _HALL_GAUGES.items()
        }
        for hall in self._live.halls():
            for name, labels, value in self._of_hall(hall, now_ms):
                families[name].add_metric((hall.id, *labels), value)
        yield from families.values()
        sockets = GaugeMetricFamily("queue_sockets", "Open websockets.", labels=("view",))
        for view, count in self._live.sockets().items():
            sockets.add_metric((view,), count)
        yield sockets
        skew_s = self._live.skew_ms() / 1000
        yield GaugeMetricFamily("queue_clock_skew_seconds", "Wall time against monotonic time since the start.", skew_s)

    def _of_hall(self, hall: Hall, now_ms: int) -> _Found:
        if hall.plan is None or hall.today is None:
            return
        for service in hall.plan.services:
            yield "queue_waiting", (service,), hall.waiting_count(service)
            yield "queue_oldest_wait_seconds", (service,), oldest_wait_ms(hall, service, now_ms) / 1000
        states = Counter(hall.counter_state(counter) for counter in hall.counters.values())
        for state in CounterState:
            yield "queue_counters", (state.value,), states[state]
        for period, promise in hall.plan.promises.items():
            yield "queue_promise_seconds", (period.value,), promise.promise_ms / 1000
            yield "queue_promise_share", (period.value,), promise.percentile / 100
        yield from self._of_promise(hall, now_ms)

    def _of_promise(self, hall: Hall, now_ms: int) -> _Found:
        tally = self._tallies.get(hall.id)
        if tally is None:
            return
        cells = tally.cells(hall, now_ms)
        by_period = by_period_of(cells)
        for period in hall.rules.promises:
            for verdict in Verdict:
                yield "queue_promise_tickets", (period.value, verdict.value), by_period[period][verdict]
        for name, share in shares(cells).items():
            yield "queue_share_kept", (name,), share


def oldest_wait_ms(hall: Hall, service: str, now_ms: int) -> int:
    """The wait so far of the ticket longest in line for a service, earlier legs included; 0 when nobody waits.

    Lanes are in that order already, so only their heads are asked; one that is postponed has not begun to wait."""
    until_ms = min(now_ms, hall.day.end_ms)
    heads = (lane[0] for priority in hall.rules.priorities if (lane := hall.lanes.get((service, priority))))
    tickets = [hall.tickets[place[3]] for place in heads]
    begun = [ticket for ticket in tickets if ticket.leg.waiting_since_ms <= until_ms]
    waits = (ticket.waited_so_far_ms() + hall.waited_ms(ticket.leg, until_ms) for ticket in begun)
    return max(waits, default=0)
