"""The line between a centre and a hall's node: it can be cut and mended, and led to another node."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

SOME_BYTES = 65_536


class Line:
    """Passes bytes on both ways while it is whole. `url` stays the same all the time."""

    def __init__(self, base_url: str) -> None:
        """To a node; see `line`."""
        self.lead_to(base_url)
        self.url = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def lead_to(self, base_url: str) -> None:
        """From the next connection on."""
        host, port = base_url.removeprefix("http://").split(":")
        self._node = (host, int(port))

    async def mend(self) -> None:
        """Take connections, at the same address as before."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def cut(self) -> None:
        """End what is open, and take no more."""
        assert self._server is not None, "mend() first"
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            from_node, to_node = await asyncio.open_connection(*self._node)
            both = {writer, to_node}
            self._open |= both
            await asyncio.gather(_pass_on(reader, to_node), _pass_on(from_node, writer))
            self._open -= both
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(SOME_BYTES):
            writer.write(some)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line(base_url: str) -> AsyncIterator[Line]:
    """A line that is whole."""
    one = Line(base_url)
    await one.mend()
    try:
        yield one
    finally:
        await one.cut()
