"""What cutting a log back leaves is the log as it was then, rows and all; what was set aside can be put back."""

import random
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from queue_service import journal
from queue_service.database import Database
from queue_service.following import FollowedHalls
from queue_service.log_file import event_document, parsed
from queue_service.verification import prove
from tests.cli.conftest import Loads, loads
from tests.cli.corruption import one, raw
from tests.cli.load import SEEDS
from tests.cli.test_export import rows

__all__ = ["loads"]

PLACES = 4


def documents(database: Database) -> list[dict[str, Any]]:
    """The whole log, as a node answers with it."""
    found = database.read(lambda connection: journal.event_rows(connection, "hall", 0, 10_000))
    return [parsed(orjson.dumps(event_document(row))) for row in found]


def seqs_of(path: Path, kind: str) -> list[int]:
    """The events of a kind."""
    with raw(path) as file:
        return [row[0] for row in file.execute("SELECT seq FROM event WHERE kind = ? ORDER BY seq", (kind,))]


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_any_place_of_a_log_can_be_gone_back_to(loads: Loads, tmp_path: Path, seed: int) -> None:
    """After a random load: cut back to random places, to nothing, to midnights (with somebody still being served) and
    to before each undo (which opens a closed ticket again); each time the rows are what the shorter log says, and
    taking the rest in again gives back every row."""
    path = tmp_path / "queue.db"
    shutil.copy(loads(seed), path)
    database, halls = Database(f"sqlite:///{path}", synchronous="OFF"), FollowedHalls()
    log, before = documents(database), rows(path)
    midnights, undone = seqs_of(path, "day_opened"), seqs_of(path, "command_undone")
    chance = random.Random(seed)  # noqa: S311 (places, not secrets)
    places = {chance.randrange(len(log)) for _ in range(PLACES)} | {0, len(log) - 1, *midnights}
    places |= {seq - 1 for seq in (*midnights, *undone)}
    places -= {1}  # a hall is stored with its first day
    print(f"seed {seed}, places {sorted(places)}")
    for after in sorted(places):
        end = max(after, midnights[0])
        with database.write() as connection:
            halls.replace(connection, "hall", after, log[after:end], at_ms=after)
        assert database.read(lambda connection: prove(connection, "hall", lambda _: None)).events == end
        with database.write() as connection:
            assert len(halls.take(connection, "hall", log[max(end - 1, 0) :])) == len(log) - end
        assert rows(path) == before
    assert one(path, "SELECT count(*) FROM displaced") == len(log)
    database.close()
