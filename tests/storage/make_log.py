"""Writes the log of the present version: `python -m tests.storage.make_log v2`, once, when a kind of event is new or
has a new version. A log that was written is never written again: all logs there are must be read for ever.

The days are those of the state machine, from the first seed whose log has every kind of event."""

import json
import sys
from itertools import count
from pathlib import Path

from sqlalchemy import Connection

from queue_service import log_file
from queue_service.domain.events import KINDS
from tests.model import simulation
from tests.model.machine import Halls
from tests.storage.stored_logs import FOLDER, read, write_digests

STEPS = 900


def lines_of(seed: int) -> list[bytes]:
    """The log of one hall after a simulation."""
    machine = Halls()
    try:
        opening, steps = simulation.drawn(seed, STEPS)
        machine.open_doors(opening)
        for step in steps:
            machine.go_on(step)
        machine.side.flush()

        def pages(connection: Connection) -> list[bytes]:
            return [line for page in log_file.pages(connection, ["hall"]) for line in page]

        return machine.side.database.read(pages)
    finally:
        machine.side.close()


def write(path: Path) -> int:
    """Write the log and its digests; the seed."""
    for seed in count(1):
        lines = lines_of(seed)
        if {json.loads(line)["kind"] for line in lines} == set(KINDS):
            path.write_bytes(b"".join(lines))
            write_digests(path, read(path))
            return seed
    raise AssertionError("there is no last number")


if __name__ == "__main__":
    target = FOLDER / f"{sys.argv[1]}.jsonl"
    if target.exists():
        sys.exit(f"{target} is there, and a log is never written again.")
    print(f"{target}: seed {write(target)}")
