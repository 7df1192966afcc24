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
ISSUE, LIFE, TWO = "issue", "issue → call-next → start → finish", "issue at two nodes"
EMPTY = "empty POST around {}"


class Replicas:
    """Nodes on one database, one and then two, each with a hall of its own to be loaded."""

    def __init__(self, url: str, empty: Child, first: Child, seconds: int) -> None:
        """Nothing is measured yet, and there is no second."""
        self.url = url
        self.empty = empty
        self.first = first
        self.second: Child | None = None
        self.seconds = seconds
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
        """How many events there are that somebody asked for: a hall may warn of something by itself."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT count(*) FROM event WHERE actor <> 'system'").fetchone()
        return int(found[0]) if found else 0

    def nothing(self) -> float:
        """Answers per second of the empty POST."""
        return loading.issue(self.empty, "/empty", self.seconds).per_s

    def issue(self) -> list[Load]:
        """The first node issues."""
        return [loading.issue(self.first, loading.tickets_path(), self.seconds)]

    def life(self) -> list[Load]:
        """The first node issues, calls, starts and finishes."""
        return [loading.life(self.first, self.seconds)]

    def both(self) -> list[Load]:
        """Each node issues for a hall of its own, with half of the connections."""
        assert self.second is not None, "it was started"
        half = loading.CONNECTIONS // 2
        with ThreadPoolExecutor(2) as pool:
            halves = [
                pool.submit(loading.issue, self.first, loading.tickets_path(), self.seconds, half),
                pool.submit(loading.issue, self.second, loading.tickets_path(OTHER), self.seconds, half),
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
    """One node by itself, then two, each with a hall of its own."""
    folder = run.new_folder("replicas")
    with ExitStack() as stack:
        url = stack.enter_context(durable_server("bench")).url("postgres")
        empty = stack.enter_context(module("bench.empty", folder))
        replicas = Replicas(url, empty, stack.enter_context(node(folder / "first.db", url)), run.scale.load_s)
        with line(replicas.first.url) as one:
            halls.make(one)
            halls.open_counters(one)
            halls.make(one, OTHER)
        alone = _taking_turns(run, replicas, {ISSUE: replicas.issue, LIFE: replicas.life})
        replicas.second = stack.enter_context(node(folder / "second.db", url))
        beside = _taking_turns(run, replicas, {ISSUE: replicas.issue, TWO: replicas.both})
    return Part("PostgreSQL", _ABOUT, _rows(replicas, alone, beside))


_ABOUT = f"""\
{loading.CONNECTIONS} connections (wrk), an idempotency key for every command; PostgreSQL, the nodes and wrk share the
machine's processors. One node, by itself: its ratio to `POST /empty` just before and after, median over the rounds.
Then a second one is started, which follows what the first does: each issues for a hall of its own with half of the
connections, against one of the two with all of them. After each load the events stored are counted."""


Series = dict[str, list[float]]
"""Answers per second by load, and of the empty POST around each: EMPTY of it."""


def _taking_turns(run: Run, replicas: Replicas, loads: dict[str, Callable[[], list[Load]]]) -> Series:
    """Each load between two of the empty POST, round by round."""
    figures: Series = {}
    before = replicas.nothing()
    for number in range(run.scale.rounds):
        for kind, load in loads.items():
            run.say(f"replicas: {kind}, round {number + 1} of {run.scale.rounds}")
            with line(replicas.first.url) as one:
                halls.free_counters(one)
            figures.setdefault(kind, []).append(replicas.checked(kind, load))
            after = replicas.nothing()
            figures.setdefault(EMPTY.format(kind), []).append((before + after) / 2)
            before = after
    return figures


def _rows(replicas: Replicas, alone: Series, beside: Series) -> list[Row]:
    if replicas.faults:
        return [invalid("PostgreSQL", "; ".join(replicas.faults))]
    rows = []
    for kind in (ISSUE, LIFE):
        own, empty = alone[kind], alone[EMPTY.format(kind)]
        ratio = middle(per_s / nothing for per_s, nothing in zip(own, empty, strict=True))
        rows.append(at_least(f"{kind}, one node", _told(own), _told(empty), ratio, BOUND, GOAL))
    gain = middle(two / one for two, one in zip(beside[TWO], beside[ISSUE], strict=True))
    reference = f"one of the two: {_told(beside[ISSUE])}"
    return [*rows, Row("issue, two nodes, a hall each", _told(beside[TWO]), reference, gain)]


def _told(per_s: list[float]) -> str:
    return f"{middle(per_s):,.0f}/s"
