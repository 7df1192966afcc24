"""`import` of recorded history: what is stored says what the file says, and never twice."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from api import importing
from api.cli.plans import apply_plan
from api.cli.report import report_of
from models.plan import PlanDocument
from queue_service.database import Database
from tests.cli.conftest import SAMPLE, Command
from tests.cli.corruption import do, one, raw
from tests.cli.days import GOOD, HEADER, WARSAW, figures_of, row, write
from tests.metrics.driving import Drive

SHANGHAI = "Asia/Shanghai"


def test_the_sample_day_reads_back_as_it_was_recorded(queue_service: Command, url: str) -> None:
    """Counts, share, mean and percentiles of the report are those of the file, to the millisecond."""
    imported = queue_service("import", SAMPLE, "--zone", SHANGHAI, "--database-url", url)
    assert imported.out == "sample-hall: created, 2025-03-03 to 2025-03-03: 299 tickets\n"
    report = queue_service("report", "sample-hall", "--day", "2025-03-03", "--json", "--database-url", url)
    total = json.loads(report.out)["rows"][0]
    expected = figures_of(SAMPLE, SHANGHAI)["Sample_Hall", "2025-03-03"]
    never = expected.pop("never_called")
    assert {name: total[f"called_{name}" if name != "called" else name] for name in expected} == expected
    assert total["counted"] + total["open"] + total["left"] - total["called"] == never
    assert queue_service("verify", "--database-url", url).code == 0


def test_a_day_imported_in_a_wrong_zone_can_be_reported_after_that_was_put_right(
    queue_service: Command, url: str, tmp_path: Path
) -> None:
    """The figures stay those of the day that was recorded, the page with its charts among them."""
    queue_service("import", SAMPLE, "--zone", "America/New_York", "--database-url", url)
    asked = ("report", "sample-hall", "--day", "2025-03-02", "--database-url", url)
    before = queue_service(*asked, "--json").out
    assert json.loads(before)["rows"][0]["counted"] > 0
    with closing(Database(url)) as database:
        _, plan = report_of(database, "sample-hall", None, None)
        apply_plan(database, PlanDocument.model_validate({**plan.document, "time_zone": SHANGHAI}))
    assert queue_service(*asked, "--json").out == before
    assert queue_service(*asked, "--out", tmp_path / "day.html").code == 0
    both = ("--from", "2025-03-02", "--to", "2025-03-03")
    assert queue_service("report", "sample-hall", *both, "--database-url", url).code == 0


def test_a_new_hall_gets_a_plan_of_what_the_file_names(queue_service: Command, url: str, tmp_path: Path) -> None:
    """Every service with a counter of its own, ten minutes promised all day long, in the zone that was named."""
    file = write(tmp_path / "old.csv", [GOOD, row("B001", "09:00", service="land", service_name="Land, houses")])
    queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    plan = json.loads(one(tmp_path / "queue.db", "SELECT data FROM event WHERE seq = 1"))["document"]
    assert (plan["id"], plan["name"], plan["time_zone"]) == ("old-hall", "Old_Hall", WARSAW)
    assert [(one["id"], one["name"], one["prefix"]) for one in plan["services"]] == [
        ("tax", "Taxes", "A"), ("land", "Land, houses", "B"),
    ]  # fmt: skip
    assert [(one["id"], one["services"]) for one in plan["counters"]] == [("tax", ["tax"]), ("land", ["land"])]
    promise = {"promise_s": 600, "percentile": 90}
    assert plan["promise"] == {"peak": promise, "off_peak": promise, "shoulder_s": 0}
    assert [(len(one["days"]), one["start"], one["end"]) for one in plan["calendar"]["peaks"]] == [
        (7, "00:00", "24:00")
    ]


def test_what_else_the_file_knows_is_kept(queue_service: Command, url: str, tmp_path: Path) -> None:
    """The optional columns stand in the log beside the ticket; an empty cell is left out."""
    file = write(tmp_path / "old.csv", [(*GOOD, "-1", "")], (*HEADER, "issued_uncertainty_s", "waiting_before"))
    queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    data = json.loads(one(tmp_path / "queue.db", "SELECT data FROM event WHERE kind = 'ticket_recorded'"))
    assert data["extra"] == {"issued_uncertainty_s": -1}


def test_milliseconds_are_kept(queue_service: Command, url: str, tmp_path: Path) -> None:
    """And what is finer is cut off."""
    times = ("2025-03-03T09:00:00.123987+01:00", "2025-03-03T09:00:01.124001+01:00")
    file = write(tmp_path / "old.csv", [row("A001", *times)])
    queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert one(tmp_path / "queue.db", "SELECT waited_ms FROM leg") == 1_001


def test_a_packed_file_is_as_good(queue_service: Command, url: str, tmp_path: Path) -> None:
    """`.csv.gz` as it lies there."""
    file = write(tmp_path / "old.csv.gz", [GOOD])
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert outcome.out == "old-hall: created, 2025-03-03 to 2025-03-03: 1 tickets\n"


# -- never twice


def test_the_same_file_twice_is_refused(queue_service: Command, url: str, tmp_path: Path) -> None:
    """The days that have tickets already are named, and nothing doubles."""
    file = write(tmp_path / "old.csv", [GOOD, row("A001", "2025-03-04T09:00:00+01:00")])
    queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    outcome = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert (outcome.code, outcome.out) == (2, "")
    first, *rest = outcome.err.splitlines()
    assert first.startswith(f"{file}: days that have tickets already; nothing was stored. --skip-recorded ")
    assert rest == ["  old-hall: 2025-03-03, 2025-03-04"]
    assert one(tmp_path / "queue.db", "SELECT count(*) FROM ticket") == 2


def test_days_that_are_there_can_be_left_out(queue_service: Command, url: str, tmp_path: Path) -> None:
    """So a longer file, or one whose import was cut off, adds what is missing and no more."""
    queue_service("import", write(tmp_path / "a.csv", [GOOD]), "--zone", WARSAW, "--database-url", url)
    longer = write(tmp_path / "b.csv", [GOOD, row("A001", "2025-03-04T09:00:00+01:00")])
    outcome = queue_service("import", longer, "--skip-recorded", "--database-url", url)
    assert outcome.out == "old-hall: 2025-03-04 to 2025-03-04: 1 tickets\n"
    again = queue_service("import", longer, "--skip-recorded", "--database-url", url)
    assert again.out == "old-hall: nothing new\n"
    assert one(tmp_path / "queue.db", "SELECT count(*) FROM ticket") == 2


def test_an_import_that_was_cut_off_leaves_whole_days(
    queue_service: Command, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction holds whole days: when a later one fails, the days before it are complete and can be left out."""
    monkeypatch.setattr(importing, "BATCH_TICKETS", 1)
    days = [row(f"A{n:03d}", f"2025-03-0{day}T09:{n:02d}:00+01:00") for day in range(3, 7) for n in range(5)]
    file = write(tmp_path / "old.csv", days)
    queue_service("import", write(tmp_path / "plan.csv", [row("A1", "2025-03-01T09:00:00+01:00")]), "--zone", WARSAW,
                  "--database-url", url)  # fmt: skip
    with raw(tmp_path / "queue.db") as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON ticket WHEN NEW.day = '2025-03-05' AND NEW.number = 'A003' "
            "BEGIN SELECT RAISE(FAIL, 'disk full'); END"
        )
    outcome = queue_service("import", file, "--database-url", url)
    assert outcome.code == 2
    assert "disk full" in outcome.err
    with raw(tmp_path / "queue.db") as connection:
        connection.execute("DROP TRIGGER full")
        found = connection.execute("SELECT day, count(*) FROM ticket GROUP BY day").fetchall()
    assert [tuple(row) for row in found] == [("2025-03-01", 1), ("2025-03-03", 5), ("2025-03-04", 5)]
    rest = queue_service("import", file, "--skip-recorded", "--database-url", url)
    assert rest.out == "old-hall: 2025-03-05 to 2025-03-06: 10 tickets\n"
    assert queue_service("verify", "--database-url", url).code == 0


# -- halls


def test_only_the_halls_asked_for_are_taken(queue_service: Command, url: str, tmp_path: Path) -> None:
    """By the name in the file or by the id; what is wrong in other halls' rows does not matter then."""
    rows = [GOOD, row("A001", "09:00", hall="Other_Hall"), row("A001", "noon", hall="Third")]
    file = write(tmp_path / "old.csv", rows)
    outcome = queue_service(
        "import", file, "--zone", WARSAW, "--hall", "Old_Hall", "--hall", "other-hall", "--database-url", url
    )
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["old-hall", "other-hall"]


def test_a_hall_that_the_file_does_not_have_is_named(queue_service: Command, url: str, tmp_path: Path) -> None:
    """A slip of the pen must not look like a hall without tickets; the others are not taken either."""
    file = write(tmp_path / "old.csv", [GOOD])
    both = ("--hall", "Old_Hall", "--hall", "Odl_Hall")
    outcome = queue_service("import", file, "--zone", WARSAW, *both, "--database-url", url)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{file}: no tickets of Odl_Hall.\n")


def test_a_new_hall_needs_its_zone(queue_service: Command, url: str, tmp_path: Path) -> None:
    """When its days begin cannot be guessed from offsets."""
    outcome = queue_service("import", write(tmp_path / "old.csv", [GOOD]), "--database-url", url)
    assert outcome.code == 2
    assert outcome.err == "The hall 'old-hall' is new: name its time zone, such as --zone Europe/Warsaw.\n"


@pytest.mark.parametrize("refused", ["no zone", "a wrong zone", "a broken row", "no file"])
def test_a_refused_file_makes_no_database(queue_service: Command, tmp_path: Path, refused: str) -> None:
    """Neither the folder nor the file is there: whoever looks later is not told of a database without halls."""
    rows = [row("", "09:00")] if refused == "a broken row" else [GOOD]
    file = tmp_path / "none.jsonl" if refused == "no file" else write(tmp_path / "old.csv", rows)
    zone = {"no zone": (), "no file": (), "a wrong zone": ("--zone", "Nowhere")}.get(refused, ("--zone", WARSAW))
    database = tmp_path / "data" / "queue.db"
    assert queue_service("import", file, *zone, "--database-url", f"sqlite:///{database}").code == 2
    assert not database.parent.exists()


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd", "", "posixrules", "right/UTC"])
def test_a_zone_that_is_none_is_refused(queue_service: Command, url: str, tmp_path: Path, zone: str) -> None:
    """With an example of one."""
    file = write(tmp_path / "old.csv", [GOOD])
    outcome = queue_service("import", file, "--zone", zone, "--database-url", url)
    assert outcome.code == 2
    assert outcome.err == f"{zone!r} is not the name of an IANA time zone, such as Europe/Warsaw.\n"


def test_a_hall_that_exists_takes_its_own_history(queue_service: Command, hall_today: Drive, url: str) -> None:
    """In its own zone, under its own plan: peaks and promises are the plan's."""
    rows = [
        row("T1", "2025-03-03T09:30:00+08:00", "2025-03-03T09:40:00+08:00", hall="hall"),
        row("T2", "2025-03-03T12:00:00+08:00", hall="hall"),
    ]
    file = write(hall_today.database.path.parent / "old.csv", rows)
    outcome = queue_service("import", file, "--database-url", url)
    assert outcome.out == "hall: 2025-03-03 to 2025-03-03: 2 tickets\n", outcome.err
    report = json.loads(queue_service("report", "hall", "--day", "2025-03-03", "--json", "--database-url", url).out)
    periods = {row["period"]: (row["promise_s"], row["kept"], row["missed"]) for row in report["rows"][2:4]}
    assert periods == {"peak": (600.0, 1, 0), "off_peak": (120.0, 0, 1)}


def test_a_hall_that_exists_is_asked_for_its_services_and_zone(
    queue_service: Command, hall_today: Drive, url: str
) -> None:
    """What does not fit its plan is named, and nothing is stored."""
    folder = hall_today.database.path.parent
    file = write(folder / "old.csv", [row("T1", "09:30", hall="hall", service="fish")])
    unknown = queue_service("import", file, "--database-url", url)
    assert unknown.err.splitlines()[1] == "  hall: its plan has no service 'fish'"
    file = write(folder / "old.csv", [row("T1", "09:30", hall="hall")])
    elsewhere = queue_service("import", file, "--zone", WARSAW, "--database-url", url)
    assert elsewhere.err == "The hall 'hall' is in the zone Asia/Shanghai, not Europe/Warsaw.\n"
    assert (unknown.code, elsewhere.code) == (2, 2)
    assert one(hall_today.database.path, "SELECT count(*) FROM ticket") == 0


def test_a_local_day_is_the_hall_s(queue_service: Command, url: str, tmp_path: Path) -> None:
    """Half past eleven at night in one offset is tomorrow in another: the zone decides, not the text."""
    rows = [row("A001", "2025-03-03T23:30:00+00:00"), row("A001", "2025-03-03T22:30:00+00:00")]
    queue_service("import", write(tmp_path / "old.csv", rows), "--zone", WARSAW, "--database-url", url)
    with raw(tmp_path / "queue.db") as connection:
        days = [row[0] for row in connection.execute("SELECT day FROM ticket ORDER BY issued_at_ms")]
    assert days == ["2025-03-03", "2025-03-04"]


def test_a_ticket_changed_by_hand_after_an_import_is_found(queue_service: Command, url: str, tmp_path: Path) -> None:
    """Recorded history is under the proof like everything else."""
    queue_service("import", write(tmp_path / "old.csv", [GOOD]), "--zone", WARSAW, "--database-url", url)
    do(tmp_path / "queue.db", "UPDATE leg SET waited_ms = waited_ms - 1000")
    outcome = queue_service("verify", "--database-url", url)
    assert outcome.code == 1
    assert "waited_ms: expected 270000, found 269000" in outcome.err
