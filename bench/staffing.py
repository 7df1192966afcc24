"""Staffing advice: how long one run takes for a large, overloaded hall, and what commands feel of it meanwhile.

`python -m bench.staffing` is the worker: it works out one piece of advice after another, niced as the service's own.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import halls, loading
from bench.calling import line
from bench.latency import at_rate
from bench.processes import Child, module, node
from bench.results import Part, Row, at_most, invalid
from bench.running import Run, middle
from queue_service.planning.staffing.advisor import NICE

_ABOUT = """\
A hall of 100 counters (each able to serve 4 of 20 services), 300 waiting and 400 visitors an hour, 20 clerks in
reserve; 200 runs of three hours. The commands: issue at half of what the service takes, with and without a worker
that works out such advice all the time (the service does so once in five minutes)."""

HOUR_MS = 3_600_000


def measure(run: Run) -> Part:
    """Both."""
    folder = run.new_folder("staffing")
    run.say("staffing: one run")
    rows = [_one_run()]
    with node(folder / "staffing.db") as server:
        with line(server.url) as one:
            halls.make(one)
            halls.open_counters(one)
        rate = loading.issue(server, loading.tickets_path(), run.scale.load_s, loading.CONNECTIONS).per_s / 2
        alone, beside = [], []
        for number in range(max(1, run.scale.rounds // 2)):
            run.say(f"staffing: issue at {rate:,.0f} a second, round {number + 1}")
            alone.append(at_rate(server, loading.tickets_path(), rate, run.scale.paced_s))
            with module("bench.staffing", folder):
                beside.append(at_rate(server, loading.tickets_path(), rate, run.scale.paced_s))
    title = f"issue at {rate:,.0f} a second while advice is worked out"
    if any(one.failed for one in (*alone, *beside)):
        return Part("Staffing", _ABOUT, [*rows, invalid(title, "not every request was answered")])
    without, with_ = (middle(one.p99_ms for one in seen) for seen in (alone, beside))
    rows.append(at_most(title, f"p99 {with_:.2f} ms", f"p99 {without:.2f} ms without", with_ / without, 2.0))
    return Part("Staffing", _ABOUT, rows)
