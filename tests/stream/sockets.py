"""Clients of the streams, as an integrator would write them: nothing of ours but the documents that describe them.

Every frame that comes in is checked against the AsyncAPI document.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api.asyncapi import document
from tests.running import WAIT_S
from tests.stream import rfc7396

Frame = dict[str, Any]


@cache
def schema_of(channel: str) -> jsonschema_rs.Draft7Validator:
    """What a frame of a channel (`hall` or `ticket`) must look like: one of its messages."""
    described = document()
    names = described["channels"][channel]["messages"]
    payloads = [{"$ref": f"#/components/messages/{name}/payload"} for name in names]
    return jsonschema_rs.Draft7Validator(
        {"oneOf": payloads, "components": described["components"]}, validate_formats=True
    )


def websocket_url(base_url: str, path: str, **query: Any) -> str:
    """The address of a stream."""
    return f"ws{base_url.removeprefix('http')}{path}" + (f"?{urlencode(query)}" if query else "")


class Socket:
    """One connection to a stream."""

    def __init__(self, connection: ClientConnection, channel: str) -> None:
        """`channel` is `hall` or `ticket`."""
        self.connection = connection
        self._schema = schema_of(channel)

    async def frame(self) -> Frame:
        """The next frame that has a place in the order: no heartbeat, no estimate."""
        while (frame := await self.any_frame())["type"] in ("heartbeat", "estimate"):
            pass
        return frame

    async def text(self) -> bytes:
        """The next message as it is."""
        async with asyncio.timeout(WAIT_S):
            return await self.connection.recv(decode=False)

    async def any_frame(self) -> Frame:
        """The next frame, checked."""
        frame: Frame = orjson.loads(await self.text())
        self._schema.validate(frame)
        return frame

    async def frames(self, count: int) -> list[Frame]:
        """The next frames that are no heartbeats."""
        return [await self.frame() for _ in range(count)]

    async def until(self, seq: int) -> list[Frame]:
        """Frames up to one of that seq."""
        found = [await self.frame()]
        while found[-1]["seq"] < seq:
            found.append(await self.frame())
        return found

    async def closed(self) -> tuple[int, str]:
        """Read to the end; the close code and the reason."""
        try:
            while True:
                await self.any_frame()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@asynccontextmanager
async def open_socket(base_url: str, path: str, **query: Any) -> AsyncIterator[Socket]:
    """A connection to any path of a node."""
    channel = "ticket" if path.startswith("/v1/tickets/") else "hall"
    url = websocket_url(base_url, path, **query)
    async with connect(url, proxy=None, compression=None, max_size=2**24, open_timeout=WAIT_S) as connection:
        yield Socket(connection, channel)


def hall_socket(base_url: str, hall: str = "hall", **query: Any) -> Any:
    """A display."""
    return open_socket(base_url, f"/v1/halls/{hall}/stream", **query)


def ticket_socket(base_url: str, ticket: str) -> Any:
    """A visitor."""
    return open_socket(base_url, f"/v1/tickets/{ticket}/stream")


def board_after(board: Any, frames: list[Frame]) -> Any:
    """The board that a client has after some frames."""
    board = deepcopy(board)
    for frame in frames:
        board = deepcopy(frame["board"]) if "board" in frame else rfc7396.apply(board, frame["patch"])
    return board


def assert_gapless(frames: list[Frame], after: int) -> None:
    """One event frame for each seq, in order."""
    assert [frame["type"] for frame in frames] == ["event"] * len(frames)
    assert [frame["seq"] for frame in frames] == list(range(after + 1, after + 1 + len(frames)))


def handshake(path: str, *headers: str) -> bytes:
    """The opening handshake as it stands on the wire."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: here",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode()


RawSocket = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def raw_socket(base_url: str) -> AsyncIterator[RawSocket]:
    """A TCP connection to a node."""
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def raw_stream(base_url: str, path: str) -> AsyncIterator[RawSocket]:
    """A connection to a stream on which nothing of websockets has been said yet but the handshake."""
    async with raw_socket(base_url) as (reader, writer):
        writer.write(handshake(path))
        async with asyncio.timeout(WAIT_S):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        yield reader, writer


async def wire_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """A server's frame off the wire: its first byte and its payload."""
    first, size = await reader.readexactly(2)
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    return first, await reader.readexactly(size)


async def close_frame(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read frames up to the one that closes; its code and reason."""
    first = payload = None
    while first != 0x88:
        first, payload = await wire_frame(reader)
    assert payload is not None
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()
