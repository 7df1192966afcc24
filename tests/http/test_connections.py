"""On a connection nothing tells that some requests go a short way, whatever comes before, between or after."""

import asyncio
from pathlib import Path

import pytest

from tests.http.served import HEAD_BYTES, ISSUE, TAX, TICKETS, Place, brief, served
from tests.http.wire import get, post
from tests.running import eventually, writer_held

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("request_bytes", "long"),
    [(post(TICKETS, TAX, "Connection: close"), 0), (post(TICKETS, TAX, version="1.0"), 1)],
    ids=["asked for", "HTTP/1.0"],
)
async def test_a_connection_ends_with_its_answer(place: Place, request_bytes: bytes, long: int) -> None:
    """Where the client asks for it, and the answer says so."""
    async with place.wire() as wire:
        assert brief(await wire.ask(request_bytes)) == (201, "close")
        assert await wire.rest() == b""
    assert len(place.long) == long


async def test_answers_come_in_the_order_of_requests_sent_at_once(place: Place) -> None:
    """Commands, reads and bad requests in one piece; what comes behind a command under way waits for it."""
    before = place.issued
    bad, last = post(TICKETS, b"{"), post(TICKETS, TAX, "Connection: close")
    async with place.wire() as wire:
        wire.send(ISSUE + ISSUE + get("/v1/halls/hall/board") + ISSUE + bad + last)
        told = [await wire.told() for _ in range(6)]
        assert await wire.rest() == b""
    assert [brief(one) for one in told] == [
        (201, None),
        (201, None),
        (200, None),
        (201, None),
        (400, None),
        (201, "close"),
    ]
    numbers = [int(told[place].document["number"][1:]) for place in (0, 1, 3, 5)]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    assert place.issued == before + 4
    assert len(place.long) == 5


async def test_a_connection_is_not_idle_while_a_command_is_under_way(place: Place) -> None:
    """Not even where the one before it, sent in the same piece, was refused at once."""
    refused = post("/v1/tickets/nonsense/start")
    async with place.wire() as wire:
        async with writer_held(place.inner):
            assert brief(await wire.ask(refused + ISSUE)) == (404, None)
            connection = place.connection(wire)
            assert connection is not None
            assert connection.timeout_keep_alive_task is None
        assert brief(await wire.told()) == (201, None)


async def test_a_bad_body_behind_a_plain_head_does_not_outrun_what_came_before(place: Place) -> None:
    """It is given back to FastAPI only when it has come whole, and answered in its turn."""
    bad = post(TICKETS, b"{")
    async with place.wire() as wire:
        await place.reached(wire, bad[:-1])
        wire.send(bad[-1:] + ISSUE)
        assert [(await wire.told()).status for _ in range(2)] == [400, 201]


async def test_a_command_whose_client_has_gone_is_done_all_the_same(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """It was under way: it is stored and counted, and nothing is said about it."""
    issued, counted = place.issued, place.counted(201)
    async with place.wire() as wire:
        async with writer_held(place.inner):
            await place.reached(wire, ISSUE)
            wire.drop()
            await eventually(lambda: place.connection(wire) is None, "the node sees that the client has gone")
        await eventually(lambda: place.counted(201) > counted, "the command is done")
    assert place.issued == issued + 1
    assert caplog.text == ""
    assert place.long == []


async def test_half_a_body_does_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A client that goes before the end of its body has asked for nothing; it is counted as before."""
    issued, counted = place.issued, place.counted(400)
    async with place.wire() as wire:
        await place.reached(wire, ISSUE[:-1])
        wire.drop()
        await eventually(lambda: place.counted(400) > counted, "the request is over")
    assert place.issued == issued
    assert caplog.text == ""


async def test_a_slow_reader_gets_its_answers_one_after_another(place: Place) -> None:
    """While a client does not take what was written, nothing more is; then everything comes, in order."""
    page = get("/openapi.json")
    async with place.wire(limit=1024) as wire:
        await place.reached(wire, page)
        connection = place.connection(wire)
        assert connection is not None
        asked = 1
        while not connection.flow.write_paused:
            if connection.cycle.response_complete:
                await place.reached(wire, page)
                asked += 1
            await asyncio.sleep(0)
        await place.reached(wire, ISSUE)
        told = [await wire.told() for _ in range(asked + 1)]
    assert [one.status for one in told] == [200] * asked + [201]
    assert f"POST {TICKETS}" in place.long


async def test_a_websocket_may_follow_commands(place: Place) -> None:
    """On the connection of a command, a display."""
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    async with place.wire() as wire:
        assert (await wire.ask(ISSUE)).status == 201
        told = await wire.ask(get("/v1/halls/hall/stream", *upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
        assert told.status == 101


async def test_an_idle_connection_is_closed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a command as after anything else."""
    monkeypatch.setattr(place.inner.server.config, "timeout_keep_alive", 0.05)
    async with place.wire() as wire:
        assert (await wire.ask(ISSUE)).status == 201
        assert await wire.rest() == b""


STOPPED = {
    "a command under way": (ISSUE, len(ISSUE), 201),
    "a command half sent": (ISSUE, HEAD_BYTES + 3, 201),
    "a bad body half sent": (post(TICKETS, b"[               ]"), HEAD_BYTES + 3, 422),
}


@pytest.mark.parametrize("name", STOPPED)
async def test_a_node_that_stops_answers_what_has_begun(tmp_path: Path, name: str) -> None:
    """And only then closes the connection; the answer says so."""
    request, sent, status = STOPPED[name]
    async with served(tmp_path) as place, place.wire() as wire:
        async with writer_held(place.inner):
            await place.reached(wire, request[:sent])
            place.inner.server.should_exit = True
            await eventually(lambda: not place.inner.server.servers[0].is_serving(), "the node stops")
            wire.send(request[sent:])
        assert brief(await wire.told()) == (status, "close")
        assert await wire.rest() == b""


async def test_from_the_order_to_stop_on_answers_end_connections(tmp_path: Path) -> None:
    """Before anything is closed, so that nobody sends on a connection that is just being closed."""
    async with served(tmp_path) as place, place.wire() as wire:
        place.inner.service.stopping = True
        assert brief(await wire.ask(ISSUE)) == (201, "close")
        assert await wire.rest() == b""
