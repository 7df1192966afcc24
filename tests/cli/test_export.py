"""`export` and back: the lines are the log as the API shows it, and what is restored from them is the same log."""

import asyncio
import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.app import build
from api.asgi_client import running
from api.service import Service
from queue_service import log_file
from queue_service.settings import Settings
from tests.cli.conftest import Command
from tests.cli.corruption import one, raw
from tests.running import QUEUE_SERVICE, WAIT_S, environment

Lines = list[dict[str, Any]]


def exported(queue_service: Command, url: str, file: Path, *more: str) -> Lines:
    """The lines of an export."""
    outcome = queue_service("export", "-o", file, "--database-url", url, *more)
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def saved(file: Path, lines: Lines) -> Path:
    """The lines as a file."""
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return file


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that follows from the log, receipts left out."""
    with raw(path) as connection:
        return {
            table: sorted((tuple(row) for row in connection.execute(f"SELECT * FROM {table}")), key=repr)  # noqa: S608
            for table in ("hall", "event", "ticket", "leg")
        }


def test_a_line_is_an_event_as_the_api_shows_it(queue_service: Command, copied: Path, url: str, tmp_path: Path) -> None:
    """The same members with the same values, in order, none left out."""

    async def shown() -> Lines:
        async with running(build(Service(Settings(database_url=url)))) as client:
            items: Lines = []
            while page := (await client.ask("GET", "/v1/halls/hall/events", query=f"after={len(items)}"))["items"]:
                items += page
            return items

    lines = exported(queue_service, url, tmp_path / "log.jsonl")
    items = asyncio.run(shown())
    assert lines == items[: len(lines)]  # the node may have opened a new day since
    assert len(lines) == one(tmp_path / "queue.db", "SELECT count(*) FROM event WHERE seq <= ?", len(lines)) > 600


@pytest.mark.parametrize("page_rows", [2_000, 7])
@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_restored_log_is_the_log(
    queue_service: Command, copied: Path, url: str, tmp_path: Path, name: str, page_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Event by event and hash by hash, with the same tickets and legs, however it is paged; and it is proved."""
    monkeypatch.setattr(log_file, "PAGE_ROWS", page_rows)
    queue_service("export", "-o", tmp_path / name, "--database-url", url)
    other = f"sqlite:///{tmp_path / 'restored.db'}"
    outcome = queue_service("import", tmp_path / name, "--database-url", other)
    last, head = one(copied, "SELECT last_seq FROM hall"), one(copied, "SELECT last_hash FROM hall")
    assert (outcome.code, outcome.out) == (0, f"hall: {last} events, head {head}\n"), outcome.err
    assert rows(tmp_path / "restored.db") == rows(copied)
    assert queue_service("verify", "--database-url", other).code == 0


def test_it_goes_to_standard_output_where_no_file_is_named(copied: Path, url: str, tmp_path: Path) -> None:
    """For pipes: nothing but the lines."""
    whole = subprocess.run(
        [*QUEUE_SERVICE, "export", "--database-url", url], env=environment(), capture_output=True, check=True
    )
    lines = whole.stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, one(copied, "SELECT last_seq FROM hall") + 1))
    assert whole.stderr == b""


def test_a_reader_that_has_had_enough_is_no_fault(copied: Path, url: str) -> None:
    """`queue-service export | head -n 1` ends without a traceback."""
    ended = subprocess.Popen(
        [*QUEUE_SERVICE, "export", "--database-url", url],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert ended.stdout is not None
    assert ended.stderr is not None
    assert json.loads(ended.stdout.readline())["seq"] == 1
    ended.stdout.close()
    assert ended.stderr.read() == b""
    ended.stderr.close()
    ended.wait(WAIT_S)


def test_a_packed_export_is_the_same_every_time(queue_service: Command, copied: Path, url: str, tmp_path: Path) -> None:
    """No name or time of the packing is in it, so copies can be compared."""
    files = [tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"]
    for file in files:
        queue_service("export", "-o", file, "--database-url", url)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert gzip.decompress(files[0].read_bytes()).count(b"\n") == one(copied, "SELECT last_seq FROM hall")


def test_an_unknown_hall_is_refused_and_no_file_made(
    queue_service: Command, copied: Path, url: str, tmp_path: Path
) -> None:
    """An empty file would look like an empty log."""
    outcome = queue_service("export", "--hall", "elsewhere", "-o", tmp_path / "log.jsonl", "--database-url", url)
    assert (outcome.code, outcome.err) == (2, "There is no hall 'elsewhere'.\n")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".db"]


def test_a_folder_that_cannot_be_written_to_is_named(
    queue_service: Command, copied: Path, url: str, tmp_path: Path
) -> None:
    """In one line."""
    target = tmp_path / "nowhere" / "log.jsonl"
    outcome = queue_service("export", "-o", target, "--database-url", url)
    assert (outcome.code, outcome.err) == (2, f"{target}: No such file or directory.\n")


# -- lines that are no log


def _flip(lines: Lines) -> None:
    lines[50]["data"]["smuggled"] = True


def _shift(lines: Lines) -> None:
    lines[50]["at_ms"] += 1


def _lose(lines: Lines) -> None:
    del lines[50]


def _repeat(lines: Lines) -> None:
    lines.insert(50, lines[49])


def _strip(lines: Lines) -> None:
    del lines[50]["head"]


def _retype(lines: Lines) -> None:
    lines[50]["seq"] = "51"


def _stop(lines: Lines) -> None:
    del lines[1:]


def _empty(lines: Lines) -> None:
    lines.clear()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_flip, "line 51: the hash of event 51 does not follow from its contents and the event before."),
        (_shift, "line 51: the hash of event 51 does not follow from its contents and the event before."),
        (_lose, "line 51: event 52 of hall, but the next would be 51."),
        (_repeat, "line 51: event 50 of hall, but the next would be 51."),
        (_strip, "line 51: head is missing or of the wrong type."),
        (_retype, "line 51: seq is missing or of the wrong type."),
        (_stop, "the log of hall ends before its first day."),
        (_empty, "no events."),
    ],
)
def test_lines_that_do_not_follow_are_refused(
    queue_service: Command, copied: Path, url: str, tmp_path: Path, spoil: Callable[[Lines], None], said: str
) -> None:
    """The line is named with what is wrong, and nothing is stored."""
    lines = exported(queue_service, url, tmp_path / "log.jsonl")
    spoil(lines)
    file = saved(tmp_path / "spoilt.jsonl", lines)
    outcome = queue_service("import", file, "--database-url", f"sqlite:///{tmp_path / 'restored.db'}")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"{file}: {said} Nothing was stored.\n"
    assert rows(tmp_path / "restored.db") == {"hall": [], "event": [], "ticket": [], "leg": []}


@pytest.mark.parametrize("line", ["", "{", "[]", '"text"', "null", '{"seq": 1}'])
def test_a_line_that_is_no_event_is_refused(queue_service: Command, url: str, tmp_path: Path, line: str) -> None:
    """Whatever it is instead."""
    file = tmp_path / "log.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    outcome = queue_service("import", file, "--database-url", url)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{file}: line 1: ")


def test_a_hall_that_exists_is_not_restored_over(
    queue_service: Command, copied: Path, url: str, tmp_path: Path
) -> None:
    """Two histories of one hall cannot both be true."""
    queue_service("export", "-o", tmp_path / "log.jsonl", "--database-url", url)
    before = rows(copied)
    outcome = queue_service("import", tmp_path / "log.jsonl", "--database-url", url)
    assert outcome.code == 2
    assert "line 1: the hall 'hall' exists already, and a log is only restored as a whole." in outcome.err
    assert rows(copied) == before


def test_only_the_halls_asked_for_come_back(queue_service: Command, copied: Path, url: str, tmp_path: Path) -> None:
    """A hall whose log is not in the file is named, and nothing is stored."""
    queue_service("export", "-o", tmp_path / "log.jsonl", "--database-url", url)
    other = ("--database-url", f"sqlite:///{tmp_path / 'restored.db'}")
    missing = queue_service("import", tmp_path / "log.jsonl", "--hall", "hall", "--hall", "hell", *other)
    assert missing.code == 2
    assert missing.err == f"{tmp_path / 'log.jsonl'}: no events of hell. Nothing was stored.\n"
    assert queue_service("import", tmp_path / "log.jsonl", "--hall", "hall", *other).code == 0


def test_a_log_takes_no_zone(queue_service: Command, url: str, tmp_path: Path) -> None:
    """It says all by itself."""
    file = saved(tmp_path / "log.jsonl", [])
    outcome = queue_service("import", file, "--zone", "Asia/Shanghai", "--database-url", url)
    assert (outcome.code, outcome.err.split(":")[0]) == (2, "A log says all by itself")
