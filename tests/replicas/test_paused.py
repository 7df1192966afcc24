"""A node is stopped (SIGSTOP) within a transaction, for longer than any of its commands may wait, and then goes on."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psycopg
import pytest

from tests.faults.proving import verify
from tests.replicas.asking import decided, is_ready, take, without_scribe
from tests.replicas.conftest import Replicas, answered, made_by, put_hall
from tests.running import WAIT_S, Node, database_url, eventually
from tests.stream.sockets import assert_gapless, hall_socket

pytestmark = pytest.mark.long

STOPPED_S = 60
LATE = 4
_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
WAITING = f"{_SESSIONS} wait_event_type = 'Lock' AND query NOT LIKE 'LOCK%%'"
INSIDE = f"{_SESSIONS} state = 'idle in transaction' AND pid = ANY(%s)"


def sessions(watch: "psycopg.Connection[Any]", which: str, *values: Any) -> list[int]:
    """Processes of the server that are in some state."""
    return [row[0] for row in watch.execute(which.encode(), values).fetchall()]


async def patient(stack: AsyncExitStack, node: Node, key: str) -> httpx.AsyncClient:
    """Somebody with a key and patience, whose connection is open: what is sent next is sent at once."""
    client = await stack.enter_async_context(node.async_client(headers={"Idempotency-Key": key}))
    client.timeout = httpx.Timeout(STOPPED_S + WAIT_S)
    answered(await client.get("/healthz"), 200)
    return client


def asked(client: httpx.AsyncClient, hall: str) -> "asyncio.Task[httpx.Response]":
    """A ticket is on its way."""
    return asyncio.create_task(client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}))


async def test_a_node_stopped_within_a_transaction_holds_nobody_up_and_does_nothing_late(
    replicas: Replicas, beside: "psycopg.Connection[Any]"
) -> None:
    """Stopped with a hall's row locked and the hall's event written: another node goes on at every other hall, and at
    this one as soon as the server has ended the session (2 s). Continued after every deadline has passed, the node
    answers 503 to all it had taken on and has done none of it; a retry by key happens once; a display that
    comes back has missed nothing.

    Its storing process is killed before: that one would end the transaction by itself, and rightly.

    It is stopped for a minute, in which the other is asked for a hall that the test holds: 503 after 5 s each time."""
    nodes = replicas(2)
    paused, other = nodes
    for hall in ("stuck", "free", "held"):
        put_hall(other, hall)
    async with AsyncExitStack() as stack:
        watch = stack.enter_context(psycopg.connect(database_url(other.folder), autocommit=True))
        async with hall_socket(paused.base_url, "stuck") as display:
            place = await display.frame()
        early = await patient(stack, paused, "first")
        late_ones = [await patient(stack, paused, f"late-{number}") for number in range(LATE)]
        await without_scribe(paused)
        beside.execute("LOCK TABLE event IN SHARE MODE")  # what would be written waits, after the hall was locked
        first = asked(early, "stuck")
        [inside] = await eventually(lambda: sessions(watch, WAITING), "the transaction is under way")
        late = [asked(client, "free") for client in late_ones]
        for _ in range(3):
            answered(await early.get("/healthz"), 200)  # by now they wait for its writer
        paused.process.send_signal(signal.SIGSTOP)
        stopped_s = time.monotonic()
        stack.callback(paused.process.send_signal, signal.SIGCONT)
        beside.rollback()
        await eventually(lambda: sessions(watch, INSIDE, [inside]), "its events are written, and not committed")
        free, stuck = await asyncio.gather(take(other, "free", "mine"), decided(other, "stuck", "mine"))
        assert [answered(one, 201).json()["number"] for one in (free, stuck)] == ["A001", "A001"]
        assert not sessions(watch, INSIDE, [inside])
        while time.monotonic() < stopped_s + STOPPED_S:
            beside.execute("SELECT 1 FROM hall WHERE id = 'held' FOR UPDATE")
            answered(await take(other, "held", "never"), 503)
            beside.rollback()
        answered(await take(other, "held", "never"), 201)
        paused.process.send_signal(signal.SIGCONT)
        for answer in await asyncio.gather(first, *late):
            assert answered(answer, 503).headers["retry-after"] == "1"
        for hall, mine in (("stuck", stuck), ("free", free)):
            issued = [one for one in made_by(other, hall).values() if one[0] == "ticket_issued"]
            assert issued == [("ticket_issued", mine.json()["id"])]
        again = await decided(paused, "stuck", "first")
        assert (again.json()["number"], "idempotency-replayed" in again.headers) == ("A002", False)
        await eventually(lambda: is_ready(paused), "it has read the log again")
        async with hall_socket(paused.base_url, "stuck", after=place["seq"], head=place["head"]) as display:
            assert_gapless(await display.frames(2), place["seq"])
        assert (await decided(paused, "free", "late-0")).json()["number"] == "A002"
    await asyncio.to_thread(verify, other.folder)
