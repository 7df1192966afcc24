"""The Prometheus page: what it counts, that promtool accepts it, and that no client can make it grow."""

import shutil
import subprocess
from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from metrics.gauges import Live, Storage, oldest_wait_ms
from metrics.node import outcome
from metrics.registry import HallMetrics
from models.vocabulary import AlertKind, Channel, CounterState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.engine import Commit
from queue_service.submission import Answer, Submission
from tests.metrics.driving import WAIT_BUCKETS, Drive, at
from tests.metrics.test_tally import shares_of

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def watched(drive: Drive) -> Drive:
    """The hall with its gauges shown, as of the drive's clock."""
    live = Live(
        halls=lambda: [drive.view],
        now_ms=drive.clock.now_ms,
        sockets=lambda: {"display": 3, "visitor": 0},
        skew_ms=lambda: -1500,
        ahead_ms=lambda: 300_000,
        scribe=lambda: True,
        ready=lambda: not drive.refused,
        storage=lambda: Storage(free_bytes=5_000_000_000, wal_bytes=4096),
    )
    drive.metrics.watch(live)
    return drive


def samples_of(metrics: HallMetrics) -> Samples:
    """Every sample of the page."""
    text = metrics.exposition()[0].decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample of the hall; None where there is none."""
    of_node = ("http", "queue_com", "queue_ref", "queue_ev", "queue_cl", "queue_ready", "queue_database")
    wanted = {} if name.startswith(of_node) else {"hall": "hall"}
    return samples.get((name, tuple(sorted((wanted | labels).items()))))


def lived(drive: Drive) -> Drive:
    """Some of everything."""
    watched(drive)
    first, second, third = (drive.issue("tax", at_ms=at(9, minute)) for minute in (0, 1, 2))
    for _ in range(3):
        drive.issue("land", at_ms=at(13))
    drive.send(c.CallNext("1"), at_ms=at(13))
    drive.send(c.Recall(first), c.Start(first))
    drive.send(c.Finish(first), at_ms=at(13, 5))
    drive.send(c.CallChosen("1", "asked", ticket=third), c.NoShow(third))
    drive.send(c.CallNext("2"), at_ms=at(13, 6))
    drive.send(c.Cancel(second), c.Finish("hall.none"), c.PauseCounter("3", "break"))
    drive.send(c.Backfill([c.PaperTicket("hall.p", "tax", at(9), called_at_ms=at(9, 1))], "outage"))
    drive.metrics.count_http("POST", "/v1/halls/{hall}/tickets", 201, 0.003)
    drive.metrics.count_http("BREW", "", 404, 0.001)
    return drive


def test_tickets_are_counted(drive: Drive) -> None:
    """Tickets by hall, service and channel; people turned away by reason; calls, recalls, no-shows, chosen calls."""
    found = samples_of(lived(drive).metrics)
    assert value(found, "queue_tickets_issued_total", service="tax", channel="kiosk") == 3
    assert value(found, "queue_tickets_issued_total", service="tax", channel="paper") == 1
    assert value(found, "queue_tickets_issued_total", service="land", channel="kiosk") == 2
    assert value(found, "queue_turned_away_total", service="land", reason="quota") == 1
    counted = ("calls", "chosen_calls", "recalls", "no_shows", "tickets_finished", "tickets_cancelled")
    assert [value(found, f"queue_{name}_total", service="tax") for name in counted] == [3, 1, 1, 1, 1, 1]


def test_the_promise_is_a_bucket(drive: Drive) -> None:
    """A wait of exactly the promise is in its bucket, a millisecond more is not."""
    for wait_ms in (120_000, 120_001, 600_000, 600_001):
        ticket = drive.issue(at_ms=drive.clock.now_ms())
        drive.send(c.CallNext("1"), at_ms=drive.clock.now_ms() + wait_ms)
        drive.send(c.Start(ticket), c.Finish(ticket))
    found = samples_of(drive.metrics)
    upto = [value(found, "queue_wait_seconds_bucket", service="tax", le=le) for le in ("120.0", "600.0", "+Inf")]
    assert upto == [1, 3, 4]
    assert value(found, "queue_wait_seconds_sum", service="tax") == pytest.approx(1440.002)


def test_service_times(drive: Drive) -> None:
    """A service is timed from its start to its finish, over a hand-over too."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), c.Start(ticket))
    drive.send(c.HandOver(ticket, "2"), at_ms=at(9, 1))
    drive.send(c.Finish(ticket), at_ms=at(9, 2))
    found = samples_of(drive.metrics)
    assert value(found, "queue_service_seconds_sum", service="tax") == 120
    assert value(found, "queue_service_seconds_count", service="tax") == 1


@pytest.mark.parametrize("undone", [False, True])
def test_an_implied_start_times_nothing(drive: Drive, undone: bool) -> None:
    """A service nobody said the start of is in no statistics, also when an earlier start was undone."""
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"))
    if undone:
        drive.send(c.Start(ticket))
        drive.send(c.Undo("1"))
    drive.send(c.CallNext("1", finish_current=True), at_ms=at(9, 5))
    found = samples_of(drive.metrics)
    assert value(found, "queue_tickets_finished_total", service="tax") == 1
    assert value(found, "queue_service_seconds_count", service="tax") is None


def test_gauges(drive: Drive) -> None:
    """What is so now: waiting, oldest wait, counters by state, the promise and the share kept."""
    found = samples_of(lived(drive).metrics)
    assert [value(found, "queue_waiting", service=name) for name in ("tax", "land")] == [0, 2]
    assert value(found, "queue_oldest_wait_seconds", service="land") == 360
    assert value(found, "queue_oldest_wait_seconds", service="tax") == 0
    states = {state.value: value(found, "queue_counters", state=state.value) for state in CounterState}
    assert states == {"closed": 0, "idle": 2, "called": 0, "serving": 0, "paused": 1}
    assert [value(found, "queue_promise_seconds", period=name) for name in ("peak", "off_peak")] == [600, 120]
    assert value(found, "queue_promise_share", period="peak") == 0.9
    assert value(found, "queue_clock_skew_seconds") == -1.5
    assert found["queue_scribe_up", ()] == 1
    assert value(found, "queue_clock_ahead_seconds") == 300
    assert found["queue_sockets", (("view", "display"),)] == 3


def test_what_the_hall_warns_of_is_seen_until_it_is_cleared(drive: Drive) -> None:
    """One for each kind that stands, acknowledged or not; 0 for every other kind."""
    watched(drive)
    drive.send(c.RaiseAlert("w1", AlertKind.SILENT_HALL), c.AcknowledgeAlert("w1", "li"))
    found = samples_of(drive.metrics)
    assert value(found, "queue_alerts", kind="silent_hall") == 1
    assert [value(found, "queue_alerts", kind=kind.value) for kind in AlertKind].count(0) == len(AlertKind) - 1
    drive.send(c.ClearAlert("w1"))
    assert value(samples_of(drive.metrics), "queue_alerts", kind="silent_hall") == 0


def test_a_clerk_who_could_call_somebody_is_seen(drive: Drive) -> None:
    """Counted as idle while waiting: open, free, able, and somebody in line; not when suspended, paused or unable."""
    watched(drive)
    idle = "queue_counters_idle_while_waiting"
    assert value(samples_of(drive.metrics), idle) == 0
    drive.issue("tax", at_ms=at(9))
    assert value(samples_of(drive.metrics), idle) == 3
    drive.send(c.PauseCounter("3", "break"))
    drive.send(c.CallNext("1"))
    drive.issue("tax", at_ms=at(9, 1))
    assert value(samples_of(drive.metrics), idle) == 1
    drive.send(c.Suspend("fire alarm", None))
    found = samples_of(drive.metrics)
    assert (value(found, idle), value(found, "queue_hall_open")) == (0, 0)


def test_when_a_hall_is_open_and_last_called(drive: Drive) -> None:
    """Opening hours, the promise made now, and the time of the last call are gauges; a recall is no call."""
    watched(drive)
    drive.plan(
        calendar={"opening": [{"start": "08:00", "end": "17:00"}], "peaks": [{"start": "09:00", "end": "11:00"}]}
    )
    found = samples_of(drive.metrics)
    assert [value(found, f"queue_{name}") for name in ("hall_open", "promise_now_seconds")] == [0, 120]
    assert value(found, "queue_last_call_timestamp_seconds") == 0
    ticket = drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), at_ms=at(9, 1))
    drive.send(c.Recall(ticket), at_ms=at(9, 2))
    found = samples_of(drive.metrics)
    assert [value(found, f"queue_{name}") for name in ("hall_open", "promise_now_seconds")] == [1, 600]
    assert value(found, "queue_last_call_timestamp_seconds") == at(9, 1) / 1000


def test_what_burn_is_made_of_never_falls_within_a_day(drive: Drive) -> None:
    """Counted tickets grow with the gauge; an undone call takes one from the gauge alone; midnight starts both over."""
    watched(drive)
    kept = {"period": "peak", "verdict": "kept"}
    drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"))
    assert value(samples_of(drive.metrics), "queue_promise_counted_total", **kept) == 1
    drive.send(c.Undo("1"))
    found = samples_of(drive.metrics)
    assert value(found, "queue_promise_tickets", **kept) == 0
    assert value(found, "queue_promise_counted_total", **kept) == 1
    drive.send(c.OpenDay(), at_ms=at(24))
    assert value(samples_of(drive.metrics), "queue_promise_counted_total", **kept) == 0


def test_the_node_says_how_it_is(drive: Drive) -> None:
    """Ready or not, room on the disk and the write-ahead log are gauges."""
    watched(drive)
    found = samples_of(drive.metrics)
    names = ("queue_ready", "queue_database_free_bytes", "queue_database_wal_bytes")
    assert [value(found, name) for name in names] == [1, 5e9, 4096]
    drive.send(c.Finish("hall.none"))
    assert value(samples_of(drive.metrics), "queue_ready") == 0


def test_the_share_is_the_reports(drive: Drive) -> None:
    """The gauge and the report say the same share, to the last digit; a period nobody was counted in has none."""
    watched(drive)
    assert value(samples_of(drive.metrics), "queue_share_kept", period="peak") is None
    for _ in range(3):
        drive.issue(at_ms=at(9))
    drive.send(c.CallNext("1"), at_ms=at(9, 9))
    drive.clock.set_ms(at(9, 11))
    found, report = samples_of(drive.metrics), drive.report()
    assert value(found, "queue_share_kept", period="peak") == shares_of(report)["peak"] == report.rows[0].share == 1 / 3
    assert value(found, "queue_promise_tickets", period="peak", verdict="missed") == 2


def test_the_oldest_wait_counts_earlier_legs_and_not_the_postponed(drive: Drive) -> None:
    """The oldest wait includes what was waited before a transfer; who postponed does not wait."""
    postponed, moved = drive.issue(at_ms=at(8)), drive.issue(at_ms=at(8, 30))
    drive.send(c.Postpone(postponed, 1_800_000), c.Transfer(moved, "land"), at_ms=at(9))
    assert oldest_wait_ms(drive.view, "tax", at(9, 10)) == 0
    assert oldest_wait_ms(drive.view, "land", at(9, 10)) == 40 * 60_000
    assert oldest_wait_ms(drive.view, "tax", at(9, 40)) == 70 * 60_000


def test_the_engine_is_counted(drive: Drive) -> None:
    """Commands by outcome, refusals by problem type, batch sizes, commit times, lag, requests by route template."""
    found = samples_of(lived(drive).metrics)
    assert value(found, "queue_commands_total", command="issue-ticket", outcome="done") == 5
    assert value(found, "queue_commands_total", command="issue-ticket", outcome="refused") == 1
    assert value(found, "queue_commands_total", command="finish", outcome="refused") == 1
    assert value(found, "queue_refusals_total", type="turned-away") == 1
    assert value(found, "queue_refusals_total", type="unknown-ticket") == 1
    assert value(found, "queue_commit_batch_size_count") == value(found, "queue_commit_seconds_count")
    assert value(found, "queue_event_lag_seconds_count") == value(found, "queue_commit_seconds_count")
    posted = {"method": "POST", "route": "/v1/halls/{hall}/tickets"}
    assert value(found, "http_requests_total", status="201", **posted) == 1
    assert value(found, "http_request_seconds_count", **posted) == 1


def submission(result: Answer | Exception | None, events: Iterable[object] = ()) -> Submission:
    """A submission with its result."""
    made = Submission("hall", c.CallNext("1"), "a", Channel.API, lambda *_: Answer(200), 0)
    made.result, made.events = result, list(events)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(
    ("result", "events", "expected"),
    [
        (Answer(200), ["one"], "done"),
        (Answer(204), [], "nothing"),
        (Answer(200, replayed=True), [], "replayed"),
        (errors.WrongState(), [], "refused"),
        (errors.Unavailable(), [], "undecided"),
        (errors.OutcomeUnknown(), [], "undecided"),
        (None, [], "undecided"),
        (ValueError(), [], "failed"),
    ],
)
def test_outcomes(result: Answer | Exception | None, events: list[object], expected: str) -> None:
    """What became of a command is one of six words."""
    assert outcome(submission(result, events)) == expected


def test_labels_are_bounded(drive: Drive) -> None:
    """Whatever clients send - halls, services, counters, tickets, reasons, methods, paths - no series is made of it."""
    lived(drive)
    _send_junk(drive, "junk-first")
    drive.send(c.Suspend("junk-reason"))
    before = set(samples_of(drive.metrics))
    for number in range(50):
        _send_junk(drive, f"junk-{number}")
    after = samples_of(drive.metrics)
    assert set(after) == before
    assert not [key for key in after if "junk" in str(key)]


def _send_junk(drive: Drive, junk: str) -> None:
    commands = (c.IssueTicket(junk, junk), c.Finish(junk), c.CallNext(junk), c.Suspend(junk, junk))
    drive.send(*commands)
    to_no_hall = [Submission(junk, one, junk, Channel.API, lambda *_: Answer(200), 0) for one in commands]
    for one in to_no_hall:
        one.result = errors.UnknownHall()
    drive.metrics.observe(Commit(to_no_hall, [], 0.001, 0.0))
    drive.metrics.count_http(junk, "", 404, 0.001)


def test_history_is_not_counted_as_today(drive: Drive) -> None:
    """Imported tickets of past days are no tickets issued now."""
    before = set(samples_of(drive.metrics))
    recorded = c.RecordedTicket("hall.h1", "X1", "tax", at(9) - 86_400_000, at(10) - 86_400_000, {})
    drive.send(c.RecordHistory([recorded]))
    new = {name for name, _ in set(samples_of(drive.metrics)) - before}
    assert new == {"queue_commands_total"}


def test_two_nodes_in_one_process_do_not_meet() -> None:
    """Nothing is registered globally."""
    one, other = HallMetrics(WAIT_BUCKETS), HallMetrics(WAIT_BUCKETS)
    one.count_http("GET", "/healthz", 200, 0.001)
    assert b"/healthz" in one.exposition()[0]
    assert b"/healthz" not in other.exposition()[0]


def test_promtool_accepts_the_page(drive: Drive) -> None:
    """`promtool check metrics` has nothing to say against the page."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    page, media_type = lived(drive).metrics.exposition()
    assert media_type.startswith("text/plain")
    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False, timeout=30)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
