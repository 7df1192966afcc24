"""What fan-out is compared with: a server that writes bytes it is given to every socket it has, and does nothing else.

A client that begins with GET is a display. One that begins with FRAME gives a length in decimal and so many bytes, over
and over; each time they are written to every display, one transport at a time, as the service does.
"""

import asyncio
from typing import cast

import uvloop

DISPLAYS: set[asyncio.WriteTransport] = set()
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Bare(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        """Nothing is known of it yet."""
        self._transport: asyncio.WriteTransport
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        """A display's request, or frames."""
        self._read += data
        if self._read.startswith(b"GET") and self._read.endswith(b"\r\n\r\n"):
            self._read = b""
            self._transport.write(SWITCHED)
            DISPLAYS.add(self._transport)
        while self._read.startswith(b"FRAME"):
            head, end, rest = self._read.partition(b"\n")
            length = int(head[6:]) if end else 0
            if not end or len(rest) < length:
                return
            self._read = rest[length:]
            for display in tuple(DISPLAYS):
                display.write(rest[:length])

    def connection_lost(self, _: Exception | None) -> None:
        """A display has gone."""
        DISPLAYS.discard(self._transport)


async def serve() -> None:
    """Until stopped."""
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=4_096)
    print(f"Serving at http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
