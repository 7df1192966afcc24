"""Another history: what is in memory must be what is in the log, or everyone starts over."""

import asyncio

import pytest
import pytest_asyncio

from tests.running import eventually
from tests.stream.lobby import Lobby, Nodes
from tests.stream.other_process import rewrite
from tests.stream.sockets import board_after, ticket_socket


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
