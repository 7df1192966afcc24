"""The processes that are measured: a node as it is served, and what it is compared with; their CPU time and memory."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import children_of

ROOT = Path(__file__).resolve().parents[1]
SERVING = "Serving at "
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STOP_S = 30
NOT_PASSED_ON = ("QUEUE_", "PYTHONDONTWRITEBYTECODE")


class Child:
    """A server process that says `Serving at URL` once it does."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        """Start it and wait for its address."""
        self.log = log
        self.started = time.perf_counter()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                env=_environment(environment or {}),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.pid = self._process.pid
        self.url = self._address()

    def _address(self) -> str:
        assert self._process.stdout is not None, "it was opened with a pipe"
        for line in self._process.stdout:
            if line.startswith(SERVING):
                return line.removeprefix(SERVING).strip()
        self._process.wait(STOP_S)
        raise RuntimeError(f"{self._process.args!r} ended: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def cpu_s(self) -> float:
        """Processor time it has used so far, in user and kernel mode, with all its threads and the processes that it
        has started."""
        return sum(map(_cpu_s, _family(self.pid)))

    def rss_bytes(self) -> int:
        """Memory that it and the processes it has started hold in RAM; what they share counts for each."""
        return sum(map(_rss_bytes, _family(self.pid)))

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *(one for child in children_of(pid) for one in _family(child))]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """This process's environment without settings of the service, so that all runs on defaults. Modules are compiled
    once and kept, as where the service is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **extra}


@contextmanager
def node(database: Path, url: str | None = None) -> Iterator[Child]:
    """One server process of the service, as `queue-service serve` runs it: on this SQLite file, or at `url` (the path
    then only names its log)."""
    serve = "from api.cli import main; main()"
    options = ["--port", "0", "--database-url", url or f"sqlite:///{database}", "--log-level", "warning"]
    child = Child(["-c", serve, "serve", *options], database.with_suffix(".log"))
    try:
        yield child
    finally:
        child.stop()


@contextmanager
def module(name: str, folder: Path) -> Iterator[Child]:
    """A server of this package, run as a module."""
    child = Child(["-m", name], folder / f"{name}.log")
    try:
        yield child
    finally:
        child.stop()


def machine_cpu_s() -> float:
    """Processor time used on this machine so far by anyone."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, _steal = map(int, fields)
    return (user + nice + system + irq + softirq) / TICKS_PER_S


def allow_sockets(wanted: int) -> bool:
    """Let this process and those it starts hold so many sockets; whether the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted <= hard or (soft < wanted and hard == resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= wanted
