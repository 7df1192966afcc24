"""The report against an independent, brute-force definition of the design's section 6, over random lawful days.

The days cross midnight and both changes of the clock; suspensions, undone commands, carried tickets, paper and changed
plans are among what happens (`histories`). What the definition is stands in `definition`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from metrics.breakdown import Row, Scope, parse_by
from metrics.integrity import Finding, IntegrityFigure
from metrics.report import Report, promise_report
from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.domain.rules.table import TABLE
from tests.metrics.definition import History, Visit, duty, grouped, served
from tests.metrics.driving import Drive, at, empty_database, plan_document
from tests.metrics.histories import STEPS, command_of
from tests.model import days

SPRING_MS, AUTUMN_MS = 1_774_742_400_000, 1_792_886_400_000
"""2026-03-29 and 2026-10-25, 01:00 in Warsaw: an hour later the clock is put on, two hours later back."""
BEGINNINGS = [("Asia/Shanghai", at(8, 50)), ("Asia/Shanghai", at(23, 40)),
              ("Europe/Warsaw", SPRING_MS), ("Europe/Warsaw", AUTUMN_MS)]  # fmt: skip
EVERY_DAY = list(days.WEEKDAYS)
CALENDAR = {
    "opening": [{"days": EVERY_DAY, "start": "01:30", "end": "09:30"}, {"days": EVERY_DAY, "start": "10:00",
                                                                      "end": "23:50"}],
    "peaks": [{"days": EVERY_DAY, "start": start, "end": end}
              for start, end in (("01:00", "02:15"), ("09:00", "09:40"), ("23:30", "23:55"))],
}  # fmt: skip
ALL = (
    *STEPS, "call", "finish and call", "finish and call", "choose", "pause", "pause after", "go on", "go on", "close",
    "open", "open", "open", "hand over", "hand over",
)  # fmt: skip
LATER_MS = (1, 999, 20_000, 60_000, 60_000, 120_000, 300_000, 700_000)
taken = st.lists(
    st.tuples(
        st.sampled_from(ALL), st.integers(0, 50), st.sampled_from("123"), st.sampled_from(["tax", "land"]),
        st.sampled_from(LATER_MS),
    ),
    min_size=40,
    max_size=110,
)  # fmt: skip
Step = tuple[str, int, str, str, int]


def document(zone: str, **changes: Any) -> dict[str, Any]:
    """The driven hall with zones, labels and hours that a short history meets."""
    return plan_document(
        time_zone=zone,
        calendar=CALENDAR,
        zones=[{"id": "east", "name": "东"}, {"id": "west", "name": "西"}],
        services=[
            {"id": "tax", "name": "税务", "prefix": "A", "department": "finance", "zone": "east", "group": "money"},
            {"id": "land", "name": "land", "prefix": "B", "zone": "west", "group": "money"},
        ],
        **changes,
    )


@contextmanager
def lived(zone: str, start_ms: int, steps: Sequence[Step]) -> Iterator[Drive]:
    """A hall that lived through these steps."""
    with TemporaryDirectory() as folder:
        database = empty_database(Path(folder))
        drive = Drive(database, start_ms=start_ms)
        drive.send(c.PutPlan(document(zone)))
        drive.open("1", "2", "3")
        for number, step in enumerate(steps):
            drive.clock.set_ms(drive.clock.now_ms() + step[4])
            take(drive, number, *step[:4])
        yield drive
        database.close()


def take(drive: Drive, number: int, verb: str, which: int, counter: str, service: str) -> None:
    """One step; the rules refuse what does not fit."""
    if verb in ("issue", "expect"):
        drive.issue(service, channel=Channel.WEB if verb == "expect" else Channel.KIOSK)
        return
    verb, kind = ("hand over", "hand-over") if verb == "hand over" else (verb, verb.split(maxsplit=1)[0])
    tickets = [one.id for one in drive.view.tickets.values() if (one.state, kind) in TABLE]
    ticket = tickets[which % len(tickets)] if tickets else "hall.none"
    waiting = [one.id for one in drive.view.waiting()]
    more: dict[str, c.Command] = {
        "choose": c.CallChosen(counter, "urgent", waiting[which % len(waiting)] if waiting else "hall.none"),
        "pause": c.PauseCounter(counter, "break"),
        "pause after": c.PauseCounter(counter, "break", after_current=True),
        "go on": c.ResumeCounter(counter),
        "close": c.CloseCounter(counter),
        "open": c.OpenCounter(counter, f"clerk-{counter}"),
        "hand over": c.HandOver(ticket, counter),
        "plan": c.PutPlan(document(drive.view.rules.calendar.time_zone,
                                   promise={"peak": {"promise_s": (600, 300)[number % 2]}})),
    }  # fmt: skip
    drive.send(more[verb] if verb in more else command_of(verb, ticket, counter, service, number, drive))


def reported(drive: Drive, by: str | None, now_ms: int) -> tuple[Report, History]:
    """The report over all days of a drive, and the same history by the definition."""
    zone = drive.view.rules.calendar.time_zone
    first, last = (days.local_date({"time_zone": zone}, ms) for ms in (drive.log[0].at_ms, now_ms))

    def read(connection: Connection) -> Report:
        return promise_report(connection, drive.view.rules, first, last, now_ms, parse_by(by))

    return drive.database.read(read), History(drive.log, dict(drive.view.rules.document), now_ms)


BY = "day,week,month,zone,service,department,group,period,zone.day,service.period,service.week"
LABELS = {"tax": ("east", "finance", "money"), "land": ("west", None, "money")}


def belongs(row: Row, visit: Visit) -> bool:
    """Whether a ticket is of a row's part of the report."""
    service = visit.waits[0].service
    place = dict(zip(("zone", "department", "group"), LABELS[service], strict=True))
    place |= {"service": service, "day": visit.day, "month": visit.day[:7]}
    same = all(getattr(row, name) in (None, value) for name, value in place.items())
    if row.scope == Scope.DEPARTMENT and row.department is None:
        same = same and place["department"] is None
    by_promise = row.scope in (Scope.PERIOD, Scope.SERVICE) or (row.scope == Scope.CROSS and not _apart(row))
    if by_promise and row.period is not None:
        same = same and visit.promise == (row.period.value, round((row.promise_s or 0) * 1000), row.percentile)
    return same and row.week in (None, week(visit.day))


def _apart(row: Row) -> bool:
    """Whether a cross is of other dimensions than the promise."""
    return row.day is not None or row.week is not None


def week(day: str) -> str:
    """The ISO week: that of the week's Thursday."""
    one = date.fromisoformat(day)
    thursday = one + timedelta(days=3 - one.weekday())
    return f"{thursday.year}-W{(thursday - date(thursday.year, 1, 1)).days // 7 + 1:02d}"


def assert_rows(report: Report, history: History) -> None:
    """Every figure of every row, counted by hand; and the rows of each scope hold everyone once."""
    visits = history.came()
    for row in report.rows:
        expected = history.figures([visit for visit in visits if belongs(row, visit)])
        for name, value in expected.items():
            assert getattr(row, name) == pytest.approx(value, abs=1e-12, nan_ok=True), (row.scope, name)
    for scope in {row.scope for row in report.rows} - {Scope.CROSS}:
        cells = ("kept", "missed", "open", "left", "apart")
        assert sum(getattr(row, cell) for row in report.rows if row.scope == scope for cell in cells) == len(visits)


def assert_counters(report: Report, history: History) -> None:
    """Open, paused and serving time and what was served, counter by counter."""
    start = days.start_ms(history.plan, report.from_day)
    open_ms, busy = duty(history, start, days.end_ms(history.plan, report.to_day)), served(history)
    found = {one.counter: one for one in report.counters}
    for counter in found.keys() | busy.keys() | {name for name, times in open_ms.items() if any(times)}:
        one, times, work = found[counter], open_ms.get(counter, [0, 0]), busy.get(counter)
        assert [one.open_s, one.paused_s] == [times[0] / 1000, times[1] / 1000], counter
        work = work or dict.fromkeys(("calls", "finished", "serving", "called"), 0)
        assert (one.calls, one.finished) == (work["calls"], work["finished"])
        assert [one.serving_s, one.called_s] == [work["serving"] / 1000, work["called"] / 1000]
        assert one.utilisation == (pytest.approx(work["serving"] / times[0]) if times[0] else None)
        hours = [hour for hour in report.counter_hours if hour.counter == counter]
        assert sum(round((hour.open_s or 0) * 1000) for hour in hours) == times[0]
        assert sum(round((hour.serving_s or 0) * 1000) for hour in hours) == work["serving"]
        assert sum(hour.finished for hour in hours) == work["finished"]


def assert_integrity(report: Report, history: History) -> None:
    """Each finding, counted by hand."""
    found = {one.finding: one for one in report.integrity}
    visits, log = history.came(), history.log
    turns = [turn for visit in visits if visit.apart != "backfilled" for turn in visit.turns]
    undone = {told.data["command_seq"] for told in log if told.kind == "command_undone"}
    called = [told for told in log if told.kind == "ticket_called" and told.data["chosen"] is not None]
    chosen = [told for told in called if told.command not in undone]
    assert [one.undone for one in report.chosen_calls] == [told.command in undone for told in called]
    expected = {
        Finding.CHOSEN_CALLS: len(chosen),
        Finding.PARKED_WITHIN_A_MINUTE: sum(
            turn.outcome == "parked" and (turn.ended or 0) - turn.called <= 60_000 for turn in turns
        ),
        Finding.NO_SHOWS_WITHIN_PROMISE: sum(_passed_over(history, visit) for visit in visits),
        Finding.IMPLIED_STARTS: sum(turn.implied for turn in turns),
        Finding.BACKFILLS: sum(visit.apart == "backfilled" for visit in visits),
        Finding.UNDONE_COMMANDS: sum(told.kind == "command_undone" for told in log),
        Finding.PLAN_CHANGES: sum(told.kind == "plan_changed" for told in log),
        Finding.SUSPENSIONS: sum(told.kind == "suspended" for told in log),
    }
    assert {finding: one.count for finding, one in found.items()} == expected
    assert found[Finding.CHOSEN_CALLS].overtaken == sum(told.data["overtaken"] for told in chosen)
    assert_suspended(found[Finding.SUSPENSIONS], history)
    for one in report.integrity:
        assert sum(at_counter.count for at_counter in one.counters) <= one.count
        parts = [(one.count, one.of), *((at_counter.count, at_counter.of) for at_counter in one.counters)]
        assert all(of is None or count <= of for count, of in parts)


def _passed_over(history: History, visit: Visit) -> bool:
    within = visit.promise is not None and history.waited(visit) <= visit.promise[1]
    return visit.state == "no_show" and visit.apart != "backfilled" and within


def assert_suspended(one: IntegrityFigure, history: History) -> None:
    """How long suspensions lasted, each by itself."""
    since: dict[str | None, int] = {}
    total = 0
    for told in history.log:
        if told.kind == "suspended":
            since[told.data["service"]] = told.at
        elif told.kind == "resumed":
            total += told.at - since.pop(told.data["service"])
    assert one.total_s == (total + sum(history.now - begun for begun in since.values())) / 1000


def assert_course(report: Report, history: History) -> None:
    """Who came in each half-hour of the hall's wall clock, and how long those waited who are counted."""
    zone = ZoneInfo(history.plan["time_zone"])

    def half_hour(visit: Visit) -> str:
        local = datetime.fromtimestamp(visit.waits[0].since / 1000, zone)
        return f"{local.hour:02d}:{local.minute // 30 * 30:02d}"

    by_time = grouped(history.came(), half_hour)
    assert {one.at: one.came for one in report.course if one.came} == {at_: len(v) for at_, v in by_time.items()}
    for one in report.course:
        expected = history.figures(by_time.get(one.at, []))
        for name in ("counted", "share", "mean_s", "p50_s", "p90_s", "max_s"):
            assert getattr(one, name) == expected[name], (one.at, name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(st.sampled_from(BEGINNINGS), taken, st.sampled_from([0, 1, 120_000, 7_200_000]))
def test_the_report_is_the_definition(beginning: tuple[str, int], steps: list[Step], later_ms: int) -> None:
    """For any lawful days every figure of every row, of the counters, of the course of the day and of the integrity
    page is what the design's words say, read straight from the log; now and at any later moment."""
    with lived(*beginning, steps) as drive:
        report, history = reported(drive, BY, drive.clock.now_ms() + later_ms)
        assert_rows(report, history)
        assert_counters(report, history)
        assert_integrity(report, history)
        assert_course(report, history)
