"""The promise report read from real tables: against a plain definition, and on days lived through the real rules."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from metrics.catalogue import Language
from metrics.names import Names
from metrics.rendering import as_csv, as_json
from metrics.rendering.text import as_text
from metrics.report import Report, Row, Scope, promise_report
from models.vocabulary import Channel, LegOutcome
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.plan import Plan
from queue_service.journal import LEG, TICKET
from tests.metrics.driving import DAY, Drive, at, empty_database, plan_document

NOW_MS = at(12)
PLAN = Plan.from_document(plan_document())


@dataclass(frozen=True)
class Visit:
    """A visitor's day in plain words: which waits, and how the last of them ended ("called", "waits", ...)."""

    service: str
    issued_ms: int
    waits_ms: tuple[int, ...]
    end: str
    apart: str | None


ENDS = ("called", "no_show", "cancelled", "parked", "cancelled in line", "waits", "expired")

visits = st.builds(
    Visit,
    service=st.sampled_from(["tax", "land"]),
    issued_ms=st.integers(at(8), at(10)),
    waits_ms=st.lists(st.sampled_from([0, 1, 59_999, 60_000, 60_001, 120_000, 120_001, 540_000, 600_000, 4_516_789]),
                      min_size=1, max_size=3).map(tuple),
    end=st.sampled_from(ENDS),
    apart=st.sampled_from([None, None, None, "backfilled", "suspended"]),
)  # fmt: skip


def promise_of(visit: Visit) -> tuple[str, int]:
    """Peak is from 9 to 11."""
    return ("peak", 600_000) if at(9) <= visit.issued_ms < at(11) else ("off_peak", 120_000)


def wait_of(visit: Visit) -> int:
    """All waits together; whoever still waits has waited on until now."""
    if visit.end == "waits":
        return sum(visit.waits_ms[:-1]) + NOW_MS - since_of(visit)
    return sum(visit.waits_ms)


def since_of(visit: Visit) -> int:
    """When the last wait began: each earlier one was followed by a minute at a counter."""
    return visit.issued_ms + sum(wait_ms + 60_000 for wait_ms in visit.waits_ms[:-1])


def cell_of(visit: Visit) -> str:
    """The definition of DESIGN section 6, in its own order of words."""
    if visit.apart:
        return "apart"
    if wait_of(visit) > promise_of(visit)[1]:
        return "missed"
    return {"called": "kept", "parked": "kept", "waits": "open"}.get(visit.end, "left")


def rows_of(number: int, visit: Visit) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The visit as the tables hold it."""
    states = {"called": "finished", "cancelled in line": "cancelled", "waits": "waiting"}
    period, promise_ms = promise_of(visit)
    ticket = {
        "id": f"hall.{number}", "hall": "hall", "day": DAY, "number": f"A{number:03d}", "service": visit.service,
        "priority": "normal", "channel": "kiosk", "items": 1, "state": states.get(visit.end, visit.end),
        "issued_at_ms": visit.issued_ms, "period": period, "promise_ms": promise_ms, "percentile": 90,
        "apart": visit.apart, "last_seq": number,
    }  # fmt: skip
    legs, since_ms = [], visit.issued_ms
    for at_leg, wait_ms in enumerate(visit.waits_ms):
        last = at_leg == len(visit.waits_ms) - 1
        called = not last or visit.end in ("called", "no_show", "cancelled", "parked")
        outcome = states.get(visit.end, visit.end) if last else LegOutcome.TRANSFERRED
        running = last and visit.end == "waits"
        legs.append({
            "ticket": ticket["id"], "leg": at_leg + 1, "hall": "hall", "day": DAY, "service": visit.service,
            "priority": "normal", "waiting_since_ms": since_ms, "recalls": 0, "start_implied": 0,
            "called_at_ms": since_ms + wait_ms if called else None, "counter": "1" if called else None,
            "waited_ms": None if running else wait_ms, "outcome": None if running else outcome,
            "ended_at_ms": None if running else since_ms + wait_ms + 60_000, "started_at_ms": None, "clerk": "c",
        })  # fmt: skip
        since_ms += wait_ms + 60_000
    return ticket, legs


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples."""
    made = empty_database(tmp_path_factory.mktemp("report"))
    yield made
    made.close()


def reported(database: Database, told: list[Visit]) -> Report:
    """The report over tables that hold exactly these visits."""
    with database.write() as connection:
        connection.execute(delete(LEG))
        connection.execute(delete(TICKET))
        for number, visit in enumerate(told, start=1):
            ticket, legs = rows_of(number, visit)
            connection.execute(insert(TICKET), ticket)
            connection.execute(insert(LEG), legs)
    return database.read(lambda connection: promise_report(connection, PLAN, DAY, DAY, NOW_MS))


def ranked(waits_ms: list[int], percentile: int) -> float | None:
    """Nearest rank, in seconds, straight from its definition."""
    return sorted(waits_ms)[max(1, ceil(percentile * len(waits_ms) / 100)) - 1] / 1000 if waits_ms else None


def assert_row(row: Row, told: list[Visit]) -> None:
    """Every figure of a row, counted by hand."""
    cells = [cell_of(visit) for visit in told]
    for cell in ("kept", "missed", "open", "left", "apart"):
        assert getattr(row, cell) == cells.count(cell), cell
    counted = [wait_of(visit) for visit, cell in zip(told, cells, strict=True) if cell in ("kept", "missed")]
    assert row.counted == len(counted)
    assert row.share == (cells.count("kept") / len(counted) if counted else None)
    assert [row.p50_s, row.p90_s, row.p95_s, row.max_s] == [ranked(counted, p) for p in (50, 90, 95, 100)]
    assert row.mean_s == (round(sum(counted) / len(counted) + 1e-9) / 1000 if counted else None)
    ended_in_call = ("called", "parked", "no_show", "cancelled")
    called = [visit for visit in told if visit.end in ended_in_call and not visit.apart]
    within = [visit for visit in called if wait_of(visit) <= promise_of(visit)[1]]
    assert (row.called, row.called_within) == (len(called), len(within))
    assert row.called_max_s == ranked([wait_of(visit) for visit in called], 100)


@settings(max_examples=60, deadline=None, print_blob=True)
@given(told=st.lists(visits, max_size=12))
def test_the_report_equals_the_definition(database: Database, told: list[Visit]) -> None:
    """On any day the report's figures are those of the definition, in total and for each promise and service."""
    report = reported(database, told)
    for row in report.rows:
        here = [visit for visit in told if row.service in (None, visit.service)]
        here = [visit for visit in here if row.period in (None, promise_of(visit)[0])]
        assert_row(row, here)
        if row.promise_s is not None and row.counted:
            assert row.met == (row.p90_s is not None and row.p90_s <= row.promise_s)
    assert {why.value: count for why, count in report.apart.items()} == {
        why: sum(visit.apart == why for visit in told) for why in ("backfilled", "suspended", "training")
    }


def rows(report: Report, scope: Scope) -> list[Row]:
    """The rows of one scope."""
    return [row for row in report.rows if row.scope == scope]


def test_those_still_waiting_are_counted(drive: Drive) -> None:
    """FIELD's mistake 11 the other way round: the norm is used, also on people who were never called."""
    drive.issue(at_ms=at(9))
    total = drive.report(now_ms=at(9, 10)).rows[0]
    assert (total.open, total.counted, total.met) == (1, 0, None)
    total = drive.report(now_ms=at(9, 10, ms=1)).rows[0]
    assert (total.missed, total.max_s, total.share, total.met, total.called) == (1, 600.001, 0.0, False, 0)


def test_a_past_day_is_judged_at_its_end(drive: Drive) -> None:
    """The report of a day that is over never changes again, though a ticket of that day is still being served."""
    drive.issue(at_ms=at(9))
    carried = drive.issue(at_ms=at(23, 58))
    drive.send(c.CallChosen("1", "asked", ticket=carried), c.Start(carried), at_ms=at(23, 59))
    last = drive.report(now_ms=at(24))
    drive.send(c.Requeue(carried), at_ms=at(33))
    drive.send(c.Cancel(carried), at_ms=at(40))
    assert not drive.refused
    assert drive.report().rows == last.rows
    assert drive.report().judged_at == last.judged_at == "2026-03-02T16:00:00.000Z"
    assert (last.rows[0].kept, last.rows[0].missed, last.rows[0].max_s) == (1, 1, 54_000.0)


def test_a_plan_change_shows(drive: Drive) -> None:
    """A promise changed within the day gives rows of its own and is named with its time; both must be met."""
    for hour in (9, 10):
        ticket = drive.issue(at_ms=at(hour))
        drive.send(c.CallNext("1", finish_current=True), c.Start(ticket), at_ms=at(hour, 8))
        drive.plan(promise={"peak": {"promise_s": 300}})
    report = drive.report()
    assert [(row.promise_s, row.met) for row in rows(report, Scope.PERIOD)] == [(300.0, False), (600.0, True)]
    assert (report.rows[0].promise_s, report.rows[0].met) == (None, False)
    assert [(change.at, change.version) for change in report.plan_changes] == [
        ("2026-03-01T16:00:00.000Z", 1),
        ("2026-03-02T01:08:00.000Z", 2),
    ]


def test_people_turned_away_are_shown(drive: Drive) -> None:
    """A promise kept by refusing people shows it: by service and reason, and in the rows of their hour."""
    for minute in range(4):
        drive.issue("land", at_ms=at(13, minute))
    drive.send(c.Suspend("fire alarm", turn_away=True))
    drive.issue("tax", at_ms=at(14))
    report = drive.report()
    assert [(one.service, one.reason.value, one.count) for one in report.turned_away] == [
        ("land", "quota", 2),
        ("tax", "suspended", 1),
    ]
    found = [(row.service, row.period, row.turned_away) for row in rows(report, Scope.SERVICE)]
    assert found == [("tax", "off_peak", 1), ("land", "off_peak", 2)]
    assert report.rows[0].turned_away == 3


def test_what_is_beside_the_verdict(drive: Drive) -> None:
    """Tickets apart, those not checked in, and chosen calls with the number they overtook are told."""
    drive.issue("tax", at_ms=at(9), channel=Channel.WEB)
    drive.issue("tax", at_ms=at(9))
    chosen = drive.issue("tax", at_ms=at(9, 1))
    reason = 'a "chosen":null one'  # as the log spells a call in order, and yet it is none
    drive.send(c.CallChosen("1", reason, ticket=chosen), at_ms=at(9, 2))
    drive.send(c.Backfill([c.PaperTicket("hall.p", "tax", at(9), called_at_ms=at(9, 1))], "outage"))
    drive.issue("land")
    drive.send(c.CallNext("2"))
    drive.issue("land")
    drive.send(c.Suspend("fire alarm"))
    report = drive.report()
    assert report.not_checked_in == 1
    assert {why.value: count for why, count in report.apart.items() if count} == {"backfilled": 1, "suspended": 2}
    assert [(one.number, one.reason, one.overtaken) for one in report.chosen_calls] == [("A003", reason, 1)]


def test_a_range_of_days(drive: Drive) -> None:
    """Over several days there is a row for each day, and the others take the days together."""
    for day in range(3):
        ticket = drive.issue(at_ms=at(24 * day + 9))
        drive.send(c.CallNext("1"), c.Start(ticket), c.Finish(ticket), at_ms=at(24 * day + 9, day * 8))
    report = drive.report(DAY, "2026-03-04")
    assert [(row.day, row.kept, row.missed) for row in rows(report, Scope.DAY)] == [
        ("2026-03-02", 1, 0),
        ("2026-03-03", 1, 0),
        ("2026-03-04", 0, 1),
    ]
    assert [(row.counted, row.mean_s, row.p90_s) for row in rows(report, Scope.PERIOD)] == [(3, 480.0, 960.0)]


def test_history_is_judged_as_it_was_recorded(drive: Drive) -> None:
    """Imported tickets are judged by their own recorded times; those never called waited until their day's end."""
    day_before = at(9) - 86_400_000
    recorded = [
        c.RecordedTicket("hall.h1", "X1", "tax", day_before, day_before + 4_516_789, {}),
        c.RecordedTicket("hall.h2", "X2", "tax", day_before, day_before + 600_000, {}),
        c.RecordedTicket("hall.h3", "X3", "tax", day_before, None, {}),
    ]
    drive.send(c.RecordHistory(recorded))
    total = drive.report("2026-03-01").rows[0]
    assert (total.called, total.called_within, total.called_max_s) == (3 - 1, 0, 4516.789)
    assert (total.missed, total.max_s) == (3, 54_000.0)


def test_legs_are_beside_the_verdict(drive: Drive) -> None:
    """Per leg, each wait counts for the service, department and counter of its own call."""
    ticket = drive.issue("tax", at_ms=at(9))
    drive.send(c.CallNext("1"), c.Start(ticket), at_ms=at(9, 1))
    drive.send(c.Transfer(ticket, "land"), at_ms=at(9, 5))
    drive.send(c.CallNext("2"), at_ms=at(9, 7))
    drive.send(c.Start(ticket), at_ms=at(9, 8))
    drive.send(c.Finish(ticket), at_ms=at(9, 18))
    report = drive.report()
    assert [(one.by.value, one.name, one.calls, one.mean_s, one.mean_service_s) for one in report.legs] == [
        ("service", "land", 1, 120.0, 600.0),
        ("service", "tax", 1, 60.0, None),
        ("counter", "1", 1, 60.0, None),
        ("counter", "2", 1, 120.0, 600.0),
        ("department", "finance", 1, 60.0, None),
    ]
    assert [(row.service, row.max_s) for row in rows(report, Scope.SERVICE)] == [("tax", 180.0)]


def test_the_opening_clock_is_the_plans(tmp_path: Path) -> None:
    """Where the plan's wait clock stops outside opening hours, a running wait does too."""
    database = empty_database(tmp_path)
    drive = Drive(database)
    drive.plan(calendar={"opening": [{"start": "08:00", "end": "12:00"}, {"start": "14:00", "end": "17:00"}],
                         "wait_clock": "opening"})  # fmt: skip
    drive.issue(at_ms=at(11, 59))
    assert drive.report(now_ms=at(14, 2)).rows[0].max_s == 180.0
    database.close()


def test_the_same_fields_everywhere(drive: Drive) -> None:
    """JSON, CSV and text tell the same rows under the same names."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), c.Start(ticket), at_ms=at(9, 10, ms=1))
    drive.issue("land", at_ms=at(13))
    report = drive.report(now_ms=at(15))
    document = as_json(report)
    assert json.loads(report.model_dump_json()) == document
    lines = list(csv.DictReader(io.StringIO(as_csv(report))))
    spelt = [{name: _spelt(value) for name, value in row.items()} for row in document["rows"]]
    place = {"hall": "hall", "from_day": DAY, "to_day": DAY}
    assert lines == [{**place, **row} for row in spelt]
    text = as_text(report, Names(drive.view.rules, Language.EN))
    assert "大厅 (hall), 2026-03-02" in text
    assert "Judged as of 2026-03-02 15:00:00, Asia/Shanghai" in text
    assert {"10:01", "2:00:00", "no", "税务"} <= set(text.split())


def _spelt(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_an_unknown_hall_or_an_empty_day_is_an_empty_report(database: Database) -> None:
    """Where nothing happened there is a total of nothing."""
    report = reported(database, [])
    assert [(row.scope, row.counted, row.met) for row in report.rows] == [(Scope.TOTAL, 0, None)]
