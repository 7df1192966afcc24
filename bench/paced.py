"""An open-loop load in a process of its own: requests are due at a fixed rate, whether or not the earlier ones have
been answered, and each is timed from when it was due. So a server that stalls shows every request it kept waiting
(closed-loop tools, which wait with it, hide that).

`select` and plain sockets: its timeouts are exact to some 50 µs, those of event loops to a millisecond.
Arguments: URL, path, requests per second, seconds, connections. Says one line of JSON.
"""

import select
import socket
import sys
import time
from collections import deque
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson

from bench.calling import HEAD_END, READ_BYTES, body_length, request_bytes
from bench.halls import ZONES, service_ids
from bench.running import percentile

LEAD_S = 0.05
GIVE_UP_S = 10


class Paced(NamedTuple):
    """Milliseconds from when requests were due to when their answer was complete. `late_ms`: p99 of how long after it
    was due a request was sent though a connection was free, the tool's own share."""

    answered: int
    failed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_ms: float


class Pacer:
    """The sockets, what is due, and what has been seen."""

    def __init__(self, url: str, path: str, rate: float, seconds: float, connections: int) -> None:
        """Connect."""
        place = urlsplit(url)
        self._total, self._gap_s = int(rate * seconds), 1 / rate
        self._requests = _requests(path, self._total)
        self._free = deque(socket.create_connection((place.hostname, place.port)) for _ in range(connections))
        self._asked: dict[socket.socket, float] = {}
        self._got: dict[socket.socket, bytes] = {}
        self._taken_ms: list[float] = []
        self._late_ms: list[float] = []
        self._failed = 0

    def run(self) -> Paced:
        """Send all, wait for all."""
        begun, sent = time.perf_counter() + LEAD_S, 0
        give_up = begun + self._total * self._gap_s + GIVE_UP_S
        while len(self._taken_ms) < self._total and time.perf_counter() < give_up:
            was_full = not self._free
            while sent < self._total and self._free and begun + sent * self._gap_s <= time.perf_counter():
                self._send(begun + sent * self._gap_s, self._requests[sent], was_full)
                sent += 1
            next_s = begun + sent * self._gap_s - time.perf_counter() if sent < self._total and self._free else 1.0
            for ready in select.select(list(self._asked), [], [], max(0.0, next_s))[0]:
                self._receive(ready)
        return Paced(
            answered=len(self._taken_ms),
            failed=self._failed + self._total - len(self._taken_ms),
            p50_ms=percentile(self._taken_ms, 50),
            p99_ms=percentile(self._taken_ms, 99),
            max_ms=max(self._taken_ms),
            late_ms=percentile(self._late_ms or [0.0], 99),
        )

    def _send(self, due: float, request: bytes, was_full: bool) -> None:
        line = self._free.popleft()
        if not was_full:
            self._late_ms.append((time.perf_counter() - due) * 1000)
        line.sendall(request)
        self._asked[line], self._got[line] = due, b""

    def _receive(self, line: socket.socket) -> None:
        got = self._got[line] = self._got[line] + line.recv(READ_BYTES)
        end = got.find(HEAD_END)
        if end >= 0 and len(got) >= end + 4 + body_length(got[:end]):
            self._taken_ms.append((time.perf_counter() - self._asked.pop(line)) * 1000)
            self._failed += got[9:10] != b"2"
            self._free.append(line)


def _requests(path: str, count: int) -> list[bytes]:
    """Made before the clock runs: keys and services as in the other loads."""
    word, services = f"{time.time_ns():x}", [name for zone in range(ZONES) for name in service_ids(zone)]
    bodies = [b'{"service":"%s","channel":"kiosk","language":"zh-CN"}' % name.encode() for name in services]
    return [request_bytes("POST", path, bodies[index % len(bodies)], f"{word}-{index}") for index in range(count)]


def main() -> None:
    """Run, and say what was seen."""
    url, path, rate, seconds, connections = sys.argv[1:]
    print(orjson.dumps(Pacer(url, path, float(rate), float(seconds), int(connections)).run()._asdict()).decode())


if __name__ == "__main__":
    main()
