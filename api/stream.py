"""The websocket streams: a hall's board for displays, one ticket for its visitor (DESIGN: the stream)."""

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from api.answers import live_ticket
from api.ids import hall_of
from api.service import Service
from api.websocket_protocol import EXTENSION, PreframedProtocol, preframe
from models.wire import rfc3339
from queue_service.errors import QueueServiceError
from queue_service.feed import Frame, View

ROUTER = APIRouter()

TRY_AGAIN = 1013
NOT_FOUND = 4404
BAD_REQUEST = 4400


class Display:
    """One socket that watches a hall."""

    def __init__(self, protocol: PreframedProtocol, view: View) -> None:
        """Nothing is sent until `begin`."""
        self._protocol = protocol
        self._view = view
        self._lagging = False
        protocol.on_drained = self._drained

    def begin(self, frames: list[Frame] | None) -> None:
        """Send the frames asked for, or a snapshot."""
        if frames is None:
            self.reset()
        else:
            for frame in frames:
                self.show(frame)

    def show(self, frame: Frame) -> None:
        """An event; a reader that is too far behind gets a snapshot later instead."""
        if self._lagging or self._protocol.is_behind:
            self._lagging = True
            return
        if frame.framed is None:
            frame.framed = preframe(frame.payload)
        self._protocol.write_frame(frame.framed)

    def reset(self) -> None:
        """Start over with a snapshot."""
        if self._protocol.is_behind:
            self._lagging = True
        else:
            self._protocol.write_frame(preframe(self._view.snapshot()))

    def beat(self, framed: bytes) -> None:
        """A heartbeat; it would only add to what a slow reader has to read."""
        if not self._lagging:
            self._protocol.write_frame(framed)

    def _drained(self) -> None:
        if self._lagging:
            self._lagging = False
            self.reset()


class Visitor:
    """One socket that watches a ticket: told whenever something about it changes."""

    def __init__(self, service: Service, protocol: PreframedProtocol, view: View, ticket_id: str, last: bytes) -> None:
        """`last` is the ticket as the snapshot showed it."""
        self._service = service
        self._protocol = protocol
        self._view = view
        self._ticket_id = ticket_id
        self._shown = _shown(last)
        self._due = False
        protocol.on_drained = self.reset

    def show(self, frame: Frame) -> None:
        """Look at the ticket once all events of this turn have been applied."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._due = False
        hall = self._view.hall
        ticket = hall.tickets.get(self._ticket_id)
        if ticket is None:
            self._service.background(self._farewell())
        else:
            self._tell(orjson.dumps(live_ticket(hall, ticket, self._service.clock.now_ms())))

    async def _farewell(self) -> None:
        """A closed ticket is no longer in the hall; the table has its last state."""
        try:
            self._tell(await self._service.ticket(self._ticket_id))
        except QueueServiceError:
            self._service.log.warning("visitor-ticket-gone: %s", self._ticket_id)

    def _tell(self, ticket: bytes) -> None:
        shown = _shown(ticket)
        if shown != self._shown and not self._protocol.is_behind:
            self._shown = shown
            self._protocol.write_frame(preframe(_ticket_frame("ticket", self._view, ticket)))

    def reset(self) -> None:
        """Look again."""
        self.show(Frame(0, "", b""))

    def beat(self, framed: bytes) -> None:
        """A heartbeat."""
        if not self._protocol.is_behind:
            self._protocol.write_frame(framed)


def _shown(ticket: bytes) -> dict[str, Any]:
    """What a visitor cares about: everything but the running clock and the hall's seq."""
    document: dict[str, Any] = orjson.loads(ticket)
    return {name: value for name, value in document.items() if name not in ("waited_s", "seq")}


def _ticket_frame(kind: str, view: View, ticket: bytes) -> bytes:
    frame = {"type": kind, "seq": view.hall.seq, "head": view.hall.head, "ticket": orjson.Fragment(ticket)}
    return orjson.dumps(frame)


def heartbeat(view: View, as_of_ms: int) -> bytes:
    """The frame that says how fresh this node's reading of the log is."""
    return preframe(orjson.dumps({"type": "heartbeat", "seq": view.hall.seq, "as_of": rfc3339(as_of_ms)}))


@ROUTER.websocket("/v1/halls/{hall}/stream")
async def hall_stream(socket: WebSocket, hall: str) -> None:
    """A hall's board, from a snapshot or from `after` and `head` on."""
    service: Service = socket.app.state.service
    after = socket.query_params.get("after", "")
    await socket.accept()
    if after and not after.lstrip("-").isdigit():
        await socket.close(BAD_REQUEST, "after must be an integer")
        return
    try:
        view = await service.current_view(hall)
        head = socket.query_params.get("head", "")
        frames = await service.feed.frames_since(hall, int(after), head) if after else None
    except QueueServiceError as error:
        await _refuse(socket, error)
        return
    display = Display(_protocol(service, socket), view)
    # No await from here to the follower's registration: nothing can come between.
    if frames is not None:
        reached = frames[-1] if frames else None
        rest = view.frames_since(reached.seq, reached.head) if reached else []
        frames = None if rest is None else frames + rest
        if reached is None and (int(after), head) != (view.hall.seq, view.hall.head):
            frames = view.frames_since(int(after), head)
    display.begin(frames)
    await _follow(service, socket, view, display)


@ROUTER.websocket("/v1/tickets/{ticket}/stream")
async def ticket_stream(socket: WebSocket, ticket: str) -> None:
    """A visitor's own ticket: a snapshot, then a `ticket` frame at every change."""
    service: Service = socket.app.state.service
    await socket.accept()
    try:
        view = await service.current_view(hall_of(ticket))
        document = await service.ticket(ticket)
    except QueueServiceError as error:
        await _refuse(socket, error)
        return
    protocol = _protocol(service, socket)
    protocol.write_frame(preframe(_ticket_frame("snapshot", view, document)))
    visitor = Visitor(service, protocol, view, ticket, document)
    visitor.reset()  # what changed while the ticket was read
    await _follow(service, socket, view, visitor)


def _protocol(service: Service, socket: WebSocket) -> PreframedProtocol:
    protocol: PreframedProtocol = socket.scope["extensions"][EXTENSION]
    protocol.limit_buffer(service.settings.socket_buffer_bytes)
    return protocol


async def _refuse(socket: WebSocket, error: QueueServiceError) -> None:
    code = NOT_FOUND if type(error).__name__.startswith("Unknown") else TRY_AGAIN
    await socket.close(code, str(error)[:120])


async def _follow(service: Service, socket: WebSocket, view: View, follower: Display | Visitor) -> None:
    """Stay until the client goes or the node can no longer vouch for what it shows."""
    view.followers.add(follower)
    kind = "display" if isinstance(follower, Display) else "visitor"
    service.sockets[kind] += 1
    beats = asyncio.create_task(_beat(service, socket, view, follower))
    try:
        while True:
            await socket.receive_text()  # nothing is expected from clients; this is how a leaving one is noticed
    except (WebSocketDisconnect, KeyError):
        pass
    finally:
        beats.cancel()
        view.followers.discard(follower)
        service.sockets[kind] -= 1


async def _beat(service: Service, socket: WebSocket, view: View, follower: Display | Visitor) -> None:
    while True:
        await asyncio.sleep(service.settings.heartbeat_s)
        if service.feed.is_stale:
            await socket.close(TRY_AGAIN, "the log cannot be read")
            return
        follower.beat(heartbeat(view, service.feed.as_of_ms))
