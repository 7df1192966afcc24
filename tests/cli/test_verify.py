"""`verify`: it passes after a random load, and every single corruption is found and named."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from models.vocabulary import TicketState
from queue_service import verification
from queue_service.domain import commands as c
from tests.cli.conftest import Command, Loads, Outcome
from tests.cli.corruption import Row, columns, do, forge, one, other, raw
from tests.cli.load import SEEDS
from tests.metrics.driving import Drive
from tests.running import QUEUE_SERVICE, ROOT, command_line, environment, running_node

TICKET_COLUMNS = (
    "hall", "day", "number", "service", "priority", "channel", "language", "items", "party", "ref", "state", "counter",
    "issued_at_ms", "period", "promise_ms", "percentile", "apart", "closed_at_ms", "last_seq",
)  # fmt: skip
LEG_COLUMNS = (
    "hall", "day", "service", "priority", "waiting_since_ms", "called_at_ms", "waited_ms", "counter", "clerk",
    "recalls", "started_at_ms", "start_implied", "ended_at_ms", "outcome",
)  # fmt: skip
A_TICKET = (
    "SELECT id FROM ticket WHERE state = 'finished' AND channel = 'kiosk' AND counter IS NULL ORDER BY id LIMIT 1"
)
AN_OPEN_TICKET = "SELECT id FROM ticket WHERE state IN ('waiting', 'expected') ORDER BY id LIMIT 1"
A_HISTORY_TICKET = "SELECT id FROM ticket WHERE channel = 'history' ORDER BY id LIMIT 1"
A_PAPER_TICKET = "SELECT id FROM ticket WHERE channel = 'paper' ORDER BY id LIMIT 1"


def refused(outcome: Outcome) -> str:
    """The one line of a failed proof."""
    assert outcome.code == 1
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    return line


@pytest.mark.parametrize("page_rows", [2_000, 23])
@pytest.mark.parametrize("seed", SEEDS)
def test_it_passes_after_a_random_load(
    queue_service: Command, loads: Loads, seed: int, page_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was asked in whatever order, log and rows agree, wherever a page of the log happens to end."""
    monkeypatch.setattr(verification, "PAGE_ROWS", page_rows)
    path = loads(seed)
    outcome = queue_service("verify", "--database-url", f"sqlite:///{path}")
    counts = [one(path, f"SELECT count(*) FROM {table}") for table in ("event", "ticket", "leg")]  # noqa: S608
    head = one(path, "SELECT last_hash FROM hall")
    assert outcome.code == 0, outcome.err
    assert outcome.out == f"hall: {counts[0]} events, {counts[1]} tickets, {counts[2]} legs, head {head}\n"


def test_a_finish_that_is_undone_later_is_no_fault(
    queue_service: Command, hall_today: Drive, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed ticket that can still come back is compared when it cannot any more, even at one event a page."""
    monkeypatch.setattr(verification, "PAGE_ROWS", 1)
    hall_today.open("1")
    ticket = hall_today.issue()
    for command in (c.CallNext("1"), c.Start(ticket), c.Finish(ticket), c.CallHelp("1"), c.Undo("1")):
        hall_today.send(command)
    assert hall_today.view.tickets[ticket].state == TicketState.SERVING
    outcome = queue_service("verify", "--database-url", url)
    assert (outcome.code, outcome.err) == (0, "")


def test_the_load_has_what_could_go_wrong(loaded: Path) -> None:
    """Undone commands, expired, recorded and backfilled tickets, several legs, several days and plans are in it."""
    with raw(loaded) as connection:
        kinds = {row[0] for row in connection.execute("SELECT DISTINCT kind FROM event")}
    expected = {
        "command_undone", "ticket_expired", "ticket_recorded", "ticket_backfilled", "ticket_transferred", "suspended",
        "ticket_handed_over", "ticket_requeued", "ticket_parked", "ticket_postponed", "ticket_checked_in",
        "plan_changed",
    }  # fmt: skip
    assert expected <= kinds
    assert one(loaded, "SELECT max(leg) FROM leg") > 2
    assert one(loaded, "SELECT count(*) FROM event WHERE kind = 'day_opened'") > 2


# -- the log


@pytest.mark.parametrize("column", ["command_seq", "at_ms", "kind", "version", "actor", "channel", "hash"])
def test_a_changed_event_is_named(queue_service: Command, copied: Path, url: str, column: str) -> None:
    """Each column of the log is under the hash."""
    value = one(copied, f"SELECT {column} FROM event WHERE seq = 100")  # noqa: S608
    do(copied, f"UPDATE event SET {column} = ? WHERE seq = 100", other(value, columns("event", copied)[column]))  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert re.match(r"hall hall, event 100, hash: expected '[0-9a-f]{64}' .*, found '", line)


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_flipped_bit_of_data_is_named(queue_service: Command, copied: Path, url: str, place: int) -> None:
    """The first event's, one amid the log and the last one's; be it text afterwards or not."""
    seq = [1, 300, one(copied, "SELECT last_seq FROM hall")][place]
    with raw(copied) as connection:
        connection.text_factory = bytes
        data = bytearray(connection.execute("SELECT data FROM event WHERE seq = ?", (seq,)).fetchone()[0])
        data[len(data) // 2] ^= 0x80 if place else 0x01
        connection.execute("UPDATE event SET data = CAST(? AS TEXT) WHERE seq = ?", (bytes(data), seq))
    assert f"hall hall, event {seq}, hash: " in refused(queue_service("verify", "--database-url", url))


def test_a_missing_event_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """With what follows in its place."""
    do(copied, "DELETE FROM event WHERE seq = 100")
    line = refused(queue_service("verify", "--database-url", url))
    assert line == "hall hall, event 100: is missing; event 101 follows"


def test_a_missing_end_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """The hall's row knows how long the log was."""
    last = one(copied, "SELECT last_seq FROM hall")
    do(copied, "DELETE FROM event WHERE seq = ?", last)
    line = refused(queue_service("verify", "--database-url", url))
    assert line == f"hall hall, event {last}: is missing; the hall's row says that the log ends at {last}"


def test_an_empty_log_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """A hall without a single event."""
    with raw(copied) as connection:
        connection.execute("DELETE FROM event")
    assert "hall hall, event 1: is missing" in refused(queue_service("verify", "--database-url", url))


def test_an_event_put_in_by_hand_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """One more at the end, copied from another."""
    last = one(copied, "SELECT last_seq FROM hall")
    with raw(copied) as connection:
        row = dict(connection.execute("SELECT * FROM event WHERE seq = 50").fetchone())
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO event VALUES ({marks})", tuple({**row, "seq": last + 1}.values()))  # noqa: S608
    assert f"event {last + 1}, hash" in refused(queue_service("verify", "--database-url", url))


def test_two_events_in_each_others_place_are_named(queue_service: Command, copied: Path, url: str) -> None:
    """The chain breaks at the first of them."""
    with raw(copied) as connection:
        for before, after in ((100, -1), (101, 100), (-1, 101)):
            connection.execute("UPDATE event SET seq = ? WHERE seq = ?", (after, before))
    assert "event 100, hash" in refused(queue_service("verify", "--database-url", url))


# -- logs whose hashes were made right again


def _seq_of(path: Path, kind: str, skip: int = 1) -> int:
    return int(one(path, "SELECT seq FROM event WHERE kind = ? ORDER BY seq LIMIT 1 OFFSET ?", kind, skip))


def test_time_that_goes_back_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """Even where the hashes follow."""
    before = one(copied, "SELECT at_ms FROM event WHERE seq = 199")

    def earlier(row: Row, data: Row) -> None:
        row["at_ms"] = before - 1

    forge(copied, 200, earlier)
    line = refused(queue_service("verify", "--database-url", url))
    assert line == f"hall hall, event 200, at_ms: expected {before} or later, as the event before, found {before - 1}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row, data: row.update(kind="ticket_teleported"), "The log holds ticket_teleported version"),
        (lambda row, data: row.update(version=99), "version 99; this version does not know it"),
        (lambda row, data: data.pop("number"), "its data is no ticket_issued: missing 1 required"),
        (lambda row, data: data.update(colour="red"), "its data is no ticket_issued: got an unexpected"),
        (lambda row, data: data.update(state="flying"), "does not follow from the events before it: one of its values"),
        (lambda row, data: data.update(number="none"), "from the events before it: one of its values cannot be"),
    ],
)
def test_an_event_that_cannot_be_is_named(
    queue_service: Command, copied: Path, url: str, change: Any, said: str
) -> None:
    """Of an unknown kind or version, with data that is none, or saying what cannot be."""
    seq = _seq_of(copied, "ticket_issued")
    forge(copied, seq, change)
    line = refused(queue_service("verify", "--database-url", url))
    assert line.startswith(f"hall hall, event {seq}: ")
    assert said in line
    assert not re.search("Ticket[A-Z]|Error", line)


def test_an_event_about_nobody_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """A call of a ticket that was never issued."""
    seq = _seq_of(copied, "ticket_called")
    forge(copied, seq, lambda row, data: data.update(ticket="hall.nobody"))
    line = refused(queue_service("verify", "--database-url", url))
    assert f"event {seq}: does not follow from the events before it: there is no 'hall.nobody'" in line


@pytest.mark.parametrize("name", ["plan_seq", "plan_version", "carried"])
def test_a_day_opened_with_something_else_is_named(queue_service: Command, copied: Path, url: str, name: str) -> None:
    """A hall is loaded from there: what it carries over midnight must be what the log before says."""
    seq = _seq_of(copied, "day_opened", skip=2)

    def smuggle(row: Row, data: Row) -> None:
        data[name] = {**data[name], "counters": []} if name == "carried" else data[name] - 1

    forge(copied, seq, smuggle)
    assert f"hall hall, event {seq}, {name}: expected " in refused(queue_service("verify", "--database-url", url))


def test_a_wait_that_was_made_shorter_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """Whoever forges the whole log has changed the row as well, or is found out by it."""
    seq = one(
        copied, "SELECT seq FROM event WHERE kind = 'ticket_called' AND data NOT LIKE '%\"waited_ms\":0}' LIMIT 1"
    )
    ticket = _ticket_of(copied, seq)
    forge(copied, seq, lambda row, data: data.update(waited_ms=data["waited_ms"] + 1))
    line = refused(queue_service("verify", "--database-url", url))
    assert re.search(rf"leg \d+ of ticket {ticket} .*, waited_ms: expected \d+, found \d+", line)


def _ticket_of(path: Path, seq: int) -> str:
    """The ticket an event is about."""
    return str(one(path, "SELECT json_extract(data, '$.ticket') FROM event WHERE seq = ?", seq))


# -- the rows


@pytest.mark.parametrize("which", [A_TICKET, AN_OPEN_TICKET], ids=["closed", "open"])
@pytest.mark.parametrize("column", TICKET_COLUMNS)
def test_a_changed_ticket_is_named(queue_service: Command, copied: Path, url: str, column: str, which: str) -> None:
    """Each column of a ticket, closed or open, with what the log says and what was found."""
    ticket = one(copied, which)
    value = one(copied, f"SELECT {column} FROM ticket WHERE id = ?", ticket)  # noqa: S608
    changed = other(value, columns("ticket", copied)[column])
    do(copied, f"UPDATE ticket SET {column} = ? WHERE id = ?", changed, ticket)  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert line.startswith(f"hall hall, ticket {ticket} (")
    assert line.endswith(f", {column}: expected {shown(value)}, found {shown(changed)}")


@pytest.mark.parametrize("column", LEG_COLUMNS)
def test_a_changed_leg_is_named(queue_service: Command, copied: Path, url: str, column: str) -> None:
    """Each column of a leg."""
    ticket = one(copied, A_TICKET)
    value = one(copied, f"SELECT {column} FROM leg WHERE ticket = ? AND leg = 1", ticket)  # noqa: S608
    changed = other(value, columns("leg", copied)[column])
    do(copied, f"UPDATE leg SET {column} = ? WHERE ticket = ? AND leg = 1", changed, ticket)  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert line.startswith(f"hall hall, leg 1 of ticket {ticket} (")
    assert line.endswith(f", {column}: expected {shown(value)}, found {shown(changed)}")


def shown(value: Any) -> str:
    """A value as the line has it."""
    return "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("which", [A_TICKET, AN_OPEN_TICKET, A_HISTORY_TICKET, A_PAPER_TICKET])
def test_a_missing_ticket_is_named(queue_service: Command, copied: Path, url: str, which: str) -> None:
    """Closed, open, of recorded history, from paper."""
    ticket = one(copied, which)
    do(copied, "DELETE FROM ticket WHERE id = ?", ticket)
    line = refused(queue_service("verify", "--database-url", url))
    assert re.fullmatch(rf"hall hall, ticket {ticket} \(.*\): its row is missing", line)


def test_a_ticket_that_no_event_made_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """However like the others it looks."""
    with raw(copied) as connection:
        row = dict(connection.execute(f"SELECT * FROM ticket WHERE id = ({A_TICKET})").fetchone())  # noqa: S608
        row.update(id="hall.extra", number="A777")
        connection.execute(f"INSERT INTO ticket VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert line == "hall hall, ticket hall.extra (A777): no event made it"


def test_a_missing_leg_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """The second of a ticket that has two."""
    ticket = one(copied, "SELECT ticket FROM leg WHERE leg = 2 ORDER BY ticket LIMIT 1")
    do(copied, "DELETE FROM leg WHERE ticket = ? AND leg = 2", ticket)
    line = refused(queue_service("verify", "--database-url", url))
    assert re.fullmatch(rf"hall hall, leg 2 of ticket {ticket} \(.*\): its row is missing", line)


@pytest.mark.parametrize("ticket", [A_TICKET, "SELECT 'hall.nobody'"], ids=["of a ticket", "of nobody"])
def test_a_leg_that_no_event_made_is_named(queue_service: Command, copied: Path, url: str, ticket: str) -> None:
    """As an undo leaves none: of a ticket that there is, or of nobody."""
    name = one(copied, ticket)
    with raw(copied) as connection:
        row = dict(connection.execute(f"SELECT * FROM leg WHERE ticket = ({A_TICKET}) AND leg = 1").fetchone())  # noqa: S608
        row.update(ticket=name, leg=9)
        connection.execute(f"INSERT INTO leg VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert re.fullmatch(rf"hall hall, leg 9 of ticket {name}( \(.*\))?: no event made it", line)


@pytest.mark.parametrize("column", ["name", "last_seq", "last_hash", "day", "day_seq"])
def test_a_changed_hall_row_is_named(queue_service: Command, copied: Path, url: str, column: str) -> None:
    """Where the log ends and the day began; a row that claims a longer log names the event it misses."""
    value = one(copied, f"SELECT {column} FROM hall")  # noqa: S608
    changed = other(value, columns("hall", copied)[column])
    do(copied, f"UPDATE hall SET {column} = ?", changed)  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    longer = f"hall hall, event {changed}: is missing; the hall's row says that the log ends at {changed}"
    expected = f"hall hall, hall row, {column}: expected {shown(value)}, found {shown(changed)}"
    assert line == (longer if column == "last_seq" else expected)


def test_a_hall_row_behind_its_log_is_named(queue_service: Command, copied: Path, url: str) -> None:
    """The other way round."""
    last = one(copied, "SELECT last_seq FROM hall")
    do(copied, "UPDATE hall SET last_seq = last_seq - 1")
    line = refused(queue_service("verify", "--database-url", url))
    assert line == f"hall hall, hall row, last_seq: expected {last}, found {last - 1}"


@pytest.mark.parametrize("tables", [["hall"], ["hall", "event"], ["hall", "event", "ticket"]])
def test_a_missing_hall_row_is_named(queue_service: Command, copied: Path, url: str, tables: list[str]) -> None:
    """As long as any table still speaks of the hall."""
    with raw(copied) as connection:
        for table in tables:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    line = refused(queue_service("verify", "--database-url", url))
    assert line == "hall hall, hall row: is missing, but there are rows of this hall"


# -- as a command


def test_it_ends_with_1_and_one_line_as_a_process(copied: Path, url: str) -> None:
    """Nothing on standard output, one line on standard error, no traceback."""
    do(copied, "UPDATE hall SET last_hash = 'x'")
    ended = command_line("verify", "--database-url", url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"hall hall, hall row, last_hash: expected '[0-9a-f]{64}', found 'x'\n", ended.stderr)


def test_a_database_that_is_not_there_is_not_made(queue_service: Command, database_path: Path, url: str) -> None:
    """Verifying nothing must not look like a proof."""
    outcome = queue_service("verify", "--database-url", url)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"There is no database at {database_path}.\n"
    assert not database_path.exists()


def test_a_damaged_file_is_said_to_be_one(queue_service: Command, copied: Path, url: str) -> None:
    """A page of zeros amid the file: no traceback, and no proof."""
    with copied.open("r+b") as file:
        for page in range(8, 40):
            file.seek(page * 4096)
            file.write(b"\0" * 4096)
    outcome = queue_service("verify", "--database-url", url)
    assert outcome.code in (1, 2)
    assert re.search("malformed|cannot be read", outcome.err)


def test_it_reads_a_whole_state_while_a_server_writes(tmp_path: Path) -> None:
    """Both do their work at once: what is proved is one moment of the log, and no command is refused for it."""
    hall = str(ROOT / "deploy" / "halls" / "fengxian.toml")
    with running_node(tmp_path, "--hall", hall) as node, node.client() as client:
        verifying = subprocess.Popen(
            [*QUEUE_SERVICE, "verify", "--database-url", f"sqlite:///{node.database}"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        answers = set()
        while verifying.poll() is None:
            body = {"service": "business-registration"}
            answers.add(client.post("/v1/halls/fengxian/tickets", json=body).status_code)
        out, err = verifying.communicate()
    assert answers == {201}
    assert verifying.returncode == 0, err
    assert re.match(r"fengxian: \d+ events, \d+ tickets, \d+ legs, head [0-9a-f]{64}\n", out)


def test_the_corrupting_tools_leave_a_sound_database_sound(queue_service: Command, copied: Path, url: str) -> None:
    """Forging without a change changes nothing: what the tests above find is what they did."""
    before = one(copied, "SELECT last_hash FROM hall")
    forge(copied, 1, lambda row, data: None)
    assert one(copied, "SELECT last_hash FROM hall") == before
    assert queue_service("verify", "--database-url", url).code == 0
