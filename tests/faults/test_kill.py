"""A node is killed in the midst of its work, again and again: nothing that was answered is lost, nothing is doubled."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.load import Client, Memory, clerk, visitor
from tests.faults.proving import prove_all, verify
from tests.halls import plan
from tests.http.reading import log_of
from tests.running import Node, eventually, running_node

pytestmark = pytest.mark.long

KILLS = 10
CLERKS = 8
VISITORS = 4
MOST_JITTER_S = 0.02


def _prepare(node: Node) -> int:
    """A hall with all counters open; how long its log is."""
    with node.client() as client:
        assert client.put("/v1/halls/hall", json=plan(windows=CLERKS)).status_code == 201
        for counter in range(1, CLERKS + 1):
            body = {"clerk": f"clerk-{counter}"}
            assert client.post(f"/v1/halls/hall/counters/{counter}/open", json=body).status_code == 200
        return len(log_of(client, "hall"))


def _made(node: Node, after: int) -> dict[int, tuple[str, str]]:
    """The events after the preparation, in the form in which the clients remember theirs."""
    with node.client() as client:
        events: list[dict[str, Any]] = log_of(client, "hall")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return {event["seq"]: (event["kind"], event["data"]["ticket"]) for event in events[after:]}


async def _work_until_killed(node: Node, clients: list[Client], memory: Memory, chance: random.Random) -> None:
    """All clients work at once; after some answers, and a moment more, the process is gone."""
    goal = memory.answers + chance.randrange(20, 200)
    async with node.crowd(len(clients)) as connections:
        work = asyncio.gather(*(one.run(http) for one, http in zip(clients, connections, strict=True)))
        await eventually(lambda: memory.answers >= goal or work.done(), "some answers")
        asyncio.get_running_loop().call_later(chance.uniform(0, MOST_JITTER_S), node.process.kill)
        await work
    node.process.wait()


async def _check(node: Node, clients: list[Client], memory: Memory, begun: int) -> None:
    """What was answered is there; what was not is asked again, and then log and answers are the same, one to one."""
    made, unanswered = await asyncio.to_thread(_made, node, begun), sum(one.is_waiting for one in clients)
    assert memory.answered.items() <= made.items()
    assert len(made) - len(memory.answered) <= unanswered
    async with node.async_client() as http:
        await asyncio.gather(*(one.settle(http) for one in clients))
    assert await asyncio.to_thread(_made, node, begun) == memory.answered
    assert await asyncio.to_thread(prove_all, node.folder) == begun + len(memory.answered)


async def test_ten_kills_lose_nothing_and_double_nothing(tmp_path: Path, chance: random.Random) -> None:
    """After each kill -9 every answered command is in the log; what was not answered is repeated and happens once."""
    memory = Memory()
    clients = [Client(f"clerk-{n}", memory, clerk("hall", str(n), chance)) for n in range(1, CLERKS + 1)]
    clients += [Client(f"visitor-{n}", memory, visitor("hall", chance)) for n in range(VISITORS)]
    with running_node(tmp_path) as node:
        begun = await asyncio.to_thread(_prepare, node)
        await _work_until_killed(node, clients, memory, chance)
    for again in range(KILLS):
        with running_node(tmp_path) as node:
            await _check(node, clients, memory, begun)
            if again + 1 < KILLS:
                await _work_until_killed(node, clients, memory, chance)
    await asyncio.to_thread(verify, tmp_path)


def test_a_node_that_is_asked_to_stop_answers_what_it_has_taken_on(tmp_path: Path) -> None:
    """SIGTERM ends a node in order: exit, no fault in its log, and its last answer is stored."""
    with running_node(tmp_path) as node:
        _prepare(node)
        ticket = httpx.post(f"{node.base_url}/v1/halls/hall/tickets", json={"service": "tax"}).json()
        assert node.stop() in (0, -15)
        assert "Traceback" not in node.log
    with running_node(tmp_path) as node:
        assert httpx.get(f"{node.base_url}/v1/tickets/{ticket['id']}").json()["number"] == ticket["number"]
