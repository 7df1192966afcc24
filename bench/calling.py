"""One keep-alive HTTP connection over a plain socket: so cheap that the server is what is measured."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

HEAD_END = b"\r\n\r\n"
READ_BYTES = 65_536
TIMEOUT_S = 60


class Unexpected(Exception):
    """The server answered something else than the measurement is about."""


class Reply(NamedTuple):
    """Status and body of an answer."""

    status: int
    body: bytes

    def document(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


def request_bytes(method: str, path: str, body: bytes = b"", key: str = "") -> bytes:
    """A whole request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
    if key:
        head += f"Idempotency-Key: {key}\r\n"
    if body:
        head += "Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def body_length(head: bytes) -> int:
    """How long the body is that follows this head."""
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


class Line:
    """One connection; one request at a time."""

    def __init__(self, base_url: str) -> None:
        """Connect."""
        place = urlsplit(base_url)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, document: Any = None, key: str = "") -> Reply:
        """Send a request and wait for its answer, whatever it is."""
        return self.send(request_bytes(method, path, b"" if document is None else orjson.dumps(document), key))

    def send(self, request: bytes) -> Reply:
        """The same with a request that is bytes already."""
        self._socket.sendall(request)
        got = b""
        while (end := got.find(HEAD_END)) < 0:
            got += self._more()
        length = body_length(got[:end])
        while len(got) < end + 4 + length:
            got += self._more()
        return Reply(int(got[9:12]), got[end + 4 :])

    def want(self, method: str, path: str, document: Any = None, key: str = "") -> Any:
        """The answer's document; anything but success is Unexpected."""
        reply = self.ask(method, path, document, key)
        if reply.status >= 300:
            raise Unexpected(f"{method} {path}: {reply.status} {reply.body[:300]!r}")
        return reply.document() if reply.body else None

    def _more(self) -> bytes:
        got = self._socket.recv(READ_BYTES)
        if not got:
            raise Unexpected("the server closed the connection")
        return got

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@contextmanager
def line(base_url: str) -> Iterator[Line]:
    """A connection for the length of a block."""
    made = Line(base_url)
    try:
        yield made
    finally:
        made.close()
