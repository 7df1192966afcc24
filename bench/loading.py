"""Loads of 64 connections by wrk, and what became of them: answers, latencies, processor time of server and wrk."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.halls import COUNTERS_PER_ZONE, HALL, SERVICES_PER_ZONE, ZONES, service_ids
from bench.processes import Child, machine_cpu_s

CONNECTIONS = 64
THREADS = 2
"""More only wake one another up: two cores have enough to do with the server."""
SCRIPTS = Path(__file__).with_name("scripts")
MARK = "RESULT "


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw. `cpu_us`: the server's processor time per answer. `tool_share`: wrk's processor time,
    as a share of one core; `others_share`: that of everybody but server and wrk."""

    answered: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    tool_share: float
    others_share: float

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


def issue(server: Child, path: str, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Take numbers at `path`; any POST that reads or ignores the body can be asked the same."""
    services = [service_ids(zone)[number] for number in range(SERVICES_PER_ZONE) for zone in range(ZONES)]
    return _wrk(server, "issue.lua", [path, _word(), *services], seconds, connections)


def life(server: Child, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Issue, call-next, start, finish."""
    sizes = (min(THREADS, connections), ZONES, COUNTERS_PER_ZONE, SERVICES_PER_ZONE)
    return _wrk(server, "life.lua", [HALL, _word(), *map(str, sizes)], seconds, connections)


def tickets_path(hall: str = HALL) -> str:
    """Where numbers are taken."""
    return f"/v1/halls/{hall}/tickets"


def _word() -> str:
    return f"{time.time_ns():x}"


def _wrk(server: Child, script: str, arguments: Sequence[str], seconds: int, connections: int) -> Load:
    threads = min(THREADS, connections)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPTS / script), server.url]
    cpu_s, all_s, started = server.cpu_s(), machine_cpu_s(), time.perf_counter()
    with subprocess.Popen([*command, "--", *arguments], stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None, "it was opened with a pipe"
        said = tool.stdout.read()
        _, status, usage = os.wait4(tool.pid, 0)
        tool.returncode = os.waitstatus_to_exitcode(status)
    taken_s, cpu_s, all_s = time.perf_counter() - started, server.cpu_s() - cpu_s, machine_cpu_s() - all_s
    tool_s = usage.ru_utime + usage.ru_stime
    if tool.returncode != 0 or MARK not in said:
        raise RuntimeError(f"wrk failed: {said}")
    seen = orjson.loads(said.partition(MARK)[2].splitlines()[0])
    return Load(
        answered=seen["answered"],
        failed=seen["refused"] + seen["broken"],
        seconds=seen["duration_us"] / 1e6,
        p50_ms=seen["p50_us"] / 1000,
        p99_ms=seen["p99_us"] / 1000,
        cpu_us=cpu_s * 1e6 / max(1, seen["answered"]),
        tool_share=tool_s / taken_s,
        others_share=max(0.0, all_s - cpu_s - tool_s) / taken_s,
    )
