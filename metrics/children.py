"""Label children of a Prometheus metric, looked up by one dict access: `labels()` costs more than the count itself."""

from typing import Generic, TypeVar

from prometheus_client import Counter, Histogram

Metric = TypeVar("Metric", Counter, Histogram)


class Children(dict[tuple[str, ...], Metric], Generic[Metric]):
    """A metric's children by their label values, made on first use.

    Only give it values of closed vocabularies, of the plan, or of our own code: whatever is given stays in memory."""

    def __init__(self, metric: Metric) -> None:
        """No children yet."""
        super().__init__()
        self._metric: Metric = metric

    def __missing__(self, values: tuple[str, ...]) -> Metric:
        """The child of these label values, in the metric's order."""
        child: Metric = self._metric.labels(*values)
        self[values] = child
        return child
