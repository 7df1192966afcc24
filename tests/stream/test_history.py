"""Another history: what is in memory must be what is in the log, or everyone starts over."""

import asyncio
import threading

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Connection

from tests.databases import on_both
from tests.halls import plan
from tests.running import WAIT_S, eventually
from tests.stream.lobby import Lobby, Nodes, new_hall
from tests.stream.other_process import forget, lose_event, rewrite, spoil_event, take_back
from tests.stream.sockets import assert_gapless, board_after, ticket_socket


@pytest_asyncio.fixture(loop_scope="module")
async def own(nodes: Nodes) -> Lobby:
    """A hall on a node of its own, with three tickets waiting."""
    lobby = await nodes.lobby()
    for _ in range(3):
        await lobby.issue()
    return lobby


@pytest.mark.parametrize(
    ("drop", "names"),
    [(2, []), (2, ["short"]), (2, ["as", "long"]), (2, ["longer", "than", "it", "was"])],
    ids=["ahead", "still ahead", "beside", "beside and behind"],
)
async def test_a_board_of_another_history_is_replaced(own: Lobby, nodes: Nodes, drop: int, names: list[str]) -> None:
    """Whether the log is now shorter, as long or longer: the display gets a snapshot of what the log says, and then
    follows on."""
    async with own.socket() as socket:
        assert (await socket.frame())["board"]["services"]["tax"]["waiting"] == 3
        await asyncio.to_thread(rewrite, own.hall, nodes.folder, drop, names)
        snapshot = await socket.frame()
        assert snapshot["type"] == "snapshot"
        assert snapshot["board"]["services"]["tax"]["waiting"] == 3 - drop
        assert snapshot["board"]["name"] == (names[-1] if names else "大厅")
        ticket = await own.issue()
        frame = await socket.frame()
        assert (frame["seq"], frame["number"]) == (snapshot["seq"] + 1, ticket["number"])
        assert board_after(snapshot["board"], [frame]) == (await own.board())["board"]


async def test_a_place_in_the_other_history_is_a_new_beginning(own: Lobby, nodes: Nodes) -> None:
    """A display that comes back with the hash it was given before the rewriting gets a snapshot."""
    async with own.socket() as socket:
        await socket.frame()
        before = await own.issue()
        place = await socket.frame()
        await asyncio.to_thread(rewrite, own.hall, nodes.folder, 1, ["another", "and one more"])
        await socket.frame()
    assert before["seq"] == place["seq"]
    async with own.socket(after=place["seq"], head=place["head"]) as socket:
        assert (await socket.frame())["type"] == "snapshot"


async def test_a_visitor_of_another_history_is_sent_away(own: Lobby, nodes: Nodes) -> None:
    """The ticket may never have been: the client is told to ask again (1013), and then hears the truth (4404)."""
    ticket = await own.issue()
    async with ticket_socket(own.base_url, ticket["id"]) as socket:
        await socket.frame()
        await asyncio.to_thread(rewrite, own.hall, nodes.folder, 1, [])
        assert await socket.closed() == (1013, "the log has another history now")
    async with ticket_socket(own.base_url, ticket["id"]) as socket:
        code, _ = await socket.closed()
        assert code == 4404
    await eventually(lambda: not own.view.followers, "nobody follows any more")


@on_both("nodes")
async def test_a_hall_that_is_gone_takes_no_other_with_it(own: Lobby, nodes: Nodes) -> None:
    """A database that took over has never heard of a hall: its displays are let go (1013), it is unknown from then on
    and can be made again; the displays of the others miss nothing, and the node stays ready."""
    other = await new_hall(own.node, own.client)
    async with own.socket() as gone, other.socket() as kept:
        await gone.frame()
        place = await kept.frame()
        await asyncio.to_thread(forget, own.hall, nodes.folder)
        assert await gone.closed() == (1013, "the log has another history now")
        await other.issue()
        assert_gapless([await kept.frame()], place["seq"])
    assert (await own.node.client.get(own.path)).status_code == httpx.codes.NOT_FOUND
    async with own.socket() as socket:
        assert (await socket.closed())[0] == 4404
    as_of_ms = own.service.feed.freshness.as_of_ms
    await eventually(lambda: own.service.feed.freshness.as_of_ms > as_of_ms, "the log is known to have been read")
    assert (await own.node.client.get("/readyz")).status_code == httpx.codes.OK
    await own.client.put_new(own.path, plan(own.hall))
    async with own.socket() as socket:
        assert (await socket.frame())["board"]["services"]["tax"]["waiting"] == 0


@on_both("nodes")
async def test_what_a_node_commits_is_not_shown_on_top_of_another_history(own: Lobby, nodes: Nodes) -> None:
    """The log loses its end, and in one commit the node writes beyond where it ended before: what the display shows is
    what the log says, not the new events upon the lost ones."""
    waiting, release = own.service.engine, threading.Event()

    def lose_the_end(connection: Connection) -> None:
        assert release.wait(WAIT_S)
        take_back(connection, own.hall, 3)

    async with own.socket() as socket:
        assert (await socket.frame())["board"]["services"]["tax"]["waiting"] == 3
        losing = asyncio.create_task(own.service.engine.maintain(lose_the_end))
        await eventually(lambda: not waiting.waiting, "the writer has begun")
        asking = [asyncio.create_task(own.issue("land")) for _ in range(5)]
        await eventually(lambda: waiting.waiting == len(asking), "all commands are queued")
        release.set()
        await asyncio.gather(losing, *asking)
        shown = (await socket.frame())["board"]
        assert [shown["services"][name]["waiting"] for name in ("tax", "land")] == [0, len(asking)]
    assert (await own.board())["board"]["services"] == shown["services"]


@on_both("nodes")
async def test_a_log_with_a_hole_concerns_its_hall_alone(own: Lobby, nodes: Nodes) -> None:
    """A node that starts on it serves every other hall; that one is 503 log-corrupt, and nothing is written to it."""
    other = await new_hall(own.node, own.client)
    await asyncio.to_thread(lose_event, own.hall, nodes.folder, (await own.board())["seq"] - 1)
    node, _ = await nodes.start()
    await eventually(lambda: other.hall in node.service.feed.views, "the node has read the other hall")
    for answer in (await node.client.get(f"{own.path}/board"), await _issue(node.client, own.path)):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/log-corrupt")
    assert (await _issue(node.client, other.path)).status_code == httpx.codes.CREATED
    assert (await node.client.get("/readyz")).status_code == httpx.codes.OK


async def _issue(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return await client.post(f"{path}/tickets", json={"service": "tax"})


@on_both("nodes")
async def test_a_log_that_cannot_be_read_concerns_its_hall_alone(own: Lobby, nodes: Nodes) -> None:
    """A node that starts on it takes in all others, those behind it, too, and says once what is wrong with that one."""
    others = [await new_hall(own.node, own.client) for _ in range(3)]
    await asyncio.to_thread(spoil_event, own.hall, nodes.folder, (await own.board())["seq"] - 1)
    node, _ = await nodes.start()
    await eventually(lambda: {one.hall for one in others} <= node.service.feed.views.keys(), "all others are read")
    for answer in (await node.client.get(f"{own.path}/board"), await _issue(node.client, own.path)):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/log-corrupt")
    assert (await node.client.get("/readyz")).status_code == httpx.codes.OK
