"""The visitor's own stream: the ticket, its place going down, its end; nothing of anybody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from api.ids import new_ticket_id
from queue_service.clock import HandClock
from queue_service.domain import commands as c
from tests.stream.lobby import Lobby, Nodes
from tests.stream.other_process import run
from tests.stream.sockets import Frame, Socket, ticket_socket


@pytest_asyncio.fixture(loop_scope="module")
async def followed(lobby: Lobby) -> AsyncIterator[tuple[Lobby, dict[str, Any], Socket]]:
    """A ticket with two before it, and the socket of its visitor, whose snapshot was read."""
    await lobby.open("1")
    for _ in range(2):
        await lobby.issue()
    ticket = await lobby.issue()
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        await socket.frame()
        yield lobby, ticket, socket


def seen(frames: list[Frame]) -> list[tuple[str, int | None]]:
    """State and place of each frame."""
    return [(frame["ticket"]["state"], frame["ticket"]["ahead"]) for frame in frames]


async def test_the_first_frame_is_the_ticket_as_rest_shows_it(lobby: Lobby) -> None:
    """Snapshot and GET /v1/tickets/{id} are the same but for the running wait."""
    ticket = await lobby.issue()
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        frame = await socket.frame()
    read = await lobby.client.get(f"/v1/tickets/{ticket['id']}")
    assert frame["type"] == "snapshot"
    passing = {"waited_s": 0, "estimate": None}
    assert {**frame["ticket"], **passing} == {**read, **passing}
    assert {**frame["ticket"]["estimate"], "as_of": ""} == {**read["estimate"], "as_of": ""}
    assert (frame["seq"], frame["ticket"]["ahead"]) == (ticket["seq"], 0)


async def test_the_place_goes_down_then_the_visitor_is_called_served_and_done(
    followed: tuple[Lobby, dict[str, Any], Socket],
) -> None:
    """Each step of the way is a frame, and nothing else is."""
    lobby, ticket, socket = followed
    for _ in range(3):
        await lobby.call()
    await lobby.client.ticket(ticket["id"], "start")
    await lobby.call()
    expected = [("waiting", 1), ("waiting", 0), ("called", None), ("serving", None), ("finished", None)]
    frames = await socket.frames(5)
    assert seen(frames) == expected
    assert {frame["type"] for frame in frames} == {"ticket"}
    assert frames[-1]["ticket"]["closed_at"] is not None


async def test_what_happens_to_others_is_no_news(followed: tuple[Lobby, dict[str, Any], Socket]) -> None:
    """Whoever comes after, waits for something else, or pauses a counter: the visitor hears of none of it."""
    lobby, ticket, socket = followed
    await lobby.issue()
    await lobby.issue("land")
    await lobby.counter("1", "pause", reason="break")
    await lobby.counter("1", "resume")
    await lobby.client.ticket(ticket["id"], "postpone", by_s=60)
    frame = await socket.frame()
    assert frame["ticket"]["leg"] == 2
    others = [one["number"] for one in (await lobby.client.get(f"{lobby.path}/tickets"))["items"]]
    assert [number for number in others if number in json.dumps(frame)] == [ticket["number"]]


async def test_an_undone_finish_brings_the_ticket_back(followed: tuple[Lobby, dict[str, Any], Socket]) -> None:
    """Finished by mistake and taken back: the visitor is told both, in order."""
    lobby, ticket, socket = followed
    for _ in range(2):
        await lobby.client.ticket((await lobby.call())["id"], "start")
    await lobby.call()
    await lobby.client.ticket(ticket["id"], "start")
    await lobby.client.ticket(ticket["id"], "finish")
    await lobby.counter("1", "undo")
    await lobby.client.ticket(ticket["id"], "finish")
    frames = await socket.frames(7)
    assert [state for state, _ in seen(frames)[2:]] == ["called", "serving", "finished", "serving", "finished"]


async def test_a_closed_ticket_is_shown_as_it_ended(lobby: Lobby) -> None:
    """Following a ticket that has left the hall gives its last state."""
    ticket = await lobby.issue()
    await lobby.client.ticket(ticket["id"], "cancel")
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        frame = await socket.frame()
    assert (frame["type"], frame["ticket"]["state"]) == ("snapshot", "cancelled")


async def test_a_suspension_marks_those_who_wait(followed: tuple[Lobby, dict[str, Any], Socket]) -> None:
    """Their wait is judged apart from then on, and they are told."""
    lobby, _, socket = followed
    await lobby.client.post(f"{lobby.path}/suspend", {"reason": "fire alarm"})
    assert (await socket.frame())["ticket"]["apart"] == "suspended"


async def test_the_day_ends(nodes: Nodes) -> None:
    """At midnight a waiting visitor hears that the ticket expired; one who is being served stays."""
    clock = HandClock(1_772_452_000_000)  # 2026-03-02 19:46:40 in Shanghai
    lobby = await nodes.lobby(clock, {"time_zone": "Asia/Shanghai"})
    await lobby.open("1")
    served, waiting = await lobby.issue(), await lobby.issue()
    await lobby.client.ticket((await lobby.call())["id"], "start")
    async with (
        ticket_socket(lobby.base_url, served["id"]) as one,
        ticket_socket(lobby.base_url, waiting["id"]) as other,
    ):
        await asyncio.gather(one.frame(), other.frame())
        clock.set_ms(clock.now_ms() + 8 * 3_600_000)
        assert seen([await other.frame()]) == [("expired", None)]
        await lobby.client.ticket(served["id"], "finish")
        assert seen([await one.frame()]) == [("finished", None)]


async def test_time_alone_changes_the_place_but_sends_no_clock(nodes: Nodes) -> None:
    """The running wait makes no frame; being overtaken by somebody whose share grows faster makes one."""
    clock = HandClock(1_772_452_000_000)
    classes = [{"id": "slow", "name": "slow"}, {"id": "fast", "name": "fast", "order_target_percent": 25}]
    changes = {"time_zone": "Asia/Shanghai", "priorities": classes}
    lobby = await nodes.lobby(clock, changes, heartbeat_s=0.02)
    ticket = await lobby.issue(priority="slow")
    clock.set_ms(clock.now_ms() + 60_000)
    await lobby.issue(priority="fast")
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        assert seen([await socket.frame()]) == [("waiting", 0)]
        clock.set_ms(clock.now_ms() + 10_000)
        for _ in range(3):
            assert (await socket.any_frame())["type"] == "heartbeat"
        clock.set_ms(clock.now_ms() + 300_000)
        frame = await socket.frame()
    assert seen([frame]) == [("waiting", 1)]


async def test_a_visitor_needs_no_token(nodes: Nodes) -> None:
    """The unguessable id is the right to follow; the display's stream needs the token all the same."""
    lobby = await nodes.lobby(auth="token", token="0123456789abcdef")
    ticket = await lobby.issue()
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        assert (await socket.frame())["ticket"]["number"] == ticket["number"]


async def test_an_unknown_ticket_is_said_to_be_unknown(lobby: Lobby) -> None:
    """No id at all, of no hall, of no ticket of the hall: 4404 each."""
    for ticket in ("x", f"nowhere.{'0' * 26}", f"{lobby.hall}.{'0' * 26}"):
        async with ticket_socket(lobby.base_url, ticket) as socket:
            code, _ = await socket.closed()
        assert code == 4404


async def test_what_to_expect_is_told_beside_the_order(nodes: Nodes) -> None:
    """A visitor hears what is left of the own wait, in a frame without a seq, once it has changed."""
    clock = HandClock(1_772_409_600_000)  # 2026-03-02 08:00 in Shanghai
    lobby = await nodes.lobby(clock, {"time_zone": "Asia/Shanghai"})
    await lobby.open("1")
    for _ in range(40):
        await lobby.issue()
        clock.set_ms(clock.now_ms() + 60_000)
        await lobby.call()
    ticket = await lobby.issue()
    async with ticket_socket(lobby.base_url, ticket["id"]) as own:
        snapshot = await own.any_frame()
        clock.set_ms(clock.now_ms() + 600_000)
        await lobby.issue()
        while (frame := await own.any_frame())["type"] != "estimate":
            pass
    assert set(frame) == {"type", "as_of", "estimate"}
    assert frame["estimate"] != snapshot["ticket"]["estimate"]


async def test_a_ticket_that_another_node_has_just_given_is_followed_to_its_end(lobby: Lobby) -> None:
    """The visitor comes before this node has heard of the ticket, which comes and goes at the other."""
    ticket, folder = new_ticket_id(lobby.hall, lobby.service.clock.now_ms()), lobby.service.database.path.parent
    await asyncio.to_thread(run, folder, lobby.hall, c.IssueTicket(ticket, "tax"))
    async with ticket_socket(lobby.base_url, ticket) as socket:
        assert (await socket.frame())["ticket"]["ahead"] == 0
        await asyncio.to_thread(run, folder, lobby.hall, c.Cancel(ticket))
        assert (await socket.frame())["ticket"]["state"] == "cancelled"


async def test_a_visitor_whose_call_was_taken_back_after_all_is_told(lobby: Lobby) -> None:
    """A ticket that was over when its visitor came, and is not any more."""
    await lobby.open("1")
    await lobby.issue()
    ticket = await lobby.call()
    await lobby.client.ticket(ticket["id"], "start")
    await lobby.client.ticket(ticket["id"], "finish")
    async with ticket_socket(lobby.base_url, ticket["id"]) as socket:
        assert (await socket.frame())["ticket"]["state"] == "finished"
        await lobby.counter("1", "undo")
        assert (await socket.frame())["ticket"]["state"] == "serving"
