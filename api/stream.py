"""The websocket streams: a hall's board for displays, one ticket for its visitor (DESIGN: the stream).

Whoever follows is written to from where an event is published, without a task of its own: the application's task for
a socket only waits for the client to go. `docs/stream.md` tells integrators what they can rely on.
"""

import asyncio
import re
from collections import deque
from typing import Any

import orjson
from fastapi import APIRouter, WebSocket

from api.answers import live_ticket
from api.asking import service_of
from api.ids import hall_of
from api.service import Service
from api.websocket_protocol import EXTENSION, PreframedProtocol, preframe
from models.wire import rfc3339
from queue_service.board import Frame, Frames
from queue_service.domain.hall import Ticket
from queue_service.domain.order import ahead
from queue_service.errors import QueueServiceError, Unavailable, UnknownHall, UnknownTicket
from queue_service.planning.live.outlook import same_estimate
from queue_service.view import OTHER_HISTORY, TRY_AGAIN, View
from queue_service.view_reading import REMADE_FRAMES

ROUTER = APIRouter()

BAD_REQUEST = 4400
NOT_FOUND = 4404
WATCH_S = 1.0

_INTEGER = re.compile(r"[+-]?[0-9]+")
_MOST_DIGITS = 18
"""No log is longer, and every such number fits what a database counts with."""


def _wire(frame: Frame) -> bytes:
    """The frame as it stands on the wire, encoded for the first display that gets it."""
    if frame.framed is None:
        frame.framed = preframe(frame.payload)
    return frame.framed


def _wire_all(frames: Frames) -> bytes:
    """Several frames at once: one write costs the transport as much as one frame does."""
    if frames.framed is None:
        frames.framed = b"".join(map(_wire, frames.frames))
    return frames.framed


class Display:
    """One socket that watches a hall."""

    kind = "display"

    def __init__(self, protocol: PreframedProtocol, view: View) -> None:
        """Nothing is sent until `begin`."""
        self._protocol = protocol
        self._view = view
        self._missed: deque[Frame] = deque()
        self._lags = False
        self.leave = protocol.leave
        protocol.on_drained = self._drained

    def begin(self, missed: list[Frame] | None) -> None:
        """Send the frames that a client has missed, as fast as it reads; None: a snapshot."""
        if missed is None:
            self.reset()
        else:
            self._missed.extend(missed)
            self._write_missed()

    def show(self, frames: Frames) -> None:
        """Events; a reader that is too far behind gets a snapshot later instead."""
        if self._missed and len(self._missed) < REMADE_FRAMES:
            self._missed.extend(frames.frames)
        elif self._missed or self._protocol.is_behind:
            self.reset()
        else:
            self._protocol.write_frame(_wire_all(frames))

    def reset(self) -> None:
        """Start over with a snapshot, once the reader has room for it."""
        self._missed.clear()
        self._lags = self._protocol.is_behind
        if not self._lags:
            self._protocol.write_frame(_wire(self._view.snapshot()))

    def beat(self, frame: Frame) -> None:
        """A heartbeat; it would only add to what a slow reader has to read."""
        if not self._missed and not self._protocol.is_behind:
            self._protocol.write_frame(_wire(frame))

    def foretell(self, frame: Frame) -> None:
        """Estimates; a slow reader gets later ones."""
        self.beat(frame)

    def _write_missed(self) -> None:
        while self._missed and not self._protocol.is_behind:
            self._protocol.write_frame(_wire(self._missed.popleft()))

    def _drained(self) -> None:
        if self._lags:
            self.reset()
        else:
            self._write_missed()


class Visitor:
    """One socket that watches a ticket: told of every change of what the ticket's document says of it.

    It keeps the hall's own ticket: when that leaves the hall it has its last state. Only events that concern its
    service are looked at: with many visitors, looking costs more than telling."""

    kind = "visitor"

    def __init__(self, service: Service, protocol: PreframedProtocol, view: View, ticket_id: str) -> None:
        """Nothing is sent until `begin`."""
        self._now_ms = service.clock.now_ms
        self._estimating = service.live.estimate
        self._protocol = protocol
        self._view = view
        self._ticket_id = ticket_id
        self._ticket: Ticket | None = None
        self._told: dict[str, Any] = {}
        self._estimate: dict[str, Any] | None = None
        self.leave = protocol.leave
        protocol.on_drained = self._look

    def begin(self, stored: bytes | None) -> None:
        """Send the ticket as it is; `stored` is what the table has of one that is closed."""
        self._look("snapshot")
        if self._ticket is None and stored is not None:
            self._told = _lasting(orjson.loads(stored))
            self._write("snapshot", orjson.Fragment(stored))

    def show(self, frames: Frames) -> None:
        """Events of the hall; of those that came together, what they led to is told."""
        ticket = self._ticket
        for frame in frames.frames:
            if frame.services is None or ticket is None or ticket.service in frame.services:
                self._look()
                return

    def _look(self, kind: str = "ticket") -> None:
        hall = self._view.hall
        self._ticket = hall.tickets.get(self._ticket_id) or self._ticket
        if self._ticket is None or self._protocol.is_behind:
            return
        document = live_ticket(hall, self._ticket, self._now_ms(), self._estimating)
        lasting = _lasting(document)
        if lasting != self._told:
            self._told, self._estimate = lasting, document["estimate"]
            self._write(kind, document)

    def _write(self, kind: str, document: Any) -> None:
        hall = self._view.hall
        frame = {"type": kind, "seq": hall.seq, "head": hall.head, "ticket": document}
        self._protocol.write_frame(preframe(orjson.dumps(frame)))

    def reset(self) -> None:
        """The ticket may never have been: the client has to ask again."""
        self.leave(TRY_AGAIN, OTHER_HISTORY)

    def beat(self, frame: Frame) -> None:
        """A heartbeat. Between classes of visitors the place in line can change by time alone."""
        self._look()
        if not self._protocol.is_behind:
            self._protocol.write_frame(_wire(frame))

    def foretell(self, frame: Frame) -> None:
        """The visitor's own estimate, where it has changed."""
        hall, ticket = self._view.hall, self._ticket
        if ticket is None or ticket.id not in hall.tickets or self._protocol.is_behind:
            return
        now_ms = self._now_ms()
        estimate = self._estimating(hall, ticket, ahead(hall, ticket, now_ms), now_ms)
        if estimate is not None and not same_estimate(estimate, self._estimate):
            self._estimate = estimate
            told = {"type": "estimate", "as_of": estimate["as_of"], "estimate": estimate}
            self._protocol.write_frame(preframe(orjson.dumps(told)))


def _lasting(ticket: dict[str, Any]) -> dict[str, Any]:
    """What a visitor is told the changes of: everything but the running wait and the hall's seq."""
    return {name: value for name, value in ticket.items() if name not in ("waited_s", "seq", "estimate")}


@ROUTER.websocket("/v1/halls/{hall}/stream")
async def hall_stream(socket: WebSocket, hall: str) -> None:
    """A hall's board, from a snapshot or from `after` and `head` on."""
    service, protocol = await _accept(socket)
    given, head = socket.query_params.get("after") or None, socket.query_params.get("head", "")
    if given is not None and not _INTEGER.fullmatch(given):
        protocol.leave(BAD_REQUEST, "after must be an integer")
        return
    after = None if given is None or len(given) > _MOST_DIGITS else int(given)
    try:
        view = await _view(service, hall)
        remade = [] if after is None else await service.feed.remade(view, after, head)
        service.feed.check(view)
    except QueueServiceError as error:
        _refuse(protocol, error)
        return
    # No await from here until the display follows: no event can come between.
    display = Display(protocol, view)
    display.begin(None if after is None else _missed(view, after, head, remade))
    await _follow(service, socket, view, display)


def _missed(view: View, after: int, head: str, remade: list[Frame]) -> list[Frame] | None:
    """The frames after a position: those made again, if any, and from their end on those of the ring."""
    if remade:
        after, head = remade[-1].seq, remade[-1].head
    newer = view.frames_since(after, head)
    return None if newer is None else remade + newer


@ROUTER.websocket("/v1/tickets/{ticket}/stream")
async def ticket_stream(socket: WebSocket, ticket: str) -> None:
    """A visitor's own ticket: a snapshot, then a `ticket` frame at every change."""
    service, protocol = await _accept(socket)
    try:
        view = await _view(service, hall_of(ticket))
        stored = None if ticket in view.hall.tickets else await service.ticket(ticket)
        service.feed.check(view)
    except QueueServiceError as error:
        _refuse(protocol, error)
        return
    # No await from here until the visitor follows: no event can come between.
    visitor = Visitor(service, protocol, view, ticket)
    visitor.begin(stored)
    await _follow(service, socket, view, visitor)


async def _accept(socket: WebSocket) -> tuple[Service, PreframedProtocol]:
    """Accept first: a browser is told a close code only by a connection that was open."""
    await socket.accept()
    service = service_of(socket)
    protocol: PreframedProtocol = socket.scope["extensions"][EXTENSION]
    protocol.limit_buffer(service.settings.socket_buffer_bytes)
    return service, protocol


async def _view(service: Service, hall: str) -> View:
    """The hall's view, its business day opened, if this node can vouch for it."""
    if (why := service.why_stale(hall)) is not None:
        raise Unavailable(why)
    return await service.current_view(hall)


def _refuse(protocol: PreframedProtocol, error: QueueServiceError) -> None:
    protocol.leave(NOT_FOUND if isinstance(error, UnknownHall | UnknownTicket) else TRY_AGAIN, str(error))


async def _follow(service: Service, socket: WebSocket, view: View, follower: Display | Visitor) -> None:
    """Stay until the client goes or is sent away; what it says does not come this far."""
    view.followers.add(follower)
    service.sockets[follower.kind] += 1
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
    finally:
        view.followers.discard(follower)
        service.sockets[follower.kind] -= 1


async def keep_in_touch(service: Service) -> None:
    """Tell all who follow that this node lives, or send them away once it cannot vouch for what it shows. Runs as
    long as the node does."""
    await asyncio.gather(_beat(service), _watch(service))


async def _beat(service: Service) -> None:
    async for view in service.in_turn(service.settings.heartbeat_s):
        if view.followers:
            seq, head = view.hall.seq, view.hall.head
            as_of = rfc3339(service.as_of_ms(view.hall.id))
            view.beat(Frame(seq, head, orjson.dumps({"type": "heartbeat", "seq": seq, "as_of": as_of})))


async def _watch(service: Service) -> None:
    while True:
        await asyncio.sleep(WATCH_S)
        if service.following is None and not service.feed.freshness.is_stale:
            continue  # not even asked about each of thousands of halls
        for view in tuple(service.feed.views.values()):
            if view.followers and (why := service.why_stale(view.hall.id)) is not None:
                view.dismiss(TRY_AGAIN, why)
