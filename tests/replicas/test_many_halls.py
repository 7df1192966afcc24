"""As many halls as a country has, on two nodes. Alone in its module: their database is followed by no third node, and
read by no other test."""

import asyncio

import httpx
import pytest

from tests.faults.proving import prove_all
from tests.halls import plan
from tests.replicas.conftest import Replicas, answered

pytestmark = pytest.mark.long

HALLS = 3_000
CLIENTS = 8
"""Of each node."""


async def test_three_thousand_halls_on_two_nodes(replicas: Replicas) -> None:
    """Each is made at one node and then asked at both at once: numbers are dense in each, nobody is refused, and every
    log proves true."""
    nodes = replicas(2)
    halls = [f"many-{number}" for number in range(HALLS)]
    given: dict[str, set[str]] = {hall: set() for hall in halls}

    async def make(client: httpx.AsyncClient, mine: list[str]) -> None:
        for hall in mine:
            answered(await client.put(f"/v1/halls/{hall}", json=plan(hall)), 201)

    async def issue(client: httpx.AsyncClient, mine: list[str]) -> None:
        for hall in mine:
            taken = answered(await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}), 201)
            assert taken.json()["number"] not in given[hall]
            given[hall].add(taken.json()["number"])

    async with nodes[0].crowd(CLIENTS) as left, nodes[1].crowd(CLIENTS) as right:
        clients = [*left, *right]
        await asyncio.gather(*(make(one, halls[turn :: len(clients)]) for turn, one in enumerate(clients)))
        turns = [*enumerate(left), *enumerate(right)]
        await asyncio.gather(*(issue(one, halls[turn::CLIENTS]) for turn, one in turns))
    assert set(map(frozenset, given.values())) == {frozenset({"A001", "A002"})}
    assert await asyncio.to_thread(prove_all, nodes[0].folder) >= HALLS * 3
