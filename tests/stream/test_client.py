"""The Python client: its board is the node's board whatever the network does; its commands are done once."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from api.client import HallFollower, QueueClient, Refused, StreamRefused, Undecided
from tests.halls import plan
from tests.running import WAIT_S
from tests.stream.lobby import Lobby, Nodes
from tests.stream.relay import relay

quick = partial(HallFollower, first_delay_s=0.01, longest_delay_s=0.05)
"""A follower that does not wait long before it comes back."""


async def until(follower: HallFollower, done: Callable[[str], bool]) -> list[str]:
    """Follow until a change for which `done`; the kinds of all changes."""
    kinds: list[str] = []
    async with asyncio.timeout(WAIT_S):
        async for kind, _ in follower:
            kinds.append(kind)
            if done(kind):
                break
    return kinds


async def until_board(follower: HallFollower, lobby: Lobby) -> list[str]:
    """Follow up to where the hall is now."""
    now = await lobby.board()
    kinds = await until(follower, lambda _: follower.seq == now["seq"])
    assert (follower.board, follower.head) == (now["board"], now["head"])
    return kinds


async def test_a_follower_has_the_board_of_the_node(lobby: Lobby) -> None:
    """It tells the snapshot, then each event by its kind."""
    async with HallFollower(lobby.base_url, lobby.hall) as follower:
        assert await until_board(follower, lobby) == ["snapshot"]
        await lobby.busy(2)
        assert await until_board(follower, lobby) == [event["kind"] for event in (await lobby.log())[2:]]
        await lobby.node.client.put(lobby.path, json=plan(lobby.hall, windows=2))
        assert await until_board(follower, lobby) == ["plan_changed"]
        assert "3" not in follower.board["counters"]


async def test_a_follower_of_nothing_is_told_so(lobby: Lobby) -> None:
    """There is no such hall: coming back would not help."""
    async with HallFollower(lobby.base_url, "nowhere") as follower:
        with pytest.raises(StreamRefused, match="no hall") as refused:
            await anext(follower)
    assert refused.value.code == 4404


async def test_a_follower_with_a_token(nodes: Nodes) -> None:
    """The header is enough; without it the follower is told so."""
    token = "0123456789abcdef"
    lobby = await nodes.lobby(auth="token", token=token)
    async with HallFollower(lobby.base_url, lobby.hall, token=token) as follower:
        assert await until_board(follower, lobby) == ["snapshot"]
    async with HallFollower(lobby.base_url, lobby.hall) as follower:
        with pytest.raises(StreamRefused):
            await anext(follower)


async def test_a_lost_frame_is_noticed(lobby: Lobby) -> None:
    """A network that swallows an event costs a new snapshot, never a wrong board."""
    async with relay(lobby.base_url) as network, quick(network.base_url, lobby.hall) as follower:
        await until_board(follower, lobby)
        lost = iter([True])
        network.loses = lambda frame: frame["type"] == "event" and next(lost, False)
        await lobby.issue()
        await lobby.issue("land")
        assert await until_board(follower, lobby) == ["snapshot"]
        assert network.connections == 2


async def test_a_lost_last_frame_is_noticed_by_the_heartbeat(nodes: Nodes) -> None:
    """Nothing comes after the swallowed event but heartbeats: their seq gives it away."""
    lobby = await nodes.lobby(heartbeat_s=0.05)
    async with relay(lobby.base_url) as network, quick(network.base_url, lobby.hall) as follower:
        await until_board(follower, lobby)
        lost = iter([True])
        network.loses = lambda frame: frame["type"] == "event" and next(lost, False)
        await lobby.issue()
        assert await until_board(follower, lobby) == ["snapshot"]


async def test_a_silent_network_makes_the_board_stale(nodes: Nodes) -> None:
    """Two heartbeats missing: stale, said once; the next heartbeat: fresh, with the same board."""
    lobby = await nodes.lobby(heartbeat_s=0.05)
    async with (
        relay(lobby.base_url) as network,
        HallFollower(network.base_url, lobby.hall, heartbeat_s=0.5) as follower,
    ):
        await until_board(follower, lobby)
        network.speaks.clear()
        await until(follower, lambda kind: kind == "stale")
        assert follower.is_stale
        network.speaks.set()
        assert await until(follower, lambda _: True) == ["fresh"]
        await lobby.issue()
        assert await until_board(follower, lobby) == ["ticket_issued"]


async def test_a_node_that_is_away_makes_the_board_stale(nodes: Nodes) -> None:
    """The follower keeps its last board, says why it has no connection, and is told the change once it is back."""
    lobby = await nodes.lobby()
    async with quick(lobby.base_url, lobby.hall, heartbeat_s=0.2) as follower:
        await until_board(follower, lobby)
        board = follower.board
        await nodes.stop()
        await until(follower, lambda kind: kind == "stale")
        assert (follower.board, follower.trouble != "") == (board, True)


async def test_a_command_whose_answer_was_lost_is_done_once(lobby: Lobby) -> None:
    """It is sent again with the same key, however often the answer is lost."""
    async with relay(lobby.base_url) as network, QueueClient(network.base_url) as client:
        network.lost_answers = 2
        ticket = await client.issue(lobby.hall, "tax")
        assert network.connections == 3
    items = (await lobby.client.get(f"{lobby.path}/tickets"))["items"]
    assert [item["id"] for item in items] == [ticket["id"]]


async def test_a_command_that_nobody_answers_can_be_asked_about_later(lobby: Lobby) -> None:
    """In the end the client says that it is undecided, and with which key it can be repeated."""
    async with relay(lobby.base_url) as network, QueueClient(network.base_url, attempts=2) as client:
        network.lost_answers = 2
        path, body = f"{lobby.path}/tickets", {"service": "tax"}
        with pytest.raises(Undecided) as undecided:
            await client.post(path, body)
        ticket = await client.post(path, body, key=undecided.value.key)
    assert (ticket["number"], len((await lobby.client.get(path))["items"])) == ("A001", 1)


async def test_a_refusal_is_told_with_its_type(lobby: Lobby) -> None:
    """It is not sent again."""
    with pytest.raises(Refused, match="closed") as refused:
        await lobby.call()
    assert (refused.value.status, refused.value.type) == (409, "wrong-counter-state")


async def test_nobody_waiting_is_none(lobby: Lobby) -> None:
    """204 is no document."""
    await lobby.open("1")
    assert await lobby.call() is None
