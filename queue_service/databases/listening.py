"""LISTEN: what other nodes commit, as soon as they say so. A hint: what is lost, the feed's poll finds.

The listener is also who notices that the server answers nobody any more.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import orjson
import psycopg

from queue_service.databases.kinds import Heard
from queue_service.databases.opened import Opened

LOG = logging.getLogger("queue_service.databases.listening")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
ALIVE_S = 3.0
"""So often the server is asked whether it is still there."""
ALIVE = b"SELECT pg_listening_channels()"
"""The question. Whoever looks at the server's sessions sees by it which of them listen."""
ANSWER_S = 3.0
"""A server that takes longer for an answer to nothing is there for nobody."""
AGAIN_S = 0.2
"""A node that was merely paused finds the answer there, if it looks once more."""
LONGEST_S = 6.0
"""The server ends transactions before that, but not one whose COMMIT waits for a standby."""


async def listen(conninfo: Mapping[str, Any], channel: str, heard: Heard, opened: Opened) -> None:
    """Tell `heard` where the logs of halls end now, by hall, until cancelled. When the server falls silent, all that is
    `opened` is cut: others wait for it, too. So is a transaction that never ends, while the server answers others."""
    pause_s, loop = FIRST_PAUSE_S, asyncio.get_running_loop()
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**conninfo, autocommit=True) as connection:
                opened.add(connection)
                await _ask(connection, f"LISTEN {channel}".encode(), opened)
                pause_s = FIRST_PAUSE_S
                heard({})
                while True:
                    async for told in connection.notifies(timeout=ALIVE_S):
                        # what this process has committed itself is told to it as well, at times before the event loop
                        # has come to what the writer said of it: that is in the queue by now
                        loop.call_soon(heard, _parsed(told.payload))
                    await _ask(connection, ALIVE, opened)
                    opened.cut_overdue(LONGEST_S)
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.ConnectionTimeout):
                opened.cut()
            LOG.warning("listener-lost: %s", " ".join(str(error).split()))
        except Exception:
            LOG.exception("listener-failed")
        heard(None)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _ask(connection: "psycopg.AsyncConnection[Any]", question: bytes, opened: Opened) -> None:
    """A timeout would not do: psycopg then asks the server to cancel, and waits for that as well."""
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def look_again() -> None:
        nonlocal timer
        timer = loop.call_later(AGAIN_S, opened.cut)

    timer = loop.call_later(ANSWER_S, look_again)
    try:
        await connection.execute(question)
    finally:
        timer.cancel()


def _parsed(payload: str) -> dict[str, int]:
    """Whatever else is said on the channel is a reason to look."""
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return {hall: seq for hall, seq in said.items() if isinstance(seq, int)} if isinstance(said, dict) else {}
