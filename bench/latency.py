"""How long an answer takes: one connection, 64, and at a fixed rate of half of what the service can do."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

import orjson

from bench import halls, loading
from bench.calling import line
from bench.loading import Load
from bench.paced import Paced
from bench.processes import ROOT, Child, module, node
from bench.results import Part, Row, invalid
from bench.running import Run, middle

_ABOUT = """\
Beside the empty POST, taking turns, medians of the rounds. With 1 and 64 connections the load waits for each answer
before it asks again (wrk). At the fixed rate requests are due at equal intervals, half of what the service took at 64
connections, whatever becomes of the earlier ones, and are timed from when they were due. `late` is what the load tool
itself added (p99)."""

Turns = list[tuple[str, Callable[[], Load]]]


def measure(run: Run) -> Part:
    """All of it, on a young day."""
    folder, database = run.new_folder("latency"), "latency.db"
    with module("bench.empty", folder) as empty, node(folder / database) as server:
        with line(server.url) as one:
            halls.make(one)
            halls.open_counters(one)
        rows: list[Row] = []
        saturated = 0.0
        for connections in (1, loading.CONNECTIONS):
            seen = _closed(run, empty, server, connections)
            saturated = middle(load.per_s for load in seen["issue"])
            rows += _closed_rows(seen, connections)
        rows += _paced(run, empty, server, saturated / 2)
    return Part("Latency", _ABOUT, rows)


def _closed(run: Run, empty: Child, server: Child, connections: int) -> dict[str, list[Load]]:
    seconds, path = run.scale.load_s, loading.tickets_path()

    def life() -> Load:
        with line(server.url) as one:
            halls.free_counters(one)
        return loading.life(server, seconds, connections)

    turns: Turns = [
        ("empty", lambda: loading.issue(empty, "/empty", seconds, connections)),
        ("issue", lambda: loading.issue(server, path, seconds, connections)),
        ("life", life),
    ]
    seen: dict[str, list[Load]] = {name: [] for name, _ in turns}
    for number in range(max(1, run.scale.rounds // 2)):
        for name, load in turns:
            run.say(f"latency: {name}, {connections} connections, round {number + 1}")
            seen[name].append(load())
    return seen


def _closed_rows(seen: dict[str, list[Load]], connections: int) -> Iterator[Row]:
    for name, what in (("issue", "issue"), ("life", "issue, call-next, start, finish")):
        title = f"{what}, {connections} connection{'s' * (connections > 1)}"
        if any(load.failed for load in seen[name]):
            yield invalid(title, f"{sum(load.failed for load in seen[name])} requests failed")
        else:
            yield _row(title, seen[name], seen["empty"])


def _row(title: str, ours: Iterable[Load | Paced], theirs: Iterable[Load | Paced], more: str = "") -> Row:
    p50, p99 = (middle(getattr(one, name) for one in ours) for name in ("p50_ms", "p99_ms"))
    empty_p50, empty_p99 = (middle(getattr(one, name) for one in theirs) for name in ("p50_ms", "p99_ms"))
    measured, reference = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms{more}", f"p50 {empty_p50:.2f} ms, p99 {empty_p99:.2f} ms"
    return Row(title, measured, reference, p99 / empty_p99, "p99 against p99")


def _paced(run: Run, empty: Child, server: Child, rate: float) -> Iterator[Row]:
    title = f"issue at {rate:,.0f} a second"
    ours: list[Paced] = []
    theirs: list[Paced] = []
    for number in range(max(1, run.scale.rounds // 2)):
        run.say(f"latency: {title}, round {number + 1}")
        theirs.append(at_rate(empty, "/empty", rate, run.scale.paced_s))
        ours.append(at_rate(server, loading.tickets_path(), rate, run.scale.paced_s))
    if any(one.failed for one in (*ours, *theirs)):
        yield invalid(title, "not every request was answered")
        return
    late_ms = max(one.late_ms for one in (*ours, *theirs))
    yield _row(title, ours, theirs, f" (late {late_ms:.2f} ms)")


def at_rate(server: Child, path: str, rate: float, seconds: float) -> Paced:
    """Requests at a fixed rate, from a process of their own."""
    arguments = [server.url, path, f"{rate:.1f}", f"{seconds}", str(loading.CONNECTIONS)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return Paced(**orjson.loads(done.stdout))
