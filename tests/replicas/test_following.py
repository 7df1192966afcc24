"""Displays on any node show every event of every hall, in order, once; and nodes come back by themselves."""

import asyncio
from typing import Any

import psycopg

from tests.http.reading import log_of
from tests.replicas.conftest import Replicas, answered, put_hall
from tests.running import Node, eventually, until
from tests.stream.sockets import assert_gapless, hall_socket

TICKETS = 30
LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND (query LIKE 'LISTEN%%' OR query = 'SELECT 1')"  # every three seconds they ask whether the server is there
)


async def issue(node: Node, hall: str, times: int) -> None:
    """Take tickets at a node, one after the other."""
    async with node.async_client() as client:
        for _ in range(times):
            answered(await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}), 201)


async def frames_at(node: Node, hall: str, ready: asyncio.Semaphore, until_seq: int) -> list[dict[str, Any]]:
    """What a display of the node is sent, up to a place in the log."""
    async with hall_socket(node.base_url, hall) as socket:
        frames = [await socket.frame()]
        ready.release()
        while frames[-1]["seq"] < until_seq:
            frames.append(await socket.frame())
    return frames


async def test_displays_of_all_nodes_see_every_event_once(replicas: Replicas) -> None:
    """While two nodes write to one hall, displays of both and of a third get the same frames, gapless."""
    nodes = replicas(3)
    hall = put_hall(nodes[0], "followed")
    ready = asyncio.Semaphore(0)
    last = 2 + 2 * TICKETS
    watching = [asyncio.create_task(frames_at(node, hall, ready, last)) for node in nodes]
    for _ in nodes:
        await ready.acquire()
    await asyncio.gather(*(issue(node, hall, TICKETS) for node in nodes[:2]))
    shown = [await frames for frames in watching]
    with nodes[2].client() as client:
        log = log_of(client, hall)
    for snapshot, *frames in shown:
        assert_gapless(frames, snapshot["seq"])
        assert [frame["head"] for frame in frames] == [event["head"] for event in log[snapshot["seq"] :]]
        assert frames[-1]["seq"] == last


async def test_a_lost_listener_comes_back_by_itself(replicas: Replicas, beside: "psycopg.Connection[Any]") -> None:
    """Its connection is ended by the server: there is a new one soon, and meanwhile no event is missed."""
    nodes = replicas(2)
    hall = put_hall(nodes[0], "listened")
    ready = asyncio.Semaphore(0)
    watching = asyncio.create_task(frames_at(nodes[1], hall, ready, 12))
    await ready.acquire()
    lost = listeners(beside)
    assert len(lost) >= 2
    for pid in lost:
        beside.execute("SELECT pg_terminate_backend(%s)", (pid,))
    beside.commit()
    await issue(nodes[0], hall, 10)
    snapshot, *frames = await watching
    assert_gapless(frames, snapshot["seq"])
    await eventually(lambda: len(listeners(beside) - lost) >= 2, "both listen again")


def listeners(beside: "psycopg.Connection[Any]") -> set[int]:
    """Connections that listen now."""
    found = {row[0] for row in beside.execute(LISTENERS).fetchall()}
    beside.rollback()
    return found


def test_connections_that_the_server_ended_are_made_again(
    replicas: Replicas, beside: "psycopg.Connection[Any]"
) -> None:
    """Every connection of every node is ended: the next commands are decided, without anybody's help."""
    nodes = replicas(2)
    hall = put_hall(nodes[0], "cut")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid != "
    beside.execute(f"{others} pg_backend_pid()".encode())
    beside.commit()
    for node in nodes:
        with node.client() as client:
            answered(client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}), 201)
            assert client.get(f"/v1/halls/{hall}/tickets").json()["items"]
            until(lambda one=client: one.get("/readyz").status_code == 200, "it is ready")  # type: ignore[misc]
