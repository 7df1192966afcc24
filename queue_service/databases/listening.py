"""LISTEN: what other nodes commit, as soon as they say so. A hint: what is lost, the feed's poll finds."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import psycopg

LOG = logging.getLogger("queue_service.databases.listening")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
ALIVE_S = 10.0
"""After so long without a word the connection is asked whether it still is one."""

Heard = Callable[[Mapping[str, int]], None]


async def listen(conninfo: Mapping[str, Any], channel: str, heard: Heard) -> None:
    """Tell `heard` where the logs of halls end now, by hall, until cancelled. It is told of nothing ({}) whenever a new
    connection begins to listen: anything may have happened before."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**conninfo, autocommit=True) as connection:
                await connection.execute(f"LISTEN {channel}".encode())
                pause_s = FIRST_PAUSE_S
                heard({})
                await _hear(connection, heard)
        except psycopg.Error as error:
            LOG.warning("listener-lost: %s", " ".join(str(error).split()))
        except Exception:
            LOG.exception("listener-failed")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _hear(connection: "psycopg.AsyncConnection[Any]", heard: Heard) -> None:
    while True:
        async for told in connection.notifies(timeout=ALIVE_S):
            heard(_parsed(told.payload))
        await connection.execute(b"SELECT 1")


def _parsed(payload: str) -> dict[str, int]:
    """Whatever else is said on the channel is a reason to look."""
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return {hall: seq for hall, seq in said.items() if isinstance(seq, int)} if isinstance(said, dict) else {}
