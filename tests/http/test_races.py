"""Many at once, over real HTTP against a real server process: each ticket to one clerk, each number to one visitor."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.databases import on_both
from tests.http.conftest import NewHall
from tests.http.reading import log_of, of_kind
from tests.running import Node

pytestmark = on_both("node")

CLERKS = 32
TICKETS = 500
CLIENTS = 64
REPEATS = 20


async def _issue_some(client: httpx.AsyncClient, how_many: int, hall: str) -> list[dict[str, Any]]:
    answers = [await client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}) for _ in range(how_many)]
    assert {answer.status_code for answer in answers} <= {201}
    return [answer.json() for answer in answers]


async def _call_all(client: httpx.AsyncClient, hall: str, counter: int, issuing: "asyncio.Future[Any]") -> list[str]:
    """Press the one button until everything is issued and nobody waits any more; the tickets called."""
    called = []
    while True:
        last_round = issuing.done()
        answer = await client.post(f"/v1/halls/{hall}/counters/{counter}/call-next", json={"finish_current": True})
        if answer.status_code == 200:
            called.append(answer.json()["id"])
        elif last_round:
            assert answer.status_code == 204, answer.text
            return called


async def test_each_of_500_tickets_is_called_exactly_once_by_32_clerks(
    node: Node, client: httpx.Client, new_hall: NewHall
) -> None:
    """While 500 tickets are being issued, 32 clerks call next: every ticket goes to one of them, once."""
    hall = new_hall(open_counters=CLERKS)
    async with node.crowd(CLIENTS) as visitors, node.crowd(CLERKS) as clerks:
        portions = [TICKETS // CLIENTS + (number < TICKETS % CLIENTS) for number in range(CLIENTS)]
        issuing = asyncio.gather(*(_issue_some(*one, hall) for one in zip(visitors, portions, strict=True)))
        called = await asyncio.gather(*(_call_all(one, hall, place, issuing) for place, one in enumerate(clerks, 1)))
        issued = [ticket["id"] for portion in await issuing for ticket in portion]
    answered = [ticket for one in called for ticket in one]
    assert len(answered) == TICKETS
    assert sorted(answered) == sorted(issued)
    log = log_of(client, hall)
    assert Counter(event["ticket"] for event in of_kind(log, "ticket_called")) == Counter(issued)
    assert Counter(event["ticket"] for event in of_kind(log, "ticket_finished")) == Counter(issued)


async def test_no_two_counters_hold_one_ticket_at_any_event_of_the_log(
    node: Node, client: httpx.Client, new_hall: NewHall
) -> None:
    """Read from the log alone: whoever is called is held by nobody, and a counter that calls holds nobody."""
    hall = new_hall(open_counters=8)
    async with node.crowd(16) as visitors, node.crowd(8) as clerks:
        issuing = asyncio.gather(*(_issue_some(one, 5, hall) for one in visitors))
        await asyncio.gather(*(_call_all(one, hall, place, issuing) for place, one in enumerate(clerks, 1)))
        await issuing
    held: dict[str, str] = {}
    for event in log_of(client, hall):
        data = event["data"]
        if event["kind"] == "ticket_called":
            assert data["counter"] not in held, event
            assert data["ticket"] not in held.values(), event
            held[data["counter"]] = data["ticket"]
        elif event["kind"] == "ticket_finished":
            assert held.pop(data["counter"]) == data["ticket"]


async def test_64_clients_get_numbers_that_are_unique_and_dense(
    node: Node, client: httpx.Client, new_hall: NewHall
) -> None:
    """Tickets taken by 64 clients at once are A001, A002, ... without a gap, and the log has the same."""
    hall = new_hall()
    async with node.crowd(CLIENTS) as visitors:
        portions = await asyncio.gather(*(_issue_some(one, 5, hall) for one in visitors))
    numbers = sorted(ticket["number"] for portion in portions for ticket in portion)
    assert numbers == [f"A{number:03d}" for number in range(1, 5 * CLIENTS + 1)]
    issued = of_kind(log_of(client, hall), "ticket_issued")
    assert [event["number"] for event in issued] == numbers


async def test_one_key_20_times_at_once_gives_one_ticket(node: Node, client: httpx.Client, new_hall: NewHall) -> None:
    """Of 20 equal requests with one key one makes the ticket; the others get its answer, and are told so."""
    hall = new_hall()
    key = {"Idempotency-Key": "the-same"}
    async with node.crowd(REPEATS, headers=key) as clients:
        requests = (one.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}) for one in clients)
        answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert Counter(replayed) == {"true": REPEATS - 1, None: 1}
    assert len(of_kind(log_of(client, hall), "ticket_issued")) == 1


async def test_clerks_who_want_the_same_ticket_get_it_once(node: Node, client: httpx.Client, new_hall: NewHall) -> None:
    """Eight clerks choose one ticket at once: one holds it, the others are told that it is called."""
    hall = new_hall(open_counters=8)
    async with node.crowd(8) as clerks:
        [ticket] = await _issue_some(clerks[0], 1, hall)
        wish = {"ticket": ticket["id"], "reason": "asked for"}
        requests = (
            one.post(f"/v1/halls/{hall}/counters/{place}/call", json=wish) for place, one in enumerate(clerks, 1)
        )
        answers = await asyncio.gather(*requests)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert {answer.json()["state"] for answer in answers} == {"called"}
    assert len(of_kind(log_of(client, hall), "ticket_called")) == 1
