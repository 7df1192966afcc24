"""Committed events -> followers. One view a hall, folded on the event loop from published events only.

The feed keeps one cursor per hall and publishes only cursor + 1, reading the log for anything between. What this
process commits arrives at once. Of what others commit the database may give a hint (PostgreSQL: NOTIFY); a poll of its
change counter finds it in any case, and goes more slowly while hints are given.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from sqlalchemy import Connection

from queue_service import journal
from queue_service.board import Frame
from queue_service.clock import Clock
from queue_service.copies import Writer
from queue_service.database import Database
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.errors import LogCorrupt, Unavailable, UnknownEventKind, UnknownHall
from queue_service.freshness import Freshness
from queue_service.reading import Reading
from queue_service.view import OTHER_HISTORY, TRY_AGAIN, Fold, View
from queue_service.view_reading import REMADE_FRAMES, read_view, remake

LOG = logging.getLogger("queue_service.feed")

SLICE_EVENTS = 500
"""So many are published at a stretch while catching up; then everyone else has a turn."""
POLL_S = 1.0
HINTED_POLL_S = 3.0
"""While the database tells of what others commit: only what got lost is left, and comparing all halls takes time."""


class Feed:
    """All views of this process, kept up with the log. A hall's view stays the same object for as long as the log has
    the hall."""

    def __init__(self, database: Database, clock: Clock, fold: Fold, writer: Writer) -> None:
        """`fold` lets metrics keep up with every view; `writer` is told of what others do."""
        self._database = database
        self._clock = clock
        self._fold = fold
        self._writer = writer
        self.views: dict[str, View] = {}
        self._latest: dict[str, int] = {}
        self._loading: dict[str, asyncio.Task[View]] = {}
        self._catching: dict[str, asyncio.Task[None]] = {}
        self._remaking = asyncio.Lock()
        self._reading = Reading(database)
        self.read = self._reading.read
        """For whoever asks; raises Unreadable."""
        self._poller: asyncio.Task[None] | None = None
        self._taking_in: asyncio.Task[None] | None = None
        self._left_out: dict[str, journal.Position] = {}
        self.freshness = Freshness(clock)
        self._changed = ""
        self._nudged = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._is_told = False
        self.unknown_kind: str | None = None

    def start(self) -> None:
        """Begin to poll, and to listen."""
        self._poller = asyncio.create_task(self._poll(), name="feed-poll")
        self._listener = asyncio.create_task(self._database.listen(self._heard), name="feed-listen")

    async def stop(self) -> None:
        """Stop following."""
        tasks = [
            task
            for task in (
                self._poller, self._listener, self._taking_in, *self._loading.values(), *self._catching.values()
            )
            if task
        ]  # fmt: skip
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reading.close()

    @property
    def is_polling(self) -> bool:
        """Whether the poll is alive."""
        return self._poller is not None and not self._poller.done()

    # -- views

    def hall(self, hall_id: str) -> Hall | None:
        """A hall as it is shown, if it is."""
        view = self.views.get(hall_id)
        return None if view is None else view.hall

    async def view(self, hall_id: str) -> View:
        """The hall's view, loaded on first use, with all that was known to be committed when it was asked for: who was
        answered finds what the answer says. Raises UnknownHall, or Unavailable."""
        latest = self._latest.get(hall_id, 0)
        view = self.views.get(hall_id) or await self._loaded(hall_id)
        if view.hall.seq < latest:
            await asyncio.shield(self._catch_up(view))
        return view

    async def _loaded(self, hall_id: str) -> View:
        begun_before = self._loading.get(hall_id)
        if begun_before is not None:
            with suppress(UnknownHall):  # it may have been created since
                return await asyncio.shield(begun_before)
        if hall_id in self.views:
            return self.views[hall_id]
        if hall_id not in self._loading:
            self._loading[hall_id] = asyncio.create_task(self._load(hall_id), name=f"load-{hall_id}")
        return await asyncio.shield(self._loading[hall_id])

    async def _load(self, hall_id: str) -> View:
        try:
            view = self.views[hall_id] = await self._reading.own(lambda one: read_view(one, hall_id, self._fold))
        finally:
            del self._loading[hall_id]
        if self._latest.get(hall_id, 0) > view.hall.seq:
            self._catch_up(view)
        return view

    def check(self, view: View) -> None:
        """Raise Unavailable where nothing will be published to this view any more."""
        if self.views.get(view.hall.id) is not view:
            raise Unavailable(OTHER_HISTORY)

    async def remade(self, view: View, after: int, head: str) -> list[Frame]:
        """Frames after a position of today's log that the ring holds no more, made again; empty where it holds it, or
        where they cannot be made. One client at a time: it costs as much as loading the hall.

        The list may end before the cursor, but only by what the ring holds. Raises Unavailable: a client that is ahead
        must not be sent back because the log cannot be read now."""
        if after > view.hall.seq:
            await asyncio.shield(self._catch_up(view))  # another node may have shown it already
        reach = max(view.hall.day_seq, view.hall.seq - REMADE_FRAMES)
        if not reach <= after < view.hall.seq or view.frames_since(after, head) is not None:
            return []
        async with self._remaking:
            return await self._reading.own(lambda one: remake(one, view.hall.id, after, head))

    def published(self, events: Sequence[Logged]) -> None:
        """Events this process has just committed, in order per hall."""
        by_hall: dict[str, list[Logged]] = {}
        for logged in events:
            by_hall.setdefault(logged.hall, []).append(logged)
        for hall_id, its_events in by_hall.items():
            self._latest[hall_id] = max(its_events[-1].seq, self._latest.get(hall_id, 0))
            view = self.views.get(hall_id)
            if view is not None and not view.publish(its_events):
                self._catch_up(view)

    def reached(self, ends: Mapping[str, int]) -> None:
        """So far logs go, by hall: a repeat's answer may be about what this process has not been told of yet."""
        for hall_id, seq in ends.items():
            self._latest[hall_id] = max(seq, self._latest.get(hall_id, 0))
            view = self.views.get(hall_id)
            if view is not None and seq > view.hall.seq:
                self._catch_up(view)

    # -- what others commit

    def _heard(self, ends: Mapping[str, int] | None) -> None:
        """Another node says where logs end now; or from now on they will (nothing), or will not (None)."""
        self._is_told = ends is not None
        self._writer.heard(ends or {})
        self.reached(ends or {})
        if not ends or not ends.keys() <= self.views.keys():
            self._nudged.set()

    def _catch_up(self, view: View) -> "asyncio.Task[None]":
        """Publish what the log holds beyond the cursor. Whatever goes wrong, the poll comes back to it."""
        hall_id = view.hall.id
        task = self._catching.get(hall_id)
        if task is None:
            task = self._catching[hall_id] = asyncio.create_task(self._read_on(view), name=f"catch-up-{hall_id}")
            task.add_done_callback(lambda done: self._caught_up(hall_id, done))
        return task

    def _caught_up(self, hall_id: str, task: "asyncio.Task[None]") -> None:
        self._catching.pop(hall_id, None)
        if not task.cancelled() and task.exception() is not None:
            self._changed = ""

    async def _read_on(self, view: View) -> None:
        """Publish from the log until it held nothing more than what the view shows; start over where the log has
        another history, and let go of a hall that it no longer has, or not as a whole: others are not concerned."""
        try:
            await self._read_all(view)
        except (Unavailable, UnknownEventKind):
            raise
        except (UnknownHall, LogCorrupt) as error:
            LOG.error("hall-dropped: %s", error)  # noqa: TRY400 (no fault of the code)
            self._drop(view)
        except Exception:
            LOG.exception("hall-dropped: %s", view.hall.id)
            self._drop(view)

    def _drop(self, view: View) -> None:
        self.views.pop(view.hall.id, None)
        self._latest.pop(view.hall.id, None)
        view.dismiss(TRY_AGAIN, OTHER_HISTORY)

    async def _read_all(self, view: View) -> None:
        hall_id = view.hall.id
        while True:
            seq, head, latest = view.hall.seq, view.hall.head, self._latest.get(hall_id, 0)
            events = await self._reading.own(partial(_slice, hall=hall_id, after=seq - 1))
            if not events or events[0].head != head:
                await self._start_over(view)
                continue
            news = events[1:]
            view.publish(news)
            self._writer.learned(news)
            if len(events) < SLICE_EVENTS and self._latest.get(hall_id, 0) <= max(latest, view.hall.seq):
                return

    async def begin_again(self, hall_id: str) -> None:
        """The hall's log was given another history by this process: show that, before anything that follows it."""
        if hall_id in self.views:
            await self._start_over(self.views[hall_id])

    async def _start_over(self, view: View) -> None:
        LOG.warning("history-changed: %s", view.hall.id)
        self._latest.pop(view.hall.id, None)
        view.become(await self._reading.own(lambda one: read_view(one, view.hall.id, self._fold)))

    async def _poll(self) -> None:
        while True:
            try:
                await self._confirm(self.freshness.asked())
                await self._reading.ask(self._database.checkpoint)
                if self.freshness.is_in_doubt:  # the answer took too long
                    continue
            except Unavailable as error:
                LOG.warning("log-unreadable: %s", getattr(error.__cause__, "orig", error.__cause__))
            except UnknownEventKind as error:
                self._doubt(error)
            except Exception:
                LOG.exception("poll-failed")
            await self._pause()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            # `_changed` is empty where the poll has left something to be done
            is_at_rest = self._is_told and self._changed and not self.freshness.is_in_doubt
            # `wait_for` may swallow being cancelled: the node would never stop
            async with asyncio.timeout(HINTED_POLL_S if is_at_rest else POLL_S):
                await self._nudged.wait()
        self._nudged.clear()

    async def _confirm(self, asked: tuple[int, int]) -> None:
        """See to it that every view shows all that was in the log when this began; then take in halls that are new."""
        changed = await self._reading.ask(self._database.changed)
        await self._reading.ask(partial(self._database.set_clock, self._clock))
        is_news, self._changed = changed != self._changed, changed
        try:
            new_halls = await self._compare() if is_news else {}
            self.freshness.confirmed(asked)
            if new_halls and (self._taking_in is None or self._taking_in.done()):
                self._taking_in = asyncio.create_task(self._take_in(new_halls), name="feed-take-in")
        except BaseException:
            self._changed = ""
            raise

    async def _take_in(self, new_halls: Mapping[str, journal.Position]) -> None:
        """Though nobody has asked for them: their midnights come, and gauges show them. Of one that cannot be read
        nothing is said again before its log goes on."""
        for hall_id, position in new_halls.items():
            try:
                await self.view(hall_id)
                continue
            except Unavailable:
                break
            except UnknownEventKind as error:
                self._doubt(error)
            except (UnknownHall, LogCorrupt) as error:
                LOG.error("hall-left-out: %s", error)  # noqa: TRY400 (no fault of the code)
            except Exception:
                LOG.exception("hall-left-out: %s", hall_id)
            self._left_out[hall_id] = position
        self._changed = ""  # there may be more of them by now

    def _doubt(self, error: UnknownEventKind) -> None:
        self.unknown_kind = str(error)
        LOG.warning("unknown-event: %s", error)

    async def _compare(self) -> dict[str, journal.Position]:
        """Compare every view with the log and read on where they differ; the halls that have no view yet.

        What a view shows was committed before the log is read here, so the log must hold it. A standby that took over
        may not: then displays are told what it has. What was committed meanwhile has mostly been shown by then, too."""
        shown = [(view, view.hall.seq, view.hall.head) for view in self.views.values()]
        found = await self._reading.own(journal.all_positions)
        for view, seq, head in shown:
            position = found.get(view.hall.id)
            if position is not None and (position.seq, position.head) == (seq, head):
                continue
            if position is None or position.seq <= seq or not view.has_shown(position.seq, position.head):
                await self._catch_up(view)
        return {name: end for name, end in found.items() if name not in self.views and end != self._left_out.get(name)}


def _slice(connection: Connection, hall: str, after: int) -> list[Logged]:
    return list(islice(journal.events_after(connection, hall, after), SLICE_EVENTS))
