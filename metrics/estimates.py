"""How good the estimates were: gauges by hall and service, read at the scrape. They start over with the node's day."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from queue_service.planning.live.estimates import HallEstimates, own_error
from queue_service.planning.live.outlook import Outlooks

_GAUGES = {
    "scored": ("queue_estimate_scored", "Tickets whose wait was held against what was said of it."),
    "coverage": ("queue_estimate_coverage_share", "Share of waits within the nine-in-ten bound."),
    "bias_s": ("queue_estimate_bias_seconds", "Mean of estimate less wait; above 0: too long was said."),
    "mae_s": ("queue_estimate_error_seconds", "Mean absolute error of the median."),
}


class EstimateGauges(Collector):
    """The collector behind them."""

    def __init__(
        self, estimates: Callable[[], Mapping[str, HallEstimates]], outlooks: Callable[[], Mapping[str, Outlooks]]
    ) -> None:
        """What each hall's events taught, and what is said now; both by hall."""
        self._estimates = estimates
        self._outlooks = outlooks

    def collect(self) -> Iterator[Metric]:
        """All of them as of now."""
        place = ("hall", "service")
        families = {key: GaugeMetricFamily(name, about, labels=place) for key, (name, about) in _GAUGES.items()}
        for hall, estimates in self._estimates().items():
            for service, figures in own_error(estimates).items():
                for key, family in families.items():
                    family.add_metric((hall, service), figures[key])
        yield from families.values()
        serves = GaugeMetricFamily("queue_estimate_basis", "1 for the predictor that serves.", labels=(*place, "basis"))
        for hall, outlooks in self._outlooks().items():
            for service, outlook in outlooks.items():
                if outlook.basis is not None:
                    serves.add_metric((hall, service, outlook.basis.value), 1)
        yield serves
