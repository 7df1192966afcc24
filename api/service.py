"""The one composition root: every part of a running node is made and joined here."""

import asyncio
import gc
import logging
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection

from api.advising import Advising
from api.answers import leg_documents, live_ticket, nothing, ticket_document
from api.charting import Charts
from api.foretelling import Foretelling
from api.ids import hall_of
from api.live import LiveHalls
from api.own_error import OwnErrors
from metrics.gauges import Live, Storage
from metrics.registry import HallMetrics
from models.vocabulary import Channel
from queue_service import journal, receipts, schema
from queue_service.clock import Clock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall, Ticket
from queue_service.engine import Commit, Engine
from queue_service.errors import LogCorrupt, Unavailable, UnknownHall, UnknownTicket
from queue_service.feed import Feed
from queue_service.planning.staffing.advisor import EVERY_MS, Advisor
from queue_service.settings import Settings
from queue_service.view import View

if TYPE_CHECKING:
    from api.following import Following

RECEIPTS_KEPT_MS = 48 * 3_600_000
PURGE_MS = 3_600_000
KEEPING_S = 1.0
DAYS_AT_ONCE = 32
"""So many halls' days are opened together: one that another holds is waited for until its deadline."""
TURN_S = 0.01
"""For less than this nobody sleeps: some halls at a time cost less."""
GC_THRESHOLDS = (10_000, 2, 5_000)
"""Python's collector, left alone, was what spoiled the tail: it walks every object there is. The first two bound what
is walked at once to 30,000 new objects, the last one makes it walk all of them almost never."""


class Service:
    """A running node."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Nothing is opened yet; see `running`."""
        self.settings = settings
        self.log = logging.getLogger("queue_service")
        self.sockets = Counter(display=0, visitor=0)
        self.database = Database(settings.database_url)
        self.clock = clock or self.database.clock()
        self.metrics = HallMetrics(settings.wait_buckets)
        self.charts = Charts()
        self.live = LiveHalls(self)
        self.engine = Engine(self.database, self.clock, self._committed, self._shown)
        self.feed = Feed(self.database, self.clock, self._fold, self.engine)
        self.metrics.watch(
            Live(
                halls=lambda: [view.hall for view in self.feed.views.values()],
                now_ms=self.clock.now_ms,
                sockets=lambda: self.sockets,
                skew_ms=lambda: self.engine.guard.skew_ms,
                ahead_ms=lambda: self.clock.machine_ahead_ms,
                scribe=lambda: self.engine.scribe.is_ready,
                ready=lambda: not self.faults(),
                storage=self._storage,
            )
        )
        self.following = _following(self) if settings.follow else None
        if self.following is not None:
            self.metrics.watch_following(self.following.measured)
        self.advisor = Advisor(self.feed.read)
        self.advising = Advising(self)
        self.foretelling = Foretelling(self)
        self.own_errors = OwnErrors(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        """Open the database, start the engine and the feed; stop them in the opposite order."""
        schema.prepare(self.database)
        self.database.set_clock(self.clock)
        self.engine.start()
        self.feed.start()
        if self.following is not None:
            self.background(self.following.follow())
        else:
            self.background(self._keep())
            self.background(self._advise())
        self.background(self.live.keep_watch())
        self.background(self.live.keep_estimating())
        self.background(self.foretelling.keep_studying())
        self.background(self.foretelling.keep_asking())
        self.background(self.own_errors.keep())
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            yield self
        finally:
            self.stopping = True
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.advisor.close()
            self.foretelling.close()
            await self.own_errors.write_last()
            await self.engine.stop()
            await self.feed.stop()
            self.database.close()

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something beside; it is cancelled when the node stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fold(self, hall: Hall, logged: Logged) -> None:
        self.metrics.fold(hall, logged)
        self.live.fold(hall, logged)

    def _committed(self, commit: Commit) -> None:
        self.feed.published((*commit.learned, *commit.events))
        self.feed.reached(commit.ends)
        self.metrics.observe(commit, time.perf_counter() - commit.finished)

    def _shown(self, hall_id: str) -> Hall | None:
        return self.feed.hall(hall_id)

    # -- what goes on by itself

    async def in_turn(self, round_s: float) -> AsyncIterator[View]:
        """Every hall, again and again, a round in so many seconds at least. Of thousands of halls, all at once would
        hold up every command: they are spread over the round."""
        now_s = asyncio.get_running_loop().time
        while True:
            views, begun_s = tuple(self.feed.views.values()), now_s()
            for number, view in enumerate(views, 1):
                yield view
                early_s = begun_s + round_s * number / len(views) - now_s()
                await asyncio.sleep(early_s if early_s > TURN_S else 0)
            if not views:
                await asyncio.sleep(round_s)

    async def _keep(self) -> None:
        """Open each hall's new business day at its midnight, and forget old receipts."""
        purged_ms = 0
        while True:
            now_ms = self.clock.now_ms()
            due = [hall_id for hall_id, view in self.feed.views.items() if view.hall.is_due(now_ms)]
            if due and not self.engine.guard.check():
                self.log.warning("clock-unconfirmed: run `queue-service confirm-clock` once the time is right")
                due = []
            for start in range(0, len(due), DAYS_AT_ONCE):
                some = due[start : start + DAYS_AT_ONCE]
                await asyncio.gather(*(self._put_off(self.open_day(hall_id), hall_id) for hall_id in some))
            if now_ms - purged_ms > PURGE_MS:
                purged_ms = now_ms
                await self._put_off(self._purge(now_ms - RECEIPTS_KEPT_MS), "receipts")
            await asyncio.sleep(KEEPING_S)

    async def _put_off(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do some of the housekeeping; if it cannot be done now, the rest is, all the same."""
        try:
            await work
        except (LogCorrupt, Unavailable) as error:
            self.log.warning("housekeeping-put-off: %s: %s", what, error)
        except Exception:
            self.log.exception("housekeeping-failed: %s", what)

    async def _purge(self, before_ms: int) -> None:
        """Some at a time: commands wait meanwhile."""
        purged = receipts.PURGED_ROWS
        while purged == receipts.PURGED_ROWS:
            purged = await self.engine.maintain(partial(receipts.purge, before_ms=before_ms))
            await asyncio.sleep(TURN_S)

    async def _advise(self) -> None:
        """Keep the staffing advice of every hall that is open."""
        while True:
            await asyncio.sleep(EVERY_MS / 1000)
            for view in tuple(self.feed.views.values()):
                now_ms = self.clock.now_ms()
                if view.hall.day.is_open(now_ms):
                    try:
                        await self.advising.staffing(view, 0)
                    except Unavailable as error:
                        self.log.warning("advice-put-off: %s", error)
                    except Exception:
                        self.log.exception("advice-failed")

    async def open_day(self, hall_id: str) -> None:
        """Roll a hall over, if its day is over."""
        await self.engine.submit(hall_id, c.OpenDay(), actor="system", channel=Channel.SYSTEM, answering=nothing)

    # -- reads

    async def current_view(self, hall_id: str) -> View:
        """The hall's view, its business day opened (at a centre: as its own node had it). Raises UnknownHall."""
        view = await self.feed.view(hall_id)
        if self.following is None and view.hall.is_due(self.clock.now_ms()):
            await self.open_day(hall_id)
        return view

    async def ticket(self, ticket_id: str) -> bytes:
        """A ticket's document, open or closed. Raises UnknownTicket."""
        hall, ticket = await self._find(ticket_id)
        if hall is not None:
            return orjson.dumps(live_ticket(hall, ticket, self.clock.now_ms(), self.live.estimate))
        hall_id = hall_of(ticket_id)
        return orjson.dumps(ticket_document(ticket, hall_id, None, ticket.waited_so_far_ms(), ticket.last_seq))

    async def legs(self, ticket_id: str) -> bytes:
        """A ticket's waits and services, open or closed. Raises UnknownTicket."""
        _, ticket = await self._find(ticket_id)
        return orjson.dumps({"items": leg_documents(ticket)})

    async def _find(self, ticket_id: str) -> tuple[Hall | None, Ticket]:
        """A ticket with the hall that holds it; None: it is over, and was read from the database."""
        try:
            view = await self.current_view(hall_of(ticket_id))
        except UnknownHall as error:
            raise UnknownTicket(f"There is no ticket {ticket_id!r}.", ticket=ticket_id) from error
        found = None
        if ticket_id not in view.hall.tickets:
            found = await self._stored(ticket_id)
            if found.last_seq > view.hall.seq:  # another node has just had to do with it
                self.feed.reached({view.hall.id: found.last_seq})
                view = await self.feed.view(view.hall.id)
                found = await self._stored(ticket_id)
        if ticket_id in view.hall.tickets:
            return view.hall, view.hall.tickets[ticket_id]
        assert found is not None, "it was read"
        return None, found

    async def _stored(self, ticket_id: str) -> Ticket:
        found = await self.feed.read(lambda one: _stored_ticket(one, ticket_id))
        if found is None:
            raise UnknownTicket(f"There is no ticket {ticket_id!r}.", ticket=ticket_id)
        return found

    # -- how it is

    def why_stale(self, hall_id: str) -> str | None:
        """Why this node cannot vouch for what it shows of a hall; None where it can."""
        if self.feed.freshness.is_stale:
            return "the log cannot be read"
        return None if self.following is None else self.following.why_stale(hall_id)

    def as_of_ms(self, hall_id: str) -> int:
        """The moment up to which a hall's log is known to have been read."""
        return self.feed.freshness.as_of_ms if self.following is None else self.following.as_of_ms(hall_id)

    def faults(self) -> list[str]:
        """Why this node is not ready; empty when it is."""
        reasons = {
            "stopping": self.stopping,
            "the writer has died": not self.engine.is_alive,
            "the clock jumped: confirm it with `queue-service confirm-clock`": not self.engine.guard.check(),
            "the log cannot be read": self.feed.freshness.is_stale or not self.feed.is_polling,
            self.feed.unknown_kind or "": self.feed.unknown_kind is not None,
        }
        return [reason for reason, holds in reasons.items() if holds]

    def _storage(self) -> Storage | None:
        """Room and write-ahead log of an SQLite database; a server's disk is the server's to watch."""
        if not self.settings.database_url.startswith("sqlite"):
            return None
        return Storage(shutil.disk_usage(self.database.path.parent).free, self.database.wal_bytes())


def _following(service: Service) -> "Following":
    from api.following import Following  # noqa: PLC0415 (the HTTP client: only a centre needs it)

    return Following(service)


def _stored_ticket(connection: Connection, ticket_id: str) -> Ticket | None:
    found = journal.tickets_from(connection, [row] if (row := journal.ticket_row(connection, ticket_id)) else [])
    return next((one for _, one in found), None)
