"""A connection as bytes: what is sent can be cut anywhere, and answers are read one by one as they come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.running import WAIT_S

JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Told:
    """An answer: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body's JSON."""
        return orjson.loads(self.body)


def post(path: str, body: bytes = b"", *headers: str, version: str = "1.1") -> bytes:
    """A POST with a length, and JSON where it has a body."""
    lines = [f"POST {path} HTTP/{version}", "Host: test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, *([JSON] if body else []), "", ""]).encode() + body


def get(path: str, *headers: str) -> bytes:
    """A GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *headers, "", ""]).encode()


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open already."""
        self._reader = reader
        self._writer = writer

    @property
    def address(self) -> Any:
        """Its own end."""
        return self._writer.get_extra_info("sockname")

    def send(self, data: bytes) -> None:
        """Write; nothing is waited for."""
        self._writer.write(data)

    async def told(self) -> Told:
        """The next answer."""
        async with asyncio.timeout(WAIT_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = [line.split(": ", 1) for line in head[1:] if line]
            headers = {name.lower(): value for name, value in pairs}
            assert len(headers) == len(pairs), head
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Told(int(head[0].split()[1]), headers, body)

    async def ask(self, data: bytes) -> Told:
        """Send a request and read its answer."""
        self.send(data)
        return await self.told()

    async def rest(self) -> bytes:
        """What comes until the node closes the connection."""
        async with asyncio.timeout(WAIT_S):
            return await self._reader.read()

    def drop(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


@asynccontextmanager
async def wire_to(base_url: str, limit: int = 2**16) -> AsyncIterator[Wire]:
    """A new connection to a node; `limit`: how many bytes are taken from the system before they are read."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=limit)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
