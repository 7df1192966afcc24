"""Many seeds in several processes, each on a database of its own; a finding comes with the command that repeats it."""

import atexit
import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from queue_service import schema
from queue_service.database import Database
from tests.databases import Kind, new_postgres_url, session_url
from tests.seeds.auditor import Tables
from tests.seeds.world import Broken, World

PORTION = 10
"""So many seeds are given to a process at once."""
HASHES = "PYTHONHASHSEED"
"""Python's own chance, which orders sets: it must be the same for a seed to give the same steps."""


@dataclass
class Outcome:
    """What some seeds gave: how often what happened, their traces' digests, and what was found, by seed."""

    counts: Counter[str] = field(default_factory=Counter)
    digests: dict[int, str] = field(default_factory=dict)
    findings: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Outcome") -> None:
        """Take in what other seeds gave."""
        self.counts += other.counts
        self.digests |= other.digests
        self.findings |= other.findings


def command(kind: Kind, first: int, count: int = 1) -> str:
    """The command line that runs these seeds."""
    return f"python -m tests.seeds --database {kind} --first {first} --count {count}"


def run(kind: Kind, first: int, count: int, jobs: int) -> Iterator[Outcome]:
    """Run seeds; the outcome of each portion as it is done."""
    os.environ[HASHES] = "0"
    if kind == Kind.POSTGRESQL:
        os.environ["QUEUE_TEST_POSTGRES_URL"] = session_url()
    size = max(1, min(PORTION, count // jobs))
    starts = range(first, first + count, size)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(run_here, kind, start, min(size, first + count - start)) for start in starts]
        try:
            for one in as_completed(asked):
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def run_here(kind: Kind, first: int, count: int) -> Outcome:
    """Run seeds in this process, one after the other."""
    outcome = Outcome()
    gc.disable()  # dead nodes are full of cycles: cleared away between seeds, without a look at all that was imported
    gc.collect()
    gc.freeze()
    for seed in range(first, first + count):
        gc.collect()
        with migrated(kind) as (url, tables):
            world = World(seed, url, tables)
            try:
                outcome.digests[seed] = world.run()
            except Broken as finding:
                outcome.findings[seed] = f"seed {seed} on {kind}: {finding}\nOnce more: {command(kind, seed)}"
            except Exception as error:
                raise RuntimeError(f"seed {seed} on {kind} failed; once more: {command(kind, seed)}") from error
        outcome.counts += world.counts
    gc.enable()
    return outcome


@contextmanager
def migrated(kind: Kind) -> Iterator[tuple[str, Tables]]:
    """A migrated database without a row: a copy of a file, or this process's own database, emptied."""
    with TemporaryDirectory(prefix="queue-seed-", dir=_memory()) as folder:
        if kind == Kind.SQLITE:
            path = Path(folder) / "queue.db"
            shutil.copy(_template(), path)
            url = f"sqlite:///{path}"
        else:
            url = _own_database()
        with closing(Tables(url)) as tables:
            if kind == Kind.POSTGRESQL:
                tables.empty()
            yield url, tables


@cache
def _template() -> Path:
    """A migrated file."""
    folder = Path(mkdtemp(prefix="queue-seed-", dir=_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'queue.db'}")
    schema.prepare(database)
    database.close()
    return folder / "queue.db"


@cache
def _own_database() -> str:
    return new_postgres_url()


def _memory() -> Path | None:
    """Where files cost no journey to a disk: this is about orders of events, not about power cuts."""
    memory = Path("/dev/shm")  # noqa: S108 (only a place that may be written to)
    return memory if os.access(memory, os.W_OK) else None
