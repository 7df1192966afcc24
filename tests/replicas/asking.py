"""Taking tickets under keys, and asking again until the command is decided."""

import os
import signal
from functools import partial

import httpx

from tests.replicas.conftest import answered
from tests.running import TLS, WAIT_S, Inner, Node, eventually

Asked = Node | Inner


def client_of(node: Asked, **options: str) -> httpx.AsyncClient:
    """A client of its own; `options`: headers."""
    return httpx.AsyncClient(base_url=node.base_url, timeout=WAIT_S, verify=TLS, headers=options)


async def take(node: Asked, hall: str, key: str) -> httpx.Response:
    """Take a ticket by a key."""
    async with client_of(node, **{"Idempotency-Key": key}) as client:
        return await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"})


async def decided(node: Asked, hall: str, key: str) -> httpx.Response:
    """Ask until it is."""

    async def asked() -> httpx.Response | None:
        answer = answered(await take(node, hall, key), 201, 503)
        return answer if answer.status_code == 201 else None

    answer: httpx.Response = await eventually(asked, "the command is decided")
    return answer


async def all_ready(nodes: list[Node]) -> None:
    """Wait until they say so."""
    for node in nodes:
        await eventually(partial(is_ready, node), "the node is ready")


async def is_ready(node: Asked) -> bool:
    """Whether it says so."""
    async with client_of(node) as client:
        return (await client.get("/readyz")).status_code == httpx.codes.OK


async def scribe(node: Node) -> int:
    """The process that stores for a node, once it is there."""

    async def is_up() -> bool:
        async with node.async_client() as client:
            return "\nqueue_scribe_up 1.0" in (await client.get("/metrics")).text

    await eventually(is_up, "the scribe is there")
    [pid] = node.children
    return pid


async def without_scribe(node: Node) -> None:
    """For about a second from now on the node's own thread stores."""
    pid = await scribe(node)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: pid not in node.children, "that is noticed")
