"""Gauges worked out at the scrape from the halls as this node publishes them. They are the same on every node.

They need no database: `tally` knows what was settled, the hall what is open.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metrics.tally import DayTally, by_period_of, shares
from models.vocabulary import AlertKind, CounterState, Period, Verdict
from queue_service.domain.hall import Counter as HallCounter
from queue_service.domain.hall import Hall
from queue_service.domain.order import heads


@dataclass(frozen=True, slots=True)
class Storage:
    """Where an embedded database lives. `free_bytes`: of its folder; `wal_bytes`: of its write-ahead log."""

    free_bytes: int
    wal_bytes: int


@dataclass(frozen=True, slots=True)
class Live:
    """Where the gauges look, each time they are read: on the event loop, which alone changes what they see.

    `halls`: the published state of each hall; `sockets`: open ones by view; `skew_ms`: of the wall clock; `ahead_ms`:
    how far the machine's clock is ahead of the database's; `scribe`: whether the process that stores batches is there;
    `ready`: as /readyz says; `storage`: of an embedded
    database, None where it is not ours to watch."""

    halls: Callable[[], Iterable[Hall]]
    now_ms: Callable[[], int]
    sockets: Callable[[], Mapping[str, int]]
    skew_ms: Callable[[], int]
    ahead_ms: Callable[[], int]
    scribe: Callable[[], bool]
    ready: Callable[[], bool]
    storage: Callable[[], Storage | None]


_HALL_GAUGES = {
    "queue_waiting": ("Tickets in line.", ("service",)),
    "queue_oldest_wait_seconds": ("Wait of whoever has been in line longest; 0 when nobody is.", ("service",)),
    "queue_counters": ("Counters by what they do.", ("state",)),
    "queue_counters_idle_while_waiting": ("Idle counters that may call somebody who waits.", ()),
    "queue_alerts": ("What the hall itself warns of now: 1 or more for each kind that stands.", ("kind",)),
    "queue_hall_open": ("1 in opening hours while the hall is not suspended.", ()),
    "queue_last_call_timestamp_seconds": ("When somebody was last called for the first time; 0: not known.", ()),
    "queue_promise_now_seconds": ("The wait promised to whoever comes now.", ()),
    "queue_promise_seconds": ("The wait that is promised.", ("period",)),
    "queue_promise_share": ("The share of visitors it is promised to.", ("period",)),
    "queue_promise_tickets": ("Today's tickets by what became of the promise.", ("period", "verdict")),
    "queue_share_kept": ("Today's share of promises kept, of those counted.", ("period",)),
}

_COUNTED = "queue_promise_counted"
"""What burn is made of. The gauge falls by one when a call is undone, which `increase()` would take for a new day."""

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
        about = "Today's most kept and missed at once so far: it grows all day and starts over at midnight."
        counted = CounterMetricFamily(_COUNTED, about, labels=("hall", "period", "verdict"))
        for hall in self._live.halls():
            for name, labels, value in self._of_hall(hall, now_ms):
                (counted if name == _COUNTED else families[name]).add_metric((hall.id, *labels), value)
        yield from families.values()
        yield counted

    def _of_hall(self, hall: Hall, now_ms: int) -> _Found:
        if hall.plan is None or hall.today is None:
            return
        for service in hall.plan.services:
            yield "queue_waiting", (service,), hall.waiting_count(service)
            yield "queue_oldest_wait_seconds", (service,), oldest_wait_ms(hall, service, now_ms) / 1000
        states = Counter(hall.counter_state(counter) for counter in hall.counters.values())
        for state in CounterState:
            yield "queue_counters", (state.value,), states[state]
        waited_for = (counter for counter in hall.counters.values() if _is_waited_for(hall, counter, now_ms))
        yield "queue_counters_idle_while_waiting", (), sum(1 for _ in waited_for)
        standing = Counter(alert.kind for alert in hall.standing_alerts())
        for kind in AlertKind:
            yield "queue_alerts", (kind.value,), standing[kind.value]
        yield "queue_hall_open", (), float(hall.today.is_open(now_ms) and None not in hall.suspensions)
        period_now = Period.PEAK if hall.today.is_peak(now_ms) else Period.OFF_PEAK
        yield "queue_promise_now_seconds", (), hall.plan.promises[period_now].promise_ms / 1000
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
        yield "queue_last_call_timestamp_seconds", (), tally.last_call_ms / 1000
        for period in hall.rules.promises:
            for verdict in Verdict:
                yield "queue_promise_tickets", (period.value, verdict.value), by_period[period][verdict]
            for verdict in (Verdict.KEPT, Verdict.MISSED):
                most = tally.most(period, verdict, by_period[period][verdict])
                yield _COUNTED, (period.value, verdict.value), most
        for name, share in shares(cells).items():
            yield "queue_share_kept", (name,), share


def _is_waited_for(hall: Hall, counter: HallCounter, now_ms: int) -> bool:
    """Whether a clerk with nothing to do could call somebody."""
    return hall.counter_state(counter) == CounterState.IDLE and bool(heads(hall, counter, now_ms))


def oldest_wait_ms(hall: Hall, service: str, now_ms: int) -> int:
    """The wait so far of the ticket longest in line for a service, earlier legs included; 0 when nobody waits.

    Lanes are in that order already, so only their heads are asked; one that is postponed has not begun to wait."""
    until_ms = min(now_ms, hall.day.end_ms)
    heads = (lane[0] for priority in hall.rules.priorities if (lane := hall.lanes.get((service, priority))))
    tickets = [hall.tickets[place[3]] for place in heads]
    begun = [ticket for ticket in tickets if ticket.leg.waiting_since_ms <= until_ms]
    waits = (ticket.waited_so_far_ms() + hall.waited_ms(ticket.leg, until_ms) for ticket in begun)
    return max(waits, default=0)
