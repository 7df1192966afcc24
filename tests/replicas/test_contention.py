"""Several nodes at one hall: every ticket to one clerk, every number once, none starved; no hall waits for another."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import psycopg
import pytest

from tests.faults.proving import prove_all
from tests.halls import plan
from tests.http.reading import log_of, of_kind
from tests.replicas.conftest import Replicas, answered, put_hall
from tests.running import Node

pytestmark = pytest.mark.long

CLERKS = 4
"""Of each node."""
COMMANDS = 100
"""The first node to have done so many ends the race."""
FAIR_SHARE = 0.7
ATTEMPTS = 3


class Race:
    """Clerks of several nodes at one hall, each at a counter of its own: they take tickets, and call."""

    def __init__(self, hall: str) -> None:
        """`done`: commands answered, by node."""
        self.hall = hall
        self.done: Counter[int] = Counter()
        self.issued: list[str] = []
        self.called: list[str] = []

    async def clerk(self, client: httpx.AsyncClient, place: int, counter: int) -> None:
        """Take two tickets and call one, until somebody has done enough."""
        path, turn = f"/v1/halls/{self.hall}", 0
        while max(self.done.values(), default=0) < COMMANDS:
            turn += 1
            if turn % 3:
                taken = answered(await client.post(f"{path}/tickets", json={"service": "tax"}), 201)
                self.issued.append(taken.json()["id"])
            else:
                await self.call(client, counter)
            self.done[place] += 1

    async def call(self, client: httpx.AsyncClient, counter: int) -> bool:
        """Press the one button; whether somebody was waiting."""
        wish = {"finish_current": True}
        path = f"/v1/halls/{self.hall}/counters/{counter}/call-next"
        answer = answered(await client.post(path, json=wish), 200, 204)
        if answer.status_code == 200:
            self.called.append(answer.json()["id"])
        return answer.status_code == 200

    async def run(self, nodes: list[Node]) -> None:
        """All clerks of all nodes at once; then one of each node calls whoever still waits."""
        crowds = [node.crowd(CLERKS) for node in nodes]
        clients = [await crowd.__aenter__() for crowd in crowds]
        places = [(place, number) for place in range(len(nodes)) for number in range(CLERKS)]
        await asyncio.gather(
            *(self.clerk(clients[place][number], place, place * CLERKS + number + 1) for place, number in places)
        )
        await asyncio.gather(*(self.rest(clients[place][0], place * CLERKS + 1) for place in range(len(nodes))))
        for crowd in crowds:
            await crowd.__aexit__(None, None, None)

    async def rest(self, client: httpx.AsyncClient, counter: int) -> None:
        """Until nobody waits any more."""
        while await self.call(client, counter):
            pass


@pytest.mark.parametrize("size", [2, 4])
async def test_nodes_at_one_hall_call_each_ticket_once_and_none_is_starved(replicas: Replicas, size: int) -> None:
    """Every ticket goes to one clerk, numbers are dense, and each node gets its share of the hall: of three races in
    one at least, for a node that is starved loses all, and one that the machine kept waiting does not."""
    nodes = replicas(size)
    shares = []
    for attempt in range(ATTEMPTS):
        race = Race(put_hall(nodes[0], f"race-{size}-{attempt}", counters=size * CLERKS))
        await race.run(nodes)
        check_exact(race, nodes[-1])
        shares.append(min(race.done[place] for place in range(size)) * size / sum(race.done.values()))
        if shares[-1] >= FAIR_SHARE:
            break
    assert max(shares) >= FAIR_SHARE, shares
    assert prove_all(nodes[0].folder) > 0


def check_exact(race: Race, node: Node) -> None:
    """What was answered and what is in the log agree: nobody twice, nobody left out, no number missing."""
    with node.client() as client:
        log = log_of(client, race.hall)
    numbers = [event["number"] for event in of_kind(log, "ticket_issued")]
    assert numbers == [f"A{number:03d}" for number in range(1, len(race.issued) + 1)]
    assert Counter(race.called) == Counter(race.issued)
    assert Counter(event["ticket"] for event in of_kind(log, "ticket_called")) == Counter(race.issued)


async def test_a_locked_hall_keeps_no_other_waiting(replicas: Replicas, beside: "psycopg.Connection[Any]") -> None:
    """While somebody holds a hall's row, every other hall is served; its own command waits, and is then decided."""
    [node] = replicas(1)
    stuck, free = put_hall(node, "stuck"), put_hall(node, "free")
    body = {"service": "tax"}
    async with node.async_client() as client, node.async_client() as other:
        beside.execute("SELECT 1 FROM hall WHERE id = 'stuck' FOR UPDATE")
        waiting = asyncio.create_task(client.post(f"/v1/halls/{stuck}/tickets", json=body))
        for _ in range(50):
            answered(await other.post(f"/v1/halls/{free}/tickets", json=body), 201)
        assert not waiting.done()
        beside.rollback()
        assert answered(await waiting, 201).json()["number"] == "A001"


async def test_a_hall_that_stays_locked_is_undecided_and_nothing_is_done(
    replicas: Replicas, beside: "psycopg.Connection[Any]"
) -> None:
    """After its five seconds a command is 503 with Retry-After; the same key is then decided afresh, once."""
    [node] = replicas(1)
    hall = put_hall(node, "held-for-long")
    key = {"Idempotency-Key": "late"}
    async with node.async_client(headers=key) as client:
        beside.execute("SELECT 1 FROM hall WHERE id = %s FOR UPDATE", (hall,))
        late = answered(await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}), 503)
        assert late.headers["retry-after"] == "1"
        beside.rollback()
        again = answered(await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}), 201)
        assert again.json()["number"] == "A001"
        assert "idempotency-replayed" not in again.headers


async def test_a_hall_is_created_once(replicas: Replicas) -> None:
    """Sixteen requests at two nodes at once to create one hall: one creates it, for the others it is there."""
    nodes = replicas(2)
    document = {"If-None-Match": "*"}
    async with nodes[0].crowd(8, headers=document) as left, nodes[1].crowd(8, headers=document) as right:
        answers = await asyncio.gather(*(one.put("/v1/halls/new", json=plan("new")) for one in left + right))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 412: 15}
    assert prove_all(nodes[0].folder) > 0
