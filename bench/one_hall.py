"""PostgreSQL: several nodes at one hall. Its row is the lock, so they take turns; is any of them starved?"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench import halls, loading
from bench.calling import line
from bench.loading import Load
from bench.processes import Child, node
from bench.replicas import durable_server
from bench.results import Part, Row, at_least, at_most, invalid
from bench.running import Run, middle

EACH = 8
"""Connections of each node."""
FAIR_SHARE, LONGER = 0.7, 5.0


def measure(run: Run) -> Part:
    """One node alone, then two and four at once, all of them issuing for the same hall."""
    folder = run.new_folder("one_hall")
    with ExitStack() as stack:
        url = stack.enter_context(durable_server("one-hall")).url("postgres")
        nodes = [stack.enter_context(node(folder / f"{number}.db", url)) for number in range(4)]
        with line(nodes[0].url) as one:
            halls.make(one)
        return Part("Several nodes at one hall", _ABOUT, [row for size in (2, 4) for row in _rows(run, nodes[:size])])


_ABOUT = f"""\
{EACH} connections (wrk) at each node, all issuing for one hall, against as many at one node alone in the same run; the
median over the rounds. `Share`: the slowest node's answers against an even share of all. `p99`: the slowest node's
against the lone one's."""


def _rows(run: Run, nodes: list[Child]) -> list[Row]:
    seconds, shares, longer = run.scale.load_s, list[float](), list[float]()
    told = reference = ""
    for number in range(run.scale.rounds):
        run.say(f"one hall: {len(nodes)} nodes, round {number + 1} of {run.scale.rounds}")
        lone = loading.issue(nodes[0], loading.tickets_path(), seconds, EACH)
        loads = _at_once(nodes, seconds)
        if lone.failed or any(one.failed for one in loads):
            return [invalid(f"{len(nodes)} nodes", f"{sum(one.failed for one in loads)} commands failed")]
        total_s = sum(one.per_s for one in loads)
        shares.append(min(one.per_s for one in loads) * len(nodes) / total_s)
        longer.append(max(one.p99_ms for one in loads) / lone.p99_ms)
        told = f"{total_s:,.0f}/s, p99 {max(one.p99_ms for one in loads):.1f} ms"
        reference = f"one node: {lone.per_s:,.0f}/s, p99 {lone.p99_ms:.1f} ms"
    return [
        at_least(f"share, {len(nodes)} nodes", told, reference, middle(shares), FAIR_SHARE),
        at_most(f"p99, {len(nodes)} nodes", told, reference, middle(longer), LONGER),
    ]


def _at_once(nodes: list[Child], seconds: int) -> list[Load]:
    with ThreadPoolExecutor(len(nodes)) as pool:
        return list(pool.map(lambda one: loading.issue(one, loading.tickets_path(), seconds, EACH), nodes))
