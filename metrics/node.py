"""What this node itself does: commands, refusals, commits, HTTP requests. Nothing about a single hall.

Labels are our own names (command and error classes, route templates) and never what a client wrote.
"""

import re
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Histogram

from metrics.counts import Counts, Durations
from queue_service.domain.rules import RULES
from queue_service.errors import QueueServiceError, Unavailable
from queue_service.submission import Answer, Submission

COMMIT_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
UNMATCHED_ROUTE = "unmatched"


def _kebab(name: str) -> str:
    """`UnknownHall` as `unknown-hall`: the last part of a problem's `type`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


_COMMANDS = {kind: _kebab(kind.__name__) for kind in RULES}


def outcome(submission: Submission) -> str:
    """done, nothing (it changed nothing), replayed, refused, undecided (try again), or failed (a fault of ours)."""
    result = submission.result
    if isinstance(result, Answer):
        return "replayed" if result.replayed else "done" if submission.events else "nothing"
    if result is None or isinstance(result, Unavailable):
        return "undecided"
    return "refused" if isinstance(result, QueueServiceError) else "failed"


class NodeMetrics:
    """Commands, commits and requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """The metrics join `registry`."""
        self._commands = Counts("queue_commands", "Commands by what became of them.", ("command", "outcome"), registry)
        self._refusals = Counts("queue_refusals", "Commands not done, by problem type.", ("type",), registry)
        self._batch_size = Histogram(
            "queue_commit_batch_size", "Commands in one transaction.", registry=registry, buckets=BATCH_BUCKETS
        )
        self._commit_s = Histogram(
            "queue_commit_seconds", "One transaction, decided and stored.", registry=registry, buckets=COMMIT_BUCKETS_S
        )
        self._lag_s = Histogram(
            "queue_event_lag_seconds", "From a commit to its events being published here.",
            registry=registry, buckets=COMMIT_BUCKETS_S,
        )  # fmt: skip
        self._requests = Counts("http_requests", "HTTP requests.", ("method", "route", "status"), registry)
        self._request_s = Durations(
            "http_request_seconds", "HTTP requests, until answered.", ("method", "route"), REQUEST_BUCKETS_S, registry
        )

    def observe(self, submissions: Sequence[Submission], seconds: float, lag_seconds: float | None) -> None:
        """Count one transaction. `lag_seconds`: how long its events took to be published, where it had any."""
        self._batch_size.observe(len(submissions))
        self._commit_s.observe(seconds)
        if lag_seconds is not None:
            self._lag_s.observe(lag_seconds)
        for one in submissions:
            self._commands.add((_COMMANDS.get(type(one.command), "other"), outcome(one)))
            if one.result.__class__ is not Answer:
                self._refusals.add((_refusal(one.result),))

    def count_http(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route`: the template that matched, empty where none did."""
        method = method if method in METHODS else OTHER_METHOD
        route = route or UNMATCHED_ROUTE
        self._requests.add((method, route, str(status)))
        self._request_s.add((method, route), seconds)


def _refusal(result: object) -> str:
    if result is None:
        return "outcome-unknown"
    return _kebab(type(result).__name__) if isinstance(result, QueueServiceError) else "internal"
