"""What the figures were measured on: processor, memory, the disk's fdatasync, the versions."""

import importlib.metadata
import os
import platform
import sqlite3
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

SYNCS = 400
BLOCK = b"\0" * 4_096
VERSIONS = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "pydantic", "sqlalchemy", "orjson")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, as a reader of the results needs it."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    fdatasync_ms: tuple[float, float]
    python: str
    sqlite: str
    packages: str

    def lines(self) -> list[str]:
        """One fact a line."""
        p50, p99 = self.fdatasync_ms
        return [
            f"{self.processor}, {self.cores} cores, {self.memory_gib:.0f} GiB, {self.system}",
            f"fdatasync after writing 4 KiB: median {p50:.2f} ms, p99 {p99:.2f} ms",
            f"Python {self.python}, SQLite {self.sqlite}, {self.packages}",
        ]


def describe(folder: Path) -> Machine:
    """This machine; fdatasync is timed in `folder`, where the databases will be."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        fdatasync_ms=_fdatasync_ms(folder / "fdatasync"),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        packages=", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _fdatasync_ms(path: Path) -> tuple[float, float]:
    """Median and p99 of writing a block at the end of a file and waiting for the disk."""
    taken_ms = []
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for index in range(SYNCS):
            started = time.perf_counter()
            os.pwrite(file, BLOCK, index * len(BLOCK))
            os.fdatasync(file)
            taken_ms.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(file)
        path.unlink()
    return statistics.median(taken_ms), statistics.quantiles(taken_ms, n=100)[98]
