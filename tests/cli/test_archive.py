"""`archive` and `verify-archive`: closed days as files between checkpoints, which prove one unbroken chain."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.corruption import one
from tests.cli.test_export import rows
from tests.metrics.driving import DAY

Lines = list[bytes]
FIRST, SECOND, THIRD = DAY, "2026-03-03", "2026-03-04"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where archives go."""
    made = tmp_path / "archive"
    made.mkdir()
    return made


def file_of(folder: Path, period: str) -> Path:
    """Where the archive of a period is."""
    return folder / f"hall-{period}.jsonl.gz"


def archived(queue_service: Command, url: str, folder: Path, *periods: str) -> list[Path]:
    """Archives of some periods."""
    for period in periods:
        outcome = queue_service("archive", period, "-o", folder, "--database-url", url)
        assert outcome.code == 0, outcome.err
    return [file_of(folder, period) for period in periods]


def test_archives_of_days_meet_and_lead_to_the_live_log(
    queue_service: Command, copied: Path, url: str, folder: Path
) -> None:
    """One after the other they are one chain from event 1, in whatever order they are named, and the database goes on
    from there."""
    files = archived(queue_service, url, folder, FIRST, SECOND, THIRD)
    last = one(copied, "SELECT max(seq) FROM event WHERE kind = 'day_opened'") - 1
    head = one(copied, "SELECT hash FROM event WHERE seq = ?", last)
    outcome = queue_service("verify-archive", *reversed(files), "--database-url", url)
    assert (outcome.code, outcome.out) == (
        0, f"hall: events 1 to {last}, head {head}, and the database goes on from there\n",
    ), outcome.err  # fmt: skip
    alone = queue_service("verify-archive", files[1])
    assert (alone.code, "(what comes before was not looked at)" in alone.out) == (0, True)


def test_a_month_holds_its_days(queue_service: Command, copied: Path, url: str, folder: Path) -> None:
    """A longer period is the same lines, and one that had no days says so; nothing is taken out of the database."""
    before = rows(copied)
    outcome = queue_service("archive", "2026-02", "-o", folder, "--database-url", url)
    assert (outcome.code, outcome.out) == (0, "hall: no days in 2026-02\n")
    outcome = queue_service("archive", "2026-03", "-o", folder, "--database-url", url)
    assert (outcome.code, outcome.err) == (2, "hall: 2026-03-05 is not over, and only closed days are archived.\n")
    (file,) = archived(queue_service, url, folder, SECOND)
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    opened = [line["data"]["day"] for line in lines if line.get("kind") == "day_opened"]
    assert opened == [SECOND]
    assert lines[1]["kind"] == "day_opened"
    assert rows(copied) == before
    again = queue_service("archive", SECOND, "-o", folder, "--database-url", url)
    assert (again.code, "is there already" in again.err) == (2, True)


def test_archives_one_after_the_other_are_a_log(
    queue_service: Command, copied: Path, url: str, folder: Path, tmp_path: Path
) -> None:
    """Put together they restore the days they hold; without the first one nothing is stored."""
    files = archived(queue_service, url, folder, FIRST, SECOND, THIRD)
    whole = tmp_path / "whole.jsonl.gz"
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    other = f"sqlite:///{tmp_path / 'restored.db'}"
    assert queue_service("import", whole, "--database-url", other).code == 0
    assert queue_service("verify", "--database-url", other).code == 0
    restored, end = rows(tmp_path / "restored.db"), one(tmp_path / "restored.db", "SELECT last_seq FROM hall")
    assert restored["event"] == [event for event in rows(copied)["event"] if event[1] <= end]
    late = queue_service("import", files[1], "--database-url", f"sqlite:///{tmp_path / 'late.db'}")
    assert (late.code, "line 1: a checkpoint at event" in late.err) == (2, True)


def _change(lines: Lines) -> None:
    lines[9] = lines[9].replace(b'"actor":"test"', b'"actor":"rest"')


def _lose(lines: Lines) -> None:
    del lines[9]


def _cut_off(lines: Lines) -> None:
    del lines[-1]


def _forge_the_end(lines: Lines) -> None:
    lines[-1] = lines[-1].replace(b'"head":"', b'"head":"0')


def _no_beginning(lines: Lines) -> None:
    del lines[0]


def _nothing(lines: Lines) -> None:
    lines.clear()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_change, "line 10: the hash of event"),
        (_lose, "line 10: event"),
        (_cut_off, "without a checkpoint: it is not whole."),
        (_forge_the_end, "the checkpoint says event"),
        (_no_beginning, "line 1: an event, but an archive begins with a checkpoint."),
        (_nothing, "without a checkpoint: it is not whole."),
    ],
)
def test_a_spoilt_archive_is_named(
    queue_service: Command, copied: Path, url: str, folder: Path, spoil: Callable[[Lines], None], said: str
) -> None:
    """The file, the line, and what is wrong there."""
    (file,) = archived(queue_service, url, folder, SECOND)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    spoil(lines)
    file.write_bytes(gzip.compress(b"".join(lines)))
    outcome = queue_service("verify-archive", file)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"{file}: ")
    assert said in outcome.err


def test_archives_that_do_not_meet_are_named(queue_service: Command, copied: Path, url: str, folder: Path) -> None:
    """One in between is missing, or one is there twice."""
    first, _, third = archived(queue_service, url, folder, FIRST, SECOND, THIRD)
    for files in ((first, third), (first, first)):
        outcome = queue_service("verify-archive", *files)
        assert (outcome.code, "hall: one archive ends at event" in outcome.err) == (1, True)


def test_a_database_that_goes_on_from_elsewhere_is_named(
    queue_service: Command, copied: Path, url: str, folder: Path, tmp_path: Path, loads: Callable[[int], Path]
) -> None:
    """Another history with the same name, and one that is too short."""
    (file,) = archived(queue_service, url, folder, FIRST)
    shutil.copy(loads(7), tmp_path / "other.db")
    other = queue_service("verify-archive", file, "--database-url", f"sqlite:///{tmp_path / 'other.db'}")
    assert (other.code, "but the database has" in other.err) == (1, True)


@pytest.mark.parametrize("period", ["26", "2026-13", "2026-3", "2026-03-32", "last year"])
def test_a_period_is_a_year_a_month_or_a_day(queue_service: Command, copied: Path, url: str, period: str) -> None:
    """Anything else is named."""
    outcome = queue_service("archive", period, "--database-url", url)
    assert (outcome.code, outcome.err.startswith(f"{period!r} is no year, month or day")) == (2, True)
