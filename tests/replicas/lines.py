"""A bad line between a node and its database, of the tests' own: it cuts connections at COMMIT, or swallows all."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from enum import StrEnum

from tests.databases import address, at_address
from tests.running import WAIT_S

SOME_BYTES = 65_536
COMMIT = b"COMMIT\0"


class Loses(StrEnum):
    """What becomes of the next COMMIT."""

    COMMIT = "the commit"
    """It never reaches the server."""
    ANSWER = "the answer"
    """The server has done it, and its answer never reaches the node."""


class Line:
    """Passes on what nodes and the server say to each other, as far as it is told to."""

    def __init__(self, host: str, port: int) -> None:
        """To a server; see `line_to`."""
        self._server = (host, port)
        self._loop: asyncio.AbstractEventLoop
        self.loses: Loses | None = None
        self.swallowed = 0
        """How often something came that was not passed on."""
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_lost(self) -> bool:
        """Whether what was to be lost is."""
        return self.loses is None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """For the length of the block nothing comes through, in neither direction, and nobody is told: connections stay
        open, and new ones are taken."""
        self._loop.call_soon_threadsafe(self._speaks.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._speaks.set)

    def serve(self, begun: "Future[int]", end: threading.Event) -> None:
        """Take connections until the end, on a thread of its own: a node inside the test may hold the test's event loop
        up while it waits for the line. `begun` is told the port."""
        with asyncio.Runner() as runner:
            runner.run(self._serve(begun, end))

    async def _serve(self, begun: "Future[int]", end: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        begun.set_result(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(end.wait)
        server.close()
        await asyncio.sleep(0)  # whoever was just accepted has begun by now
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a node."""
        task = asyncio.current_task()
        assert task is not None, "called by the server"
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        from_server, to_server = await asyncio.open_connection(*self._server)
        answer_is_lost = asyncio.Event()
        ways = [
            asyncio.create_task(self._ask(reader, to_server, answer_is_lost)),
            asyncio.create_task(self._answer(from_server, writer, answer_is_lost)),
        ]
        with suppress(asyncio.CancelledError):  # the line is taken away
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*ways, return_exceptions=True)
        to_server.close()
        writer.close()

    async def _ask(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, answer_is_lost: asyncio.Event
    ) -> None:
        """What a node says; ends where the connection is to be cut."""
        while some := await reader.read(SOME_BYTES):
            await self._may_pass()
            if self.loses is not None and COMMIT in some:
                loses, self.loses = self.loses, None
                if loses == Loses.COMMIT:
                    return
                answer_is_lost.set()
            to_server.write(some)

    async def _answer(
        self, reader: asyncio.StreamReader, to_node: asyncio.StreamWriter, is_lost: asyncio.Event
    ) -> None:
        """What the server says; ends where that is to be lost."""
        while (some := await reader.read(SOME_BYTES)) and not is_lost.is_set():
            await self._may_pass()
            to_node.write(some)

    async def _may_pass(self) -> None:
        self.swallowed += not self._speaks.is_set()
        await self._speaks.wait()


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """A line to the server of a database, and the URL that leads over it."""
    line, begun, end = Line(*address(url)), Future[int](), threading.Event()
    thread = threading.Thread(target=line.serve, args=(begun, end), name="line")
    thread.start()
    try:
        yield line, at_address(url, "127.0.0.1", begun.result(WAIT_S))
    finally:
        end.set()
        thread.join(WAIT_S)
