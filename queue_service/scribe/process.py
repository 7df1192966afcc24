"""The process, as the event loop that it works for sees it."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from queue_service.databases.kinds import Kind
from queue_service.scribe import program
from queue_service.scribe.program import DONE, LENGTH, UNKNOWN, Part, framed
from queue_service.scribe.statements import statements

LOG = logging.getLogger("queue_service.scribe")

PAUSE_S = 1.0
"""One that ended is followed by another after so long."""
STOP_S = 10.0
LONGEST_S = 6.0
"""A server ends transactions before that, but not one whose COMMIT waits for a standby; a disk may hang, and so may a
process that is stopped."""

Then = Callable[[str, str], None]
"""Told a word of the program's, and what there is to say about it."""


class Scribe:
    """Keeps one process there. While there is none, batches have to be stored in another way."""

    def __init__(self, kind: Kind) -> None:
        """Nothing is started yet."""
        self._kind = kind
        self._process: _Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start it, on the running event loop, and anew whenever it has ended."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name="scribe")

    @property
    def is_ready(self) -> bool:
        """Whether it can be given a batch."""
        return self._process is not None and self._process.is_ready

    def store(self, parts: list[Part], remaining_ms: int, ends: Mapping[str, int], then: Then) -> None:
        """Give it a batch that may be begun for so long. It has to be ready, and be done with the one before."""
        assert self._process is not None, "asked before"
        until_s = time.monotonic() + remaining_ms / 1000
        head = orjson.dumps((until_s, [number for number, _ in parts], ends))
        self._process.tell(b"".join((framed(head), *(framed(rows) for _, rows in parts))), then)

    def cut(self) -> None:
        """End it at once, whatever it waits for: what becomes of its batch is not known then."""
        if self._process is not None:
            self._process.kill()

    async def stop(self) -> None:
        """End it, and wait until it has. Nothing is under way any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def _keep(self) -> None:
        kind, options = self._kind.scribe()
        setup = orjson.dumps((kind, {**options, "statements": statements(kind)}))
        loop = asyncio.get_running_loop()
        while True:
            process = _Process()
            try:
                await loop.subprocess_exec(
                    lambda process=process: process,  # type: ignore[misc]
                    *(sys.executable, "-P", program.__file__),
                    stderr=None,
                    start_new_session=True,  # a key pressed at the node's terminal is the node's to heed
                )
                self._process = process
                process.tell(framed(setup), process.begun)
                await process.ended.wait()
                LOG.warning("scribe-ended: %s", process.said)
            except OSError as error:
                LOG.warning("scribe-not-started: %s", error)
            except Exception:
                LOG.exception("scribe-failed")
            finally:
                self._process = None
                await process.close()
            await asyncio.sleep(PAUSE_S)


class _Process(asyncio.SubprocessProtocol):
    """One of them: it is told something, and answers before it is told something else."""

    def __init__(self) -> None:
        """Not there yet. An answer may never come: then it is ended."""
        self._transport: Any = None
        self._input: Any = None
        self._then: Then | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = b""
        self._has_opened = False
        self.said = "it was killed"
        self.ended = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        """It runs."""
        self._transport = transport
        self._input = transport.get_pipe_transport(0)

    @property
    def is_ready(self) -> bool:
        """Whether it has opened the database, and listens."""
        return self._has_opened and not self._input.is_closing()

    def begun(self, word: str, said: str) -> None:
        """It has opened the database, or it could not."""
        self._has_opened = word == DONE
        self.said = said or self.said

    def tell(self, message: bytes, then: Then) -> None:
        """Say something; `then` is told the answer."""
        self._then = then
        self._timer = asyncio.get_running_loop().call_later(LONGEST_S, self.kill)
        self._input.write(message)

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        """An answer, a part of it, or more than one."""
        self._heard += data
        while len(self._heard) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < end:
                return
            answer, self._heard = self._heard[LENGTH.size : end], self._heard[end:]
            self._answered(*orjson.loads(answer))

    def _answered(self, word: str, said: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if word == UNKNOWN:
            self._has_opened, self.said = False, said
        then, self._then = self._then, None
        if then is not None:
            then(word, said)

    def kill(self) -> None:
        """Without a goodbye."""
        self._has_opened = False
        if self._transport is not None:
            with suppress(ProcessLookupError):  # it has ended by itself, and nobody has said so yet
                self._transport.kill()

    def pipe_connection_lost(self, _fd: int, _error: Exception | None) -> None:
        """Nothing can be said to it, or by it, any more: it is ending."""
        self._has_opened = False

    def process_exited(self) -> None:
        """It is gone, for whatever reason; so is what it was at."""
        self._answered(UNKNOWN, self.said)
        self.ended.set()

    async def close(self) -> None:
        """Let it end by itself, for its input has; wait for that."""
        if self._transport is None:
            return
        self._input.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self.ended.wait()
        except TimeoutError:
            self.kill()
            await self.ended.wait()
        self._transport.close()
