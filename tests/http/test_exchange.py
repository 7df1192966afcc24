"""Plain commands are answered without ASGI, and answered as FastAPI answers them."""

from pathlib import Path
from typing import Any

import pytest

from api.edge import Edge
from tests.http.conftest import TOKEN
from tests.http.served import HEAD_BYTES, ISSUE, MOST_BYTES, TAX, TICKETS, Place, brief, served
from tests.http.test_direct import CASES, Ways, lasting
from tests.http.wire import post

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHUNKED = f"POST {TICKETS} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_ticket_s_whole_life_takes_the_short_way(place: Place) -> None:
    """On one connection: issued, called, started, finished; every answer as the contract has it."""
    async with place.wire() as wire:
        issued = await wire.ask(
            post(TICKETS, TAX, "Idempotency-Key: life-1", "X-Forwarded-For: a", "X-Forwarded-For: b")
        )
        again = await wire.ask(post(TICKETS, TAX, "Idempotency-Key: life-1"))
        assert (brief(issued), again.body) == ((201, None), issued.body)
        assert issued.headers["location"] == f"/v1/tickets/{issued.document['id']}"
        assert (again.headers["idempotency-replayed"], "date" in again.headers) == ("true", True)
        states = []
        for path in ("/v1/halls/hall/counters/1/call-next", "{ticket}/start", "{ticket}/finish"):
            answer = await wire.ask(post(path.format(ticket=issued.headers["location"])))
            states.append((answer.status, answer.document["state"]))
        nobody = await wire.ask(post("/v1/halls/hall/counters/1/call-next"))
        assert states == [(200, "called"), (200, "serving"), (200, "finished")]
        assert (nobody.status, nobody.body, "content-length" in nobody.headers) == (204, b"", False)
        refused = await wire.ask(post(f"{issued.headers['location']}/start"))
        assert (refused.status, refused.document["type"]) == (409, "/problems/wrong-state")
        assert refused.headers["content-type"] == "application/problem+json"
    assert place.long == []


@pytest.mark.parametrize(("path", "content", "headers"), CASES)
async def test_the_wire_answers_as_fastapi_does(
    place: Place, path: str, content: bytes, headers: dict[str, str]
) -> None:
    """At the borders of what is plain: the same status, media type and document."""
    edge = place.inner.server.config.app
    assert isinstance(edge, Edge)
    long = await Ways(edge.direct, edge.direct.app).ask(False, "POST", path, content, headers)
    short = await place.inner.client.post(path, content=content, headers=headers)
    assert short.status_code == long.status_code
    assert short.headers.get("content-type") == long.headers.get("content-type")
    assert not long.content or lasting(short.json()) == lasting(long.json())


@pytest.mark.parametrize("cut", [1, HEAD_BYTES - 40, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 5, len(ISSUE) - 1])
async def test_it_does_not_matter_where_a_request_is_cut(place: Place, cut: int) -> None:
    """Head and body in one piece or in two: the same way and the same answer."""
    async with place.wire() as wire:
        await place.reached(wire, ISSUE[:cut])
        assert brief(await wire.ask(ISSUE[cut:])) == (201, None)
    assert place.long == []


async def test_a_request_may_come_byte_by_byte(place: Place) -> None:
    """And the next one on that connection, too."""
    async with place.wire() as wire:
        for _ in range(2):
            for byte in ISSUE:
                await place.reached(wire, bytes([byte]))
            assert (await wire.told()).status == 201
    assert place.long == []


NOT_PLAIN: dict[str, tuple[bytes, int]] = {
    "a query": (post(f"{TICKETS}?a=b", TAX), 201),
    "a coded path": (post("/v1/halls/h%61ll/tickets", TAX), 201),
    "a whole address": (post(f"http://test{TICKETS}", TAX), 201),
    "no address of ours": (post("/v1/halls/hall/nothing", TAX), 404),
    "another version of the API": (post("/v2/halls/hall/tickets", TAX), 404),
    "pieces": (CHUNKED.encode() + b"12\r\n" + TAX + b"\r\n0\r\n\r\n", 201),
    "a wish to upgrade": (post(TICKETS, TAX, "Upgrade: h2c"), 201),
    "the same key twice": (post(TICKETS, TAX, "Idempotency-Key: twice", "Idempotency-Key: twice"), 201),
    "a bad key": (post(TICKETS, TAX, "Idempotency-Key: two words"), 422),
    "a body that does not fit": (post(TICKETS, b'{"service": 1}'), 422),
    "a body that is no JSON": (post(TICKETS, b"{"), 400),
    "a body of another kind": (post(TICKETS).replace(b"Length: 0", b"Length: 2") + b"{}", 422),
    "a long body": (post(TICKETS, TAX + b" " * 70_000), 201),
    "another method": (post(TICKETS, TAX).replace(b"POST", b"PATCH"), 405),
}


@pytest.mark.parametrize("name", NOT_PLAIN)
async def test_what_is_not_plain_goes_the_long_way_as_it_came(place: Place, name: str) -> None:
    """It gets FastAPI's answer, and the connection goes on, the short way too."""
    request, status = NOT_PLAIN[name]
    async with place.wire() as wire:
        assert brief(await wire.ask(request)) == (status, None)
        assert len(place.long) == 1
        assert brief(await wire.ask(ISSUE)) == (201, None)
    assert len(place.long) == 1


async def test_a_body_that_is_too_large_is_refused(place: Place) -> None:
    """413, before it is read, and the connection ends."""
    async with place.wire() as wire:
        request = post(TICKETS, b" " * (MOST_BYTES + 1))
        assert brief(await wire.ask(request[: HEAD_BYTES + 100])) == (413, "close")


async def test_a_client_may_ask_to_go_on(place: Place) -> None:
    """`Expect: 100-continue` is answered before the body comes."""
    request = post(TICKETS, TAX, "Expect: 100-continue")
    async with place.wire() as wire:
        assert (await wire.ask(request.removesuffix(TAX))).status == 100
        assert brief(await wire.ask(TAX)) == (201, None)


async def test_each_request_is_counted_once_whichever_way_it_went(place: Place) -> None:
    """Those that turned out not to be plain as well."""
    statuses = (201, 400, 404, 422)
    before = {status: place.counted(status) for status in statuses}
    async with place.wire() as wire:
        for request in (ISSUE, post(f"{TICKETS}?a=b", TAX), post(TICKETS, b"{"), post(TICKETS, b'{"service": "x"}')):
            await wire.ask(request)
        await wire.ask(post("/v1/halls/nowhere/tickets", TAX))
    counted = {status: place.counted(status) - before[status] for status in statuses}
    assert counted == {201: 2, 400: 1, 404: 1, 422: 1}


async def test_a_fault_of_ours_is_told_and_logged(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error nobody expects is 500 with a problem document, counted, and ends the connection."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(place.inner.service.engine, "submit", fail)
    async with place.wire() as wire:
        told = await wire.ask(ISSUE)
        assert (brief(told), told.document["type"]) == ((500, "close"), "/problems/internal")
        assert await wire.rest() == b""
    assert "RuntimeError: unexpected" in caplog.text
    assert place.counted(500) == 1


async def test_who_may_ask_is_looked_at_on_the_short_way_too(tmp_path: Path) -> None:
    """With a token: commands of the staff need it, a visitor's do not, and the log tells them apart."""
    bearer = f"Authorization: Bearer {TOKEN}"
    async with served(tmp_path, auth="token", token=TOKEN) as place, place.wire() as wire:
        refused = [
            await wire.ask(post(TICKETS, TAX, *given)) for given in ((), (bearer + "x",), (bearer, bearer + "x"))
        ]
        assert [one.status for one in refused] == [401, 401, 201]
        assert refused[0].headers["www-authenticate"] == "Bearer"
        place.long.clear()
        issued = await wire.ask(post(TICKETS, TAX, bearer))
        cancelled = await wire.ask(post(f"{issued.headers['location']}/cancel"))
        assert (issued.status, cancelled.status) == (201, 200)
        assert place.long == []
        events = (await place.inner.client.get("/v1/halls/hall/events", headers=dict([bearer.split(": ", 1)]))).json()
    assert [one["actor"] for one in events["items"]][-2:] == ["token", "visitor"]
