"""A log that was ever written is read for ever: each version's log decodes, chains, and tells what it told then."""

import json
from pathlib import Path
from typing import Any

import pytest

from queue_service import journal, log_file, verification
from queue_service.codec import chain, decode, encode
from queue_service.database import Database
from queue_service.domain.events import KINDS
from queue_service.errors import UnknownEventKind
from tests.storage.pictures import digests, fold, picture
from tests.storage.stored_logs import LOGS, canonical, digests_beside, documents, read

every_log = pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)


def test_the_first_version_is_among_them() -> None:
    """There is something to read."""
    assert "v1" in [path.stem for path in LOGS]


def test_every_present_kind_is_in_a_log() -> None:
    """A new kind of event, or a new version of one, needs a log of its own: see make_log."""
    logged = {(one["kind"], one["version"]) for path in LOGS for one in documents(path)}
    assert {(kind.KIND, kind.VERSION) for kind in KINDS.values()} <= logged


@every_log
def test_a_log_chains_as_it_was_written(path: Path) -> None:
    """Every hash follows from the one before and from what the event holds, encoded as it is today."""
    head = ""
    for line, one in zip(documents(path), read(path), strict=True):
        data = canonical(line["data"])
        if line["version"] == one.event.VERSION:
            assert encode(one.event) == data
        head = chain(head, one.hall, one.seq, one.command_seq, one.at_ms, one.actor, one.channel, one.event, data)
        assert head == one.head, one


@every_log
def test_a_log_tells_what_it_told(path: Path) -> None:
    """Folded from its first event it gives the tickets, legs, lanes, counters and bounds written down then."""
    assert digests(read(path)) == json.loads(digests_beside(path).read_text(encoding="utf-8"))


@every_log
def test_a_log_can_be_restored_and_proved(path: Path, database: Database) -> None:
    """In a database of today its rows are what it says, and the hall read from its last day is the hall it leads to."""
    lines = path.read_text(encoding="utf-8").splitlines()
    with database.write() as connection:
        (hall,) = log_file.restore(connection, lines, frozenset(), lambda _: None)
    proof = database.read(lambda one: verification.prove(one, hall.id, lambda _: None))
    assert (proof.events, proof.head) == (len(lines), documents(path)[-1]["head"])
    position = database.read(journal.all_positions)[hall.id]
    again = database.read(lambda one: journal.load(one, hall.id, position))
    whole, _ = fold(read(path))
    assert (again.tickets, again.counters) == (whole.tickets, whole.counters)
    assert (again.number_counts, again.number_gaps) == (whole.number_counts, whole.number_gaps)


@pytest.mark.parametrize("part", ["tickets", "legs", "lanes", "counters", "bounds"])
def test_the_first_log_has_something_to_tell(part: str) -> None:
    """Its last day is not an empty one, so that a digest of each part is worth comparing."""
    assert picture(read(LOGS[0]))[part]


@pytest.mark.parametrize(("kind", "version"), [("ticket_teleported", 1), ("ticket_issued", 2)])
def test_what_is_to_come_is_not_guessed(kind: str, version: int) -> None:
    """A kind, or a version of one, that is not known yet is an error of its own."""
    first: dict[str, Any] = next(one for one in documents(LOGS[0]) if one["kind"] == "ticket_issued")
    with pytest.raises(UnknownEventKind, match=f"{kind} version {version}"):
        decode(kind, version, canonical(first["data"]))
