"""Counters and histograms by label values, counted at each event and put into Prometheus' words at a scrape. The
client's own check and lock at each count, and look at their buckets one by one: a tenth of showing a call.

Count and scrape on the same thread. Only give them values of closed vocabularies, of the plan, or of our own code:
whatever is given stays in memory.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Values = tuple[str, ...]
"""Label values in the metric's order."""


class Counts(Collector):
    """A counter."""

    def __init__(self, name: str, about: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        """Nothing is counted yet."""
        self._name, self._about, self._labels = name, about, labels
        self._counts: defaultdict[Values, int] = defaultdict(int)
        registry.register(self)

    def add(self, values: Values, times: int = 1) -> None:
        """Count it."""
        self._counts[values] += times

    def collect(self) -> Iterator[Metric]:
        """All of it so far."""
        family = CounterMetricFamily(self._name, self._about, labels=self._labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family


class Durations(Collector):
    """A histogram of seconds."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], bounds_s: Sequence[float], registry: CollectorRegistry
    ) -> None:
        """Nothing is counted yet. `bounds_s`: the buckets' upper bounds, which belong to them."""
        self._name, self._about, self._labels = name, about, labels
        self._bounds_s = sorted({*bounds_s, math.inf})
        self._counts: defaultdict[Values, list[int]] = defaultdict(lambda: [0] * len(self._bounds_s))
        self._sums_s: defaultdict[Values, float] = defaultdict(float)
        registry.register(self)

    def add(self, values: Values, seconds: float) -> None:
        """Count one."""
        self._counts[values][bisect_left(self._bounds_s, seconds)] += 1
        self._sums_s[values] += seconds

    def collect(self) -> Iterator[Metric]:
        """All of it so far."""
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        names = [floatToGoString(bound) for bound in self._bounds_s]  # type: ignore[no-untyped-call]
        for values, counts in self._counts.items():
            buckets = list(zip(names, accumulate(counts), strict=True))
            family.add_metric(values, buckets, self._sums_s[values])
        yield family
