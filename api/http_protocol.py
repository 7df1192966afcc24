"""uvicorn's HTTP protocol, writing an answer once.

uvicorn writes the head and the body of an answer each by itself, and uvloop sends each at once: two system calls, and
often two packets, where one does. Here what is written in one turn of the event loop goes out together.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 16_384
"""A larger part is sent at once, so that the transport notices a slow reader."""


class Corked:
    """A transport that sends at the end of the event loop's turn. Everything else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap `transport`, which belongs to `loop`."""
        self.transport = transport
        self._call_soon = loop.call_soon
        self._parts: list[bytes] = []
        self.is_closing, self.resume_reading = transport.is_closing, transport.resume_reading  # asked at every request

    def __getattr__(self, name: str) -> Any:
        """What else there is."""
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        """Send it with whatever else is written in this turn."""
        if not self._parts:
            self._call_soon(self.flush)
        self._parts.append(data)
        if len(data) > MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send now."""
        if self._parts:
            parts, self._parts = self._parts, []
            self.transport.write(b"".join(parts))

    def close(self) -> None:
        """Send, then close."""
        self.flush()
        self.transport.close()


class CorkedHttpProtocol(HttpToolsProtocol):
    """Writes through a Corked; a websocket gets the transport as it is."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection."""
        super().connection_made(transport)
        self.transport = Corked(transport, self.loop)  # type: ignore[assignment]

    def handle_websocket_upgrade(self) -> None:
        """The websocket's protocol writes for itself."""
        assert isinstance(self.transport, Corked), "it was wrapped when the connection was made"
        self.transport.flush()
        self.transport = self.transport.transport
        super().handle_websocket_upgrade()
