"""Batches as transactions, and what to do when one fails: run it again, answer undecided, or find the culprit."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from sqlalchemy import Connection

from queue_service import errors
from queue_service.batch import Batches
from queue_service.database import Database
from queue_service.databases.kinds import Failure
from queue_service.domain.events import Logged
from queue_service.submission import Submission

LOG = logging.getLogger("queue_service.engine")

REPEATS = 2
"""How often a transaction that was rolled back for a passing reason is run again."""

Write = Callable[[], AbstractContextManager[Connection]]


class Transactions:
    """Runs batches on the writer thread."""

    def __init__(self, database: Database, batches: Batches) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._batches = batches
        self.learned: list[Logged] = []
        self.ends: dict[str, int] = {}
        """As of the batches that were committed since the beginning: what they read of others' commits, in order per
        hall, and where the logs end that they did not write to."""

    def begin(self) -> None:
        """Something new."""
        self.learned, self.ends = [], {}

    def run(
        self, submissions: list[Submission], write: Write, repeats: int = REPEATS, is_locked: bool = False
    ) -> list[Logged]:
        """Store a batch; when a statement fails for good, split it so that only the culprit fails. `is_locked`: the
        transaction has its halls already; else halls that others hold, or stand in line for, are skipped."""
        reached_commit = False
        try:
            self._read_copies(submissions)
            with write() as connection:
                events = self._batches.run(connection, submissions, wait=is_locked)
                reached_commit = True
            self.learned += self._batches.learned
            self.ends |= self._batches.ends
            return events
        except Exception as error:  # noqa: BLE001 (each kind is looked at below)
            self._batches.forget([one.hall for one in submissions])
            if reached_commit:  # to run it again might do it twice
                self._fail([one for one in submissions if one.result is not None], _unanswered(error))
                return []
            return self._after(error, submissions, repeats)

    def _read_copies(self, submissions: list[Submission]) -> None:
        """Read what there is no copy of before anything is locked: a lock that is held too long is lost, and a day that
        takes longer to read than that could never be gone on with."""
        lacking = self._batches.lacking(submissions)
        if lacking:
            with suppress(errors.LogCorrupt):  # the transaction meets it again, hall by hall
                self._database.read(lambda connection: self._batches.read(connection, lacking))

    def _after(self, error: Exception, submissions: list[Submission], repeats: int) -> list[Logged]:
        """What to do about a transaction that was rolled back."""
        failure = self._database.failure(error)
        if failure == Failure.LASTING:
            LOG.error("batch-failed", exc_info=error)
            return self._split(submissions, error)
        LOG.warning("database-%s: %s", failure, getattr(error, "orig", error))
        if failure == Failure.UNAVAILABLE or repeats == 0:
            self._fail(submissions, errors.Unavailable())
            return []
        self._batches.undo(submissions)
        return self.run(submissions, self._database.write, repeats - 1)

    def _fail(self, submissions: list[Submission], error: Exception) -> None:
        """Answer every command undecided."""
        for one in submissions:
            one.result, one.events = error, []

    def _split(self, submissions: list[Submission], error: Exception) -> list[Logged]:
        if len(submissions) == 1:
            self._fail(submissions, error)
            return []
        self._batches.undo(submissions)
        halls = dict.fromkeys(one.hall for one in submissions)
        if len(halls) > 1:
            parts = [[one for one in submissions if one.hall == hall] for hall in halls]
        else:
            parts = [[one] for one in submissions]
        return [logged for part in parts for logged in self.run(part, self._database.write)]


def _unanswered(error: Exception) -> errors.OutcomeUnknown:
    """COMMIT did not say whether it was done."""
    LOG.warning("commit-unanswered: %s", getattr(error, "orig", error))
    return errors.OutcomeUnknown()
