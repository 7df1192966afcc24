"""A node that is asked to stop: unready, still serving for a while, then closed."""

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from tests.databases import BOTH, Kind, kept_by
from tests.halls import plan
from tests.running import Node, eventually, running_node
from tests.stream.sockets import hall_socket

CLERKS = 4
STOPPED = -signal.SIGTERM


def _prepare(node: Node) -> None:
    """A hall with its counters open."""
    with node.client() as client:
        assert client.put("/v1/halls/hall", json=plan(windows=CLERKS)).status_code == 201
        for counter in range(1, CLERKS + 1):
            body = {"clerk": f"clerk-{counter}"}
            assert client.post(f"/v1/halls/hall/counters/{counter}/open", json=body).status_code == 200


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
