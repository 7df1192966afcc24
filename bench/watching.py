"""Websockets read with as little work as can be: raw sockets, frames counted, nothing decoded."""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from bench.calling import HEAD_END, READ_BYTES, TIMEOUT_S, Unexpected

EVENT = b'{"type":"event"'
_SHORT, _LONG = 126, 127


def open_socket(base_url: str, path: str) -> tuple[socket.socket, bytes]:
    """A websocket after its handshake, and what came behind the handshake's answer."""
    place = urlsplit(base_url)
    made = socket.create_connection((place.hostname, place.port), timeout=TIMEOUT_S)
    key = "AQIDBAUGBwgJCgsMDQ4PEA=="
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    got = b""
    while (end := got.find(HEAD_END)) < 0:
        more = made.recv(READ_BYTES)
        if not more:
            raise Unexpected("the server closed the connection")
        got += more
    if b" 101 " not in got[:20]:
        raise Unexpected(f"no websocket: {got[:200]!r}")
    return made, got[end + 4 :]


class Frames:
    """Cuts what a server sends into frames; keeps the last event frame as it came."""

    __slots__ = ("events", "last", "rest")

    def __init__(self, rest: bytes = b"") -> None:
        """`rest`: what was read already."""
        self.events = 0
        self.last = b""
        self.rest = b""
        self.feed(rest)

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        data = self.rest + data
        while (size := _size(data)) and len(data) >= size[1]:
            if data.startswith(EVENT, size[0]):
                self.events += 1
                self.last = data[: size[1]]
            data = data[size[1] :]
        self.rest = data


def cut_frames(data: bytes) -> tuple[list[tuple[bytes, int]], bytes]:
    """The whole frames at the front, each with where its payload begins, and what is left."""
    frames = []
    while size := _size(data):
        begin, end = size
        if len(data) < end:
            break
        frames.append((data[:end], begin))
        data = data[end:]
    return frames, data


def pong(payload: bytes) -> bytes:
    """The answer to a ping, under a mask that changes nothing."""
    return bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def _size(data: bytes) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends; None where its head is not complete."""
    if len(data) < 2:
        return None
    short = data[1] & 0x7F
    begin = 2 if short < _SHORT else 4 if short < _LONG else 10
    if len(data) < begin:
        return None
    return begin, begin + (short if begin == 2 else int.from_bytes(data[2:begin], "big"))


class Crowd:
    """Many displays, read by one thread."""

    def __init__(self, base_url: str, path: str, size: int) -> None:
        """Connect them all."""
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._frames: dict[int, Frames] = {}
        for _ in range(size):
            made, rest = open_socket(base_url, path)
            made.setblocking(False)
            self._sockets[made.fileno()] = made
            self._frames[made.fileno()] = Frames(rest)
            self._poll.register(made.fileno(), select.EPOLLIN)

    @property
    def last_frame(self) -> bytes:
        """The last event frame, as one of the displays got it."""
        return next(iter(self._frames.values())).last

    def settle(self, quiet_s: float = 0.3) -> None:
        """Read until nothing comes for a while: the snapshots are through."""
        while ready := self._poll.poll(quiet_s):
            for number, _ in ready:
                self._read(number)

    def see(self, events: int = 1) -> list[float]:
        """Wait until every display has got so many more events; when each had (`time.perf_counter()`)."""
        wanted = {number: frames.events + events for number, frames in self._frames.items()}
        seen: list[float] = []
        deadline = time.perf_counter() + TIMEOUT_S
        while len(seen) < len(wanted):
            ready = self._poll.poll(1.0)
            if time.perf_counter() > deadline:
                raise Unexpected(f"{len(wanted) - len(seen)} displays were not told")
            for number, _ in ready:
                frames, before = self._frames[number], self._frames[number].events
                self._read(number)
                if before < wanted[number] <= frames.events:
                    seen.append(time.perf_counter())
        return seen

    def _read(self, number: int) -> None:
        data = os.read(number, READ_BYTES)
        if not data:
            raise Unexpected("a display was sent away")
        self._frames[number].feed(data)

    def close(self) -> None:
        """Hang up."""
        for one in self._sockets.values():
            one.close()
        self._poll.close()


@contextmanager
def display(base_url: str, path: str) -> Iterator[Frames]:
    """One display that follows along in a thread of its own while something else is measured."""
    made, rest = open_socket(base_url, path)
    frames = Frames(rest)

    def follow() -> None:
        try:
            while data := made.recv(READ_BYTES):
                frames.feed(data)
        except OSError:
            pass

    made.settimeout(None)
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield frames
    finally:
        made.shutdown(socket.SHUT_RDWR)
        thread.join()
        made.close()


def stream_path(hall: str) -> str:
    """Where a hall's displays listen."""
    return f"/v1/halls/{hall}/stream"
