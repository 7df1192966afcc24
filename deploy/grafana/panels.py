"""What the dashboards show: every panel with its question to Prometheus. How it becomes JSON: `make_dashboards.py`.

Gauges of a hall are the same on every node, so `max by` takes any of them; counters count a node's own work, so
`sum by` adds them up.
"""

# ruff: noqa: INP001 (beside a script on its own; deploy is no package)

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a panel looks."""

    FIGURE = "figure"
    CURVES = "curves"
    STACK = "stack"


@dataclass(frozen=True)
class Panel:
    """One panel. `queries`: legend and PromQL; `unit`: Grafana's name; `nothing`: said where there is no value."""

    title: str
    about: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: Kind = Kind.CURVES
    nothing: str = "–"


@dataclass(frozen=True)
class Board:
    """One dashboard: titled rows of panels that share the width."""

    uid: str
    title: str
    about: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]


def _p99(metric: str, by: str) -> str:
    return f"histogram_quantile(0.99, sum by ({by}, le) (rate({metric}_bucket[$__rate_interval])))"


H = 'hall="$hall"'

_PROMISE_TODAY = (
    Panel(
        "Promises kept today",
        "Kept ÷ (kept + missed), those still waiting beyond their promise included: the figures of promise-report.",
        (("{{period}}", f"max by (period) (queue_share_kept{{{H}}})"),),
        "percentunit",
        Kind.FIGURE,
        "nobody counted yet",
    ),
    Panel(
        "Today's tickets",
        "Kept, missed, open (waiting within the promise), left within it, and apart (paper, suspended, training).",
        (("{{verdict}}", f"sum by (verdict) (max by (period, verdict) (queue_promise_tickets{{{H}}}))"),),
        kind=Kind.FIGURE,
    ),
    Panel(
        "Waiting now",
        "Tickets in line, over all services.",
        (("waiting", f"sum(max by (service) (queue_waiting{{{H}}}))"),),
        kind=Kind.FIGURE,
    ),
    Panel(
        "Longest wait and promise now",
        "Of whoever is in line longest, against what is promised to whoever comes now.",
        (
            ("longest wait", f"max(queue_oldest_wait_seconds{{{H}}})"),
            ("promised now", f"max(queue_promise_now_seconds{{{H}}})"),
        ),
        "s",
        Kind.FIGURE,
    ),
)

_LINE = (
    Panel(
        "Waiting by service",
        "Where the line is.",
        (("{{service}}", f"max by (service) (queue_waiting{{{H}}})"),),
        kind=Kind.STACK,
    ),
    Panel(
        "Longest wait by service",
        "Wait so far of whoever is in line longest, earlier legs included; the promise beside it.",
        (
            ("{{service}}", f"max by (service) (queue_oldest_wait_seconds{{{H}}})"),
            ("promised", f"max(queue_promise_now_seconds{{{H}}})"),
        ),
        "s",
    ),
)

_COUNTERS = (
    Panel(
        "Counters by state",
        "Closed, idle, called, serving, paused.",
        (("{{state}}", f"max by (state) (queue_counters{{{H}}})"),),
        kind=Kind.STACK,
    ),
    Panel(
        "Idle while somebody waits",
        "Free counters that may call somebody in line: should be 0 but for moments.",
        (("counters", f"max(queue_counters_idle_while_waiting{{{H}}})"),),
    ),
    Panel(
        "Calls in 15 minutes",
        "First calls of a leg, by service; of all nodes together.",
        (("{{service}}", f"sum by (service) (increase(queue_calls_total{{{H}}}[15m]))"),),
        kind=Kind.STACK,
    ),
)

_BURN = (
    Panel(
        "Burn of the promise's budget",
        "Share missed ÷ share that may be missed; 1 is what is allowed, 10 the most there is at 90 %.",
        (
            ("1 h", f"hall:queue_promise_burn:increase1h{{{H}}}"),
            ("4 h", f"hall:queue_promise_burn:increase4h{{{H}}}"),
            ("2 days", f"hall:queue_promise_burn:increase2d{{{H}}}"),
        ),
    ),
    Panel(
        "Waits of those called (30 min)",
        "Median and 90th percentile of legs, from the histogram's buckets (between two bounds); the report is exact.",
        tuple(
            (
                name,
                f"histogram_quantile({share}, sum by (le) (rate(queue_wait_seconds_bucket{{{H}}}[30m])))",
            )
            for name, share in (("p50", 0.5), ("p90", 0.9))
        ),
        "s",
    ),
    Panel(
        "Mean service time (30 min)",
        "From start to finish, implied starts left out.",
        (
            (
                "{{service}}",
                (
                    f"sum by (service) (rate(queue_service_seconds_sum{{{H}}}[30m]))"
                    f" / sum by (service) (rate(queue_service_seconds_count{{{H}}}[30m]))"
                ),
            ),
        ),
        "s",
    ),
)

_REST = (
    Panel(
        "Tickets given by channel (15 min)",
        "Of all nodes together.",
        (("{{channel}}", f"sum by (channel) (increase(queue_tickets_issued_total{{{H}}}[15m]))"),),
        kind=Kind.STACK,
    ),
    Panel(
        "Left without being served (15 min)",
        "Turned away, not come when called, given up. A promise must not be kept by refusing people.",
        tuple(
            (name, f"sum(increase({metric}_total{{{H}}}[15m])) or vector(0)")
            for name, metric in (
                ("turned away", "queue_turned_away"),
                ("no-show", "queue_no_shows"),
                ("cancelled", "queue_tickets_cancelled"),
            )
        ),
    ),
    Panel(
        "Alerts firing",
        "Of this hall.",
        (("{{alertname}}", f'count by (alertname) (ALERTS{{{H}, alertstate="firing"}}) or vector(0)'),),
    ),
)

HALL_TODAY = Board(
    "queue-hall",
    "Hall today",
    "One hall: whether the promise is kept, who waits where, what the counters do.",
    (
        ("The promise", _PROMISE_TODAY),
        ("The line", _LINE),
        ("The counters", _COUNTERS),
        ("How the day goes", _BURN),
        ("Coming and leaving", _REST),
    ),
)

ALL_HALLS = Board(
    "queue-halls",
    "All halls",
    "Every hall side by side: where to look first.",
    (
        (
            "The promise",
            (
                Panel(
                    "Promises kept today",
                    "By hall and period.",
                    (("{{hall}} {{period}}", "max by (hall, period) (queue_share_kept)"),),
                    "percentunit",
                    Kind.FIGURE,
                    "nobody counted yet",
                ),
                Panel(
                    "Missed today",
                    "Tickets whose promise was missed, those still waiting included.",
                    (
                        (
                            "{{hall}}",
                            'sum by (hall) (max by (hall, period, verdict) (queue_promise_tickets{verdict="missed"}))',
                        ),
                    ),
                    kind=Kind.FIGURE,
                ),
                Panel(
                    "Open now",
                    "1 in opening hours while not suspended.",
                    (("{{hall}}", "max by (hall) (queue_hall_open)"),),
                    kind=Kind.FIGURE,
                ),
            ),
        ),
        (
            "Now",
            (
                Panel(
                    "Waiting", "Over all services.", (("{{hall}}", "sum by (hall) (hall_service:queue_waiting:max)"),)
                ),
                Panel(
                    "Longest wait",
                    "Of any service.",
                    (("{{hall}}", "max by (hall) (hall_service:queue_oldest_wait_seconds:max)"),),
                    "s",
                ),
            ),
        ),
        (
            "Burn and work",
            (
                Panel("Burn over 4 h", "1 is what is allowed.", (("{{hall}}", "hall:queue_promise_burn:increase4h"),)),
                Panel(
                    "Counters open",
                    "Whatever they do.",
                    (("{{hall}}", 'sum by (hall) (max by (hall, state) (queue_counters{state!="closed"}))'),),
                ),
                Panel(
                    "Since the last call",
                    "Where it is known; large at night.",
                    (("{{hall}}", "time() - (max by (hall) (queue_last_call_timestamp_seconds) > 0)"),),
                    "s",
                ),
            ),
        ),
    ),
)

_COMMANDS = (
    Panel(
        "Commands by outcome",
        "A second, all nodes.",
        (("{{outcome}}", "sum by (outcome) (rate(queue_commands_total[$__rate_interval]))"),),
        "ops",
        Kind.STACK,
    ),
    Panel(
        "Refusals by problem",
        "A second, all nodes; the last part of the problem's type.",
        (("{{type}}", "sum by (type) (rate(queue_refusals_total[$__rate_interval])) or vector(0)"),),
        "ops",
    ),
    Panel(
        "Requests that end in 5xx",
        "Share over five minutes.",
        (("share", "job:http_requests_5xx:share_5m"),),
        "percentunit",
    ),
)
_SPEED = (
    Panel("Request p99 by route", "Until answered.", (("{{route}}", _p99("http_request_seconds", "route")),), "s"),
    Panel(
        "Commit p99",
        "One transaction, decided and stored.",
        (("{{instance}}", _p99("queue_commit_seconds", "instance")),),
        "s",
    ),
    Panel(
        "Commands in one transaction",
        "Mean; it grows with the load.",
        (
            (
                "{{instance}}",
                (
                    "sum by (instance) (rate(queue_commit_batch_size_sum[$__rate_interval]))"
                    " / sum by (instance) (rate(queue_commit_batch_size_count[$__rate_interval]))"
                ),
            ),
        ),
    ),
    Panel(
        "Commit to display p99",
        "Until the events are published on the node.",
        (("{{instance}}", _p99("queue_event_lag_seconds", "instance")),),
        "s",
    ),
)
_NODES = (
    Panel(
        "Up and ready",
        "Scraped, /readyz, and the process that stores.",
        (
            ("{{instance}} up", 'up{job="queue"}'),
            ("{{instance}} ready", "queue_ready"),
            ("{{instance}} scribe", "queue_scribe_up"),
        ),
    ),
    Panel("Open sockets", "Displays and visitors.", (("{{instance}} {{view}}", "queue_sockets"),)),
    Panel("Clock skew", "Wall time against monotonic time.", (("{{instance}}", "queue_clock_skew_seconds"),), "s"),
)
_MACHINE = (
    Panel(
        "Room for the database", "Embedded databases only.", (("{{instance}}", "queue_database_free_bytes"),), "bytes"
    ),
    Panel("Write-ahead log", "Starts over at 64 MB.", (("{{instance}}", "queue_database_wal_bytes"),), "bytes"),
    Panel("Memory", "Resident.", (("{{instance}}", 'process_resident_memory_bytes{job="queue"}'),), "bytes"),
    Panel(
        "Processor",
        "Cores busy.",
        (("{{instance}}", 'rate(process_cpu_seconds_total{job="queue"}[$__rate_interval])'),),
    ),
)

SERVICE = Board(
    "queue-service",
    "The service itself",
    "Commands, speed, nodes: whether the software is well.",
    (("Commands", _COMMANDS), ("Speed", _SPEED), ("Nodes", _NODES), ("Machine", _MACHINE)),
)

DASHBOARDS = (HALL_TODAY, ALL_HALLS, SERVICE)
