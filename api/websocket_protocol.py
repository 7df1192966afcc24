"""uvicorn's websocket protocol (on the `websockets` package) with what the streams need beyond it.

Frames that are already encoded: a hall's frame is encoded once and written to every display's transport as it is.
Server frames carry no mask and no state, so this is as valid as sending through the protocol object (compression is
off). The transport's own buffer is the only queue; when it runs over, `is_behind` says so instead of growing.

Closing: always with a code that says why, never waiting for a client that takes nothing. Clients have nothing to
say: text from them is checked and dropped here, anything else ends the connection.
"""

import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

EXTENSION = "queue_service.preframed"

GOING_AWAY_FOR_A_WHILE = 1012
ONLY_TEXT = 1003
NOT_UTF_8 = 1007
MOST_REASON_BYTES = 120
"""A close frame has room for 123."""
CLOSE_S = 2.0
"""How long a client may take to answer a close."""
HEADERS_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def preframe(payload: bytes) -> bytes:
    """A whole text message as it stands on the wire."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class PreframedProtocol(WebSocketsSansIOProtocol):
    """Offers itself to the application in `scope["extensions"]`."""

    on_drained: Callable[[], None] | None = None

    # -- for the application

    def limit_buffer(self, size_bytes: int) -> None:
        """From this many unsent bytes on, `is_behind`; the kernel is not to keep much more than that either."""
        self.transport.set_write_buffer_limits(high=size_bytes)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)

    @property
    def is_behind(self) -> bool:
        """Whether the reader is so slow that nothing more may be written now."""
        return not self.writable.is_set()

    def write_frame(self, framed: bytes) -> None:
        """Write a preframed message, unless the connection is closing."""
        if not self._is_going:
            self.transport.write(framed)

    def leave(self, code: int, reason: str) -> None:
        """Close from outside of the application's own task, which then receives a disconnect."""
        if not self._is_going and self.conn.state is State.OPEN:
            self.conn.send_close(code, reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore"))
            self._say_why()

    # -- what uvicorn's protocol leaves open

    @property
    def _is_going(self) -> bool:
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def _say_why(self) -> None:
        """Send the close frame that stands ready, and read on until the client goes, too: closing at once could reset
        the connection before the client has read why. One that does not go is cut off."""
        assert self.conn.close_sent is not None, "there is something to say"
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Answer a handshake that the websocket parser gives up on, which uvicorn leaves without an answer: its headers
        are longer than it takes (the HTTP parser took them)."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(HEADERS_TOO_LARGE)
            self.transport.close()

    def handle_connect(self, event: Any) -> None:
        """Add the extension to the scope before the application first runs."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self

    def send_receive_event_to_app(self) -> None:
        """Drop a whole message of the client's."""
        data, self.frames = b"".join(self.frames), []
        if self.curr_msg_data_type == "bytes":
            self.leave(ONLY_TEXT, "only text is read here")
            return
        try:
            data.decode()
        except UnicodeDecodeError:
            self.leave(NOT_UTF_8, "text must be UTF-8")

    def handle_parser_exception(self) -> None:
        """What came is no websocket message, or too long: the parser has made the close frame and reads no more."""
        if not self.close_sent:
            self._say_why()
            if self.transport.can_write_eof():
                self.transport.write_eof()

    def shutdown(self) -> None:
        """The node stops: a display comes back with `after`."""
        if self.handshake_complete and not self._is_going:
            self.leave(GOING_AWAY_FOR_A_WHILE, "the node stops")
        else:
            super().shutdown()

    def send_keepalive_ping(self) -> None:
        """Ask whether the client is still there; one that is closing but does not take the rest is cut off."""
        if self.transport.is_closing():
            self.transport.abort()
        else:
            super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """No answer: the client is gone, and nobody will ever read what is still to be sent."""
        super().keepalive_timeout()
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def resume_writing(self) -> None:
        """The reader caught up."""
        super().resume_writing()
        if self.on_drained is not None:
            self.on_drained()
