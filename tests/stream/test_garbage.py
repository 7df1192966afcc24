"""Whatever a client sends, it is told why it is let go, nothing is logged as a fault, and nobody else notices."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from random import Random
from urllib.parse import quote

import pytest
import pytest_asyncio
from websockets.frames import Frame, Opcode

from tests.running import eventually
from tests.stream.lobby import Lobby
from tests.stream.sockets import close_frame, handshake, raw_socket, raw_stream

WAIT_S = 5


@pytest.fixture(autouse=True)
def no_fault_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Garbage is no fault of ours."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def bystander(lobby: Lobby) -> AsyncIterator[None]:
    """A display beside the one that misbehaves is sent what happens, before and after."""
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        yield
        await lobby.issue()
        assert (await socket.frame())["seq"] == seq + 1


def masked(opcode: Opcode, payload: bytes, fin: bool = True) -> bytes:
    """A client's frame as it stands on the wire."""
    return Frame(opcode, payload, fin).serialize(mask=True)


async def reply(lobby: Lobby, sent: bytes) -> tuple[int, str]:
    """What the server closes with after a client has opened a stream and sent some bytes."""
    async with raw_stream(lobby.base_url, f"{lobby.path}/stream") as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(WAIT_S):
            return await close_frame(reader)


BAD = {
    "binary": (masked(Opcode.BINARY, b"\x00\x01"), 1003),
    "no UTF-8": (masked(Opcode.TEXT, b"\xff\xfe"), 1007),
    "no UTF-8 in two parts": (masked(Opcode.TEXT, b"\xe5", False) + masked(Opcode.CONT, b"\x00"), 1007),
    "too long": (masked(Opcode.TEXT, b"x" * 70_000), 1009),
    "too long in parts": (masked(Opcode.TEXT, b"x", False) + 3 * masked(Opcode.CONT, b"x" * 30_000, False), 1009),
    "far too long": (masked(Opcode.TEXT, b"x" * 5_000_000), 1009),
    "a length of 2^63 - 1": (b"\x81\xff\x7f" + b"\xff" * 7 + b"mask", 1009),
    "not masked": (Frame(Opcode.TEXT, b"hello").serialize(mask=False), 1002),
    "a reserved opcode": (b"\x83\x80mask", 1002),
    "reserved bits": (b"\xf1\x80mask", 1002),
    "a long ping": (b"\x89\xfe\x00\x7emask" + b"x" * 126, 1002),
    "a part of nothing": (masked(Opcode.CONT, b"x"), 1002),
    "a close code that is none": (masked(Opcode.CLOSE, b"\x00\x01"), 1002),
    "noise": (b"\xff" + bytes(range(256)) * 8, 1002),
    "bad, then goodbye": (masked(Opcode.BINARY, b"x") + masked(Opcode.CLOSE, b"\x03\xe8"), 1000),
    "bad, then worse": (masked(Opcode.BINARY, b"x") + b"\x83\x80mask", 1002),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_read_ends_with_its_code(lobby: Lobby, name: str) -> None:
    """The close code says what was wrong."""
    sent, code = BAD[name]
    assert (await reply(lobby, sent))[0] == code


async def test_random_bytes_end_the_connection_in_order(lobby: Lobby) -> None:
    """Whatever they happen to mean, the answer is a close frame."""
    random = Random(20260302)  # noqa: S311 (the same noise each time)
    for _ in range(30):
        noise = random.randbytes(400)
        assert (await reply(lobby, noise))[0] in {1000, 1002, 1003, 1005, 1007, 1009}, noise.hex()


async def test_text_is_read_and_forgotten(lobby: Lobby) -> None:
    """Some clients send `ping` as a text to keep connections open: they may, however much of it."""
    async with lobby.socket() as socket:
        seq = (await socket.frame())["seq"]
        for _ in range(500):
            await socket.connection.send("ping")
        await lobby.issue()
        assert (await socket.frame())["seq"] == seq + 1


async def test_pings_are_answered(lobby: Lobby) -> None:
    """A client may ask whether the node is there."""
    async with lobby.socket() as socket:
        await socket.frame()
        async with asyncio.timeout(WAIT_S):
            await (await socket.connection.ping())


async def test_the_reason_arrives_though_the_client_still_sends(lobby: Lobby) -> None:
    """A client that is in the middle of sending is told 1009, not cut off: a reset would take the reason along."""
    async with raw_stream(lobby.base_url, f"{lobby.path}/stream") as (reader, writer):
        for _ in range(20):
            writer.write(masked(Opcode.TEXT, b"x" * 1_000_000))
            await writer.drain()
        async with asyncio.timeout(WAIT_S):
            assert (await close_frame(reader))[0] == 1009


@pytest.mark.parametrize(
    ("request_bytes", "answer"),
    [
        (handshake("/v1/halls/x/stream").replace(b"Sec-WebSocket-Key", b"X-Key"), b"HTTP/1.1 400 "),
        (handshake("/v1/halls/x/stream").replace(b"Version: 13", b"Version: 7"), b"HTTP/1.1 400 "),
        (handshake("/v1/halls/x/stream").replace(b"GET", b"POST"), b"HTTP/1.1 405 "),
        (handshake("/v1/halls/x/stream?" + "x" * 9_000), b"HTTP/1.1 431 "),
        (handshake("/v1/halls/x/stream", *(f"X-{number}: 1" for number in range(200))), b"HTTP/1.1 431 "),
        (handshake("/v1/halls/h\xe9/stream"), b"HTTP/1.1 400 "),
        (handshake("/v1/nowhere"), b"HTTP/1.1 403 "),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n", b"HTTP/1.1 400 "),
    ],
    ids=["no key", "old version", "POST", "long address", "many headers", "no ASCII", "no stream", "TLS"],
)
async def test_a_bad_handshake_gets_an_answer(lobby: Lobby, request_bytes: bytes, answer: bytes) -> None:
    """None is left without one."""
    async with raw_socket(lobby.base_url) as (reader, writer):
        writer.write(request_bytes)
        async with asyncio.timeout(WAIT_S):
            assert (await reader.read()).startswith(answer)


@pytest.mark.parametrize("hall", ["大" * 60, "%00", "%ff%fe", "x" * 4_000, "%F0%9F%8E%AB" * 40])
async def test_a_hall_by_any_other_name_is_unknown(lobby: Lobby, hall: str) -> None:
    """However odd the name, the answer is 4404 with a reason that fits a close frame."""
    async with raw_stream(lobby.base_url, f"/v1/halls/{quote(hall, safe='%')}/stream") as (reader, _):
        async with asyncio.timeout(WAIT_S):
            code, reason = await close_frame(reader)
    assert (code, reason.startswith("There is no hall")) == (4404, True)


async def test_half_a_handshake_holds_nobody_up(lobby: Lobby) -> None:
    """A client that stops in the middle of its first line waits by itself."""
    async with raw_socket(lobby.base_url) as (_, writer):
        writer.write(handshake(f"{lobby.path}/stream")[:40])
        async with lobby.socket() as socket:
            assert (await socket.frame())["type"] == "snapshot"


async def test_a_client_that_goes_during_the_handshake_leaves_nothing_behind(lobby: Lobby) -> None:
    """Opened and dropped at once, many times: no follower stays."""
    for _ in range(30):
        async with raw_socket(lobby.base_url) as (_, writer):
            writer.write(handshake(f"{lobby.path}/stream"))
            await writer.drain()
    await eventually(lambda: len(lobby.view.followers) == 1, "only the bystander follows")
