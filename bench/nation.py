"""The nation's load on two cores: every township's hall and its displays at one node, with PostgreSQL and the load tool
beside; then more and more visits, until something gives."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

import orjson

from bench.national import COUNTERS, STAGE_S, STAGES, Seen
from bench.processes import ROOT, TICKS_PER_S, Child, allow_sockets, machine_cpu_s, node
from bench.replicas import durable_server
from bench.results import Part, Row, invalid
from bench.running import Run
from tests.databases import Server

TITLE = "The nation's load"
HALLS = 3_058
VISITS_PER_S = 250.0
DISPLAYS = 3
MULTIPLES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
GIVES_MS = 1_000.0
"""Commands whose p99 takes longer than this are no use to a clerk."""
KEPT = 0.98
SPARE_SOCKETS = 500
CORES = 2
BUSY = 0.9


class Spent(NamedTuple):
    """Processor time, in cores, of a rate's measured part."""

    node: float
    postgres: float
    tool: float
    machine: float

    def __str__(self) -> str:
        """For a cell of the table."""
        left = max(0.0, CORES - self.machine)
        others = max(0.0, self.machine - self.node - self.postgres - self.tool)
        return (
            f"node {self.node:.2f}, PostgreSQL {self.postgres:.2f}, load tool {self.tool:.2f}, others {others:.2f} "
            f"of {CORES} cores; left {left:.2f}"
        )


def measure(run: Run) -> Part:
    """At the nation's rate, then at multiples of it."""
    folder, halls = run.new_folder("nation"), run.scale.nation_halls
    share = halls / HALLS
    what = f"{halls:,} halls, {halls * DISPLAYS:,} displays"
    if not allow_sockets(halls * DISPLAYS + SPARE_SOCKETS):
        few = "this system allows too few open sockets (ulimit -n)"
        return Part(TITLE, _ABOUT, [invalid(what, few)])
    with ExitStack() as stack:
        server = stack.enter_context(durable_server("nation"))
        url = server.url("postgres")
        child = stack.enter_context(node(folder / "nation.db", url))
        tool = stack.enter_context(_Tool(child.url, halls, folder / "tool.log"))
        run.say(f"nation: making and opening {what}")
        tool.expect("ready")
        rows = _rows(run, child, server, tool, VISITS_PER_S * share, what)
        return Part(TITLE, _ABOUT, list(rows))


_ABOUT = f"""\
{HALLS:,} halls with {COUNTERS} open counters and {DISPLAYS} displays each, on one node; {VISITS_PER_S:.0f} visits begin
a second, each an issue, a call, a start and a finish {STAGE_S:.0f} s apart, every command with a key and timed from
when it was due, whatever became of the earlier ones. PostgreSQL, the node and the load tool (which plays all counters
and reads all displays) share the machine's processors; the time of each is told, and of whatever else ran. `Shown` runs
from when a call was due to when a display of its hall had the frame. After some seconds to warm up, the same with more
and more visits, until commands fail, more than {1 - KEPT:.0%} are not answered in time to be counted, or their p99
passes {GIVES_MS / 1000:.0f} s. A quick run is the same with fewer halls, and visits in proportion."""


class _Tool:
    """The load tool's process."""

    def __init__(self, url: str, halls: int, log: Path) -> None:
        self._command = [sys.executable, "-m", "bench.national", url, str(halls), str(DISPLAYS)]
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, line: str) -> None:
        """Say what to do next."""
        assert self._process.stdin is not None, "it was opened with a pipe"
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def said(self) -> str:
        """The next line."""
        assert self._process.stdout is not None, "it was opened with a pipe"
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the load tool ended: {self._log.read_text(encoding='utf-8')[-2000:]}")
        return line

    def expect(self, word: str) -> None:
        """Wait until it says this."""
        said = self.said()
        if said != word:
            raise RuntimeError(f"the load tool said {said!r}, not {word!r}")


def _rows(run: Run, child: Child, server: Server, tool: _Tool, rate: float, what: str) -> Iterator[Row]:
    held = 0.0
    run.say("nation: warming up")
    _measured(child, server, tool, rate, run.scale.nation_more_s)
    for multiple in MULTIPLES:
        seconds = run.scale.nation_s if multiple == MULTIPLES[0] else run.scale.nation_more_s
        run.say(f"nation: {multiple:.1f} times its load")
        seen, spent = _measured(child, server, tool, rate * multiple, seconds)
        gives = _what_gives(seen, spent, seconds)
        yield _row(what, multiple, seen, spent, child.rss_bytes(), gives)
        if gives:
            yield Row("what gives first", gives, f"held: {held:.1f} times the nation's load" if held else "–")
            return
        held = multiple
    yield Row("what gives first", "nothing so far", f"held: {held:.1f} times the nation's load")


def _measured(child: Child, server: Server, tool: _Tool, rate: float, seconds: float) -> tuple[Seen, Spent]:
    tool.ask(f"{rate} {seconds}")
    tool.expect("begin")
    before, begun = (child.cpu_s(), postgres_cpu_s(server), machine_cpu_s()), time.perf_counter()
    tool.expect("end")
    after, taken_s = (child.cpu_s(), postgres_cpu_s(server), machine_cpu_s()), time.perf_counter() - begun
    seen = Seen(**orjson.loads(tool.said()))
    shares = [(late - early) / taken_s for early, late in zip(before, after, strict=True)]
    return seen, Spent(shares[0], shares[1], seen.cpu_share, shares[2])


def _what_gives(seen: Seen, spent: Spent, seconds: float) -> str:
    """What a rate was too much for; nothing where it was not."""
    wanted = seen.rate * STAGES * (seconds - (STAGES - 1) * STAGE_S)
    is_kept = not seen.failed and seen.answered >= KEPT * wanted and seen.p99_ms <= GIVES_MS
    if is_kept:
        return ""
    shares = {"the node": spent.node, "PostgreSQL": spent.postgres, "the load tool": spent.tool}
    busiest = max(shares, key=lambda name: shares[name])
    whole = ", on a machine that is full" if spent.machine >= BUSY * CORES else ""
    short = f"{seen.failed:,} failed, {seen.answered:,} of {wanted:,.0f} commands in time"
    return f"{busiest}{whole}, at {seen.rate:,.0f} visits/s: {short}; {spent}"


def _row(what: str, multiple: float, seen: Seen, spent: Spent, rss_bytes: int, gives: str) -> Row:
    load = f"{what}, {seen.rate * STAGES:,.0f} commands/s ({multiple:.1f} times)"
    measured = (
        f"p50 {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms; shown p50 {seen.shown_p50_ms:.1f} ms, "
        f"p99 {seen.shown_p99_ms:.1f} ms (tool late {seen.late_ms:.1f} ms)"
    )
    met = not gives if multiple == MULTIPLES[0] else None
    return Row(
        load, measured, f"{spent}; node's memory {rss_bytes / 2**20:.0f} MiB", None, "holds" if met else "–", met
    )


def postgres_cpu_s(server: Server) -> float:
    """Processor time of a server's processes so far, those that have ended included."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8")
        except OSError:
            continue  # it has just ended
        fields = text.rpartition(")")[2].split()
        if int(stat.parent.name) == server.pid:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == server.pid:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S
