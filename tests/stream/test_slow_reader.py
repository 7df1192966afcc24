"""200 displays, one that never reads: the others notice nothing, it costs no more than its buffer, and when it reads
again it is shown how things are."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import orjson
import pytest
import uvloop

from api.client import QueueClient
from tests.running import WAIT_S, eventually, inner_node
from tests.stream.lobby import Lobby, new_hall
from tests.stream.sockets import Frame, assert_gapless, board_after, handshake, raw_stream, wire_frame

BUFFER_BYTES = 16_384
MOST_FRAME_BYTES = 4_096

NewLoop = Callable[[], asyncio.AbstractEventLoop]


async def read_until(reader: asyncio.StreamReader, seq: int) -> list[Frame]:
    """The frames of a display up to one of that seq, heartbeats and pings left out."""
    frames: list[Frame] = []
    while not frames or frames[-1]["seq"] < seq:
        async with asyncio.timeout(WAIT_S):
            first, payload = await wire_frame(reader)
        frame = orjson.loads(payload) if first == 0x81 else {"type": "ping"}
        if frame["type"] in ("snapshot", "event"):
            frames.append(frame)
    return frames


async def sleeper(lobby: Lobby) -> socket.socket:
    """A display that asks for the board and then does not read."""
    loop = asyncio.get_running_loop()
    sleeping = socket.socket()
    sleeping.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sleeping.setblocking(False)
    host, port = lobby.base_url.removeprefix("http://").split(":")
    await loop.sock_connect(sleeping, (host, int(port)))
    await loop.sock_sendall(sleeping, handshake(f"{lobby.path}/stream"))
    return sleeping


def unsent_bytes(lobby: Lobby) -> list[int]:
    """What waits for each display inside the node."""
    return sorted(protocol.transport.get_write_buffer_size() for protocol in lobby.protocols)


async def fill_up(lobby: Lobby) -> int:
    """Let things happen until somebody is behind, and on for a while; the seq reached."""
    await lobby.open("1")
    rounds = 0
    behind_since = None
    while behind_since is None or rounds < behind_since + 10:
        rounds += 1
        await asyncio.gather(lobby.issue(), lobby.issue("land"), lobby.call())
        *others, most = unsent_bytes(lobby)
        assert most <= BUFFER_BYTES + MOST_FRAME_BYTES
        assert not others or others[-1] < BUFFER_BYTES, "only the sleeper is behind"
        if behind_since is None and most >= BUFFER_BYTES:
            behind_since = rounds
    return int((await lobby.board())["seq"])


async def watch(folder: Path, count: int) -> None:
    """The story of the sleeper among the others."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(inner_node(folder, socket_buffer_bytes=BUFFER_BYTES))
        lobby = await new_hall(node, await stack.enter_async_context(QueueClient(node.base_url)))
        sleeping = stack.enter_context(await sleeper(lobby))
        display = partial(raw_stream, lobby.base_url, f"{lobby.path}/stream")
        readers = [(await stack.enter_async_context(display()))[0] for _ in range(count - 1)]
        await eventually(lambda: len(lobby.view.followers) == count, "all of them follow")
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        following = asyncio.gather(*(follow(reader, end) for reader in readers))
        end.set_result(await fill_up(lobby) + 1)
        await lobby.issue()
        shown = await following
        assert_gapless(shown[0][1:], shown[0][0]["seq"])
        for frames in shown:
            assert frames == shown[0]
        await wake(lobby, sleeping, shown[0])


async def follow(reader: asyncio.StreamReader, end: "asyncio.Future[int]") -> list[Frame]:
    """All frames of a display up to one that is known once it has come."""
    frames = await read_until(reader, 0)
    while not end.done() or frames[-1]["seq"] < end.result():
        frames += await read_until(reader, 0)
    return frames


async def wake(lobby: Lobby, sleeping: socket.socket, shown: list[Frame]) -> None:
    """The sleeper reads what was kept for it, then a snapshot of now, then what comes."""
    reader, writer = await asyncio.open_connection(sock=sleeping)
    await reader.readuntil(b"\r\n\r\n")
    kept = await read_until(reader, shown[-1]["seq"])
    old, snapshot = kept[:-1], kept[-1]
    assert old == shown[: len(old)]
    assert len(old) < len(shown) - 1
    assert (snapshot["type"], snapshot["seq"]) == ("snapshot", shown[-1]["seq"])
    assert snapshot["board"] == board_after(shown[0]["board"], shown[1:])
    await lobby.issue()
    assert_gapless(await read_until(reader, 0), snapshot["seq"])
    writer.close()


@pytest.mark.parametrize(
    ("new_loop", "count"), [(uvloop.new_event_loop, 200), (asyncio.new_event_loop, 20)], ids=["uvloop", "asyncio"]
)
def test_one_display_that_never_reads_harms_nobody(tmp_path: Path, new_loop: NewLoop, count: int) -> None:
    """The others are shown every event in order; what waits for the sleeper stays within its buffer; when it wakes it
    is sent a snapshot and follows on."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(watch(tmp_path, count))
