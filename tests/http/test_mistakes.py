"""Mistakes that were found in other queue systems, each as a test that this one does not make it: those that need the
whole service. What the pure rules can show is tested with them; a call that displays never show, with the stream."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.http.conftest import BEARER, NewHall
from tests.http.reading import log_of, of_kind
from tests.http.shapes import ROUTES
from tests.running import Node, running_node

PRESSES = 12


async def _press(client: httpx.AsyncClient, hall: str, counter: int) -> list[str]:
    """Call until nobody waits; the tickets."""
    called = []
    path = f"/v1/halls/{hall}/counters/{counter}/call-next"
    while (answer := await client.post(path, json={"finish_current": True})).status_code == 200:
        called.append(answer.json()["id"])
    assert answer.status_code == 204, answer.text
    return called


async def test_mistake_01_lock_then_write_after_the_commit(node: Node, client: httpx.Client, new_hall: NewHall) -> None:
    """Two nodes on one database, six clerks at each: what one calls the other cannot, no number is given twice."""
    hall = new_hall(open_counters=12)
    with running_node(node.folder) as other:
        async with node.crowd(6) as here, other.crowd(6) as there:
            clerks = [client for pair in zip(here, there, strict=True) for client in pair]
            wishes = (
                one.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}) for one in clerks for _ in range(5)
            )
            issued = [answer.json() for answer in await asyncio.gather(*wishes)]
            called = await asyncio.gather(*(_press(one, hall, place) for place, one in enumerate(clerks, 1)))
    assert sorted(ticket["number"] for ticket in issued) == [f"A{number:03d}" for number in range(1, 61)]
    assert sorted(ticket for one in called for ticket in one) == sorted(ticket["id"] for ticket in issued)
    events = log_of(client, hall)
    assert max(Counter(one["ticket"] for one in of_kind(events, "ticket_called")).values()) == 1


@pytest.mark.parametrize("verb", ["start", "cancel", "requeue"])
async def test_mistake_02_check_then_set_without_a_condition(
    node: Node, client: httpx.Client, new_hall: NewHall, verb: str
) -> None:
    """A button pressed twelve times at once does its work once; eleven are told the state it led to."""
    hall = new_hall(open_counters=1)
    async with node.crowd(PRESSES) as clients:
        ticket = (await clients[0].post(f"/v1/halls/{hall}/tickets", json={"service": "tax"})).json()["id"]
        await clients[0].post(f"/v1/halls/{hall}/counters/1/call-next")
        answers = await asyncio.gather(*(one.post(f"/v1/tickets/{ticket}/{verb}") for one in clients))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: PRESSES - 1}
    states = {answer.json()["state"] for answer in answers}
    assert states == {{"start": "serving", "cancel": "cancelled", "requeue": "waiting"}[verb]}


async def test_mistake_04_the_number_is_a_count_of_what_is_there(
    node: Node, client: httpx.Client, new_hall: NewHall
) -> None:
    """While tickets are cancelled others are given: no number comes twice and none is left out."""
    hall = new_hall()

    async def come_and_go(one: httpx.AsyncClient) -> list[str]:
        numbers = []
        for _ in range(4):
            ticket = (await one.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"})).json()
            numbers.append(ticket["number"])
            await one.post(f"/v1/tickets/{ticket['id']}/cancel")
        return numbers

    async with node.crowd(16) as clients:
        numbers = await asyncio.gather(*(come_and_go(one) for one in clients))
    assert sorted(number for one in numbers for number in one) == [f"A{number:03d}" for number in range(1, 65)]


def test_mistake_09_state_changed_by_get(client: httpx.Client, new_hall: NewHall) -> None:
    """Every GET there is leaves the log as it was; so does HEAD, which is refused."""
    hall = new_hall(open_counters=1)
    ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()["id"]
    client.post(f"/v1/halls/{hall}/counters/1/call-next")
    before = log_of(client, hall)
    paths = [route.path for route in ROUTES if "GET" in (route.methods or ())] + ["/docs", "/openapi.json"]
    for path in paths:
        url = path.format(hall=hall, counter="1", ticket=ticket, chart="wait")
        assert client.get(url).status_code == 200, url
        assert client.head(url).status_code in (200, 405), url
    assert log_of(client, hall) == before


def test_mistake_09_commands_cannot_be_given_by_get(client: httpx.Client, new_hall: NewHall) -> None:
    """A command's address asked with GET is 405, names what is allowed, and does nothing."""
    hall = new_hall(open_counters=1)
    ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()["id"]
    before = log_of(client, hall)
    readable = {route.path for route in ROUTES if "GET" in (route.methods or ())}
    for route in ROUTES:
        if "POST" in (route.methods or ()) and route.path not in readable:
            answer = client.get(route.path.format(hall=hall, counter="1", ticket=ticket, alert="none", advice="none"))
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), route.path
            assert answer.json()["type"] == "/problems/method-not-allowed"
    assert log_of(client, hall) == before


def test_mistake_12_an_estimate_without_an_estimate(client: httpx.Client, new_hall: NewHall) -> None:
    """Where nothing can be estimated, every showing of a ticket says why; it is never an empty column."""
    hall = new_hall()
    ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()
    listed = client.get(f"/v1/halls/{hall}/tickets").json()["items"][0]
    shown = [ticket, listed, client.get(f"/v1/tickets/{ticket['id']}").json()]
    assert all(one["estimate"]["because"] and one["estimate"]["as_of"] for one in shown)


def test_mistake_14_printing_before_storing(node: Node, client: httpx.Client, new_hall: NewHall) -> None:
    """The moment a number is answered it is in the database, seen by any other connection, with its event and leg."""
    hall = new_hall()
    for _ in range(20):
        ticket = client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"}).json()
        with closing(sqlite3.connect(node.database)) as outside:
            stored = outside.execute(
                "SELECT t.number, e.kind, l.leg FROM ticket t JOIN leg l ON l.ticket = t.id"
                " JOIN event e ON e.hall = t.hall AND e.seq = t.last_seq WHERE t.id = ?",
                (ticket["id"],),
            ).fetchall()
        assert stored == [(ticket["number"], "ticket_issued", 1)]


async def _frames_of(node: Node, hall: str, live: Any) -> list[str]:
    """Every frame of a display's stream while `live` happens, from its snapshot to the event `live` answers with."""
    frames = []
    async with connect(f"{node.base_url.replace('http', 'ws')}/v1/halls/{hall}/stream") as socket:
        frames.append(str(await socket.recv()))
        last_seq = await live()
        while orjson.loads(frames[-1]).get("seq", 0) < last_seq:  # an estimate has no place in the order
            frames.append(str(await asyncio.wait_for(socket.recv(), 30)))
    return frames


async def test_mistake_15_a_name_on_a_public_screen(node: Node, client: httpx.Client, new_hall: NewHall) -> None:
    """Board, stream and metrics show numbers and counters: no clerk, no ref, no id that would cancel a ticket."""
    hall = new_hall()
    secrets = ["CLERK-WANG", "CLERK-LI", "CASE-4711", "THE-OTHER-REASON"]

    async def live() -> int:
        async with node.async_client() as one:
            for counter, clerk in (("1", secrets[0]), ("2", secrets[1])):
                await one.post(f"/v1/halls/{hall}/counters/{counter}/open", json={"clerk": clerk})
            ticket = (await one.post(f"/v1/halls/{hall}/tickets", json={"service": "tax", "ref": secrets[2]})).json()
            secrets.append(ticket["id"])
            secrets.append(ticket["id"].partition(".")[2])
            await one.post(f"/v1/halls/{hall}/counters/1/call", json={"ticket": ticket["id"], "reason": secrets[3]})
            for verb in ("recall", "start"):
                await one.post(f"/v1/tickets/{ticket['id']}/{verb}")
            transfer = {"service": "land", "for_clerk": secrets[1], "reserve_s": 60}
            await one.post(f"/v1/tickets/{ticket['id']}/transfer", json=transfer)
            await one.post(f"/v1/halls/{hall}/counters/2/call-next")
            await one.post(f"/v1/halls/{hall}/counters/2/relieve", json={"clerk": "CLERK-ZHAO"})
            last = await one.post(f"/v1/halls/{hall}/counters/2/close", json={"force": secrets[3]})
            assert last.status_code == 200, last.text
            return int(last.json()["seq"])

    frames = await _frames_of(node, hall, live)
    board = await asyncio.to_thread(client.get, f"/v1/halls/{hall}/board")
    metrics = await asyncio.to_thread(client.get, "/metrics")
    public = "\n".join([*frames, board.text, metrics.text])
    assert len(frames) > 8
    assert "A001" in public
    assert [secret for secret in [*secrets, "CLERK-ZHAO"] if secret in public] == []


HALL_READS = ("", "/board", "/events", "/tickets", "/promise-report", "/legs.csv", "/counters/1")


@pytest.mark.parametrize("path", ["/metrics", "/v1/halls", *(f"/v1/halls/hall{read}" for read in HALL_READS)])
def test_mistake_16_display_reads_without_permission(guarded: Node, path: str) -> None:
    """Where a token is asked for, everything a display reads needs it: 401 without, 200 with it."""
    with guarded.client() as anybody, guarded.client(headers=BEARER) as display:
        refused, shown = anybody.get(path), display.get(path)
    assert (refused.status_code, shown.status_code) == (401, 200)
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_mistake_16_a_stream_without_permission(guarded: Node) -> None:
    """The stream, too: without the token it ends with 4401 before a frame was shown, with it a display follows."""
    url = f"{guarded.base_url.replace('http', 'ws')}/v1/halls/hall/stream"
    async with connect(url) as socket:
        with pytest.raises(ConnectionClosed) as ended:
            await asyncio.wait_for(socket.recv(), 30)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 4401
    async with connect(url, additional_headers=BEARER) as socket:
        assert orjson.loads(await socket.recv())["type"] == "snapshot"
