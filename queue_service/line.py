"""Waiting in line for halls that other nodes hold, so that the writer waits for none.

The writer skips a hall whose row is locked; a node that is quicker each time would starve this one. After a few skips
the hall is put here: a connection of its own asks for the lock and gets it in turn, and the writer then uses it.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from queue_service.database import Database
from queue_service.databases.statements import stand_in_line

LOG = logging.getLogger("queue_service.line")

WAIT_MS = 250
"""Others in this line get their turn after so long; the hall, if it is still wanted, asks again."""
PATIENCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """A hall whose row is locked, in a transaction that is open. Who is given it may `write`, then must `let_go`."""

    hall: str
    _connection: Connection
    _transaction: ExitStack
    _over: threading.Event

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The transaction: commits at the end, rolls back on any error."""
        try:
            with self._transaction:
                yield self._connection
        finally:
            self._over.set()

    def wait_over(self, seconds: float) -> bool:
        """Wait until it is over, but not longer than so; whether it is."""
        return self._over.wait(seconds)

    def let_go(self) -> None:
        """End the transaction, if it was not used, and let the line go on."""
        if not self._over.is_set():
            with suppress(SQLAlchemyError), self.write():
                pass


class Line:
    """One thread that waits, for one hall at a time."""

    def __init__(self, database: Database, give: Callable[[Turn], None]) -> None:
        """`give` is told of each turn, on the line's thread."""
        self._database = database
        self._give = give
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def join(self, hall: str) -> None:
        """Wait for this hall, if it is not being waited for. The writer's thread comes here."""
        if hall in self._waiting:
            return
        self._waiting.add(hall)
        self._queue.put(hall)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="line", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; the writer's has ended before."""
        self._stopped = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (hall := self._queue.get()) is not None and not self._stopped:
            try:
                self._wait_for(hall)
            except SQLAlchemyError as error:  # the lock was not given in time, or there is no database
                LOG.debug("no-turn: %s: %s", hall, getattr(error, "orig", error))
            except Exception:
                LOG.exception("line-failed")
            finally:
                self._waiting.discard(hall)

    def _wait_for(self, hall: str) -> None:
        with ExitStack() as stack:
            connection = stack.enter_context(self._database.write())
            stand_in_line(connection, hall, WAIT_MS)
            turn = Turn(hall, connection, stack.pop_all(), threading.Event())
        self._give(turn)
        while not turn.wait_over(PATIENCE_S):  # a hall is waited for again only when this turn is over
            if self._stopped:  # and so has the writer: nobody will take it
                turn.let_go()
