"""`queue-service demo`: a hall full of people within seconds, through the public API alone; it ends when it is told."""

import re
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api import answers
from api.cli.demo import sample_plan, start_ms
from api.cli.plans import open_database, read_plan, run_command
from queue_service.clock import JUMP_MS, ClockGuard, FastClock, HandClock, SystemClock
from queue_service.domain import commands as c
from queue_service.domain.calendar import local_date
from queue_service.domain.plan import Plan
from tests.house.checkout import ROOT
from tests.running import QUEUE_SERVICE, WAIT_S, command_line, database_url, start_node, until

LAST_LINE = re.compile(r"(\d+) minutes of the hall: (\d+) tickets, (\d+) calls, (\d+) served, .*\.$", re.MULTILINE)


def test_half_an_hour_of_the_hall(tmp_path: Path) -> None:
    """Visitors come, are called and served, in the hall's own time; it says so every quarter of an hour, ends by itself
    with a line, and keeps what happened where it is asked to."""
    folder = ("--database-url", database_url(tmp_path))
    done = command_line("demo", "--minutes", "40", "--speed", "700", "--port", "0", "--seed", "7", *folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Serving at http://127.0.0.1:" in done.stdout
    lines = re.findall(r"^\w{3} (\S+ \d\d:\d\d)  waiting \d+, oldest \d+:\d\d; counters: ", done.stdout, re.MULTILINE)
    times = [datetime.fromisoformat(moment) for moment in lines]
    assert len(times) >= 2
    assert times == sorted(times)
    last = LAST_LINE.search(done.stdout)
    assert last is not None, done.stdout
    minutes, tickets, calls, served = map(int, last.groups())
    assert minutes >= 40
    assert tickets > 0
    assert calls >= served > 0
    with closing(sqlite3.connect(tmp_path / "queue.db")) as kept:
        assert kept.execute("SELECT count(*) FROM ticket WHERE state = 'finished'").fetchone()[0] > 0


def test_ctrl_c_ends_it_with_one_line(tmp_path: Path) -> None:
    """Somebody watches the table and presses Ctrl-C: the last line says what happened, and nothing is a fault."""
    node = start_node(tmp_path, "--speed", "300", command=(*QUEUE_SERVICE, "demo"), FORCE_COLOR="1")
    until(lambda: "居民身份证" in node.log, "the table is shown")
    node.process.send_signal(signal.SIGINT)
    assert node.process.wait(WAIT_S) == 0
    assert "Traceback" not in node.log
    assert LAST_LINE.search(node.log)


def test_the_same_database_again_is_the_next_working_day(tmp_path: Path) -> None:
    """Time never runs backwards in a log: a demonstration begins after whatever the database knows."""
    plan = Plan.from_document(read_plan(sample_plan()).model_dump(mode="json"))
    new_ms = start_ms(plan, database_url(tmp_path))
    clock = HandClock(new_ms + 86_400_000)
    database = open_database(database_url(tmp_path))
    run_command(database, plan.id, c.PutPlan(plan.document), answers.planned, clock)
    database.close()
    again_ms = start_ms(plan, database_url(tmp_path))
    assert again_ms > clock.now_ms()
    assert local_date(again_ms, plan.calendar.time_zone) > local_date(clock.now_ms(), plan.calendar.time_zone)


def test_the_sample_plan_is_the_one_of_the_checkout() -> None:
    """An installed wheel brings its own copy, which `.ci/run` tries."""
    assert sample_plan() == ROOT / "deploy/halls/fengxian.toml"


def test_a_fast_clock_runs_at_its_pace() -> None:
    """An hour a second for the hall; deadlines go by real time all the same."""
    real, clock = SystemClock(), FastClock(SystemClock().now_ms(), 3_600)
    until(lambda: clock.now_ms() - real.now_ms() > 2 * JUMP_MS, "it is far ahead")
    assert ClockGuard(clock).check()
    assert abs(clock.monotonic_ms() - real.monotonic_ms()) < 60_000


@dataclass
class Set:
    """A clock both of whose times are set by hand."""

    wall_ms: int = 0
    real_ms: int = 0
    pace: float = 60.0
    machine_ahead_ms: int = 0

    def now_ms(self) -> int:
        """The hall's time."""
        return self.wall_ms

    def monotonic_ms(self) -> int:
        """Real time."""
        return self.real_ms


def test_a_fast_clock_is_trusted_as_long_as_it_keeps_its_pace() -> None:
    """An hour without a look at it is sixty of the hall, and no jump; six real minutes more than that are one."""
    clock = Set()
    guard = ClockGuard(clock)
    clock.real_ms += 3_600_000
    clock.wall_ms += 60 * 3_600_000
    assert guard.check()
    clock.wall_ms += 60 * 360_000
    assert not guard.check()
