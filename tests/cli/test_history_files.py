"""Broken files of recorded history: each fault is named with its row, and nothing at all is stored."""

import gzip
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.corruption import raw
from tests.cli.days import GOOD, HEADER, WARSAW, row, write
from tests.metrics.driving import Drive

EXTRA = (*HEADER, "issued_uncertainty_s", "called_uncertainty_s", "counters_open", "waiting_before")

BROKEN = {
    "no hall": (row("A2", "09:00", hall=""), "hall: '' makes no hall id (a-z, 0-9 and '-', at most 40)"),
    "hall of other letters": (row("A2", "09:00", hall="大厅"), "hall: '大厅' makes no hall id"),
    "hall too long": (row("A2", "09:00", hall="h" * 41), "makes no hall id"),
    "halls that clash": (
        row("A2", "09:00", hall="old hall"),
        "hall: 'old hall' and 'Old_Hall' would both be the hall 'old-hall'",
    ),
    "no service": (row("A2", "09:00", service=""), "service: '' is no service id (letters, digits, '_' and '-',"),
    "service with a space": (row("A2", "09:00", service="a b"), "service: 'a b' is no service id"),
    "no service name": (row("A2", "09:00", service_name=" "), "service_name: is empty"),
    "service name too long": (row("A2", "09:00", service_name="n" * 121), "service_name: has more than 120"),
    "control character": (row("A2", "09:00", service_name="a\tb"), "service_name: holds a control character"),
    "no number": (row("", "09:00"), "number: is empty"),
    "number too long": (row("9" * 101, "09:00"), "number: has more than 100 characters"),
    "number twice": (row("A001", "09:30"), "number: 'A001' was given on 2025-03-03 already, in row 2"),
    "no time of issue": (row("A2", ""), "issued_at: '' is no time; write it as 2026-03-02T09:14:05+01:00"),
    "not a time": (row("A2", "noon"), "issued_at: 'noon' is no time"),
    "no offset": (row("A2", "2025-03-03T09:00:00"), "issued_at: 2025-03-03T09:00:00 has no offset"),
    "hour 25": (row("A2", "25:00"), "issued_at: '2025-03-03T25:00:00+01:00' is no time"),
    "year 1": (row("A2", "0001-01-01T00:00:00+00:00"), "the year must be between 1971 and 9998"),
    "call not a time": (row("A2", "09:00", "later"), "called_at: 'later' is no time"),
    "called before issue": (row("A2", "09:00", "08:59"), "called_at: is before issued_at"),
    "called a day later": (
        row("A2", "09:00", "2025-03-04T00:00:00+01:00"),
        "called_at: is on a later day than issued_at; a ticket ends with its day",
    ),
    "not over yet": (row("A2", "2120-03-03T09:00:00+01:00"), "issued_at: 2120-03-03 is not over yet; history ends"),
    "too few cells": (GOOD[:5], "5 cells, but the header has 6"),
    "too many cells": ((*GOOD, "x"), "7 cells, but the header has 6"),
}


def before_and_after(path: Path) -> list[str]:
    """Everything a database holds, as text."""
    with raw(path) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_row_is_named(
    queue_service: Command, hall_today: Drive, database_path: Path, url: str, tmp_path: Path, fault: str
) -> None:
    """Its row (the header is row 1) and the reason; the good rows are not stored either."""
    cells, reason = BROKEN[fault]
    file = write(tmp_path / "old.csv", [GOOD, cells, row("A003", "10:00")])
    before = before_and_after(database_path)
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert (outcome.code, outcome.out) == (2, "")
    first, *rest = outcome.err.splitlines()
    assert first == f"{file}: 1 row cannot be taken, so nothing was."
    assert len(rest) == 1
    assert rest[0].startswith("  row 3: ")
    assert reason in rest[0]
    assert before_and_after(database_path) == before


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("issued_uncertainty_s", "-2"), ("issued_uncertainty_s", "1.5"), ("called_uncertainty_s", "some"),
        ("counters_open", "-1"), ("waiting_before", "1e3"), ("waiting_before", "9" * 10),
    ],
)  # fmt: skip
def test_a_broken_number_is_named(queue_service: Command, url: str, tmp_path: Path, column: str, cell: str) -> None:
    """The columns that may be left out are checked where they are there."""
    cells = dict(zip(EXTRA, (*GOOD, "360", "-1", "3", "0"), strict=True)) | {column: cell}
    file = write(tmp_path / "old.csv", [tuple(cells.values())], EXTRA)
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert outcome.code == 2
    assert f"row 2: {column}: '{cell}' is no whole number from " in outcome.err


def test_all_faults_of_a_row_are_named(queue_service: Command, url: str, tmp_path: Path) -> None:
    """In one line, so that it needs to be mended once."""
    file = write(tmp_path / "old.csv", [row("", "noon", "later", service="")])
    err = queue_service("import", file, "--zone", WARSAW, "--database-url", url).err
    named = [part.split(":")[0].split()[-1] for part in err.splitlines()[1].removeprefix("  row 2: ").split("; ")]
    assert {"service", "number", "issued_at", "called_at"} <= set(named)


def test_twenty_rows_are_named_and_all_are_counted(queue_service: Command, url: str, tmp_path: Path) -> None:
    """A file with another layout does not flood the terminal."""
    file = write(tmp_path / "old.csv", [row(f"A{number}", "noon") for number in range(50)])
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    first, *rest = outcome.err.splitlines()
    assert first == f"{file}: 50 rows cannot be taken, so nothing was."
    assert [line.split(":")[0] for line in rest] == [f"  row {number}" for number in range(2, 22)]


def test_a_quote_that_is_never_closed_is_named(queue_service: Command, url: str, tmp_path: Path) -> None:
    """What follows it means nothing, and that is said."""
    file = tmp_path / "old.csv"
    file.write_text(",".join(HEADER) + "\n" + ",".join(GOOD) + '\nOld_Hall,tax,"Taxes,A002,\n', encoding="utf-8")
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert outcome.code == 2
    assert "  row 3: unexpected end of data; what follows was not read" in outcome.err


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER[:5], "called_at is missing"),
        ((*HEADER, "colour"), "'colour' is no column of recorded history"),
        ((*HEADER, "number"), "number is there twice"),
        (("a;b",), "hall is missing; service is missing"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(
    queue_service: Command, url: str, tmp_path: Path, header: tuple[str, ...], reason: str
) -> None:
    """Columns missing, unknown (perhaps misspelt) or there twice."""
    file = write(tmp_path / "old.csv", [], header)
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{file}: row 1, the header: ")
    assert reason in outcome.err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("old.csv", b"", "row 1, the header: hall is missing"),
        ("old.csv", ",".join(HEADER).encode(), "no tickets."),
        ("old.csv", b"\xff\xfe\x00h", "not UTF-8"),
        ("old.csv.gz", b"plain text", "not a whole gzip file"),
        ("old.csv.gz", gzip.compress(b"hall," * 1000, mtime=0)[:-20], "not a whole gzip file"),
        ("old.xlsx", b"PK", "recorded history ends in .csv or .csv.gz, a log in .jsonl or .jsonl.gz."),
    ],
)
def test_a_file_that_is_no_csv_is_refused(
    queue_service: Command, url: str, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """Empty, without a row, of other bytes, half a file, of another kind."""
    file = tmp_path / name
    file.write_bytes(content)
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{file}: {reason}")


def test_a_file_that_is_not_there_is_said_to_be_missing(queue_service: Command, url: str, tmp_path: Path) -> None:
    """Brackets in its name are shown as they are."""
    outcome = queue_service("import", tmp_path / "[/red].csv", "--zone", WARSAW, "--database-url", url)
    assert (outcome.code, outcome.err) == (2, f"{tmp_path}/[/red].csv: No such file or directory.\n")


def test_blank_lines_spaces_and_a_byte_order_mark_do_no_harm(queue_service: Command, url: str, tmp_path: Path) -> None:
    """What spreadsheets leave behind is no fault."""
    file = tmp_path / "old.csv"
    lines = [",".join(HEADER), "", ", ".join(GOOD), ",".join(row("A002", "09:10")), ""]
    file.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert (outcome.code, outcome.out) == (0, "old-hall: created, 2025-03-03 to 2025-03-03: 2 tickets\n")
