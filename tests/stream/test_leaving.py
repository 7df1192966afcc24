"""How connections end that neither side wants to end: the node stops, or the client is gone without a word."""

import asyncio
import logging

import pytest

from tests.running import WAIT_S, eventually
from tests.stream.lobby import Lobby, Nodes
from tests.stream.sockets import close_frame, raw_stream, ticket_socket, wire_frame


async def fill(lobby: Lobby) -> None:
    """Write to a display until the network takes no more."""
    await eventually(lambda: lobby.protocols, "it follows")
    (protocol,) = lobby.protocols
    while not protocol.is_behind:
        protocol.write_frame(b"\x81\x7e\xff\xff" + b" " * 65_535)


async def test_a_node_that_stops_says_so(nodes: Nodes) -> None:
    """Displays and visitors get 1012, at once."""
    lobby = await nodes.lobby()
    ticket = await lobby.issue()
    async with lobby.socket() as display, ticket_socket(lobby.base_url, ticket["id"]) as visitor:
        await asyncio.gather(display.frame(), visitor.frame())
        stopping = asyncio.create_task(nodes.stop())
        assert await display.closed() == (1012, "the node stops")
        assert await visitor.closed() == (1012, "the node stops")
        await stopping


async def test_one_that_does_not_listen_does_not_hold_up_the_stop(
    nodes: Nodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that reads nothing, with more before it than the network takes, is cut off; uvicorn's own patience
    (and the error it logs at the end of it) is not needed."""
    monkeypatch.setattr("api.websocket_protocol.CLOSE_S", 0.1)
    lobby = await nodes.lobby()
    async with raw_stream(lobby.base_url, f"{lobby.path}/stream"):
        await fill(lobby)
        await nodes.stop()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.cli.serve.PING_S", 0.1)


@pytest.mark.usefixtures("_asked_often")
async def test_a_client_that_answers_no_ping_is_gone(nodes: Nodes) -> None:
    """Its machine was switched off, say: the connection looks open, but nobody is there. It is let go (1011)."""
    lobby = await nodes.lobby()
    async with raw_stream(lobby.base_url, f"{lobby.path}/stream") as (reader, _):
        async with asyncio.timeout(WAIT_S):
            assert (await wire_frame(reader))[0] == 0x81
            assert (await wire_frame(reader))[0] == 0x89
            assert (await close_frame(reader))[0] == 1011
    await eventually(lambda: not lobby.view.followers, "nobody follows any more")


@pytest.mark.usefixtures("_asked_often")
async def test_one_that_takes_nothing_and_answers_nothing_is_cut_off(nodes: Nodes) -> None:
    """Though its buffer is full, so that not even the close frame can be sent."""
    lobby = await nodes.lobby()
    async with raw_stream(lobby.base_url, f"{lobby.path}/stream"):
        await fill(lobby)
        await eventually(lambda: not lobby.view.followers, "nobody follows any more")
        await eventually(lambda: not lobby.service.sockets["display"], "no socket is counted any more")


@pytest.mark.usefixtures("_asked_often")
async def test_one_that_answers_pings_stays(nodes: Nodes) -> None:
    """However long nothing happens in the hall."""
    lobby = await nodes.lobby()
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        (protocol,) = lobby.protocols
        asked: set[float] = set()

        def was_asked_often() -> bool:
            asked.add(protocol.ping_sent_at)
            return len(asked) > 4

        await eventually(was_asked_often, "it is asked some times")
        await lobby.issue()
        assert (await socket.frame())["seq"] == seq + 1
