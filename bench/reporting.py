"""How long the promise report takes, over a day and over all days of a long history, and how much memory."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import halls, history
from bench.results import Part, Row
from bench.running import Run

EVENTS_A_DAY, EVENTS_A_TICKET = 6_000, 4

_ABOUT = """\
`queue-service report` as a process of its own, start-up included: reading the log and the tables of a hall of
{counters} counters, every breakdown, the two comparisons (there is nothing to compare with here), and the HTML page
with its charts. The history is made by the engine itself. `Memory` is the most that was resident.
Nothing was promised here."""


def measure(run: Run) -> Part:
    """One day, and all days."""
    folder = run.new_folder("reporting")
    database = folder / "long.db"
    events = history.days(database, run.scale.history, min(EVENTS_A_DAY, run.scale.history // 4), run.say)
    about = _ABOUT.format(counters=halls.COUNTERS)
    return Part("Reports", about, list(_rows(run, database, events)))


def _rows(run: Run, database: Path, events: int) -> Iterator[Row]:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=2 + events // min(EVENTS_A_DAY, run.scale.history // 4))
    for what, begin, end, form in (
        ("a day, JSON", today, today, "json"),
        ("a day, page with charts", today, today, "html"),
        (f"{events // EVENTS_A_TICKET:,} tickets, JSON", first, today, "json"),
        (f"{events // EVENTS_A_TICKET:,} tickets, page with charts", first, today, "html"),
    ):
        run.say(f"reporting: {what}")
        taken_s, rss_mib = _report(database, begin.isoformat(), end.isoformat(), form)
        yield Row(what, f"{taken_s:.1f} s", f"memory {rss_mib:.0f} MiB")


def _report(database: Path, begin: str, end: str, form: str) -> tuple[float, float]:
    """Seconds and MiB of one report in a process of its own."""
    command = [
        *(sys.executable, "-c", "from api.cli import main; main()", "report", halls.HALL, "--from", begin, "--to", end),
        *("--by", "zone,department,group,service,week,month", "--out", str(database.with_suffix(f".{form}"))),
        *("--database-url", f"sqlite:///{database}"),
    ]
    started = time.perf_counter()
    child = os.posix_spawn(
        sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"the report ended with {status}")
    return time.perf_counter() - started, used.ru_maxrss / 1024
