"""Gauges of a centre: how fresh each hall that it follows is. Other nodes do not have them."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Measured = Callable[[], Iterable[tuple[str, float, bool]]]
"""By hall: seconds since all that its node had was here, and whether its node has another history."""


class FollowingGauges(Collector):
    """The collector behind them."""

    def __init__(self, measured: Measured) -> None:
        """Nothing is read before the first scrape."""
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """All of them as of now."""
        about = "Since all that the hall's own node had was here; +Inf: it never was since this node began."
        lag = GaugeMetricFamily("queue_follow_lag_seconds", about, labels=("hall",))
        about = "1 while the log of the hall's own node has another history than what is here."
        other = GaugeMetricFamily("queue_follow_other_history", about, labels=("hall",))
        for hall, lag_s, has_other in self._measured():
            lag.add_metric((hall,), lag_s)
            other.add_metric((hall,), float(has_other))
        yield lag
        yield other
