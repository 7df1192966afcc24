"""What is counted here reads on the page as if Prometheus' own client had counted it."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from metrics.counts import Counts, Durations

BOUNDS_S = (0.0025, 0.5, 1, 60, 1_000_000)
LABELS = ("hall", "service")

values = st.tuples(st.sampled_from(["east", "west"]), st.sampled_from(['a "quoted"', "b"]))
seconds = st.one_of(st.sampled_from(BOUNDS_S), st.floats(0, 2_000_000))


def page(registry: CollectorRegistry) -> list[str]:
    """The lines of the page, without when each of the client's own metrics was made."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


@given(counted=st.lists(st.tuples(values, st.integers(1, 3))))
def test_counts_read_as_the_clients_counters(counted: list[tuple[tuple[str, str], int]]) -> None:
    """The same counts by the same labels in the same words."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counts = Counts("queue_calls", "Calls.", LABELS, ours)
    counter = Counter("queue_calls", "Calls.", LABELS, registry=theirs)
    for labels, times in counted:
        counts.add(labels, times)
        counter.labels(*labels).inc(times)
    assert page(ours) == page(theirs)


@given(counted=st.lists(st.tuples(values, seconds)))
def test_durations_read_as_the_clients_histograms(counted: list[tuple[tuple[str, str], float]]) -> None:
    """The same buckets, bounds included, the same sums and counts."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations("queue_wait_seconds", "Waits.", LABELS, BOUNDS_S, ours)
    histogram = Histogram("queue_wait_seconds", "Waits.", LABELS, buckets=BOUNDS_S, registry=theirs)
    for labels, duration_s in counted:
        durations.add(labels, duration_s)
        histogram.labels(*labels).observe(duration_s)
    assert page(ours) == page(theirs)
