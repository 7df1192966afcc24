"""A transport that writes an answer once.

uvicorn writes the head and the body of an answer each by itself, and uvloop sends each at once: two system calls, and
often two packets, where one does. Here what is written in one turn of the event loop goes out together.
"""

import asyncio
from typing import Any

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

    def write_answer(self, data: bytes) -> None:
        """Send it now, after what was written before."""
        self._parts.append(data)
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
