"""Committed events -> followers. One view a hall, folded on the event loop from published events only.

The feed keeps one cursor per hall and publishes only cursor + 1, reading the log for anything between. What this
process commits arrives at once; what others commit is found by a poll of the database's change counter.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection

from models.wire import rfc3339
from queue_service import journal
from queue_service.board import Board, Display
from queue_service.clock import Clock
from queue_service.database import Database
from queue_service.domain.events import Event, Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.errors import UnknownEventKind, UnknownHall

LOG = logging.getLogger("queue_service.feed")

RING_FRAMES = 1_000
POLL_S = 1.0
STALE_MS = 15_000

_SHOWN = ("number", "service", "to_service", "counter", "to_counter", "from_state", "state", "day", "reason", "recalls")


class Frame:
    """One event as a display sees it, encoded once. `framed` is for the transport to keep its own encoding in."""

    __slots__ = ("framed", "head", "payload", "seq")

    def __init__(self, seq: int, head: str, payload: bytes) -> None:
        """`payload` is the JSON text of the frame."""
        self.seq = seq
        self.head = head
        self.payload = payload
        self.framed: bytes | None = None


class Follower(Protocol):
    """Someone who watches a hall. None of these calls may block."""

    def show(self, frame: Frame) -> None:
        """An event, in order."""

    def reset(self) -> None:
        """The hall's history is another one now: show a snapshot."""


Fold = Callable[[Hall, Logged], None]
"""Called for each event after it was applied, before `touched` is drained."""


class View:
    """A hall as of the last published event, with its board, its last frames and its followers."""

    def __init__(self, hall: Hall, fold: Fold) -> None:
        """`hall` knows its plan; the day's events follow through `follow`."""
        self.hall = hall
        self.display = Display()
        self.frames: deque[Frame] = deque(maxlen=RING_FRAMES)
        self.followers: set[Follower] = set()
        self._fold = fold

    def follow(self, logged: Logged) -> Frame:
        """Apply an event and make its frame."""
        evolve(self.hall, logged)
        self._fold(self.hall, logged)
        self.hall.drain()
        frame = Frame(logged.seq, logged.head, _encode(logged, self.display.follow(self.hall, logged)))
        self.frames.append(frame)
        return frame

    def publish(self, logged: Logged) -> None:
        """Apply an event and show it to everyone who watches."""
        frame = self.follow(logged)
        for follower in tuple(self.followers):
            follower.show(frame)

    def board(self) -> Board:
        """The board as of the cursor."""
        return self.display.board(self.hall)

    def snapshot(self) -> bytes:
        """The frame every follower can start from."""
        return orjson.dumps({"type": "snapshot", "seq": self.hall.seq, "head": self.hall.head, "board": self.board()})

    def frames_since(self, after: int, head: str) -> list[Frame] | None:
        """The frames after a position of this history; None where the ring does not reach back to it."""
        if after == self.hall.seq and head == self.hall.head:
            return []
        for index, frame in enumerate(self.frames):
            if frame.seq == after and frame.head == head:
                return list(self.frames)[index + 1 :]
        return None


def _encode(logged: Logged, change: dict[str, Any]) -> bytes:
    event: Event = logged.event
    shown = {name: value for name in _SHOWN if (value := getattr(event, name, None)) is not None}
    return orjson.dumps(
        {
            "type": "event",
            "seq": logged.seq,
            "head": logged.head,
            "at": rfc3339(logged.at_ms),
            "kind": event.KIND,
            **shown,
            **change,
        }
    )


class Feed:
    """All views of this process, kept up with the log."""

    def __init__(self, database: Database, clock: Clock, fold: Fold) -> None:
        """`fold` lets metrics keep up with every view."""
        self._database = database
        self._clock = clock
        self._fold = fold
        self.views: dict[str, View] = {}
        self._latest: dict[str, int] = {}
        self._loading: dict[str, asyncio.Task[View]] = {}
        self._catching: dict[str, asyncio.Task[None]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._confirmed_ms = clock.monotonic_ms()
        self._confirmed_at_ms = clock.now_ms()
        self._changed = -1
        self.unknown_kind: str | None = None

    def start(self) -> None:
        """Begin to poll."""
        self._poller = asyncio.create_task(self._poll(), name="feed-poll")

    async def stop(self) -> None:
        """Stop following."""
        tasks = [task for task in (self._poller, *self._loading.values(), *self._catching.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def as_of_ms(self) -> int:
        """When the log was last read successfully."""
        return self._confirmed_at_ms

    @property
    def is_stale(self) -> bool:
        """Whether the log could not be read for so long that displays must not trust this node."""
        return self._clock.monotonic_ms() - self._confirmed_ms > STALE_MS

    @property
    def is_polling(self) -> bool:
        """Whether the poll is alive."""
        return self._poller is not None and not self._poller.done()

    async def view(self, hall_id: str) -> View:
        """The hall's view, loaded on first use. Raises UnknownHall."""
        view = self.views.get(hall_id)
        if view is not None:
            return view
        task = self._loading.get(hall_id)
        if task is None:
            task = self._loading[hall_id] = asyncio.create_task(self._load(hall_id), name=f"load-{hall_id}")
            task.add_done_callback(lambda _: self._loading.pop(hall_id, None))
        return await asyncio.shield(task)

    async def _load(self, hall_id: str) -> View:
        view = await asyncio.to_thread(self._database.read, lambda connection: self._read_view(connection, hall_id))
        self.views[hall_id] = view
        if self._latest.get(hall_id, 0) > view.hall.seq:
            self._catch_up(hall_id)
        return view

    def _read_view(self, connection: Connection, hall_id: str) -> View:
        position = journal.positions(connection, [hall_id]).get(hall_id)
        if position is None:
            raise UnknownHall(f"There is no hall {hall_id!r}.", hall=hall_id)
        hall, after = journal.day_start(connection, hall_id, position)
        view = View(hall, self._fold)
        for logged in journal.events_after(connection, hall_id, after):
            view.follow(logged)
        return view

    async def frames_since(self, hall_id: str, after: int, head: str) -> list[Frame] | None:
        """The frames after a position: from the ring, else made again from today's log; None: send a snapshot.

        The list may end before the cursor only if events came meanwhile; the caller asks the view for the rest.
        """
        view = await self.view(hall_id)
        frames = view.frames_since(after, head)
        if frames is not None or after >= view.hall.seq or after < view.hall.day_seq:
            return frames
        return await asyncio.to_thread(self._database.read, lambda one: _frames_again(one, hall_id, after, head))

    def published(self, events: Sequence[Logged]) -> None:
        """Events this process has just committed, in order per hall."""
        for logged in events:
            self._latest[logged.hall] = logged.seq
            view = self.views.get(logged.hall)
            if view is None:
                continue
            if logged.seq == view.hall.seq + 1:
                view.publish(logged)
            elif logged.seq > view.hall.seq:
                self._catch_up(logged.hall)

    def _catch_up(self, hall_id: str) -> None:
        if hall_id not in self._catching:
            task = self._catching[hall_id] = asyncio.create_task(self._read_on(hall_id), name=f"catch-up-{hall_id}")
            task.add_done_callback(lambda _: self._catching.pop(hall_id, None))

    async def _read_on(self, hall_id: str) -> None:
        """Publish from the log until nothing is newer than the cursor."""
        view = self.views[hall_id]
        while True:
            after = view.hall.seq
            events = await asyncio.to_thread(
                self._database.read, lambda one, seq=after: list(journal.events_after(one, hall_id, seq))
            )
            for logged in events:
                if logged.seq == view.hall.seq + 1:
                    view.publish(logged)
            if not events or view.hall.seq >= self._latest.get(hall_id, 0):
                return

    # -- what others commit

    async def _poll(self) -> None:
        while True:
            try:
                changed = await asyncio.to_thread(self._database.changed)
                if changed != self._changed:
                    await self._compare()
                    self._changed = changed
                self._confirmed_ms, self._confirmed_at_ms = self._clock.monotonic_ms(), self._clock.now_ms()
                await asyncio.to_thread(self._database.checkpoint)
            except asyncio.CancelledError:
                raise
            except UnknownEventKind as error:
                self.unknown_kind = str(error)
                LOG.exception("unknown-event")
            except Exception:
                LOG.exception("poll-failed")
            await asyncio.sleep(POLL_S)

    async def _compare(self) -> None:
        """Compare every view with the log: read on where it is behind, start over where it is of another history."""
        found = await asyncio.to_thread(self._database.read, journal.all_positions)
        for hall_id, view in tuple(self.views.items()):
            position = found.get(hall_id)
            if position is None or self._is_of_other_history(view.hall, position):
                await self._start_over(hall_id)
            elif position.seq > view.hall.seq:
                self._latest[hall_id] = max(position.seq, self._latest.get(hall_id, 0))
                self._catch_up(hall_id)

    def _is_of_other_history(self, hall: Hall, position: journal.Position) -> bool:
        if hall.seq == position.seq:
            return hall.head != position.head
        return hall.seq > max(position.seq, self._latest.get(hall.id, 0))

    async def _start_over(self, hall_id: str) -> None:
        LOG.warning("history-changed: %s", hall_id)
        followers = self.views.pop(hall_id).followers
        self._latest.pop(hall_id, None)
        view = await self.view(hall_id)
        view.followers |= followers
        for follower in followers:
            follower.reset()


def _frames_again(connection: Connection, hall_id: str, after: int, head: str) -> list[Frame] | None:
    position = journal.positions(connection, [hall_id])[hall_id]
    hall, start = journal.day_start(connection, hall_id, position)
    view = View(hall, lambda _hall, _logged: None)
    view.frames = deque()
    for logged in journal.events_after(connection, hall_id, start):
        view.follow(logged)
    return view.frames_since(after, head)
