"""One hall, many displays: what a frame costs the server, and how soon a call is seen."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench import halls
from bench.calling import Line, line
from bench.processes import Child, allow_sockets, module, node
from bench.results import Part, Row, at_least, invalid
from bench.running import Run, middle, percentile
from bench.watching import Crowd, stream_path

BOUND = 0.5
SPARE_SOCKETS = 200

_ABOUT = """\
Tickets are called, started and finished one command at a time, the next once every display has the last; each is one
frame to all. The reference is an asyncio server (uvloop) that writes the same frames, as they stood on the wire, to
as many sockets, in turn with the service. Compared is what a second of the server's processor time brings to
displays; the service's includes deciding and storing the commands. The delay runs from sending the command to when
the display has the frame; one process reads all displays, and its time is in it."""


@dataclass(slots=True)
class Seen:
    """What one side of the comparison gave, a value a round; delays over all displays and calls."""

    frames_per_cpu_s: list[float] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)


def measure(run: Run) -> Part:
    """Both sides, in turns."""
    displays, folder = run.scale.displays, run.new_folder("fanout")
    what = f"frames to {displays:,} displays"
    if not allow_sockets(displays * 2 + SPARE_SOCKETS):
        return Part("Fan-out", _ABOUT, [invalid(what, "this system allows too few open sockets (ulimit -n)")])
    with node(folder / "fanout.db") as server, module("bench.bare", folder) as bare, line(server.url) as one:
        halls.make(one)
        halls.open_counters(one)
        run.say(f"fan-out: connecting {displays:,} displays, twice")
        watching = Crowd(server.url, stream_path(halls.HALL), displays)
        beside = Crowd(bare.url, "/", displays)
        try:
            watching.settle()
            return Part("Fan-out", _ABOUT, list(_rows(*_turns(run, server, one, watching, bare, beside), displays)))
        finally:
            watching.close()
            beside.close()


def _turns(run: Run, server: Child, one: Line, watching: Crowd, bare: Child, beside: Crowd) -> tuple[Seen, Seen]:
    ours, theirs = Seen(), Seen()
    place = urlsplit(bare.url)
    with socket.create_connection((place.hostname, place.port)) as feed:
        for number in range(run.scale.rounds):
            run.say(f"fan-out: round {number + 1} of {run.scale.rounds}")
            frames = _show(run, server, one, watching, ours)
            _repeat(frames, bare, feed, beside, theirs)
    return ours, theirs


def _show(run: Run, server: Child, one: Line, watching: Crowd, seen: Seen) -> list[bytes]:
    """Call, start and finish; the frames that displays got."""
    frames = []
    hall = f"/v1/halls/{halls.HALL}"
    for _ in range(run.scale.shown):
        one.want("POST", f"{hall}/tickets", {"service": halls.service_ids(0)[0]})
    watching.see(run.scale.shown)
    cpu_s = server.cpu_s()
    for _ in range(run.scale.shown):
        sent = time.perf_counter()
        ticket = one.want("POST", f"{hall}/counters/1/call-next")["id"]
        seen.delays_ms += [(moment - sent) * 1000 for moment in watching.see()]
        frames.append(watching.last_frame)
        for verb in ("start", "finish"):
            one.want("POST", f"/v1/tickets/{ticket}/{verb}")
            watching.see()
            frames.append(watching.last_frame)
    seen.frames_per_cpu_s.append(len(frames) * run.scale.displays / (server.cpu_s() - cpu_s))
    return frames


def _repeat(frames: list[bytes], bare: Child, feed: socket.socket, beside: Crowd, seen: Seen) -> None:
    """The same frames through the bare server."""
    cpu_s, displays = bare.cpu_s(), 0
    for frame in frames:
        sent = time.perf_counter()
        feed.sendall(b"FRAME %d\n" % len(frame) + frame)
        when = beside.see()
        displays = len(when)
        seen.delays_ms += [(moment - sent) * 1000 for moment in when]
    seen.frames_per_cpu_s.append(len(frames) * displays / (bare.cpu_s() - cpu_s))


def _rows(ours: Seen, theirs: Seen, displays: int) -> Iterator[Row]:
    rate, bare_rate = middle(ours.frames_per_cpu_s), middle(theirs.frames_per_cpu_s)
    ratio = middle(a / b for a, b in zip(ours.frames_per_cpu_s, theirs.frames_per_cpu_s, strict=True))
    yield at_least(f"frames to {displays:,} displays", _cost(rate), _cost(bare_rate), ratio, BOUND)
    yield Row("from a call to the displays", _delay(ours.delays_ms), _delay(theirs.delays_ms))


def _cost(rate: float) -> str:
    return f"{rate:,.0f} per CPU second ({1e6 / rate:.1f} µs each)"


def _delay(delays_ms: list[float]) -> str:
    return f"p50 {percentile(delays_ms, 50):.1f} ms, p99 {percentile(delays_ms, 99):.1f} ms"
