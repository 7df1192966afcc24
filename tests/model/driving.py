"""The real thing beside the model: batches on a real database, by two writers in turn, under a clock set by hand."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from models.vocabulary import Channel
from queue_service import schema
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain.events import Logged
from queue_service.submission import Answer, Keyed, Submission
from tests.model.compare import Comparison
from tests.model.deciding import Asked, Expected, ServiceModel


class RolledBack(Exception):
    """The commit did not come."""


@cache
def _empty_file() -> bytes:
    """A database without halls, made once: the migrations would be most of the time otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/queue.db")
        schema.prepare(database)
        database.close()
        return Path(folder, "queue.db").read_bytes()


class Side:
    """Both sides: `ask` lets the model decide at once and keeps the command for the next `flush`, one transaction."""

    def __init__(self, start_ms: int) -> None:
        """No halls yet."""
        self.folder = Path(tempfile.mkdtemp(prefix="queue-model-"))
        (self.folder / "queue.db").write_bytes(_empty_file())
        self.database = Database(f"sqlite:///{self.folder / 'queue.db'}", synchronous="OFF")  # no power cut here
        self.clock = HandClock(start_ms)
        self.writers = [Batches(self.clock, ClockGuard(self.clock)) for _ in range(2)]
        self.writer = 0
        self.model = ServiceModel()
        self.before = self.model.twin()
        self.pending: list[tuple[Asked, Expected]] = []
        self.comparison = Comparison(self.database)
        self._tokens = 0

    def close(self) -> None:
        """Take everything away."""
        self.database.close()
        shutil.rmtree(self.folder)

    def token(self) -> str:
        """What marks one answer among all."""
        self._tokens += 1
        return f"answer {self._tokens}"

    def ask(self, asked: Asked) -> None:
        """Let the model decide."""
        if not self.pending:
            self.before = self.model.twin()
        self.pending.append((asked, self.model.ask(asked, self.clock.now_ms())))

    def flush(self) -> None:
        """Run what is pending as one batch, and compare all that there is to see."""
        pending, self.pending = self.pending, []
        if not pending:
            return
        writer = self.writers[self.writer]
        events, submissions = self._run(pending, writer)
        for (asked, expected), one in zip(pending, submissions, strict=True):
            assert got(one) == expected, asked
        halls = {asked.hall for asked, _ in pending}
        self.comparison.check(self.model, events, self.clock.now_ms(), writer, halls)

    def fail(self, writer: int, forget: bool) -> None:
        """Run what is pending, but the commit does not come: nothing of it may be left."""
        pending, self.pending = self.pending, []
        if not pending:
            return
        try:
            self._run(pending, self.writers[writer], commit=False)
        except RolledBack:
            self.model = self.before
        if forget:
            self.writers[writer].forget([asked.hall for asked, _ in pending])

    def _run(
        self, pending: list[tuple[Asked, Expected]], writer: Batches, commit: bool = True
    ) -> tuple[list[Logged], list[Submission]]:
        submissions = [self._submission(asked) for asked, _ in pending]
        with self.database.write() as connection:
            events = writer.run(connection, submissions)
            if not commit:
                raise RolledBack
        return events, submissions

    def _submission(self, asked: Asked) -> Submission:
        keyed = Keyed(asked.key, "POST", f"/{asked.hall}", asked.body) if asked.key else None
        deadline_ms = self.clock.monotonic_ms() - (1 if asked.late else 0)
        answer = Answer(200, asked.token.encode())
        return Submission(asked.hall, asked.command, "actor", Channel.API, lambda *_: answer, deadline_ms, keyed)


def got(one: Submission) -> Expected:
    """What the caller got."""
    if isinstance(one.result, Answer):
        return Expected(token=one.result.body.decode(), replayed=one.result.replayed)
    return Expected(type(one.result) if isinstance(one.result, Exception) else None)
