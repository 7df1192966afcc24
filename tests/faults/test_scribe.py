"""The process that stores is killed or stopped in the midst of its work: nothing that was answered is lost or doubled,
and the node goes on."""

import asyncio
import os
import random
import signal
from pathlib import Path

import httpx
import pytest

from tests.databases import BOTH, Kind, kept_by
from tests.faults.load import Asked, Client, Memory, clerk, visitor
from tests.faults.proving import verify
from tests.http.shapes import check_problem
from tests.replicas.asking import decided, scribe, take
from tests.replicas.conftest import made_by, put_hall
from tests.running import Node, eventually, running_node

pytestmark = pytest.mark.long

KILLS = 5
CLERKS = 8
VISITORS = 4
UNAVAILABLE = 503


class Patient(Client):
    """Asks again, with its key, when it is told to."""

    async def _send(self, http: httpx.AsyncClient, asked: Asked) -> None:
        async def answer() -> httpx.Response | None:
            got = await http.post(asked.path, json=asked.body, headers={"Idempotency-Key": asked.key})
            return None if got.status_code == UNAVAILABLE else got

        self._note(asked, await eventually(answer, "it is decided"))


@pytest.mark.parametrize("kind", BOTH)
async def test_a_scribe_killed_under_load_loses_nothing_and_doubles_nothing(
    kind: Kind, tmp_path: Path, chance: random.Random
) -> None:
    """Killed again and again, always followed by another: whoever is told to asks again with the same key, and at the
    end log and answers are the same, one to one."""
    memory = Memory()
    clients = [Patient(f"clerk-{n}", memory, clerk("hall", str(n), chance)) for n in range(1, CLERKS + 1)]
    clients += [Patient(f"visitor-{n}", memory, visitor("hall", chance)) for n in range(VISITORS)]
    with running_node(kept_by(kind, tmp_path)) as node:
        put_hall(node, "hall", counters=CLERKS)
        begun = len(made_by(node, "hall"))
        async with node.crowd(len(clients)) as connections:
            work = [asyncio.create_task(one.run(http)) for one, http in zip(clients, connections, strict=True)]
            for _ in range(KILLS):
                pid, goal = await scribe(node), memory.answers + chance.randrange(20, 200)
                await eventually(lambda goal=goal: memory.answers >= goal, "some answers")  # type: ignore[misc]
                os.kill(pid, signal.SIGKILL)
                await eventually(lambda pid=pid: pid not in node.children, "that is noticed")  # type: ignore[misc]
            for one in work:
                one.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await asyncio.gather(*(one.settle(http) for one, http in zip(clients, connections, strict=True)))
        made = await asyncio.to_thread(made_by, node, "hall")
        assert {seq: event for seq, event in made.items() if seq > begun} == memory.answered
        assert "Traceback" not in node.log
    await asyncio.to_thread(verify, tmp_path)


@pytest.mark.parametrize("kind", BOTH)
async def test_a_scribe_that_stands_still_is_given_up(kind: Kind, tmp_path: Path) -> None:
    """Stopped (SIGSTOP) with a batch in hand: after six seconds its callers are told that the outcome is unknown,
    another takes its place, and the retry gives the one ticket."""
    with running_node(kept_by(kind, tmp_path)) as node:
        put_hall(node, "hall")
        os.kill(await scribe(node), signal.SIGSTOP)
        check_problem(await take(node, "hall", "key"), "outcome-unknown")
        again = await decided(node, "hall", "key")
        assert (again.json()["number"], "idempotency-replayed" in again.headers) == ("A001", False)
        await scribe(node)
        assert (await decided(node, "hall", "another")).json()["number"] == "A002"
    await asyncio.to_thread(verify, tmp_path)


async def test_a_scribe_ends_with_its_node(tmp_path: Path) -> None:
    """However that ends: asked to, or killed."""
    for end in (Node.stop, Node.kill):
        with running_node(tmp_path) as node:
            pid = await scribe(node)
            end(node)
            await eventually(lambda pid=pid: not Path(f"/proc/{pid}").exists(), "it has ended")  # type: ignore[misc]
