"""Replicas are asked to stop, one after the other, while clerks and visitors work and displays watch."""

import asyncio
import random
import signal
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.databases import BOTH, Kind, kept_by, new_postgres_url
from tests.faults.load import Client, Memory, clerk, visitor
from tests.faults.proving import prove_all, verify
from tests.halls import plan
from tests.http.reading import log_of
from tests.replicas.balancing import Balancer, Wanderer
from tests.running import Node, assigned, eventually, running_node, start_node
from tests.stream.sockets import assert_gapless, hall_socket

CLERKS = 4
VISITORS = 2
DISPLAYS = 6
DRAIN_S = "0.5"
STOPPED = -signal.SIGTERM


def _prepare(node: Node) -> int:
    """A hall with its counters open; how long its log is."""
    with node.client() as client:
        assert client.put("/v1/halls/hall", json=plan(windows=CLERKS)).status_code == 201
        for counter in range(1, CLERKS + 1):
            body = {"clerk": f"clerk-{counter}"}
            assert client.post(f"/v1/halls/hall/counters/{counter}/open", json=body).status_code == 200
        return len(log_of(client, "hall"))


def new_folder(path: Path) -> Path:
    """Make it."""
    path.mkdir()
    return path


async def _more(memory: Memory, answers: int) -> None:
    goal = memory.answers + answers
    await eventually(lambda: memory.answers >= goal, "clients are answered")


async def test_a_rolling_restart_under_load_loses_nothing(tmp_path: Path) -> None:
    """Two replicas are stopped and started in turn under load: every answer but 503 is a decided one, log and answers
    agree one to one, and displays, told 1012, go on elsewhere without a gap or a second snapshot."""
    url, chance = new_postgres_url(), random.Random(4)  # noqa: S311 (nothing secret)
    folders = [assigned(new_folder(tmp_path / name), url) for name in ("a", "b")]
    with ExitStack() as stack:
        nodes = [stack.enter_context(running_node(folder, QUEUE_DRAIN_S=DRAIN_S)) for folder in folders]
        begun = await asyncio.to_thread(_prepare, nodes[0])
        balancer, memory = Balancer(nodes), Memory()
        clients = [Client(f"clerk-{n}", memory, clerk("hall", str(n), chance)) for n in range(1, CLERKS + 1)]
        clients += [Client(f"visitor-{n}", memory, visitor("hall", chance)) for n in range(VISITORS)]
        displays = [Wanderer(nodes) for _ in range(DISPLAYS)]
        work = [asyncio.create_task(one.run(balancer)) for one in clients]  # type: ignore[arg-type]
        watch = [asyncio.create_task(one.follow(place)) for place, one in enumerate(displays)]
        for place, folder in enumerate(folders):
            await _more(memory, 40)
            assert await asyncio.to_thread(nodes[place].stop) in (0, STOPPED)
            nodes[place] = await asyncio.to_thread(start_node, folder, QUEUE_DRAIN_S=DRAIN_S)
            stack.callback(nodes[place].stop)
        await _more(memory, 40)
        balancer.is_over = True
        await asyncio.gather(*work)
        balancer.is_over = False
        for one in clients:
            await one.settle(balancer)  # type: ignore[arg-type]
        with nodes[0].client() as client:
            log = log_of(client, "hall")
        await asyncio.gather(*(one.until(len(log)) for one in displays), *watch)
        await balancer.close()
    assert balancer.statuses.keys() <= {0, 200, 201, 204, 503}
    assert {event["seq"]: (event["kind"], event["data"]["ticket"]) for event in log[begun:]} == memory.answered
    for display in displays:
        assert display.codes.keys() <= {0, 1012}
        assert display.codes[1012] >= 1
        assert_gapless(display.frames[1:], display.frames[0]["seq"])
    assert prove_all(folders[0]) == len(log)
    for folder in folders:
        assert "Traceback" not in (folder / "node.log").read_text(encoding="utf-8")
    verify(folders[0])


@pytest.mark.parametrize("kind", BOTH)
async def test_a_node_that_was_asked_to_stop_is_unready_and_serves_until_it_closes(kind: Kind, tmp_path: Path) -> None:
    """From SIGTERM on `readyz` is 503, commands are still decided, each answer ends its connection, and then sockets
    close with 1012."""
    with running_node(kept_by(kind, tmp_path), QUEUE_DRAIN_S="1.5") as node:
        await asyncio.to_thread(_prepare, node)
        async with node.async_client() as client, hall_socket(node.base_url) as socket:
            await socket.frame()
            node.process.terminate()
            unready = await eventually(lambda: _unready(client), "the node is unready")
            assert unready.json()["reasons"] == ["stopping"]
            answer = await client.post("/v1/halls/hall/tickets", json={"service": "tax"})
            assert (answer.status_code, answer.headers["connection"]) == (201, "close")
            assert (await socket.frame())["seq"] == answer.json()["seq"]
            assert await socket.closed() == (1012, "the node stops")
        assert await asyncio.to_thread(node.process.wait) in (0, STOPPED)


async def _unready(client: httpx.AsyncClient) -> httpx.Response | None:
    answer = await client.get("/readyz")
    return answer if answer.status_code == 503 else None
