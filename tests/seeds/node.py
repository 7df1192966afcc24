"""A node of the simulation: the real database, engine and feed on an event loop turned by hand.

What the composition root joins is joined here in the same way. In place of the writer's thread, and of the process that
stores, somebody calls their steps; in place of NOTIFY there is a post that may lose, delay and double (a hint is no
more than that); all else is the product's own.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psycopg

from queue_service.clock import Clock, HandClock
from queue_service.database import Database
from queue_service.databases import sqlite
from queue_service.databases.kinds import Heard
from queue_service.domain.hall import Hall
from queue_service.engine import Commit, Engine
from queue_service.feed import Feed
from queue_service.scribe import program
from queue_service.scribe.process import Then
from queue_service.scribe.program import Part, PostgresBook, SqliteBook
from queue_service.scribe.statements import statements
from tests.seeds.hazards import Hazards, Killed, beset, beset_book
from tests.seeds.loop import HandLoop, NotYet

sqlite.BUSY_TIMEOUT_MS = 20
"""No writer is let go on while another node has the file's lock. If one waits all the same it is over soon."""

Told = Callable[[Mapping[str, int]], None]


class NodeClock:
    """The one clock that is set by hand, as this node has it."""

    pace = 1.0
    machine_ahead_ms = 0

    def __init__(self, world: HandClock, skew_ms: int) -> None:
        """So far ahead of the world's, or behind it."""
        self._world = world
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC, as the node thinks."""
        return self._world.now_ms() + self.skew_ms

    def monotonic_ms(self) -> int:
        """Milliseconds since the world began."""
        return self._world.monotonic_ms()


class Posted(Database):
    """A real database whose notifications go by the simulation's post."""

    def __init__(self, url: str, tell: Told) -> None:
        """`tell` posts where logs end now."""
        super().__init__(url)
        self._tell = tell
        self._is_shared = not isinstance(self.kind, sqlite.SqliteFile)
        self._asked = 0
        self.heard: Heard | None = None

    def notify(self, ends: Mapping[str, int]) -> None:
        """Post it."""
        if ends:
            self._tell(dict(ends))

    async def listen(self, heard: Heard) -> None:
        """Hear until cancelled."""
        self.heard = heard
        heard({})
        await asyncio.get_running_loop().create_future()

    def changed(self) -> str:
        """On a server whatever anyone does, in any database, moves the word: here it moves each time, so that schedules
        do not depend on it."""
        word = super().changed()
        self._asked += 1
        return f"{self._asked}" if self._is_shared else word


class _ByHand:
    """Stands where the writer's thread would."""

    def __init__(self) -> None:
        self.runs = False

    def start(self) -> None:
        self.runs = True

    def is_alive(self) -> bool:
        return self.runs

    def join(self) -> None:
        if self.runs:
            raise NotYet


class HandScribe:
    """The process beside the node, by hand: the program's own book, which stores when it is told to."""

    def __init__(self, database: Posted, clock: Clock, hazards: Hazards, loop: HandLoop) -> None:
        """Not there yet."""
        self._database = database
        self._clock = clock
        self._hazards = hazards
        self._loop = loop
        self._book: SqliteBook | PostgresBook | None = None
        self._runs = False
        self.batch: tuple[list[Part], Mapping[str, int]] | None = None
        self._until_ms = 0
        self._then: Then = nobody

    def begin(self) -> None:
        """From now on it can be started."""
        self._runs = True

    @property
    def is_ready(self) -> bool:
        """Whether it can be given a batch."""
        return self._book is not None

    @property
    def can_go_on(self) -> bool:
        """Whether there is something for it to do: a batch, or to be started again."""
        return self._runs and (self.batch is not None or self._book is None)

    def store(self, parts: list[Part], remaining_ms: int, ends: Mapping[str, int], then: Then) -> None:
        """Be given a batch."""
        self._until_ms = self._clock.monotonic_ms() + remaining_ms
        self.batch, self._then = (parts, ends), then

    def go_on(self) -> None:
        """Start, or store; what its program says of it reaches the node's event loop."""
        if self._book is None:
            self._book = opened(self._database, self._hazards)
            return
        assert self.batch is not None, "there is something to do"
        (parts, ends), self.batch = self.batch, None
        word, said = program.REFUSED, "too late"
        if self._clock.monotonic_ms() <= self._until_ms:
            try:
                word, said = self._book.store(parts)
            except (sqlite3.Error, psycopg.Error) as error:
                word, said = program.UNKNOWN, f"{error}"
        if word == program.DONE:
            self._database.notify(ends)
        elif word == program.UNKNOWN:
            self._book = None
        with self._loop.entered():
            self._loop.call_soon(self._then, word, said)

    async def stop(self) -> None:
        """End; nothing is under way."""
        self._runs, self._book = False, None


def nobody(_word: str, _said: str) -> None:
    """Whom nobody has to tell."""


def opened(database: Database, hazards: Hazards) -> SqliteBook | PostgresBook:
    """A database as the program opens it, with hazards."""
    kind, options = database.kind.scribe()
    book: SqliteBook | PostgresBook = program.BOOKS[kind](**options, statements=statements(kind))
    beset_book(book, options, hazards)
    return book


class Node:
    """Started; it does something only when it is told to."""

    def __init__(self, name: str, url: str, world: HandClock, skew_ms: int, tell: Told) -> None:
        """`name` for the trace."""
        self.name = name
        self.clock = NodeClock(world, skew_ms)
        self.loop = HandLoop(lambda: world.monotonic_ms() / 1000)
        self.faults: list[str] = []
        self.loop.set_exception_handler(self._failed)
        self.hazards = Hazards()
        self.database = Posted(url, tell)
        beset(self.database, self.hazards)
        self.engine = Engine(self.database, self.clock, self._committed, self._shown)
        self._writer = _ByHand()
        self.engine._thread = self._writer  # type: ignore[assignment]
        self.scribe = HandScribe(self.database, self.clock, self.hazards, self.loop)
        self.engine.scribe = self.scribe  # type: ignore[assignment]
        self.feed = Feed(self.database, self.clock, lambda _hall, _logged: None, self.engine)
        with self.loop.entered():
            self.engine.start()
            self.feed.start()

    def _committed(self, commit: Commit) -> None:
        """As in `api.service`."""
        self.feed.published((*commit.learned, *commit.events))
        self.feed.reached(commit.ends)

    def _shown(self, hall_id: str) -> Hall | None:
        return self.feed.hall(hall_id)

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not self.hazards.dead and not isinstance(error, Killed):
            self.faults.append(f"{context['message']}: {error!r}")

    @property
    def is_dead(self) -> bool:
        """Whether its process is gone."""
        return self.hazards.dead

    @property
    def holds_all(self) -> bool:
        """Whether it has an open transaction that locks the whole database (SQLite's only lock)."""
        return not self.database._is_shared and any(one.in_transaction for one in self.hazards.connections)

    @property
    def can_write(self) -> bool:
        """Whether the writer has something to do."""
        engine = self.engine
        return self._writer.runs and (not engine._queue.empty() or (bool(engine._skipped) and not engine._asked_again))

    def write(self) -> None:
        """One step of the writer: a batch, a commit, an errand."""
        self.engine._step()
        if self.engine._ending and self.engine._queue.empty() and not self.engine._skipped:
            self._writer.runs = False

    def attempt(self, work: Callable[[], Any]) -> None:
        """Do something in its process, which may die of it."""
        with suppress(Killed):
            work()
        if self.is_dead:
            self.bury()

    def bury(self) -> None:
        """Without a goodbye. Its coroutines are let go of here, not whenever memory is cleared."""
        self.hazards.bury()
        for task in asyncio.all_tasks(self.loop):
            task.get_coro().close()
        self.loop.close()
        self.loop.jobs.clear()

    async def stop(self) -> None:
        """With one, as in `api.service`."""
        await self.engine.stop()
        await self.feed.stop()
        self.database.close()
