"""What stands between clients and replicas: a load balancer that asks for readiness, and displays that come back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.load import Client, Memory, clerk, visitor
from tests.running import WAIT_S, Node, eventually
from tests.stream.sockets import Frame, Socket, hall_socket

UNDECIDED = 503
PAUSE_S = 0.02
"""Before what was not decided is sent again, and between two questions for readiness."""


class Balancer:
    """Sends each request to one of the nodes that say they are ready, in turn, and what was not decided (503, or no
    answer) to the next."""

    def __init__(self, nodes: list[Node]) -> None:
        """`nodes` may change: whoever restarts one puts the new one in its place. `statuses`: what nodes answered, and
        how often a request got no answer (0); `problems`: why it was not decided."""
        self.nodes = nodes
        self.statuses: Counter[int] = Counter()
        self.problems: Counter[str] = Counter()
        self.is_over = False
        self._turns = count()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._ready: set[str] = set()

    async def watch(self) -> None:
        """Keep asking every node whether it is ready, until cancelled."""
        while True:
            for node in tuple(self.nodes):
                try:
                    is_ready = (await self._client(node).get("/readyz")).status_code == httpx.codes.OK
                except httpx.TransportError:
                    is_ready = False
                (self._ready.add if is_ready else self._ready.discard)(node.base_url)
            await asyncio.sleep(PAUSE_S)

    async def post(self, path: str, **how: Any) -> httpx.Response:
        """The answer of whichever node decided. Once it `is_over`, nothing is sent any more."""
        async with asyncio.timeout(2 * WAIT_S):
            while True:
                if self.is_over:
                    raise httpx.ConnectError("over")
                node = self.nodes[next(self._turns) % len(self.nodes)]
                answer = await self._try(node, path, how) if node.base_url in self._ready else None
                if answer is not None and answer.status_code != UNDECIDED:
                    return answer
                await asyncio.sleep(PAUSE_S)

    def _client(self, node: Node) -> httpx.AsyncClient:
        if node.base_url not in self._clients:
            self._clients[node.base_url] = node.async_client()
        return self._clients[node.base_url]

    async def _try(self, node: Node, path: str, how: dict[str, Any]) -> httpx.Response | None:
        try:
            answer = await self._client(node).post(path, **how)
        except httpx.TransportError:
            self.statuses[0] += 1
            return None
        self.statuses[answer.status_code] += 1
        if answer.status_code == UNDECIDED:
            assert "retry-after" in answer.headers, answer.text
            self.problems[answer.json()["type"]] += 1
        return answer

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()


class Load:
    """Clerks and visitors who work through a balancer until they are told to stop, each command under a key."""

    def __init__(self, nodes: list[Node], clerks: int, visitors: int, chance: Any, hall: str = "hall") -> None:
        """`memory`: what all of them were answered."""
        self.balancer, self.memory = Balancer(nodes), Memory()
        self._clients = [
            *(Client(f"clerk-{n}", self.memory, clerk(hall, str(n), chance)) for n in range(1, clerks + 1)),
            *(Client(f"visitor-{n}", self.memory, visitor(hall, chance)) for n in range(visitors)),
        ]
        self._work: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._watch = asyncio.create_task(self.balancer.watch())
        self._work = [asyncio.create_task(one.run(self.balancer)) for one in self._clients]  # type: ignore[arg-type]

    async def answered(self, answers: int) -> None:
        """Wait for so many more answers."""
        goal = self.memory.answers + answers
        await eventually(lambda: self.memory.answers >= goal or self._failed(), "clients are answered", 2 * WAIT_S)

    def _failed(self) -> bool:
        for one in self._work:
            if one.done():
                one.result()
        return False

    async def finish(self) -> None:
        """Stop, and ask again, with their keys, for what got no answer."""
        self.balancer.is_over = True
        async with asyncio.timeout(2 * WAIT_S):
            await asyncio.gather(*self._work)
            self.balancer.is_over = False
            for one in self._clients:
                await one.settle(self.balancer)  # type: ignore[arg-type]
        assert self._watch is not None, "start() first"
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        await self.balancer.close()


class Wanderer:
    """A display that comes back, to whichever node there is, with the place in the log it had."""

    def __init__(self, nodes: list[Node], hall: str = "hall") -> None:
        """`nodes` as the balancer has them. `frames`: all that was shown; `codes`: how connections ended."""
        self._nodes = nodes
        self._hall = hall
        self.frames: list[Frame] = []
        self.codes: Counter[int] = Counter()

    async def follow(self, first: int) -> None:
        """Follow, at first on that node, until cancelled."""
        for turn in count(first):
            try:
                await self._follow(self._nodes[turn % len(self._nodes)])
            except (OSError, InvalidHandshake, EOFError):
                self.codes[0] += 1
                await asyncio.sleep(PAUSE_S)

    async def until(self, seq: int) -> None:
        """The log ends there: see that the display gets so far."""
        await eventually(lambda: self.seq >= seq, f"the display shows event {seq}")

    @property
    def seq(self) -> int:
        """What it shows."""
        return int(self.frames[-1]["seq"]) if self.frames else 0

    @property
    def snapshots(self) -> list[Frame]:
        """How often it had to begin anew, the first time included."""
        return [frame for frame in self.frames if frame["type"] == "snapshot"]

    async def _follow(self, node: Node) -> None:
        place = {"after": self.seq, "head": self.frames[-1]["head"]} if self.frames else {}
        async with hall_socket(node.base_url, self._hall, **place) as socket:
            try:
                await self._take(socket)
            except ConnectionClosed as closed:
                self.codes[closed.rcvd.code if closed.rcvd else 1006] += 1

    async def _take(self, socket: Socket) -> None:
        while True:
            self.frames.append(await socket.frame())


@asynccontextmanager
async def following(displays: Sequence[Wanderer]) -> AsyncIterator[None]:
    """All of them follow for the length of the block, and have begun. They wait for what comes next and would do so for
    ever: nobody but the test knows that nothing comes."""
    tasks = [asyncio.create_task(one.follow(place)) for place, one in enumerate(displays)]
    try:
        await eventually(lambda: all(one.frames for one in displays), "every display shows a board")
        yield
        assert not any(task.done() for task in tasks), tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
