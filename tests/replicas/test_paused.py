"""A node is stopped (SIGSTOP) within a transaction, for longer than any of its commands may wait, and then goes on."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psycopg

from tests.faults.proving import verify
from tests.replicas.asking import decided, take
from tests.replicas.conftest import Replicas, answered, made_by, put_hall
from tests.running import Node, database_url, eventually
from tests.stream.sockets import assert_gapless, hall_socket

LATE = 4
_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
WAITING = f"{_SESSIONS} wait_event_type = 'Lock' AND query NOT LIKE 'LOCK%%'"
INSIDE = f"{_SESSIONS} state = 'idle in transaction' AND pid = ANY(%s)"


def sessions(watch: "psycopg.Connection[Any]", which: str, *values: Any) -> list[int]:
    """Processes of the server that are in some state."""
    return [row[0] for row in watch.execute(which.encode(), values).fetchall()]


async def queued(stack: AsyncExitStack, node: Node, hall: str) -> "list[asyncio.Task[httpx.Response]]":
    """Commands that have arrived at a node and wait for its writer."""
    keys = [{"Idempotency-Key": f"late-{number}"} for number in range(LATE)]
    clients = [await stack.enter_async_context(node.async_client(headers=key)) for key in keys]
    for client in clients:
        answered(await client.get("/healthz"), 200)  # the connection is open: the next is sent at once
    body = {"service": "tax"}
    asked = [asyncio.create_task(client.post(f"/v1/halls/{hall}/tickets", json=body)) for client in clients]
    async with node.async_client() as client:
        for _ in range(3):
            answered(await client.get("/healthz"), 200)
    return asked


async def test_a_node_stopped_within_a_transaction_holds_nobody_up_and_does_nothing_late(
    replicas: Replicas, beside: "psycopg.Connection[Any]"
) -> None:
    """Stopped with a hall's row locked and the hall's event written: another node goes on at every other hall, and at
    this one as soon as the server has ended the session (2 s). Continued after every deadline has passed, the node
    answers 503 to all it had taken on and has done none of it; a retry by key happens once; its displays have missed
    nothing.

    It is stopped for as long as a command takes to come to its deadline that was asked after it was stopped: 5 s. A
    minute would cross no other bound."""
    nodes = replicas(2)
    paused, other = nodes
    for hall in ("stuck", "free", "held"):
        put_hall(other, hall)
    async with AsyncExitStack() as stack:
        watch = stack.enter_context(psycopg.connect(database_url(other.folder), autocommit=True))
        display = await stack.enter_async_context(hall_socket(paused.base_url, "stuck"))
        place = await display.frame()
        beside.execute("LOCK TABLE event IN SHARE MODE")  # what would be written waits, after the hall was locked
        first = asyncio.create_task(take(paused, "stuck", "first"))
        [inside] = await eventually(lambda: sessions(watch, WAITING), "the transaction is under way")
        late = await queued(stack, paused, "free")
        paused.process.send_signal(signal.SIGSTOP)
        stack.callback(paused.process.send_signal, signal.SIGCONT)
        beside.rollback()
        await eventually(lambda: sessions(watch, INSIDE, [inside]), "its events are written, and not committed")
        free, stuck = await asyncio.gather(take(other, "free", "mine"), decided(other, "stuck", "mine"))
        assert [answered(one, 201).json()["number"] for one in (free, stuck)] == ["A001", "A001"]
        assert not sessions(watch, INSIDE, [inside])
        beside.execute("SELECT 1 FROM hall WHERE id = 'held' FOR UPDATE")
        answered(await take(other, "held", "never"), 503)
        beside.rollback()
        paused.process.send_signal(signal.SIGCONT)
        for answer in await asyncio.gather(first, *late):
            assert answered(answer, 503).headers["retry-after"] == "1"
        for hall, mine in (("stuck", stuck), ("free", free)):
            issued = [one for one in made_by(other, hall).values() if one[0] == "ticket_issued"]
            assert issued == [("ticket_issued", mine.json()["id"])]
        again = await decided(paused, "stuck", "first")
        assert (again.json()["number"], "idempotency-replayed" in again.headers) == ("A002", False)
        assert_gapless(await display.frames(2), place["seq"])
        assert (await decided(paused, "free", "late-0")).json()["number"] == "A002"
    await asyncio.to_thread(verify, other.folder)
