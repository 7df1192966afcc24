"""Displays of the simulation: the real sender of a node's stream, and at the line's other end somebody who believes
nothing else than the frames that arrive."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from api.stream import Display, _missed
from queue_service.errors import QueueServiceError
from tests.seeds.node import Node
from tests.stream.rfc7396 import apply

Frame = dict[str, Any]


class Line:
    """What a node writes to: the place of a socket. It may be slow, and it may be cut."""

    def __init__(self, arrived: Callable[[Frame], None], cut: Callable[[], object]) -> None:
        """It is open, and quick."""
        self.is_behind = False
        self.on_drained: Callable[[], None] | None = None
        self._arrived = arrived
        self._cuts = [cut]
        self._is_open = True

    def write_frame(self, framed: bytes) -> None:
        """One websocket message or several."""
        while framed and self._is_open:
            size, start = framed[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(framed[2:start], "big")
            self._arrived(orjson.loads(framed[start : start + size]))
            framed = framed[start + size :]

    def leave(self, _code: int, _reason: str) -> None:
        """The node sends the display away."""
        self.hang_up()

    def hang_up(self) -> None:
        """Nothing more arrives, and the node is told."""
        if self._is_open:
            self._is_open = False
            for told in self._cuts:
                told()

    def on_cut(self, told: Callable[[], object]) -> None:
        """Be told when it is over, at once if it is."""
        self._cuts.append(told)
        if not self._is_open:
            told()

    def go_dead(self) -> None:
        """Nothing more arrives, and there is no node to be told."""
        self._is_open = False


class Screen:
    """A display of one hall, which comes back with what it has."""

    def __init__(self, name: str, hall: str, seen: Callable[["Screen", Frame], None]) -> None:
        """`seen` is told of each frame after it was taken in."""
        self.name = name
        self.hall = hall
        self.board: Any = None
        self.seq = 0
        self.head = ""
        self.node: Node | None = None
        self.line: Line | None = None
        self._seen = seen

    def connect(self, node: Node) -> None:
        """Open the stream at a node, from where this display is."""
        self.node = node
        self.line = line = Line(self._arrived, self._cut)
        with node.loop.entered():
            node.loop.create_task(self._follow(node, line))

    async def _follow(self, node: Node, line: Line) -> None:
        """As `api.stream.hall_stream` does."""
        try:
            if node.feed.freshness.is_stale:
                line.hang_up()
                return
            view = await node.feed.view(self.hall)
            remade = [] if not self.seq else await node.feed.remade(view, self.seq, self.head)
        except QueueServiceError:
            line.hang_up()
            return
        protocol: Any = line
        display = Display(protocol, view)
        display.begin(_missed(view, self.seq, self.head, remade) if self.seq else None)
        view.followers.add(display)
        gone = asyncio.Event()
        line.on_cut(gone.set)
        await gone.wait()
        view.followers.discard(display)

    def lose(self) -> None:
        """The node is gone, and the line with it."""
        if self.line is not None:
            self.line.go_dead()
        self._cut()

    def _cut(self) -> None:
        self.node = self.line = None

    def _arrived(self, frame: Frame) -> None:
        if frame["type"] == "snapshot" or "board" in frame:
            self.board = frame["board"]
        elif frame["type"] == "event":
            self.board = apply(orjson.loads(orjson.dumps(self.board)), frame["patch"])
        self._seen(self, frame)
        self.seq, self.head = frame["seq"], frame["head"]
