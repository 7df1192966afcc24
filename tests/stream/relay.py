"""A bad network between a client and a node: it loses answers, loses frames, or goes silent, and can be mended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import orjson

from tests.stream.sockets import Frame, wire_frame

SOME_BYTES = 65_536


class Relay:
    """Passes on what clients and the node say to each other, as far as it is told to."""

    def __init__(self, base_url: str) -> None:
        """To a node; see `relay`."""
        host, port = base_url.removeprefix("http://").split(":")
        self._node = (host, int(port))
        self.base_url = ""
        self.lost_answers = 0
        self.loses_answers_like = b"HTTP/1.1 "
        self.loses: Callable[[Frame], bool] = lambda _: False
        self.speaks = asyncio.Event()
        self.speaks.set()
        self.connections = 0
        self._clients: set[asyncio.Task[None]] = set()

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        client = asyncio.create_task(self._accept(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def end(self) -> None:
        """Let go of all clients."""
        clients = tuple(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        from_node, to_node = await asyncio.open_connection(*self._node)
        asking = asyncio.create_task(_pass_on(reader, to_node))
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._answer(from_node, writer)
        finally:
            asking.cancel()
            to_node.close()
            writer.close()
            await asyncio.gather(asking, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.lost_answers and head.startswith(self.loses_answers_like):
            self.lost_answers -= 1
            return
        writer.write(head)
        if not head.startswith(b"HTTP/1.1 101 "):
            await _pass_on(reader, writer)
        while True:
            await self._pass_frame(reader, writer)

    async def _pass_frame(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, payload = await wire_frame(reader)
        await self.speaks.wait()
        if first == 0x81 and self.loses(orjson.loads(payload)):
            return
        size = len(payload)
        length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
        writer.write(bytes([first]) + length + payload)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(SOME_BYTES):
        writer.write(some)


@asynccontextmanager
async def relay(base_url: str) -> AsyncIterator[Relay]:
    """A relay to a node."""
    one = Relay(base_url)
    server = await asyncio.start_server(one.begin, "127.0.0.1", 0)
    one.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()
        await one.end()
