"""Durable commands per second at 64 connections, against an empty POST served the same way in the same run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import halls, history, loading
from bench.calling import line
from bench.loading import Load
from bench.processes import Child, module, node
from bench.results import Part, Row, at_least, invalid
from bench.running import Run, middle
from bench.watching import display, stream_path

BOUND, GOAL = 0.5, 0.65
LOST_MOST = loading.CONNECTIONS
"""Commands under way when a load ends may be stored though nobody heard their answer."""

ISSUE, LIFE = "issue", "issue → call-next → start → finish"

Series = dict[str, list[Load]]


class Subject:
    """A node under load, its database, and what its loads gave."""

    def __init__(self, name: str, server: Child, database: Path) -> None:
        """`name` tells it from other nodes in the table."""
        self.name = name
        self.server = server
        self.loads: Series = {}
        self.ratios: dict[str, list[float]] = {}
        self.faults: list[str] = []
        self._database = database

    def note(self, kind: str, load: Load, empty_per_s: float) -> None:
        """Keep a load, and how it compares with the empty POST just before and after."""
        self.loads.setdefault(kind, []).append(load)
        self.ratios.setdefault(kind, []).append(load.per_s / empty_per_s)

    def load(self, kind: str, seconds: int) -> Load:
        """Load it, and see that what was acknowledged is there."""
        if kind == LIFE:
            with line(self.server.url) as one:
                halls.free_counters(one)
        before = sum(halls.stored(self._database).values())
        if kind == LIFE:
            load = loading.life(self.server, seconds)
        else:
            load = loading.issue(self.server, loading.tickets_path(), seconds)
        added = sum(halls.stored(self._database).values()) - before
        if load.failed or not 0 <= added - load.answered <= LOST_MOST:
            self.faults.append(f"{kind}: {load.answered} answered, {load.failed} failed, {added} events stored")
        return load


def measure(run: Run) -> Part:
    """Both loads on a young day and on one with many tickets, each between two runs of the empty POST."""
    folder, scale = run.new_folder("durable"), run.scale
    many = folder / "many.db"
    run.say(f"durable: a day with {scale.issued:,} tickets")
    history.waiting_today(many, {halls.HALL: scale.issued})
    with ExitStack() as stack:
        empty = stack.enter_context(module("bench.empty", folder))
        young = Subject("a young day", stack.enter_context(node(folder / "young.db")), folder / "young.db")
        old = Subject(f"{scale.issued:,} tickets issued today", stack.enter_context(node(many)), many)
        with line(young.server.url) as one:
            halls.make(one)
            halls.open_counters(one)
        for subject in (young, old):
            stack.enter_context(display(subject.server.url, stream_path(halls.HALL)))
        nothing = list(_rounds(run, empty, [young, old]))
        checked = [loading.issue(empty, "/checked", scale.load_s) for _ in range(2)]
    return Part("Durable commands", _ABOUT, [*_rows(nothing, [young, old]), _beside(nothing, checked)])


_ABOUT = f"""\
One server process, {loading.CONNECTIONS} connections (wrk, {loading.THREADS} threads), {halls.COUNTERS} counters, an
idempotency key of its own for every command, one display connected. Every load stands between two of the reference:
`POST /empty` of a FastAPI application without a body, asked with the same bytes. The ratio is the median over the
rounds. After each load the events in the database file are counted: all that was acknowledged is there, or the row is
invalid. CPU is the server's processor time per answer, over all its threads."""


def _rounds(run: Run, empty: Child, subjects: list[Subject]) -> Iterator[Load]:
    """Alternate, so that a machine that gets slower or faster does so for both."""
    seconds = run.scale.load_s
    before = loading.issue(empty, "/empty", seconds)
    yield before
    for number in range(run.scale.rounds):
        for subject in subjects:
            for kind in (ISSUE, LIFE):
                run.say(f"durable: {kind}, {subject.name}, round {number + 1} of {run.scale.rounds}")
                load = subject.load(kind, seconds)
                after = loading.issue(empty, "/empty", seconds)
                yield after
                subject.note(kind, load, (before.per_s + after.per_s) / 2)
                before = after


def _rows(nothing: list[Load], subjects: list[Subject]) -> Iterator[Row]:
    for kind in (ISSUE, LIFE):
        for subject in subjects:
            what = f"{kind}, {subject.name}"
            if subject.faults:
                yield invalid(what, "; ".join(subject.faults))
                continue
            ratio = middle(subject.ratios[kind])
            yield at_least(what, _told(subject.loads[kind]), _told(nothing), ratio, BOUND, GOAL)


def _told(loads: list[Load]) -> str:
    def mid(value: Callable[[Load], float]) -> float:
        return middle(value(load) for load in loads)

    return (
        f"{mid(lambda one: one.per_s):,.0f}/s, {mid(lambda one: one.cpu_us):.0f} µs CPU, "
        f"p50 {mid(lambda one: one.p50_ms):.1f} ms, p99 {mid(lambda one: one.p99_ms):.1f} ms "
        f"(wrk {mid(lambda one: one.tool_share):.0%} of a core)"
    )


def _beside(nothing: list[Load], checked: list[Load]) -> Row:
    per_s, empty_per_s = middle(one.per_s for one in checked), middle(one.per_s for one in nothing)
    return Row("beside: FastAPI POST that validates the same body", _told(checked), _told(nothing), per_s / empty_per_s)
