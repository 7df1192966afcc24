"""`report`: text, CSV and JSON say what the API says, field by field."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from api.app import build
from api.asgi_client import running
from api.cli.report import SUFFIXES
from api.service import Service
from metrics.breakdown import DIMENSIONS
from metrics.report import Report, Row
from queue_service.settings import Settings
from tests.cli.conftest import Command
from tests.metrics.driving import DAY

RANGE = ("--from", "2026-03-02", "--to", "2026-03-05")


def over_http(url: str, query: str) -> Any:
    """The answer of GET …/promise-report, from a node on the same database."""

    async def ask() -> Any:
        async with running(build(Service(Settings(database_url=url)))) as client:
            return await client.ask("GET", "/v1/halls/hall/promise-report", query=query)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("options", "query"), [(("--day", DAY), f"day={DAY}"), (RANGE, "from=2026-03-02&to=2026-03-05")]
)
def test_json_is_the_answer_of_the_api(
    queue_service: Command, copied: Path, url: str, options: tuple[str, ...], query: str
) -> None:
    """The same fields with the same values; nothing more, nothing less."""
    outcome = queue_service("report", "hall", *options, "--json", "--database-url", url)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found == over_http(url, query)
    assert found.keys() == Report.model_fields.keys()


def test_csv_has_the_fields_and_values_of_the_rows(queue_service: Command, copied: Path, url: str) -> None:
    """A line a row under the same names, RFC 4180, empty where JSON has null."""
    rows = json.loads(queue_service("report", "hall", *RANGE, "--json", "--database-url", url).out)["rows"]
    text = queue_service("report", "hall", *RANGE, "--csv", "--database-url", url).out
    header, *lines = list(csv.reader(io.StringIO(text, newline="")))
    assert header == ["hall", "from_day", "to_day", *Row.model_fields]
    assert len(lines) == len(rows) > 4
    for line, row in zip(lines, rows, strict=True):
        expected = ["" if value is None else json.dumps(value).strip('"') for value in row.values()]
        assert line == ["hall", "2026-03-02", "2026-03-05", *expected]


def test_text_has_every_section(queue_service: Command, copied: Path, url: str) -> None:
    """Whoever reads it misses nothing that the JSON has, whatever the terminal's width."""
    found = json.loads(queue_service("report", "hall", *RANGE, "--json", "--database-url", url).out)
    text = queue_service("report", "hall", *RANGE, "--database-url", url).out
    assert found["name"] in text.splitlines()[0]
    total = text.splitlines()[5].split()
    assert total[:4] == ["all", "both", str(found["rows"][0]["counted"]), str(found["rows"][0]["kept"])]
    for section in ("plan_changes", "chosen_calls"):
        assert found[section], f"the load has {section}"
        for entry in found[section]:
            said = {name: value for name, value in entry.items() if name not in ("service", "counter", "undone")}
            assert all(str(value) in text for value in said.values())
    for title in ("Integrity", "Counters", "The course of the day", "Compared with earlier days", "Turned away"):
        assert f"\n\n{title}\n" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("elsewhere",), "There is no hall 'elsewhere'."),
        (("hall", "--day", "today"), "'today' is no day: write it as 2026-11-24."),
        (("hall", "--day", "1066-10-14"), "1066-10-14: the year must be between 1971 and 9998."),
        (("hall", "--from", "2026-03-05", "--to", "2026-03-02"), "2026-03-05 is after 2026-03-02."),
        (("hall", "--day", DAY, "--from", DAY), "Give either --day, or --from and --to."),
        (("hall", "--json", "--csv"), "Give either --json or --csv."),
        (("hall", "--json", "--format", "html"), "Give one form: --format, --json or --csv."),
        (("hall", "--format", "xlsx"), "A workbook needs a file: --out FILE.xlsx."),
        (
            ("hall", "--out", "report.doc"),
            f"report.doc: name a form with --format, or end the name in one of {', '.join(SUFFIXES)}.",
        ),
        (
            ("hall", "--by", "zone,colour"),
            f"There is no breakdown by 'colour'; there are {', '.join(DIMENSIONS)}, and crosses such as zone.day.",
        ),
    ],
)
def test_what_cannot_be_reported_is_refused(
    queue_service: Command, copied: Path, url: str, arguments: tuple[str, ...], said: str
) -> None:
    """In one line that says what to write instead."""
    outcome = queue_service("report", *arguments, "--database-url", url)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{said}\n")


@pytest.mark.parametrize(("name", "begins"), [("r.html", b"<!DOCTYPE html>"), ("r.xlsx", b"PK"), ("r.json", b"{"),
                                              ("r.csv", b"\xef\xbb\xbfhall,"), ("r.txt", "大厅".encode())])  # fmt: skip
def test_a_file_is_written_in_the_form_its_name_says(
    queue_service: Command, copied: Path, url: str, tmp_path: Path, name: str, begins: bytes
) -> None:
    """`--out` names the form; it says where the file is."""
    file = tmp_path / name
    told = queue_service("report", "hall", *RANGE, "--out", file, "--language", "zh-CN", "--database-url", url)
    assert (told.code, told.out) == (0, f"Written to {file}.\n")
    assert file.read_bytes().startswith(begins)


def test_text_in_chinese(queue_service: Command, copied: Path, url: str) -> None:
    """`--language zh-CN` says everything in Chinese."""
    text = queue_service("report", "hall", *RANGE, "--language", "zh-CN", "--database-url", url).out
    assert {"承诺（按票号）", "数据真实性", "一天的走势", "配置变更"} <= set(text.splitlines())


def test_a_report_of_nothing_makes_no_database(queue_service: Command, database_path: Path, url: str) -> None:
    """Looking changes nothing."""
    outcome = queue_service("report", "hall", "--database-url", url)
    assert (outcome.code, outcome.err) == (2, f"There is no database at {database_path}.\n")
    assert not database_path.exists()
