"""PostgreSQL: one node against an empty POST served the same way in the same run, and two nodes against one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg

from bench import halls, loading
from bench.calling import line
from bench.loading import Load
from bench.processes import Child, module, node
from bench.results import Part, Row, at_least, invalid
from bench.running import Run, middle
from tests.databases import Server

BOUND, GOAL = 0.4, 0.5
LOST_MOST = loading.CONNECTIONS
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB"}
"""Everything that makes a commit durable stays as PostgreSQL has it."""
OTHER = "bench-2"
ISSUE, LIFE = "issue", "issue → call-next → start → finish"


class Replicas:
    """Two nodes on one database, each with a hall of its own to be loaded."""

    def __init__(self, url: str, first: Child, second: Child) -> None:
        """Nothing is measured yet."""
        self.url = url
        self.first = first
        self.second = second
        self.faults: list[str] = []

    def checked(self, what: str, load: Callable[[], list[Load]]) -> float:
        """Answers per second of some loads at once; what was acknowledged must be there."""
        before = self.stored()
        loads = load()
        answered, added = sum(one.answered for one in loads), self.stored() - before
        if any(one.failed for one in loads) or not 0 <= added - answered <= LOST_MOST * len(loads):
            self.faults.append(f"{what}: {answered} answered, {added} events stored")
        return sum(one.per_s for one in loads)

    def stored(self) -> int:
        """How many events there are."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT count(*) FROM event").fetchone()
        return int(found[0]) if found else 0

    def both(self, seconds: int) -> list[Load]:
        """Each node issues for a hall of its own, with half of the connections."""
        half = loading.CONNECTIONS // 2
        with ThreadPoolExecutor(2) as pool:
            halves = [
                pool.submit(loading.issue, self.first, loading.tickets_path(), seconds, half),
                pool.submit(loading.issue, self.second, loading.tickets_path(OTHER), seconds, half),
            ]
            return [one.result() for one in halves]


@contextmanager
def durable_server(name: str) -> Iterator[Server]:
    """A running PostgreSQL of the tests' own, on disk, with its durability as it comes."""
    server = Server(SETTINGS, name, on_disk=True).make()
    try:
        yield server.start()
    finally:
        server.remove()


def measure(run: Run) -> Part:
    """One node, then two, each with a hall of its own."""
    folder = run.new_folder("replicas")
    with ExitStack() as stack:
        url = stack.enter_context(durable_server("bench")).url("postgres")
        empty = stack.enter_context(module("bench.empty", folder))
        nodes = [stack.enter_context(node(folder / f"{name}.db", url)) for name in ("first", "second")]
        with line(nodes[0].url) as one:
            halls.make(one)
            halls.open_counters(one)
            halls.make(one, OTHER)
        return Part("PostgreSQL", _ABOUT, _measured(run, empty, Replicas(url, *nodes)))


_ABOUT = f"""\
{loading.CONNECTIONS} connections (wrk), an idempotency key for every command; PostgreSQL, the nodes and wrk share the
machine's processors. One node: its ratio to `POST /empty` just before and after, median over the rounds. Two nodes:
each issues for a hall of its own with half of the connections, against one node with all of them. After each load the
events stored are counted."""


def _measured(run: Run, empty: Child, replicas: Replicas) -> list[Row]:
    seconds, ratios, figures = run.scale.load_s, dict[str, list[float]](), dict[str, list[float]]()
    before = loading.issue(empty, "/empty", seconds).per_s
    loads: dict[str, Callable[[], list[Load]]] = {
        ISSUE: lambda: [loading.issue(replicas.first, loading.tickets_path(), seconds)],
        LIFE: lambda: [loading.life(replicas.first, seconds)],
        "two": lambda: replicas.both(seconds),
    }
    for number in range(run.scale.rounds):
        for kind, load in loads.items():
            run.say(f"replicas: {kind}, round {number + 1} of {run.scale.rounds}")
            if kind == LIFE:
                with line(replicas.first.url) as one:
                    halls.free_counters(one)
            per_s = replicas.checked(kind, load)
            after = loading.issue(empty, "/empty", seconds).per_s
            figures.setdefault(kind, []).append(per_s)
            ratios.setdefault(kind, []).append(per_s / ((before + after) / 2))
            figures.setdefault("empty", []).append(after)
            before = after
    return _rows(replicas, figures, ratios)


def _rows(replicas: Replicas, figures: dict[str, list[float]], ratios: dict[str, list[float]]) -> list[Row]:
    if replicas.faults:
        return [invalid("PostgreSQL", "; ".join(replicas.faults))]
    told = {kind: f"{middle(values):,.0f}/s" for kind, values in figures.items()}
    rows = [
        at_least(f"{kind}, one node", told[kind], told["empty"], middle(ratios[kind]), BOUND, GOAL)
        for kind in (ISSUE, LIFE)
    ]
    gain = middle(two / one for two, one in zip(figures["two"], figures[ISSUE], strict=True))
    return [*rows, Row("issue, two nodes, a hall each", told["two"], f"one node: {told[ISSUE]}", gain)]
