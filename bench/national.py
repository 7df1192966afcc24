"""The nation's load, in a process of its own: visits at a fixed rate over many halls, whether or not earlier commands
have been answered, and all their displays, read by the same loop, so that a call and its frame are timed by one clock.

Arguments: URL, halls, displays of each. It makes the halls, connects, says `ready`; then for each line `RATE SECONDS`
it reads, that many visits a second begin for so long. It says `begin` and `end` around what it measures, then one line
of JSON.
"""

import os
import select
import socket
import sys
import time
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from bench.calling import HEAD_END, READ_BYTES, body_length, request_bytes
from bench.halls import noon_zone
from bench.running import percentile
from bench.watching import cut_frames, open_socket, pong, stream_path

CONNECTIONS = 128
COUNTERS, STAGES = 3, 4
STAGE_S = 1.0
"""Issue, call, start and finish are due one after the other."""
GIVE_UP_S = 10
CALLED = b'"kind":"ticket_called"'
_ID = b'"id":"'
_PING = 9
FAILED = -1


class Seen(NamedTuple):
    """Of one rate: milliseconds from when a command was due to its answer, and to when displays had the call's frame.
    `late_ms`: p99 of how late the tool itself was; `cpu_share`: its processor time, in cores."""

    rate: float
    answered: int
    failed: int
    p50_ms: float
    p99_ms: float
    shown: int
    shown_p50_ms: float
    shown_p99_ms: float
    late_ms: float
    cpu_share: float


class Command(NamedTuple):
    """When it was due, of which visit, and which of its stages."""

    due: float
    visit: int
    stage: int


def plan(hall: str) -> dict[str, Any]:
    """A town's hall."""
    services = [{"id": name, "name": name, "prefix": prefix} for name, prefix in (("tax", "A"), ("land", "B"))]
    counters = [{"id": str(number + 1), "name": f"{number + 1}号窗口"} for number in range(COUNTERS)]
    head = {"id": hall, "name": "乡镇大厅", "time_zone": noon_zone(), "max_overtake_s": 900}
    return {**head, "services": services, "counters": counters}


class Nation:
    """The connections, the displays, and what is due."""

    def __init__(self, url: str, halls: int, displays: int) -> None:
        """Make the halls, open their counters, connect the displays."""
        place = urlsplit(url)
        self._place = (place.hostname or "", place.port or 0)
        self._poll = select.epoll()
        self._halls = [f"town-{number}" for number in range(halls)]
        self._word = f"{time.time_ns():x}"
        self._lines: dict[int, socket.socket] = {}
        self._visits = 0
        self._begin_rate()
        self._make()
        self._connect([])
        self._displays: dict[int, tuple[socket.socket, int]] = {}
        self._rest: dict[int, bytes] = {}
        for number, hall in enumerate(self._halls):
            for _ in range(displays):
                made, self._rest[made.fileno()] = open_socket(url, stream_path(hall))
                self._displays[made.fileno()] = (made, number)
                self._poll.register(made.fileno(), select.EPOLLIN)
            self._turn(0.0)

    def _connect(self, lines: list[socket.socket]) -> None:
        """Give up the connections for these: a node closes those that lie idle."""
        for old in self._lines.values():
            self._poll.unregister(old.fileno())
            old.close()
        for line in lines:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll.register(line.fileno(), select.EPOLLIN)
        self._lines = {line.fileno(): line for line in lines}
        self._free = deque(lines)

    def _begin_rate(self) -> None:
        self._connect([socket.create_connection(self._place) for _ in range(CONNECTIONS)])
        self._asked: dict[int, Command] = {}
        self._got: dict[int, bytes] = {}
        self._measures = False
        self._waits: deque[tuple[Command, bytes]] = deque()
        self._tickets: dict[int, str] = {}
        self._done: dict[int, int] = {}
        self._early: dict[int, list[Command]] = {}
        self._called: dict[int, float] = {}
        self._taken_ms: list[float] = []
        self._shown_ms: list[float] = []
        self._late_ms: list[float] = []
        self._failed = self._sent = 0

    def _make(self) -> None:
        """As fast as they are answered."""
        opened = [(hall, str(number + 1)) for hall in self._halls for number in range(COUNTERS)]
        requests = [request_bytes("PUT", f"/v1/halls/{hall}", orjson.dumps(plan(hall))) for hall in self._halls]
        clerk = b'{"clerk":"clerk-%s"}'
        openings = [
            request_bytes("POST", f"/v1/halls/{hall}/counters/{counter}/open", clerk % counter.encode())
            for hall, counter in opened
        ]
        for group in (requests, openings):
            for number, request in enumerate(group):
                self._send(Command(time.perf_counter(), -1, number), request)
            while self._waits or self._asked:
                self._turn(1.0)
        if self._failed:
            raise SystemExit(f"{self._failed} of the halls could not be made")

    # -- one rate

    def run(self, rate: float, seconds: float) -> Seen:
        """Visits begin at this rate; what is due while all four stages are under way is measured."""
        self._begin_rate()
        first, count = self._visits, int(rate * seconds)
        self._visits += count
        ends_s, nexts = (STAGES - 1) * STAGE_S, [0] * STAGES
        begun = time.perf_counter() + 0.05
        marks = deque([(begun + ends_s, "begin"), (begun + seconds, "end")])
        cpu_s = 0.0
        give_up = begun + seconds + ends_s + GIVE_UP_S
        while (nexts[-1] < count or self._asked or self._waits or self._early) and time.perf_counter() < give_up:
            dues = [begun + at / rate + stage * STAGE_S for stage, at in enumerate(nexts) if at < count]
            now = time.perf_counter()
            if marks and now >= marks[0][0]:
                _, word = marks.popleft()
                cpu_s = _cpu_s() - cpu_s
                self._measures = word == "begin"
                print(word, flush=True)
            for stage in range(STAGES):
                while nexts[stage] < count and (due := begun + nexts[stage] / rate + stage * STAGE_S) <= now:
                    self._due(Command(due, first + nexts[stage], stage))
                    nexts[stage] += 1
            self._turn(max(0.0, min([1.0, *(due - time.perf_counter() for due in dues)])))
        for _, word in marks:
            print(word, flush=True)
        self._failed += len(self._asked) + len(self._waits) + len(self._early)
        return self._seen(rate, cpu_s / (seconds - ends_s))

    def _seen(self, rate: float, cpu_share: float) -> Seen:
        taken, shown, late = self._taken_ms or [0.0], self._shown_ms or [0.0], self._late_ms or [0.0]
        return Seen(
            rate=rate,
            answered=len(self._taken_ms),
            failed=self._failed,
            p50_ms=percentile(taken, 50),
            p99_ms=percentile(taken, 99),
            shown=len(self._shown_ms),
            shown_p50_ms=percentile(shown, 50),
            shown_p99_ms=percentile(shown, 99),
            late_ms=percentile(late, 99),
            cpu_share=cpu_share,
        )

    def _due(self, one: Command) -> None:
        """Send it once the visit's stage before it is done; if that failed, so has this."""
        done = self._done.get(one.visit, 0) if one.stage else 0
        if done == FAILED:
            self._failed += 1
            return
        if done < one.stage:
            self._early.setdefault(one.visit, []).append(one)
            return
        hall, counter = one.visit % len(self._halls), one.visit // len(self._halls) % COUNTERS + 1
        place = f"/v1/halls/{self._halls[hall]}"
        body = b""
        if one.stage == 0:
            path, body = f"{place}/tickets", b'{"service":"tax","channel":"kiosk","language":"zh-CN"}'
        elif one.stage == 1:
            path = f"{place}/counters/{counter}/call-next"
            self._called[hall] = one.due
        else:
            path = f"/v1/tickets/{self._tickets[one.visit]}/{'start' if one.stage == 2 else 'finish'}"
        self._send(one, request_bytes("POST", path, body, f"{self._word}-{one.visit}-{one.stage}"))

    def _send(self, one: Command, request: bytes) -> None:
        if not self._free:
            self._waits.append((one, request))
            return
        line = self._free.popleft()
        if self._measures and not self._waits:
            self._late_ms.append((time.perf_counter() - one.due) * 1000)
        line.sendall(request)
        self._asked[line.fileno()], self._got[line.fileno()] = one, b""

    # -- what comes

    def _turn(self, wait_s: float) -> None:
        """Wait so long (exactly: `select` counts in microseconds, epoll in milliseconds), then read what came."""
        select.select([self._poll], [], [], wait_s)
        for number, _ in self._poll.poll(0):
            if number in self._lines:
                self._answer(number)
            else:
                self._frames(number)

    def _answer(self, number: int) -> None:
        got = self._got[number] = self._got[number] + os.read(number, READ_BYTES)
        end = got.find(HEAD_END)
        if end < 0 or len(got) < end + 4 + body_length(got[:end]):
            return
        one = self._asked.pop(number)
        if self._measures:
            self._taken_ms.append((time.perf_counter() - one.due) * 1000)
        self._free.append(self._lines[number])
        is_done = got[9:12] in (b"200", b"201")
        self._failed += not is_done
        if one.visit >= 0:
            self._go_on(one, got if is_done else b"")
        if self._waits:
            self._send(*self._waits.popleft())

    def _go_on(self, one: Command, got: bytes) -> None:
        """The visit's next stage may come, or (without an answer) all that is left of it fails."""
        self._done[one.visit] = one.stage + 1 if got else FAILED
        if one.stage == 1 and got:
            start = got.index(_ID) + len(_ID)
            self._tickets[one.visit] = got[start : got.index(b'"', start)].decode()
        for waiting in self._early.pop(one.visit, []):
            self._due(waiting)

    def _frames(self, number: int) -> None:
        made, hall = self._displays[number]
        data = os.read(number, READ_BYTES)
        if not data:
            raise SystemExit(f"a display of {self._halls[hall]} was sent away")
        frames, self._rest[number] = cut_frames(self._rest[number] + data)
        for frame, begin in frames:
            if frame[0] & 0x0F == _PING:
                made.sendall(pong(frame[begin:]))
            elif CALLED in frame and hall in self._called and self._measures:
                self._shown_ms.append((time.perf_counter() - self._called[hall]) * 1000)


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system


def main() -> None:
    """Be ready, and do what is asked."""
    url, halls, displays = sys.argv[1:]
    nation = Nation(url, int(halls), int(displays))
    print("ready", flush=True)
    for line in sys.stdin:
        rate, seconds = map(float, line.split())
        print(orjson.dumps(nation.run(rate, seconds)._asdict()).decode(), flush=True)


if __name__ == "__main__":
    main()
