"""A hall driven through the real rules into a real database, with a published copy beside it as the feed keeps one."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlmodel import SQLModel

import models.tables  # noqa: F401 (declares the tables)
from metrics.registry import HallMetrics
from metrics.report import Report, promise_report
from models.plan import PlanDocument
from models.vocabulary import Channel
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.calendar import day_of
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.engine import Commit
from queue_service.submission import Answer, Submission
from tests.running import database_url

DAY = "2026-03-02"
"""A Monday; the hall is in Asia/Shanghai (UTC+8, no DST)."""
MIDNIGHT_MS = 1_772_380_800_000
WAIT_BUCKETS = [60, 120, 600, 1800]


def at(hour: int, minute: int = 0, second: int = 0, ms: int = 0) -> int:
    """A moment of DAY, local time, in milliseconds since 1970 UTC."""
    return MIDNIGHT_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms


def plan_document(**changes: Any) -> dict[str, Any]:
    """Two services, three counters, peak from 9 to 11 with 600 s, else 120 s, 90 % each."""
    document = {
        "id": "hall",
        "name": "大厅",
        "time_zone": "Asia/Shanghai",
        "max_overtake_s": 3600,
        "calendar": {"peaks": [{"start": "09:00", "end": "11:00"}]},
        "services": [
            {"id": "tax", "name": "税务", "prefix": "A", "department": "finance"},
            {"id": "land", "name": "=land", "prefix": "B", "quota": {"pm": 2}},
        ],
        "counters": [{"id": "1", "name": "one"}, {"id": "2", "name": "two"}, {"id": "3", "name": "three"}],
        "no_show": {"recalls": 0, "after_s": 0},
        "check_in_channels": ["web"],
        **changes,
    }
    return PlanDocument.model_validate(document).model_dump(mode="json")


class Drive:
    """Sends commands at chosen moments; every one is its own transaction."""

    def __init__(self, database: Database, hall_id: str = "hall", start_ms: int = MIDNIGHT_MS) -> None:
        """An empty database; `plan` comes first."""
        self.database = database
        self.clock = HandClock(start_ms)
        self.view = Hall(hall_id)
        self.metrics = HallMetrics(WAIT_BUCKETS)
        self.log: list[Logged] = []
        self.refused: list[Exception] = []
        self._batches = Batches(self.clock, ClockGuard(self.clock))
        self._issued = 0

    def plan(self, **changes: Any) -> None:
        """Put the plan."""
        self.send(c.PutPlan(plan_document(**changes)))

    def send(self, *commands: c.Command, at_ms: int | None = None) -> list[Logged]:
        """Decide and store commands as one transaction, publish their events, count them; the events."""
        if at_ms is not None:
            self.clock.set_ms(at_ms)
        batch = [
            Submission(self.view.id, command, "test", Channel.API, lambda *_: Answer(200), self.clock.monotonic_ms())
            for command in commands
        ]
        with self.database.write() as connection:
            events = self._batches.run(connection, batch)
        self.refused += [one.result for one in batch if isinstance(one.result, Exception)]
        for logged in events:
            self._publish(logged)
        self.metrics.observe(Commit(batch, events, 0.001, 0.0), lag_seconds=0.002)
        return events

    def _publish(self, logged: Logged) -> None:
        evolve(self.view, logged)
        self.metrics.fold(self.view, logged)
        self.view.drain()
        self.log.append(logged)

    def issue(self, service: str = "tax", at_ms: int | None = None, channel: Channel = Channel.KIOSK) -> str:
        """Take a ticket; its id (also when it was refused)."""
        self._issued += 1
        ticket = f"{self.view.id}.{self._issued:026d}"
        self.send(c.IssueTicket(ticket, service, channel=channel), at_ms=at_ms)
        return ticket

    def open(self, *counters: str) -> None:
        """Sign clerks on."""
        for counter in counters:
            self.send(c.OpenCounter(counter, f"clerk-{counter}"))

    def report(self, from_day: str = DAY, to_day: str | None = None, now_ms: int | None = None) -> Report:
        """The promise report as of now, read from the database."""
        now_ms = self.clock.now_ms() if now_ms is None else now_ms

        def read(connection: Connection) -> Report:
            return promise_report(connection, self.view.rules, from_day, to_day or from_day, now_ms)

        return self.database.read(read)


def empty_database(folder: Path) -> Database:
    """The folder's database, with all tables."""
    database = Database(database_url(folder))
    SQLModel.metadata.create_all(database.engine)
    return database


def end_of(hall: Hall, day: str = DAY) -> int:
    """When a business day of the hall ends."""
    return day_of(hall.rules.calendar, day).end_ms
