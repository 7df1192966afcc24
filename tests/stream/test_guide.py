"""docs/stream.md is true: its frames are frames, its examples run, its lists are complete."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from api import stream
from queue_service.view import TRY_AGAIN
from tests.house.checkout import ROOT
from tests.running import WAIT_S, environment
from tests.stream.lobby import Lobby
from tests.stream.sockets import schema_of

GUIDE = (ROOT / "docs/stream.md").read_text(encoding="utf-8")
NODE_JS = ("node", "--no-warnings", "--experimental-websocket")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_frames_it_shows_are_frames() -> None:
    """Each of them fits the AsyncAPI document."""
    shown = blocks("json")
    assert [orjson.loads(frame)["type"] for frame in shown] == ["snapshot", "event", "heartbeat", "estimate"]
    for frame in shown:
        schema_of("hall").validate(orjson.loads(frame))


def test_it_tells_every_close_code() -> None:
    """The table has a row for each code that the streams close with."""
    table = GUIDE.split("## Close codes")[1].split("\n## ")[0]
    codes = {TRY_AGAIN, stream.BAD_REQUEST, stream.NOT_FOUND, 1002, 1003, 1007, 1009, 1011, 1012, 4401}
    assert {int(code) for code in re.findall(r"\b(\d{4})\b", table)} == codes


def knows_websockets() -> bool:
    """Whether there is a JavaScript here to run the example with."""
    if shutil.which(NODE_JS[0]) is None:
        return False
    asked = subprocess.run([*NODE_JS, "-p", "typeof WebSocket"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() == "function"


def for_this(example: str, lobby: Lobby) -> str:
    """An example with the address and the hall of this test."""
    address = lobby.base_url.removeprefix("http://")
    return example.replace("127.0.0.1:8000", address).replace("fengxian", lobby.hall)


async def said(command: Sequence[str], lobby: Lobby, wanted: str) -> str:
    """The first line with `wanted` that an example prints while a ticket is called again and again."""
    example = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=environment())
    assert example.stdout is not None
    reading = asyncio.create_task(_line_with(wanted, example.stdout))
    try:
        await lobby.open("1")
        await lobby.issue()
        ticket = await lobby.call()
        async with asyncio.timeout(WAIT_S):
            while not reading.done():
                await lobby.client.ticket(ticket["id"], "recall")
                await asyncio.wait([reading], timeout=0.1)
        return reading.result()
    finally:
        example.kill()
        await example.wait()


async def _line_with(wanted: str, output: asyncio.StreamReader) -> str:
    while (line := (await output.readline()).decode().strip()) and wanted not in line:
        pass
    return line


async def test_the_python_example_shows_the_call(lobby: Lobby) -> None:
    """As it stands, but for the address."""
    (example,) = blocks("python")
    assert await said([sys.executable, "-c", for_this(example, lobby)], lobby, "A001") == "A001 → 1号窗口"


@pytest.mark.skipif(not knows_websockets(), reason="there is no node here that knows WebSocket")
async def test_the_javascript_example_shows_the_call(lobby: Lobby, tmp_path: Path) -> None:
    """As it stands, but for the address."""
    (example,) = blocks("js")
    file = tmp_path / "example.mjs"
    file.write_text(for_this(example, lobby), encoding="utf-8")
    assert await said([*NODE_JS, str(file)], lobby, "called") in {"ticket_called A001", "ticket_recalled A001"}
