"""All Prometheus metrics of a node behind one object, and their exposition. What each is stands in `tickets`, `node`
and `gauges`; nothing is registered globally, so two services in one process do not meet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metrics.estimates import EstimateGauges
from metrics.following import FollowingGauges, Measured
from metrics.gauges import Gauges, Live
from metrics.node import NodeMetrics
from metrics.node_gauges import NodeGauges
from metrics.tally import DayTally
from metrics.tickets import TicketMetrics
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.engine import Commit
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.outlook import Outlooks

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class HallMetrics:
    """What a node measures."""

    def __init__(self, wait_buckets: Sequence[float]) -> None:
        """`wait_buckets`: upper bounds in seconds of the wait and service histograms; every promise should be one."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._tickets = TicketMetrics(self._registry, wait_buckets)
        self._node = NodeMetrics(self._registry)
        self._tallies: dict[str, DayTally] = {}
        self.count_http = self._node.count_http
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def watch(self, live: Live) -> None:
        """Show the gauges of a running node; called once."""
        self._registry.register(Gauges(live, self._tallies))
        self._registry.register(NodeGauges(live))

    def watch_estimates(
        self, estimates: Callable[[], Mapping[str, HallEstimates]], outlooks: Callable[[], Mapping[str, Outlooks]]
    ) -> None:
        """Show how good the estimates of a running node are; called once."""
        self._registry.register(EstimateGauges(estimates, outlooks))

    def watch_following(self, measured: Measured) -> None:
        """Show how fresh the halls are that a centre follows; called once."""
        self._registry.register(FollowingGauges(measured))

    def fold(self, hall: Hall, logged: Logged) -> None:
        """Keep today's tally up with a published event, after `evolve` and before `drain` (a `feed.Fold`)."""
        tally = self._tallies.get(hall.id)
        if tally is None:
            tally = self._tallies[hall.id] = DayTally()
        tally.fold(hall, logged)

    def observe(self, commit: Commit, lag_seconds: float | None = None) -> None:
        """Count what this node has just committed. `lag_seconds`: from the commit until its events were published."""
        self._tickets.observe(commit.events)
        self._node.observe(commit.submissions, commit.seconds, lag_seconds if commit.events else None)

    def observe_followed(self, events: Sequence[Logged]) -> None:
        """Count what a hall's own node has committed and this one has just taken in."""
        self._tickets.observe(events)

    def tally(self, hall_id: str) -> DayTally:
        """What a hall's day has settled so far."""
        return self._tallies.get(hall_id) or DayTally()

    def exposition(self) -> tuple[bytes, str]:
        """Everything in the Prometheus text format, and its content type. Call it on the event loop."""
        return generate_latest(_WithoutCreated(self._registry)), CONTENT_TYPE


class _WithoutCreated(Collector):
    """A registry without the `_created` series that the client adds to each child: they double the page for nothing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family
