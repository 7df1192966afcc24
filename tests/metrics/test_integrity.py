"""The integrity page: what is counted of the ways in which a figure can be made to look good."""

from metrics.catalogue import Language
from metrics.integrity import Finding, IntegrityFigure
from metrics.names import Names
from metrics.rendering.text import as_text
from metrics.report import Report
from queue_service.domain import commands as c
from tests.metrics.driving import Drive, at


def _chosen(report: Report) -> IntegrityFigure:
    return next(one for one in report.integrity if one.finding == Finding.CHOSEN_CALLS)


def test_a_chosen_call_that_was_undone_is_told_and_not_counted(drive: Drive) -> None:
    """It did not stand: nobody was overtaken by it, and what is counted never exceeds the calls."""
    drive.issue("tax", at_ms=at(9))
    second = drive.issue("tax")
    drive.send(c.CallChosen("1", "urgent", ticket=second), at_ms=at(9, 1))
    drive.send(c.Undo("1"))
    assert [(one.number, one.overtaken, one.undone) for one in drive.report().chosen_calls] == [("A002", 1, True)]
    nothing = _chosen(drive.report())
    assert (nothing.count, nothing.of, nothing.share, nothing.overtaken, nothing.counters) == (0, 0, None, 0, [])
    drive.send(c.CallChosen("1", "urgent", ticket=second))
    drive.send(c.CallNext("2"), at_ms=at(9, 2))
    assert [one.undone for one in drive.report().chosen_calls] == [True, False]
    text = as_text(drive.report(), Names(drive.view.rules, Language.EN))
    assert [line.split()[-1] for line in text.splitlines() if "urgent" in line] == ["yes", "no"]
    standing = _chosen(drive.report())
    assert (standing.count, standing.of, standing.share, standing.overtaken) == (1, 2, 0.5, 1)


def test_a_chosen_call_is_of_the_counter_that_made_it(drive: Drive) -> None:
    """Also where the ticket was handed over, or is of the day before."""
    ticket = drive.issue("tax", at_ms=at(9))
    drive.send(c.CallChosen("1", "urgent", ticket=ticket), at_ms=at(9, 1))
    drive.send(c.Start(ticket), c.HandOver(ticket, "2"), at_ms=at(9, 2))
    assert [(one.counter, one.count, one.of) for one in _chosen(drive.report()).counters] == [("1", 1, 1)]
    drive.send(c.Requeue(ticket), at_ms=at(24, 1))
    drive.send(c.CallChosen("3", "urgent", ticket=ticket))
    tuesday = _chosen(drive.report("2026-03-03"))
    assert (tuesday.count, tuesday.of) == (1, 1)
    assert [(one.counter, one.count, one.of) for one in tuesday.counters] == [("3", 1, 1)]
