"""A hall of a node under test, and the commands that most tests of the streams need."""

from itertools import count
from pathlib import Path
from typing import Any

from api.client import QueueClient
from api.stream import Display
from api.websocket_protocol import PreframedProtocol
from queue_service.clock import Clock
from queue_service.view import View
from tests.halls import plan
from tests.running import Inner, inner_node
from tests.stream.sockets import hall_socket

_NUMBERS = count(1)


class Lobby:
    """One hall."""

    def __init__(self, node: Inner, client: QueueClient, hall: str) -> None:
        """`hall` is there already."""
        self.node = node
        self.client = client
        self.hall = hall
        self.path = f"/v1/halls/{hall}"
        self.base_url = node.base_url
        self.service = node.service

    @property
    def view(self) -> View:
        """What the node publishes of the hall."""
        return self.service.feed.views[self.hall]

    @property
    def protocols(self) -> list[PreframedProtocol]:
        """The node's side of each display's connection."""
        return [follower._protocol for follower in self.view.followers if isinstance(follower, Display)]

    def socket(self, **query: Any) -> Any:
        """A display of this hall."""
        return hall_socket(self.base_url, self.hall, **query)

    async def issue(self, service: str = "tax", **fields: Any) -> dict[str, Any]:
        """Take a ticket."""
        return await self.client.issue(self.hall, service, **fields)

    async def open(self, *counters: str) -> None:
        """Sign clerks on."""
        for counter in counters:
            await self.counter(counter, "open", clerk=f"clerk-{counter}")

    async def counter(self, counter: str, verb: str, **fields: Any) -> dict[str, Any]:
        """A command about a counter."""
        return await self.client.counter(self.hall, counter, verb, **fields)

    async def call(self, counter: str = "1", finish_current: bool = True) -> Any:
        """Press the one button."""
        return await self.client.call_next(self.hall, counter, finish_current)

    async def board(self) -> dict[str, Any]:
        """The board with its place in the log, as REST shows it."""
        board: dict[str, Any] = await self.client.get(f"{self.path}/board")
        return board

    async def log(self) -> list[dict[str, Any]]:
        """The whole log."""
        items: list[dict[str, Any]] = (await self.client.get(f"{self.path}/events", limit=1000))["items"]
        return items

    async def busy(self, tickets: int) -> None:
        """Some life: tickets taken, called, served."""
        await self.open("1")
        for _ in range(tickets):
            await self.issue()
            await self.call()


async def new_hall(node: Inner, client: QueueClient, **changes: Any) -> Lobby:
    """A hall that no other test uses; `changes` replace parts of its plan."""
    hall = f"hall-{next(_NUMBERS)}"
    await client.put_new(f"/v1/halls/{hall}", plan(hall, **changes))
    lobby = Lobby(node, client, hall)
    await lobby.board()  # now the node has a view of it
    return lobby


class Nodes:
    """Nodes of a test's own, which end with it."""

    def __init__(self, folder: Path) -> None:
        """Their database is in `folder`."""
        self.folder = folder
        self._open: list[Any] = []

    async def start(self, clock: Clock | None = None, **settings: Any) -> tuple[Inner, QueueClient]:
        """A node and a client of it."""
        node: Inner = await self._enter(inner_node(self.folder, clock, **settings))
        client: QueueClient = await self._enter(QueueClient(node.base_url, settings.get("token")))
        return node, client

    async def lobby(self, clock: Clock | None = None, changes: dict[str, Any] | None = None, **settings: Any) -> Lobby:
        """A node with a hall."""
        return await new_hall(*await self.start(clock, **settings), **(changes or {}))

    async def _enter(self, one: Any) -> Any:
        entered = await one.__aenter__()
        self._open.append(one)
        return entered

    async def stop(self) -> None:
        """End them, the last first."""
        while self._open:
            await self._open.pop().__aexit__(None, None, None)
