"""Batches against the real tables: what one transaction may hold, and copies that are not what the log says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.service import RECEIPTS_KEPT_MS
from models.vocabulary import Channel
from queue_service import errors, journal
from queue_service import receipts as receipts_module
from queue_service.batch import Batches
from queue_service.clock import ClockGuard
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.submission import Answer, Keyed, Submission
from tests.metrics.driving import Drive, at, empty_database, plan_document


@pytest.fixture
def drive(folder: Path) -> Iterator[Drive]:
    """A hall with counters 1, 2 and 3 open."""
    database = empty_database(folder)
    driven = Drive(database)
    driven.plan()
    driven.open("1", "2", "3")
    yield driven
    database.close()


def serving(drive: Drive, *counters: str) -> list[str]:
    """Tickets being served, one at each counter."""
    tickets = []
    for counter in counters:
        tickets.append(drive.issue())
        drive.send(c.CallNext(counter))
        drive.send(c.Start(tickets[-1]))
    return tickets


def held(database: Database) -> dict[str, str]:
    """Which counter holds which ticket, by the tickets table."""
    statement = "SELECT counter, id FROM ticket WHERE counter IS NOT NULL"
    return {row[0]: row[1] for row in database.read(lambda one: one.exec_driver_sql(statement).fetchall())}


def submission(
    command: c.Command, hall: str = "hall", keyed: Keyed | None = None, deadline_ms: int = 2**60
) -> Submission:
    """A command on its way."""
    return Submission(hall, command, "me", Channel.API, lambda *_: Answer(200), deadline_ms, keyed)


def run(
    batches: Batches, drive: Drive, *commands: c.Command, hall: str = "hall", keyed: Keyed | None = None
) -> list[Any]:
    """One transaction of a writer's own; what each command got."""
    batch = [submission(one, hall, keyed) for one in commands]
    with drive.database.write() as connection:
        batches.run(connection, batch)
    return [one.result for one in batch]


class Lost(Exception):
    """The commit did not come."""


def lose(batches: Batches, drive: Drive, command: c.Command) -> None:
    """A transaction that is rolled back, of which the writer is not told."""
    with drive.database.write() as connection:
        batches.run(connection, [submission(command)])
        raise Lost


def writer(drive: Drive) -> Batches:
    """A writer as another process has one, with copies of its own."""
    return Batches(drive.clock, ClockGuard(drive.clock))


def test_two_counters_change_their_tickets_in_one_transaction(drive: Drive) -> None:
    """By way of a third: the rows change places under an index that lets no counter have two tickets."""
    one, two = serving(drive, "1", "2")
    drive.send(c.HandOver(one, "3"), c.HandOver(two, "1"), c.HandOver(one, "2"))
    assert drive.refused == []
    assert held(drive.database) == {"1": two, "2": one}


def test_three_counters_go_round_in_one_transaction(drive: Drive) -> None:
    """Each takes over from the next, the last from the first, by requeueing and chosen calls."""
    one, two, three = serving(drive, "1", "2", "3")
    drive.send(
        *(c.Requeue(ticket) for ticket in (one, two, three)),
        *(c.CallChosen(counter, "round", ticket) for counter, ticket in (("2", one), ("3", two), ("1", three))),
    )
    assert drive.refused == []
    assert held(drive.database) == {"1": three, "2": one, "3": two}


def test_a_whole_visit_is_one_transaction(drive: Drive) -> None:
    """Issued, called, served, taken back and finished again: one final row of each, and no leg too many."""
    ticket = "hall.visit"
    drive.send(
        c.IssueTicket(ticket, "tax"), c.CallNext("1"), c.Start(ticket), c.Transfer(ticket, "land"), c.Undo("1"),
        c.Finish(ticket),
    )  # fmt: skip
    assert drive.refused == []
    rows = drive.database.read(lambda one: journal.leg_rows(one, [ticket]))
    assert [(row.leg, row.service, row.outcome) for row in rows] == [(1, "tax", "finished")]


def test_a_ticket_closed_in_this_very_batch_is_known(drive: Drive) -> None:
    """Of two who finish a ticket at once the second is told that it is finished, not that there is none."""
    (ticket,) = serving(drive, "1")
    drive.send(c.Finish(ticket), c.Finish(ticket), c.CallChosen("1", "again", ticket))
    assert [type(one) for one in drive.refused] == [errors.WrongState] * 2
    assert {one.facts["state"] for one in drive.refused if isinstance(one, errors.WrongState)} == {"finished"}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_closed_ticket_is_known_however_it_is_named(drive: Drive, at_once: bool) -> None:
    """By its id or by today's number, to be called or as a companion: its state is told, in its own batch and later."""
    ticket = drive.issue()
    number = drive.view.tickets[ticket].number
    asking = [
        c.CallChosen("1", "again", ticket), c.CallChosen("1", "again", number=number),
        c.IssueTicket("hall.friend", "tax", party=ticket),
    ]  # fmt: skip
    drive.send(c.Cancel(ticket), *(asking if at_once else []))
    if not at_once:
        drive.send(*asking)
    assert [type(one) for one in drive.refused] == [errors.WrongState] * 3
    assert {one.facts["state"] for one in drive.refused if isinstance(one, errors.WrongState)} == {"cancelled"}
    assert str(drive.refused[-1]) == f"{number} is cancelled: going with it is not possible."


def test_a_number_of_another_day_or_hall_is_unknown(drive: Drive) -> None:
    """A closed ticket's number is known on its own day, in its own hall; one that nobody has is unknown."""
    ticket = drive.issue()
    number = drive.view.tickets[ticket].number
    drive.send(c.Cancel(ticket))
    batches = writer(drive)
    run(batches, drive, c.PutPlan(plan_document(id="other")), c.OpenCounter("1", "li"), hall="other")
    refused = run(batches, drive, c.CallChosen("1", "x", number=number), hall="other")
    drive.send(c.CallChosen("1", "x", number="Z999"), c.IssueTicket("hall.friend", "tax", party="hall.nobody"))
    drive.send(c.CallChosen("1", "x", number=number), at_ms=at(24))
    assert [type(one) for one in (*refused, *drive.refused)] == [errors.UnknownTicket] * 4


def test_another_halls_ticket_is_unknown(drive: Drive) -> None:
    """Not even its state is told."""
    batches = writer(drive)
    run(batches, drive, c.PutPlan(plan_document(id="other")), hall="other")
    run(batches, drive, c.IssueTicket("other.1", "tax"), c.Cancel("other.1"), hall="other")
    (refusal,) = run(batches, drive, c.CallChosen("1", "mine", "other.1"))
    assert type(refusal) is errors.UnknownTicket


def test_a_copy_of_another_history_is_dropped_though_others_have_outrun_it(drive: Drive) -> None:
    """A writer whose commit was lost, and who was overtaken since, goes on from the log and not from its memory."""
    lost, other = writer(drive), writer(drive)
    run(lost, drive, c.CallHelp("1"))
    with pytest.raises(Lost):
        lose(lost, drive, c.IssueTicket("hall.lost", "tax"))
    run(other, drive, *(c.IssueTicket(f"hall.kept-{number}", "tax") for number in range(3)))
    run(lost, drive, c.CallNext("1"))
    assert held(drive.database) == {"1": "hall.kept-0"}
    numbers = drive.database.read(lambda one: one.exec_driver_sql("SELECT number FROM ticket ORDER BY id").fetchall())
    assert [row[0] for row in numbers] == ["A001", "A002", "A003"]


def test_the_log_of_a_hall_that_was_read_again_goes_on(drive: Drive) -> None:
    """Copies dropped at any time change nothing: the day is read from the event that opened it."""
    batches = writer(drive)
    for number in range(5):
        run(batches, drive, c.IssueTicket(f"hall.{number}", "tax"))
        batches.forget(["hall"])
    position = drive.database.read(journal.all_positions)["hall"]
    hall = drive.database.read(lambda one: journal.load(one, "hall", position))
    assert (hall.seq, hall.number_counts) == (position.seq, {"A": 5})
    assert drive.database.read(lambda one: journal.head_at(one, "hall", hall.seq)) == hall.head
    assert drive.database.read(lambda one: journal.head_at(one, "hall", hall.seq + 1)) is None


@pytest.mark.parametrize("missing", [1, 2, 3, 5])
def test_a_gap_in_the_log_is_noticed(drive: Drive, missing: int) -> None:
    """A hall is not read past a missing event: its plan, what opens its day, any after it, or the last."""
    with drive.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM event WHERE seq = ?", (missing,))
    with pytest.raises(errors.LogCorrupt):
        run(writer(drive), drive, c.CallHelp("1"))


def test_a_log_of_a_plan_alone_is_noticed(drive: Drive) -> None:
    """The day's opening is missing, and nothing follows it."""
    with drive.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM event WHERE seq > 1")
    with pytest.raises(errors.LogCorrupt, match="event 2 is missing"):
        run(writer(drive), drive, c.CallHelp("1"))


def receipts(database: Database) -> int:
    """How many answers are kept."""
    return int(database.read(lambda one: one.exec_driver_sql("SELECT count(*) FROM receipt").scalar_one()))


def test_receipts_are_kept_for_48_hours_and_no_longer(drive: Drive) -> None:
    """At 48 h an answer is still there, a millisecond later it is gone and the key may be used anew."""
    assert RECEIPTS_KEPT_MS == 48 * 3_600_000
    keyed = Keyed("key", "POST", "/", "body")
    run(writer(drive), drive, c.IssueTicket("hall.1", "tax"), keyed=keyed)
    given_ms = drive.clock.now_ms()
    for late_ms, left in ((0, 1), (1, 0)):
        before_ms = given_ms + late_ms
        with drive.database.write() as connection:
            assert receipts_module.purge(connection, before_ms) == 1 - left
        assert receipts(drive.database) == left
    (answer,) = run(writer(drive), drive, c.IssueTicket("hall.2", "tax"), keyed=keyed)
    assert answer == Answer(200)


def test_old_receipts_go_some_at_a_time(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait meanwhile."""
    monkeypatch.setattr(receipts_module, "PURGED_ROWS", 3)
    for number in range(4):
        run(writer(drive), drive, c.IssueTicket(f"hall.{number}", "tax"), keyed=Keyed(f"{number}", "POST", "/", "body"))
    for purged in (3, 1, 0):
        with drive.database.write() as connection:
            assert receipts_module.purge(connection, drive.clock.now_ms() + 1) == purged


def test_a_refusal_keeps_no_receipt(drive: Drive) -> None:
    """Neither a refusal nor an empty call: a repeat is decided afresh."""
    for command in (c.CallNext("1"), c.Finish("hall.none")):
        run(writer(drive), drive, command, keyed=Keyed(repr(command), "POST", "/", "body"))
    assert receipts(drive.database) == 0


def test_an_unplanned_hall_is_unknown_and_leaves_no_trace(drive: Drive) -> None:
    """A hall begins with its plan; before that there is nothing to lock and nothing to keep."""
    batches = writer(drive)
    (refusal,) = run(batches, drive, c.CallHelp("1"), hall="nowhere")
    assert type(refusal) is errors.UnknownHall
    assert set(drive.database.read(journal.all_positions)) == {"hall"}
    assert set(batches._copies) == set()


def test_a_faulty_first_plan_leaves_no_hall(drive: Drive) -> None:
    """A plan that contradicts itself begins nothing."""
    faulty = {**plan_document(), "id": "new", "emergency_prefix": "A"}
    (refusal,) = run(writer(drive), drive, c.PutPlan(faulty), hall="new")
    assert type(refusal) is errors.PlanFaulty
    assert set(drive.database.read(journal.all_positions)) == {"hall"}


def test_a_late_command_changes_nothing(drive: Drive) -> None:
    """What is past its deadline is answered undecided, and those beside it are decided."""
    drive.clock.set_ms(drive.clock.now_ms() + 10)
    late = submission(c.IssueTicket("hall.late", "tax"), deadline_ms=9)
    timely = submission(c.IssueTicket("hall.timely", "tax"), deadline_ms=10)
    with drive.database.write() as connection:
        writer(drive).run(connection, [late, timely])
    assert type(late.result) is errors.Unavailable
    assert timely.result == Answer(200)
    assert drive.database.read(lambda one: journal.ticket_row(one, "hall.late")) is None
