"""What stands between clients and replicas: a load balancer that asks for readiness, and displays that come back."""

from collections import Counter
from itertools import count
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from tests.running import Node, eventually
from tests.stream.sockets import Frame, Socket, hall_socket

UNDECIDED = 503


class Balancer:
    """Sends each request to one of the nodes in turn, and what was not decided (503, no answer) to the next."""

    def __init__(self, nodes: list[Node]) -> None:
        """`nodes` may change: whoever restarts one puts the new one in its place. `statuses`: what nodes answered, and
        how often a request got no answer (0)."""
        self.nodes = nodes
        self.statuses: Counter[int] = Counter()
        self.is_over = False
        self._turns = count()
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def post(self, path: str, **how: Any) -> httpx.Response:
        """The answer of whichever node decided. Once it `is_over`, nothing is sent any more."""
        while True:
            if self.is_over:
                raise httpx.ConnectError("over")
            answer = await self._try(self.nodes[next(self._turns) % len(self.nodes)], path, how)
            if answer is not None and answer.status_code != UNDECIDED:
                return answer

    async def _try(self, node: Node, path: str, how: dict[str, Any]) -> httpx.Response | None:
        client = self._clients.get(node.base_url)
        if client is None:
            client = self._clients[node.base_url] = node.async_client()
        try:
            answer = await client.post(path, **how)
        except httpx.TransportError:
            self.statuses[0] += 1
            return None
        self.statuses[answer.status_code] += 1
        return answer

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()


class Wanderer:
    """A display that comes back, to whichever node there is, with the place in the log it had."""

    def __init__(self, nodes: list[Node], hall: str = "hall") -> None:
        """`nodes` as the balancer has them. `frames`: all that was shown; `codes`: how connections ended."""
        self._nodes = nodes
        self._hall = hall
        self.frames: list[Frame] = []
        self.codes: Counter[int] = Counter()
        self._goal: int | None = None

    async def follow(self, first: int) -> None:
        """Follow, at first on that node, until told the last seq."""
        turns = count(first)
        while not self._is_done:
            try:
                await self._follow(self._nodes[next(turns) % len(self._nodes)])
            except OSError:
                self.codes[0] += 1

    async def until(self, seq: int) -> None:
        """The log ends there: see that the display gets so far."""
        self._goal = seq
        await eventually(lambda: self._is_done, f"the display shows event {seq}")

    @property
    def seq(self) -> int:
        """What it shows."""
        return int(self.frames[-1]["seq"]) if self.frames else 0

    @property
    def _is_done(self) -> bool:
        return self._goal is not None and self.seq >= self._goal

    async def _follow(self, node: Node) -> None:
        place = {"after": self.seq, "head": self.frames[-1]["head"]} if self.frames else {}
        async with hall_socket(node.base_url, self._hall, **place) as socket:
            try:
                await self._take(socket)
            except ConnectionClosed as closed:
                self.codes[closed.rcvd.code if closed.rcvd else 1006] += 1

    async def _take(self, socket: Socket) -> None:
        while not self._is_done:
            self.frames.append(await socket.frame())
