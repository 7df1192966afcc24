"""Nodes that are asked to stop: unready, still serving for a while, then closed; and replicas restarted in turn."""

import asyncio
import random
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.databases import BOTH, Kind, kept_by, new_postgres_url
from tests.faults.proving import prove_all
from tests.replicas.balancing import Load, Wanderer, following
from tests.replicas.conftest import made_by, new_folder, put_hall
from tests.running import Node, assigned, eventually, running_node, start_node
from tests.stream.sockets import assert_gapless, hall_socket

pytestmark = pytest.mark.long

CLERKS = 4
VISITORS = 2
DISPLAYS = 6
DRAIN_S = "2"
"""A balancer that asks every moment knows by then, however busy the machine is."""
UNANSWERED = 0
DECIDED = {200, 201, 204, 503}
STOPPED = -signal.SIGTERM
KILLED = -signal.SIGKILL


@pytest.mark.parametrize(
    ("end", "told", "statuses"),
    [(Node.stop, {1012}, DECIDED), (Node.kill, {1006}, {UNANSWERED, *DECIDED})],
    ids=["asked to stop", "killed"],
)
async def test_a_rolling_restart_under_load_loses_nothing(
    end: Callable[[Node], object], told: set[int], statuses: set[int], tmp_path: Path, chance: random.Random
) -> None:
    """Two replicas are stopped, or killed, and started in turn under load, behind a balancer that asks for readiness:
    every answer but 503 is a decided one (only who is killed leaves a request without any), log and answers agree one
    to one, and displays (told 1012, where there is somebody to tell them) go on elsewhere without a gap or a second
    snapshot."""
    url = new_postgres_url()
    folders = [assigned(new_folder(tmp_path / name), url) for name in ("a", "b")]
    with ExitStack() as stack:
        nodes = [stack.enter_context(running_node(folder, QUEUE_DRAIN_S=DRAIN_S)) for folder in folders]
        await asyncio.to_thread(put_hall, nodes[0], "hall", CLERKS)
        begun = len(made_by(nodes[0], "hall"))
        load, displays = Load(nodes, CLERKS, VISITORS, chance), [Wanderer(nodes) for _ in range(DISPLAYS)]
        async with following(displays):
            load.start()
            for place, folder in enumerate(folders):
                await load.answered(40)
                await asyncio.to_thread(end, nodes[place])
                assert nodes[place].process.returncode in (0, STOPPED, KILLED)
                nodes[place] = await asyncio.to_thread(start_node, folder, QUEUE_DRAIN_S=DRAIN_S)
                stack.callback(nodes[place].stop)
            await load.answered(40)
            await load.finish()
            made = await asyncio.to_thread(made_by, nodes[0], "hall")
            await asyncio.gather(*(one.until(len(made)) for one in displays))
        assert await asyncio.to_thread(prove_all, folders[0]) == len(made)
    assert load.balancer.statuses.keys() <= statuses
    assert {seq: one for seq, one in made.items() if seq > begun} == load.memory.answered
    for display in displays:
        assert display.codes.keys() - {0} == told
        assert_gapless(display.frames[1:], display.frames[0]["seq"])
    for folder in folders:
        assert "Traceback" not in (folder / "node.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", BOTH)
async def test_a_node_that_was_asked_to_stop_is_unready_and_serves_until_it_closes(kind: Kind, tmp_path: Path) -> None:
    """From SIGTERM on `readyz` is 503, commands are still decided, each answer ends its connection, and then sockets
    close with 1012."""
    with running_node(kept_by(kind, tmp_path), QUEUE_DRAIN_S="1.5") as node:
        await asyncio.to_thread(put_hall, node, "hall")
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
