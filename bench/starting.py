"""How soon a node answers after its start, with a long history behind it."""

import time
from collections.abc import Iterator
from pathlib import Path

from bench import halls, history
from bench.calling import line
from bench.loading import tickets_path
from bench.processes import Child, node
from bench.results import Part, Row
from bench.running import Run, middle

BOUND_S = 1.0
STARTS = 3
EVENTS_A_DAY = 20_000
BUSY = 503

_ABOUT = """\
From starting the process until it has acknowledged its first command, medians of {starts} starts. A node reads no
more than today's log; the history is made by the engine itself, day by day. `Loading` leaves out what the process
needs without any history (the interpreter, its imports, the socket)."""


def measure(run: Run) -> Part:
    """A node without history, one with a short today, one with a busy today."""
    folder, scale = run.new_folder("starting"), run.scale
    fresh, long = folder / "fresh.db", folder / "long.db"
    history.waiting_today(fresh, {halls.HALL: 0})
    events = history.days(long, scale.history, min(EVENTS_A_DAY, scale.history // 4), run.say)
    base_s = _started_s(run, fresh, "no history")
    rows = [Row("no history", f"{base_s:.2f} s")]
    rows += _row(f"{events:,} events, today short", _started_s(run, long, "a short today"), base_s)
    run.say(f"starting: {scale.busy_day:,} more events today")
    today = history.busy_today(long, scale.busy_day)
    rows += _row(f"{events + today:,} events, {today:,} of them today", _started_s(run, long, "a busy today"), base_s)
    return Part("Start-up and first command", _ABOUT.format(starts=STARTS), rows)


def _row(what: str, taken_s: float, base_s: float) -> Iterator[Row]:
    loading = f"loading {max(0.0, taken_s - base_s):.2f} s"
    yield Row(what, f"{taken_s:.2f} s", loading, bound=f"< {BOUND_S:.0f} s", met=taken_s < BOUND_S)


def _started_s(run: Run, database: Path, what: str) -> float:
    taken = []
    for number in range(STARTS):
        run.say(f"starting: {what}, {number + 1} of {STARTS}")
        with node(database) as server:
            taken.append(_first_command_s(server))
    return middle(taken)


def _first_command_s(server: Child) -> float:
    """A command that came while the day was still being read may be answered 503, undecided: then it is given again."""
    with line(server.url) as one:
        while one.ask("POST", tickets_path(), {"service": halls.service_ids(0)[0]}).status == BUSY:
            pass
    return time.perf_counter() - server.started
