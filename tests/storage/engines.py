"""An engine by itself, with one hall, for tests of how it stores what it is given."""

import asyncio

from models.vocabulary import Channel
from queue_service.clock import HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.hall import Hall
from queue_service.engine import Commit, Engine
from queue_service.submission import Answer, Keyed
from tests.metrics.driving import at


class EngineNode:
    """An engine, and all that its listener was told."""

    def __init__(self, database: Database) -> None:
        """It is not started yet."""
        self.database = database
        self.commits: list[Commit] = []
        self.shown: dict[str, Hall] = {}
        self.engine = Engine(database, HandClock(at(8)), self._listen, self.shown.get)
        self.listener_fails = False

    def _listen(self, commit: Commit) -> None:
        self.commits.append(commit)
        if self.listener_fails:
            raise ValueError("nothing that a caller could help")

    def ask(self, command: c.Command, key: str | None = None) -> "asyncio.Future[Answer]":
        """Give a command; the answer is where the hall's log ends after it."""
        return self.engine.submit(
            "hall",
            command,
            actor="me",
            channel=Channel.API,
            answering=lambda hall, *_: Answer(200, str(hall.seq).encode()),
            keyed=None if key is None else Keyed(key, "POST", "/somewhere", "same"),
        )

    def count(self, table: str) -> int:
        """How many rows there are."""
        return int(self.database.read(lambda one: one.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()))  # noqa: S608


def issue(number: int) -> c.IssueTicket:
    """A ticket."""
    return c.IssueTicket(f"hall.{number}", "tax")
