"""Days that have passed: databases filled by the engine's own transactions under a clock set by hand, without HTTP and
without waiting for the disk. What comes out is a log like any other: `queue-service verify` can prove it."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Self

from api import answers
from api.ids import new_ticket_id
from bench.halls import COUNTERS_PER_ZONE, HALL, ZONES, counter_ids, plan, service_ids
from models.plan import PlanDocument
from models.vocabulary import Channel
from queue_service import schema
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.events import Logged, TicketCalled
from queue_service.submission import Answer, Submission

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TURN_MS = 100
"""How far the clock moves on between the steps of a day."""


class Past:
    """A database being filled."""

    def __init__(self, path: Path, days_ago: int = 0) -> None:
        """Begin an hour and so many days before now; local time is about noon."""
        self._database = Database(f"sqlite:///{path}", synchronous="OFF")
        schema.prepare(self._database)
        self._dawn_ms = time.time_ns() // 1_000_000 - days_ago * DAY_MS - HOUR_MS
        self._clock = HandClock(self._dawn_ms)
        self._batches = Batches(self._clock, ClockGuard(self._clock))
        self.events = 0

    def __enter__(self) -> Self:
        """For `with`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the file, its write-ahead log moved into it."""
        with self._database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.close()

    def next_day(self) -> None:
        """The same hour of the next day."""
        self._dawn_ms += DAY_MS
        self._clock.set_ms(self._dawn_ms)

    def make(self, hall: str = HALL, open_counters: bool = True) -> None:
        """Put the plan and, if asked, sign clerks on."""
        document = PlanDocument.model_validate(plan(hall)).model_dump(mode="json")
        self._run(hall, [c.PutPlan(document)])
        if open_counters:
            counters = [name for zone in range(ZONES) for name in counter_ids(zone)]
            self._run(hall, [c.OpenCounter(name, f"clerk-{name}") for name in counters])

    def issue(self, count: int, hall: str = HALL) -> list[str]:
        """Give numbers; the tickets' ids."""
        services = [service_ids(zone)[number] for number in range(2) for zone in range(ZONES)]
        issued: list[str] = []
        while len(issued) < count:
            now_ms = self._clock.now_ms()
            some = [new_ticket_id(hall, now_ms) for _ in range(min(256, count - len(issued)))]
            wanted = zip(some, cycle(services), strict=False)
            self._run(hall, [c.IssueTicket(name, service, channel=Channel.KIOSK) for name, service in wanted])
            issued += some
        return issued

    def serve(self, tickets: int, hall: str = HALL) -> None:
        """The whole life of so many tickets: four events each."""
        counters = [counter_ids(zone)[number] for number in range(COUNTERS_PER_ZONE) for zone in range(ZONES)]
        for _ in range(-(-tickets // len(counters))):
            self.issue(len(counters), hall)
            calls = self._run(hall, [c.CallNext(name) for name in counters])
            called = [one.event.ticket for one in calls if isinstance(one.event, TicketCalled)]
            self._run(hall, [c.Start(name) for name in called])
            self._run(hall, [c.Finish(name) for name in called])

    def _run(self, hall: str, commands: Iterable[c.Command]) -> Sequence[Logged]:
        deadline_ms = self._clock.monotonic_ms() + 10 * DAY_MS
        batch = [Submission(hall, one, "bench", Channel.API, answers.nothing, deadline_ms) for one in commands]
        with self._database.write() as connection:
            events = self._batches.run(connection, batch)
        for one in batch:
            if not isinstance(one.result, Answer):
                raise one.result or RuntimeError("undecided")
        self.events += len(events)
        self._clock.set_ms(self._clock.now_ms() + TURN_MS)
        return events


def days(path: Path, events: int, a_day: int, say: Callable[[str], None]) -> int:
    """A hall with so many events in days past, and a few of today; how many there are."""
    count = max(1, events // a_day)
    with Past(path, days_ago=count) as past:
        past.make()
        for day in range(count):
            say(f"history: day {day + 1} of {count}, {past.events:,} events")
            past.serve((events - past.events) // (count - day) // 4)
            past.next_day()
        past.serve(1)
        return past.events


def busy_today(path: Path, events: int) -> int:
    """Add so many events of today to a hall that is there."""
    with Past(path) as past:
        past.serve(events // 4)
        return past.events


def waiting_today(path: Path, counts: dict[str, int]) -> None:
    """Halls with so many people waiting, counters open."""
    with Past(path) as past:
        for hall, count in counts.items():
            past.make(hall)
            past.issue(count, hall)
