"""`replay`: recorded days through the real application give exactly the figures that the file gives."""

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api import replay_figures, replay_shares
from queue_service.errors import QueueServiceError
from queue_service.history import hall_id_of, read_history
from tests.cli.conftest import ROOT, SAMPLE, Command, Outcome
from tests.cli.corruption import one, raw
from tests.cli.days import GOOD, WARSAW, figures_of, row, write
from tests.running import QUEUE_SERVICE, command_line, environment

pytestmark = pytest.mark.long

SHANGHAI = "Asia/Shanghai"
FIGURES = "290 193 66.55% 645.486 121.000 2115.000 3685.000 9"
WARSAW_FILE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "warsaw" / "tickets.csv.gz"
WARSAW_S = 1_800
"""When to give a replay up as hung; how long it takes is for the reader of `--durations`."""


def checked(text: str, file: Path, zone: str) -> list[dict[str, Any]]:
    """The lines of `--json`, each compared with figures worked out here from the file's text."""
    lines: list[dict[str, Any]] = json.loads(text)
    expected = {(hall_id_of(hall), day): figures for (hall, day), figures in figures_of(file, zone).items()}
    for line in lines:
        figures = expected[line["hall"], line["day"]]
        assert line["file"] == figures, (line["hall"], line["day"])
        assert line["service"] == figures, (line["hall"], line["day"])
        assert line["equal"] is True
    return lines


def replayed(queue_service: Command, file: Path, *more: str) -> list[dict[str, Any]]:
    """A replay that succeeds."""
    outcome = queue_service("replay", file, "--zone", WARSAW, "--json", *more)
    assert outcome.code == 0, outcome.err
    return checked(outcome.out, file, WARSAW)


def test_the_sample_day_is_what_its_generator_makes() -> None:
    """Anyone can make it again from the seed in the script."""
    made = subprocess.run(
        [sys.executable, ROOT / "deploy" / "samples" / "make_day.py"], capture_output=True, check=True
    )
    assert made.stdout == SAMPLE.read_bytes()
    assert made.stdout.count(b"\n") == 300


def test_the_sample_day_as_a_process() -> None:
    """The figures side by side, equal, nothing on standard error, exit code 0."""
    ended = command_line("replay", str(SAMPLE), "--zone", SHANGHAI)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    day = lines[2].split()
    assert day[:2] == ["sample-hall", "2025-03-03"]
    bar = day.index("|")
    assert day[2:bar] == day[bar + 1 : -1] == FIGURES.split()
    assert day[-1] == "equal"
    assert lines[-1] == "1 hall, 1 hall-day, 299 tickets, 9 of them never called: all figures are equal."


def test_a_kept_replay_is_proved(queue_service: Command, url: str, database_path: Path) -> None:
    """Its log and rows agree, its counter calls are in the log, its days are closed."""
    outcome = queue_service("replay", SAMPLE, "--zone", SHANGHAI, "--json", "--database-url", url)
    checked(outcome.out, SAMPLE, SHANGHAI)
    assert queue_service("verify", "--database-url", url).code == 0
    assert one(database_path, "SELECT day FROM hall") == "2025-03-04"
    assert one(database_path, "SELECT count(*) FROM ticket WHERE state NOT IN ('finished', 'expired')") == 0
    assert one(database_path, "SELECT count(*) FROM event WHERE kind = 'ticket_called'") == 290
    again = queue_service("replay", SAMPLE, "--zone", SHANGHAI, "--database-url", url)
    assert (again.code, again.err) == (2, "The database has halls already (sample-hall): a replay begins with none.\n")


def test_many_halls_and_days_with_gaps(queue_service: Command, tmp_path: Path) -> None:
    """Halls side by side, a weekend between, a hall that had one day only, and the night the clocks went forward."""
    rows = [
        row(f"A{n:03d}", f"2025-03-{day}T09:{n:02d}:00{offset}", f"2025-03-{day}T09:{n + 7:02d}:00{offset}", hall=hall)
        for hall, days in (("North", ("28", "30", "31")), ("South", ("28",)), ("East", ("28", "31")))
        for day in days
        for n in range(6)
        for offset in ("+01:00" if day == "28" else "+02:00",)
    ]
    rows.append(row("N001", "2025-03-30T01:59:59+01:00", "2025-03-30T03:10:00+02:00", hall="North"))
    lines = replayed(queue_service, write(tmp_path / "days.csv", rows))
    assert [(line["hall"], line["day"][-2:]) for line in lines] == [
        ("east", "28"), ("east", "31"), ("north", "28"), ("north", "30"), ("north", "31"), ("south", "28"),
    ]  # fmt: skip
    assert lines[3]["file"]["max_s"] == 601.0


def test_who_was_never_called_is_passed_over(queue_service: Command, tmp_path: Path, url: str) -> None:
    """Whoever comes after is called for a reason; the one left stays till midnight and is shown apart."""
    rows = [row("A001", "09:00"), row("A002", "09:01", "09:05"), row("A003", "09:02", "09:06")]
    (line,) = replayed(queue_service, write(tmp_path / "days.csv", rows), "--database-url", url)
    assert (line["service"]["called"], line["service"]["never_called"]) == (2, 1)
    with raw(tmp_path / "queue.db") as connection:
        said = [
            (row["number"], row["chosen"])
            for row in connection.execute(
                "SELECT data ->> 'number' AS number, data ->> 'chosen' AS chosen FROM event "
                "WHERE kind = 'ticket_called' ORDER BY seq"
            )
        ]
    assert said == [("A002", "as recorded"), ("A003", "as recorded")]


def test_calls_out_of_order_are_played_as_they_were(queue_service: Command, tmp_path: Path) -> None:
    """The last first: each wait is still its own."""
    rows = [row(f"A{n:03d}", f"09:{n:02d}", f"09:{40 - 3 * n:02d}") for n in range(9)]
    (line,) = replayed(queue_service, write(tmp_path / "days.csv", rows))
    assert line["service"]["called"] == 9


def test_everything_at_once(queue_service: Command, tmp_path: Path) -> None:
    """Issued and called in the same instant, several of a service, of several services, of several halls."""
    rows = [
        row(f"{service}{n}", "09:00", "09:00" if n % 2 else "09:10", hall=hall, service=service, service_name=service)
        for hall in ("North", "South")
        for service in ("a", "b", "c")
        for n in range(5)
    ]
    lines = replayed(queue_service, write(tmp_path / "days.csv", rows))
    assert [(line["service"]["called"], line["service"]["p50_s"]) for line in lines] == [(15, 600.0)] * 2


def test_a_day_without_a_call_and_waits_to_the_millisecond(queue_service: Command, tmp_path: Path) -> None:
    """Nothing to say is said as nothing; 600.000 s are within ten minutes, 600.001 s are not; a mean is rounded up."""
    rows = [
        row("A001", "2025-03-03T23:59:00+01:00"),
        row("A001", "2025-03-04T09:00:00.001+01:00", "2025-03-04T09:10:00.001+01:00"),
        row("A002", "2025-03-04T09:00:00.001+01:00", "2025-03-04T09:10:00.002+01:00"),
    ]
    empty, exact = replayed(queue_service, write(tmp_path / "days.csv", rows))
    assert (empty["service"]["called"], empty["service"]["mean_s"], empty["service"]["never_called"]) == (0, None, 1)
    assert (exact["service"]["within"], exact["service"]["mean_s"], exact["service"]["max_s"]) == (1, 600.001, 600.001)


def test_one_hall_or_one_day_can_be_chosen(queue_service: Command, tmp_path: Path) -> None:
    """By the hall's name in the file or its id, by the local date."""
    rows = [
        row("A001", f"2025-03-0{day}T09:00:00+01:00", f"2025-03-0{day}T09:01:00+01:00", hall=hall)
        for hall in ("North", "South")
        for day in (3, 4)
    ]
    file = write(tmp_path / "days.csv", rows)
    assert len(replayed(queue_service, file, "--hall", "North")) == 2
    (line,) = replayed(queue_service, file, "--hall", "south", "--day", "2025-03-04")
    assert (line["hall"], line["day"]) == ("south", "2025-03-04")
    nothing = queue_service("replay", file, "--zone", WARSAW, "--day", "2025-03-09")
    assert (nothing.code, nothing.err) == (2, f"{file}: no tickets on 2025-03-09.\n")


def test_a_broken_row_stops_a_replay_before_it_begins(queue_service: Command, tmp_path: Path, url: str) -> None:
    """Named as an import names it."""
    file = write(tmp_path / "days.csv", [GOOD, row("A002", "09:00", "08:00")])
    outcome = queue_service("replay", file, "--zone", WARSAW, "--database-url", url)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines()[1] == "  row 3: called_at: is before issued_at"
    assert not (tmp_path / "queue.db").exists()


def test_a_difference_ends_with_1(queue_service: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the service to count by another promise than the file is counted by, it would be seen."""
    monkeypatch.setattr(replay_figures, "PROMISE_S", 269)
    file = write(tmp_path / "days.csv", [GOOD])
    text: Outcome = queue_service("replay", file, "--zone", WARSAW)
    assert text.code == 1
    assert text.out.splitlines()[2].endswith("  DIFFERENT")
    assert text.out.splitlines()[-1].endswith("1 ticket, 0 of them never called: 1 hall-day DIFFERENT.")
    (line,) = json.loads(queue_service("replay", file, "--zone", WARSAW, "--json").out)
    assert (line["equal"], line["service"]["within"], line["file"]["within"]) == (False, 1, 0)


def test_halls_dealt_out_to_processes_give_the_same(
    queue_service: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many processors there are, every hall and day is there once, in order."""
    rows = [
        row(f"A{n:03d}", f"09:{n:02d}", f"09:{n + 3:02d}", hall=f"Hall_{hall}")
        for hall in range(5)
        for n in range(hall + 1)
    ]
    file = write(tmp_path / "days.csv", rows)
    alone = replayed(queue_service, file)
    monkeypatch.setattr(replay_shares, "SHARE_ACTIONS", 10)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert replayed(queue_service, file) == alone
    assert [line["hall"] for line in alone] == [f"hall-{hall}" for hall in range(5)]


def test_a_process_that_fails_stops_the_replay(tmp_path: Path) -> None:
    """What went wrong in it is what the replay says; nothing goes on behind it."""
    zone = ZoneInfo(WARSAW)
    (hall,) = read_history(write(tmp_path / "days.csv", [GOOD]), lambda _: zone)
    (tmp_path / "occupied").write_bytes(b"not a database, and not empty either")
    places = [([hall], f"sqlite:///{tmp_path / name}") for name in ("free.db", "occupied")]
    with pytest.raises(QueueServiceError, match="file is not a database"):
        replay_shares.play_side_by_side(places, lambda _: None)
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(
    not WARSAW_FILE.is_file(), reason="the recorded days of Warsaw's halls do not stand beside the checkout"
)
def test_real_halls_give_the_figures_of_their_records() -> None:
    """Fourteen halls, 170 hall-days, 57,314 tickets of Warsaw: every figure of every hall and day, exactly."""
    ended = subprocess.run(
        [*QUEUE_SERVICE, "replay", WARSAW_FILE, "--zone", WARSAW, "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WARSAW_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = checked(ended.stdout, WARSAW_FILE, WARSAW)
    assert (len({line["hall"] for line in lines}), len(lines)) == (14, 170)
    assert sum(line["service"]["called"] + line["service"]["never_called"] for line in lines) == 57_314
    assert sum(line["service"]["never_called"] for line in lines) == 71
