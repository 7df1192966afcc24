"""Gauges of the node itself, read at the scrape: readiness, clock, open sockets, room on the disk.

Nothing here is about a hall; those gauges are `metrics.gauges`'.
"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metrics.gauges import Live, Storage


class NodeGauges(Collector):
    """The collector behind them."""

    def __init__(self, live: Live) -> None:
        """Nothing is read before the first scrape."""
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """All of them as of now."""
        sockets = GaugeMetricFamily("queue_sockets", "Open websockets.", labels=("view",))
        for view, count in self._live.sockets().items():
            sockets.add_metric((view,), count)
        yield sockets
        skew_s = self._live.skew_ms() / 1000
        yield GaugeMetricFamily("queue_clock_skew_seconds", "Wall time against monotonic time since the start.", skew_s)
        about = "This machine's clock against the database's, by which events are dated; 0 where they are the same."
        yield GaugeMetricFamily("queue_clock_ahead_seconds", about, self._live.ahead_ms() / 1000)
        about = "1 while the process that stores batches is there; commands take longer without it."
        yield GaugeMetricFamily("queue_scribe_up", about, float(self._live.scribe()))
        yield GaugeMetricFamily(
            "queue_ready", "1 when the node can be given work (/readyz).", float(self._live.ready())
        )
        storage = self._live.storage()
        if storage is not None:
            yield from _of_storage(storage)


def _of_storage(storage: Storage) -> Iterator[Metric]:
    about = "Room left for the embedded database, on the disk of its folder."
    yield GaugeMetricFamily("queue_database_free_bytes", about, storage.free_bytes)
    about = "Size of the embedded database's write-ahead log."
    yield GaugeMetricFamily("queue_database_wal_bytes", about, storage.wal_bytes)
