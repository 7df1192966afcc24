"""uvicorn's websocket protocol (on the `websockets` package) with one extension: frames that are already encoded.

A hall's frame is encoded once and written to every display's transport as it is. Server frames carry no mask and no
state, so this is as valid as sending through the protocol object (compression is off). The transport's own buffer is
the only queue; when it runs over, the stream says so instead of growing.
"""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

EXTENSION = "queue_service.preframed"


def preframe(payload: bytes) -> bytes:
    """A whole text message as it stands on the wire."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class PreframedProtocol(WebSocketsSansIOProtocol):
    """Offers itself to the application in `scope["extensions"]`."""

    on_drained: Callable[[], None] | None = None

    def handle_connect(self, event: Any) -> None:
        """Add the extension to the scope before the application first runs."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self

    def limit_buffer(self, size_bytes: int) -> None:
        """From this many unsent bytes on, `is_behind`."""
        self.transport.set_write_buffer_limits(high=size_bytes)

    @property
    def is_behind(self) -> bool:
        """Whether the reader is so slow that nothing more may be written now."""
        return not self.writable.is_set()

    def write_frame(self, framed: bytes) -> None:
        """Write a preframed message, unless the connection is closing."""
        if not (self.close_sent or self.disconnected or self.transport.is_closing()):
            self.transport.write(framed)

    def resume_writing(self) -> None:
        """The reader caught up."""
        super().resume_writing()
        if self.on_drained is not None:
            self.on_drained()
