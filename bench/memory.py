"""What a node keeps in memory: by itself, for a hall, for somebody waiting."""

from collections.abc import Iterator
from pathlib import Path

from bench import halls, history
from bench.calling import line
from bench.loading import tickets_path
from bench.processes import node
from bench.results import Part, Row
from bench.running import Run

_ABOUT = """\
Resident memory of the process. An open hall (64 counters, 16 services) and a waiting ticket are held twice, by the
writer and by the view that displays follow; the figures hold both, and SQLite's page cache as far as loading filled
it. Nothing was promised here."""


def measure(run: Run) -> Part:
    """A node without halls, with many, and with one that is full."""
    return Part("Memory", _ABOUT, list(_rows(run, run.new_folder("memory"))))


def _rows(run: Run, folder: Path) -> Iterator[Row]:
    run.say("memory: an idle node")
    idle = _resident(folder / "idle.db", {})
    yield Row("idle process", f"{idle / 2**20:.0f} MiB")
    count = run.scale.halls
    run.say(f"memory: {count} halls")
    one = _resident(folder / "one.db", {"hall-0": 0})
    many = _resident(folder / "many.db", {f"hall-{index}": 0 for index in range(count)})
    yield Row("open hall", f"{(many - one) / (count - 1) / 2**10:.0f} KiB")
    run.say(f"memory: {run.scale.tickets:,} people waiting")
    full = _resident(folder / "waiting.db", {"hall-0": run.scale.tickets})
    yield Row("waiting ticket", f"{(full - one) / run.scale.tickets / 2**10:.1f} KiB")


def _resident(database: Path, waiting: dict[str, int]) -> int:
    """The memory of a node that has opened these halls for reading and for writing."""
    history.waiting_today(database, waiting)
    with node(database) as server, line(server.url) as one:
        for hall in waiting:
            one.want("GET", f"/v1/halls/{hall}/board")
            one.want("POST", tickets_path(hall), {"service": halls.service_ids(0)[0]})
        one.want("GET", "/readyz")
        return server.rss_bytes()
