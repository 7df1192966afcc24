"""The primary is lost and its standby takes over: nodes find it by themselves, with what it has and nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proving import prove_all, verify
from tests.replicas.asking import all_ready, decided, take
from tests.replicas.balancing import Load, Wanderer, following
from tests.replicas.cluster import Cluster
from tests.replicas.conftest import answered, made_by, new_folder, put_hall
from tests.running import Node, assigned, eventually, running_node
from tests.stream.sockets import Socket, assert_gapless, hall_socket, ticket_socket

pytestmark = pytest.mark.long

CLERKS = 3
VISITORS = 2
KEPT = 5
LOST = 3
UNKNOWN = "/problems/outcome-unknown"


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A primary and a standby; the parameter says whether it is synchronous."""
    made = Cluster()
    try:
        yield made.start(synchronous=request.param)
    finally:
        made.remove()


@asynccontextmanager
async def replicas_of(cluster: Cluster, folder: Path) -> AsyncIterator[list[Node]]:
    """Two nodes that know both servers; their logs must show no fault of their own."""
    async with AsyncExitStack() as stack:
        nodes: list[Node] = []
        for name in ("a", "b"):
            place = assigned(new_folder(folder / name), cluster.url)
            running = running_node(place)
            nodes.append(await asyncio.to_thread(running.__enter__))
            stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        yield nodes
    for node in nodes:
        assert "Traceback" not in node.log, node.log


async def take_all(nodes: list[Node], name: str, count: int) -> list[dict[str, Any]]:
    """So many tickets, in turn at each node, under keys made of the name."""
    return [(await decided(nodes[n % 2], "hall", f"{name}-{n}")).json() for n in range(count)]


@pytest.mark.parametrize("cluster", [True], indirect=True, ids=["synchronous"])
async def test_a_synchronous_standby_takes_over_under_load(
    cluster: Cluster, tmp_path: Path, chance: random.Random
) -> None:
    """While the standby cannot be reached commands are not left hanging: 503. Then the primary is lost, and with it the
    commits that waited; 503 with Retry-After until the standby is promoted. In the end log and answers agree one to one
    (none acknowledged is lost, no retry by key doubled), and displays, which stayed connected, were shown all of it."""
    async with replicas_of(cluster, tmp_path) as nodes:
        await asyncio.to_thread(put_hall, nodes[0], "hall", CLERKS)
        begun = len(made_by(nodes[0], "hall"))
        load, displays = Load(nodes, CLERKS, VISITORS, chance), [Wanderer(nodes) for _ in range(4)]
        async with following(displays):
            load.start()
            await load.answered(60)
            await asyncio.to_thread(cluster.part)
            await eventually(lambda: cluster.waiting_commits, "a commit waits for the standby")
            await eventually(lambda: load.balancer.problems[UNKNOWN], "nobody waits for ever for a commit")
            await asyncio.to_thread(cluster.lose_primary)
            for node in nodes:
                refused = answered(await take(node, "hall", "between"), 503)
                assert refused.headers["retry-after"] == "1"
            await asyncio.to_thread(cluster.promote)
            await load.answered(60)
            await load.finish()
            between = [await decided(node, "hall", "between") for node in nodes]
            assert len({answer.json()["number"] for answer in between}) == 1
            made = await asyncio.to_thread(made_by, nodes[1], "hall")
            await asyncio.gather(*(one.until(len(made)) for one in displays))
        await all_ready(nodes)
    assert made.pop(max(made)) == ("ticket_issued", between[0].json()["id"])
    assert {seq: one for seq, one in made.items() if seq > begun} == load.memory.answered
    assert load.balancer.statuses.keys() <= {200, 201, 204, 503}
    for display in displays:
        assert not display.codes
        assert_gapless(display.frames[1:], display.frames[0]["seq"])
    assert prove_all(nodes[0].folder) == len(made) + 1
    await asyncio.to_thread(verify, nodes[0].folder)


@pytest.mark.parametrize("cluster", [False], indirect=True, ids=["asynchronous"])
async def test_copies_ahead_of_a_standby_that_lacks_the_end_are_dropped(cluster: Cluster, tmp_path: Path) -> None:
    """What it never received is gone on every node: displays get a snapshot of what there is and follow on, a lost
    ticket and a lost hall are unknown, the key of a lost ticket gives a new one, and the log proves true."""
    async with replicas_of(cluster, tmp_path) as nodes:
        for hall in ("hall", "quiet"):
            await asyncio.to_thread(put_hall, nodes[0], hall)
        kept = await take_all(nodes, "kept", KEPT)
        await eventually(lambda: cluster.lost_bytes <= 0, "the standby has it all")
        await asyncio.to_thread(cluster.part)
        lost = await take_all(nodes, "lost", LOST)
        await asyncio.to_thread(put_hall, nodes[1], "new")
        assert cluster.lost_bytes > 0
        async with AsyncExitStack() as stack:
            displays = [await shown(stack, node, lost[-1]["seq"]) for node in nodes]
            quiet = await stack.enter_async_context(hall_socket(nodes[0].base_url, "quiet"))
            new = await stack.enter_async_context(hall_socket(nodes[1].base_url, "new"))
            visitor = await stack.enter_async_context(ticket_socket(nodes[0].base_url, lost[0]["id"]))
            await asyncio.gather(*(socket.frame() for socket in (quiet, new, visitor)))
            await asyncio.to_thread(cluster.lose_primary)
            await asyncio.to_thread(cluster.promote)
            for display in displays:
                snapshot = await display.frame()
                assert (snapshot["type"], snapshot["seq"]) == ("snapshot", kept[-1]["seq"])
                assert snapshot["board"]["services"]["tax"]["waiting"] == KEPT
            assert {await socket.closed() for socket in (new, visitor)} == {(1013, "the log has another history now")}
            again = await take_all(nodes, "lost", LOST)
            for display in displays:
                assert_gapless(await display.frames(LOST), kept[-1]["seq"])
            other = await decided(nodes[1], "quiet", "still-there")
            assert (await quiet.frame())["seq"] == other.json()["seq"]
        assert [one["number"] for one in again] == [one["number"] for one in lost]
        assert not {one["id"] for one in again} & {one["id"] for one in lost}
        assert [one["id"] for one in await take_all(nodes, "kept", KEPT)] == [one["id"] for one in kept]
        async with nodes[1].async_client() as client:
            for path in ("/v1/halls/new", f"/v1/tickets/{lost[0]['id']}"):
                answered(await client.get(path), 404)
        await all_ready(nodes)
    await asyncio.to_thread(verify, nodes[0].folder)


async def shown(stack: AsyncExitStack, node: Node, seq: int) -> Socket:
    """A display that has come so far."""
    display: Socket = await stack.enter_async_context(hall_socket(node.base_url))
    while (await display.frame())["seq"] < seq:
        pass
    return display
