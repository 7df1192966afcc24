"""What a display is sent: a snapshot, then every event; numbers and counters only; heartbeats; and why it is let go."""

import asyncio
import json

import httpx

from tests.running import eventually
from tests.stream.lobby import Lobby, Nodes
from tests.stream.sockets import assert_gapless, board_after, hall_socket


async def test_the_first_frame_is_the_board_as_rest_shows_it(lobby: Lobby) -> None:
    """Snapshot and GET …/board are the same, place in the log included."""
    await lobby.issue()
    async with lobby.socket() as socket:
        snapshot = await socket.frame()
    board = await lobby.board()
    assert snapshot == {"type": "snapshot", **{name: board[name] for name in ("seq", "head", "board")}}


async def test_mistake_13_a_call_through_the_api_that_the_display_never_shows(lobby: Lobby) -> None:
    """Whatever is called through the API appears on every display: the number, the counter, among the last calls."""
    await lobby.open("1")
    async with lobby.socket() as one, lobby.socket() as other:
        board = (await one.frame())["board"]
        await other.frame()
        ticket = await lobby.issue()
        await lobby.call()
        for socket in (one, other):
            frames = await socket.frames(2)
            shown = board_after(board, frames)
            assert frames[1]["kind"] == "ticket_called"
            assert (shown["counters"]["1"]["state"], shown["counters"]["1"]["number"]) == ("called", ticket["number"])
            assert [(call["number"], call["counter"]) for call in shown["recent"]] == [(ticket["number"], "1")]
            assert shown["services"]["tax"]["waiting"] == 0


async def test_every_event_of_the_log_is_one_frame(lobby: Lobby) -> None:
    """Seq, hash, kind and time of each frame are those of the log."""
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        await lobby.open("1")
        for _ in range(3):
            await lobby.issue()
        while await lobby.call():
            pass
        log = [event for event in await lobby.log() if event["seq"] > seq]
        frames = await socket.frames(len(log))
    assert_gapless(frames, seq)
    names = ("seq", "head", "kind", "at")
    assert [[frame[name] for name in names] for frame in frames] == [[event[name] for name in names] for event in log]


async def test_a_display_is_told_nothing_about_a_person(lobby: Lobby) -> None:
    """Names, references, reasons given for a visitor and the ids by which a ticket can be cancelled stay inside."""
    secrets = ["Wang Xiaoming", "file 310226", "clerk-1", "speaks no Mandarin", "Mrs Li fainted"]
    async with lobby.socket() as socket:
        frames = [await socket.frame()]
        await lobby.open("1")
        ticket = await lobby.issue(ref="Wang Xiaoming, file 310226", language="yue")
        await lobby.client.ticket(ticket["id"], "change", priority="elder", reason="speaks no Mandarin")
        await lobby.call()
        await lobby.client.ticket(ticket["id"], "requeue", reason="Mrs Li fainted")
        await lobby.call()
        await lobby.counter("1", "close", force="Mrs Li fainted")
        last = (await lobby.board())["seq"]
        frames += await socket.until(last)
    text = json.dumps(frames, ensure_ascii=False)
    assert ticket["number"] in text
    assert [secret for secret in (*secrets, ticket["id"], "elder", "yue") if secret in text] == []


async def test_why_a_hall_stands_still_is_shown(lobby: Lobby) -> None:
    """The reason of a suspension is on the board and in the frame; so is that of a pause."""
    await lobby.open("1")
    async with lobby.socket() as socket:
        board = (await socket.frame())["board"]
        await lobby.client.post(f"{lobby.path}/suspend", {"reason": "fire alarm"})
        await lobby.counter("1", "pause", reason="break")
        frames = await socket.frames(2)
    assert [frame["reason"] for frame in frames] == ["fire alarm", "break"]
    shown = board_after(board, frames)
    assert shown["suspended"][0]["reason"] == "fire alarm"
    assert (shown["counters"]["1"]["state"], shown["counters"]["1"]["pause_reason"]) == ("paused", "break")


async def test_a_changed_plan_shows_itself(lobby: Lobby) -> None:
    """A display need not come back for a new counter: the frame of the change carries the whole board."""
    async with lobby.socket() as socket:
        await socket.frame()
        document = await lobby.client.get(lobby.path)
        document["counters"].append({"id": "9", "name": "九号"})
        await lobby.node.client.put(lobby.path, json=document)
        frame = await socket.frame()
    assert frame["kind"] == "plan_changed"
    assert frame["board"]["counters"]["9"]["state"] == "closed"


async def test_heartbeats_tell_how_fresh_the_node_is(nodes: Nodes) -> None:
    """They carry the seq shown last and the time up to which the log is known to have been read, which goes on."""
    lobby = await nodes.lobby(heartbeat_s=0.02)
    async with lobby.socket() as socket:
        snapshot = await socket.frame()
        first = await socket.any_frame()
        assert (first["type"], first["seq"]) == ("heartbeat", snapshot["seq"])
        while (await socket.any_frame())["as_of"] == first["as_of"]:
            pass
        await lobby.issue()
        await socket.frame()
        assert (await socket.any_frame())["seq"] == snapshot["seq"] + 1


async def test_a_heartbeat_takes_no_place_in_the_order(nodes: Nodes) -> None:
    """With heartbeats between them, events are as gapless as without."""
    lobby = await nodes.lobby(heartbeat_s=0.005)
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        for _ in range(20):
            await lobby.issue()
        assert_gapless(await socket.frames(20), seq)


async def test_a_client_gone_is_noticed(lobby: Lobby) -> None:
    """Whether the client says goodbye or just vanishes, nobody is written to for nothing, and sockets are counted."""
    async with lobby.socket() as polite, lobby.socket() as vanishing:
        await asyncio.gather(polite.frame(), vanishing.frame())
        followers, sockets = lobby.view.followers, lobby.service.sockets
        assert (len(followers), sockets["display"] >= 2) == (2, True)
        vanishing.connection.transport.abort()
        await eventually(lambda: len(followers) == 1, "the vanished client is noticed")
    await eventually(lambda: not followers, "the polite client is noticed")
    await eventually(lambda: not sockets["display"], "no socket is counted any more")


async def test_an_unknown_hall_is_said_to_be_unknown(lobby: Lobby) -> None:
    """Close code 4404, so that a misconfigured display can say what is wrong."""
    async with hall_socket(lobby.base_url, "nowhere") as socket:
        assert await socket.closed() == (4404, "There is no hall 'nowhere'.")


async def test_a_token_is_asked_for_where_the_node_asks_for_one(nodes: Nodes) -> None:
    """Without it 4401; with it in the address, where a browser can put it, or in the header, the board."""
    token = "0123456789abcdef"
    lobby = await nodes.lobby(auth="token", token=token)
    for given in ({}, {"access_token": "0123456789abcdee"}):
        async with lobby.socket(**given) as socket:
            assert await socket.closed() == (4401, "a token is needed")
    async with lobby.socket(access_token=token) as socket:
        assert (await socket.frame())["type"] == "snapshot"


async def test_a_stream_is_no_page(lobby: Lobby) -> None:
    """A plain GET gets a problem document."""
    answer = await lobby.node.client.get(f"{lobby.path}/stream")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"


async def test_frames_are_encoded_once_however_many_watch(lobby: Lobby) -> None:
    """What stands ready for one display is what every other is written, snapshots and events alike."""
    async with lobby.socket() as one, lobby.socket() as other:
        first = await one.frame()
        shared = lobby.view.snapshot()
        assert shared.framed is not None
        shared.framed = shared.framed.replace(b'"seq":', b'"SEQ":')
        assert await other.frame() == first
        async with lobby.socket() as late:
            assert b'"SEQ":' in await late.text()
        await lobby.issue()
        assert await one.frame() == await other.frame()
        assert lobby.view.frames[-1].framed is not None
