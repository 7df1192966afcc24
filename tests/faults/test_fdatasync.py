"""Each answer is sent only after what it says is on the disk: seen from the kernel, where `kill -9` cannot look."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.faults.tracing import STRACE, Step, answered, steps, unsynced
from tests.halls import plan
from tests.running import QUEUE_SERVICE, Node, start_node, until

ONE_BY_ONE = 5
AT_ONCE = 20


def _reason_not_to_trace() -> str | None:
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: apt-get install strace)"
    tried = subprocess.run([*STRACE, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {tried.stderr.strip()}" if tried.returncode or tried.stderr.strip() else None


pytestmark = pytest.mark.skipif(bool(_reason_not_to_trace()), reason=_reason_not_to_trace() or "")


async def _work(node: Node) -> set[str]:
    """Issue tickets one by one and then many at once, so that commits of one command and of several are seen."""
    wish = {"service": "tax"}
    async with node.crowd(AT_ONCE) as clients:
        put = await clients[0].put("/v1/halls/hall", json=plan())
        assert put.status_code == 201
        answers = [await clients[0].post("/v1/halls/hall/tickets", json=wish) for _ in range(ONE_BY_ONE)]
        answers += await asyncio.gather(*(one.post("/v1/halls/hall/tickets", json=wish) for one in clients))
    return {_ticket(answer) for answer in answers}


def _ticket(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _trace(folder: Path, command: Sequence[str]) -> tuple[set[str], list[Step]]:
    """Let a traced node work; the tickets its clients got, and every step it took."""
    trace = folder / "trace"
    node = start_node(folder, command=(*STRACE, "-o", str(trace), *command))
    try:
        tickets = asyncio.run(_work(node))
    finally:
        node.stop()

    def seen() -> list[Step]:
        taken = list(steps(trace.read_text(encoding="ascii")))
        return taken if answered(taken).keys() >= tickets else []

    return tickets, until(seen, "strace has written what it saw")


def test_every_answer_is_on_the_disk_before_it_is_sent(tmp_path: Path) -> None:
    """Between the commit's last write and the answer's first byte lies an fdatasync of the write-ahead log."""
    tickets, taken = _trace(tmp_path, [*QUEUE_SERVICE, "serve"])
    assert answered(taken).keys() == tickets
    assert unsynced(taken) == []


def test_the_same_check_finds_a_database_that_does_not_sync(tmp_path: Path) -> None:
    """With synchronous=OFF every one of the answers is found to have been sent too early."""
    command = [sys.executable, "-m", "tests.faults.faulty_node", "OFF", "serve"]
    tickets, taken = _trace(tmp_path, command)
    assert answered(taken).keys() == tickets
    assert sorted(unsynced(taken)) == sorted(tickets)
