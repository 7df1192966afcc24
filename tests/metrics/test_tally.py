"""The gauges' tally of the day says what the report says, whatever happened and whenever it is asked."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.report import Report, Scope
from metrics.tally import DayTally, by_period_of
from models.vocabulary import Verdict
from queue_service.domain import commands as c
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from tests.metrics.driving import Drive, at, empty_database
from tests.metrics.histories import follow, steps


def cells_of(report: Report) -> dict[str, Counter[Verdict]]:
    """How many tickets a report has in each cell, by period."""
    found: dict[str, Counter[Verdict]] = {}
    for row in report.rows:
        if row.scope == Scope.PERIOD and row.period is not None:
            counts = {verdict: getattr(row, verdict.value) for verdict in Verdict}
            found.setdefault(row.period.value, Counter()).update(counts)
    return found


def shares_of(report: Report) -> dict[str, float]:
    """Kept of those counted, by period, as a report's rows have it."""
    cells = cells_of(report)
    counted = {period: counts[Verdict.KEPT] + counts[Verdict.MISSED] for period, counts in cells.items()}
    return {period: counts[Verdict.KEPT] / counted[period] for period, counts in cells.items() if counted[period]}


def assert_agree(drive: Drive, now_ms: int) -> None:
    """Tally and report, side by side."""
    tally, report = drive.metrics.tally("hall"), drive.report(drive.view.day.date, now_ms=now_ms)
    assert tally.share_kept(drive.view, now_ms) == shares_of(report)
    tallied = {period: +counts for period, counts in by_period_of(tally.cells(drive.view, now_ms)).items()}
    reported = {period: +counts for period, counts in cells_of(report).items()}
    assert {period: counts for period, counts in tallied.items() if counts} == {
        period: counts for period, counts in reported.items() if counts
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(steps, st.sampled_from([0, 1, 120_000, 7_200_000]))
def test_gauges_equal_the_report(taken: list[tuple[str, int, str, str, int]], later_ms: int) -> None:
    """For any lawful history the gauges' counts and shares are the report's, now and at any later moment."""
    with TemporaryDirectory() as folder:
        database = empty_database(Path(folder))
        drive = Drive(database, start_ms=at(8, 30))
        drive.plan()
        drive.open("1", "2", "3")
        follow(drive, taken)
        assert_agree(drive, drive.clock.now_ms() + later_ms)
        assert_replay_agrees(drive)
        drive.send(c.OpenDay(), at_ms=at(24))
        assert_agree(drive, at(24, 5))
        database.close()


def assert_replay_agrees(drive: Drive) -> None:
    """A view loaded again after a restart folds the same events and comes to the same cells."""
    hall, tally = Hall("hall"), DayTally()
    for logged in drive.log:
        evolve(hall, logged)
        tally.fold(hall, logged)
        hall.drain()
    now_ms = drive.clock.now_ms()
    assert tally.cells(hall, now_ms) == drive.metrics.tally("hall").cells(drive.view, now_ms)


def test_an_undone_finish_is_taken_out_again(drive: Drive) -> None:
    """A finished ticket that an undo brings back is counted once, and again once when it is finished again."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), c.Start(ticket), at_ms=at(9, 1))
    drive.send(c.Finish(ticket), at_ms=at(9, 2))
    drive.send(c.Undo("1"), at_ms=at(9, 2, 15))
    assert not drive.refused
    assert_agree(drive, at(9, 3))
    drive.send(c.Finish(ticket), at_ms=at(9, 3))
    assert_agree(drive, at(9, 3))
    assert by_period_of(drive.metrics.tally("hall").cells(drive.view, at(9, 3)))["peak"][Verdict.KEPT] == 1


def test_a_carried_ticket_is_not_todays(drive: Drive) -> None:
    """A ticket served over midnight belongs to the day it was issued on and is not counted in the next."""
    ticket = drive.issue(at_ms=at(23, 59))
    drive.send(c.CallNext("1"), c.Start(ticket))
    drive.send(c.Finish(ticket), at_ms=at(24, 10))
    assert drive.metrics.tally("hall").cells(drive.view, at(24, 10)) == {}
    assert drive.report().rows[0].kept == 1


def test_what_cannot_be_undone_is_forgotten(drive: Drive) -> None:
    """The tally keeps settled tickets by name for as long as an undo may bring them back, and no longer."""
    for minute in range(30):
        ticket = drive.issue(at_ms=at(9, minute))
        drive.send(c.CallNext("1"), c.Start(ticket), c.Finish(ticket))
    tally = drive.metrics.tally("hall")
    counted = by_period_of(tally.cells(drive.view, at(10)))["peak"][Verdict.KEPT]
    assert len(tally._stands) == len(tally._gone) == len(tally._gone_at) == 1
    assert counted == 30
