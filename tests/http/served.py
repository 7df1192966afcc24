"""A node in this process whose connections are watched: what has been read, and which requests went the long way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from api.edge import Edge
from api.http_protocol import HttpProtocol
from tests.halls import plan
from tests.http.wire import Told, Wire, post, wire_to
from tests.metrics.test_registry import samples_of
from tests.running import WAIT_S, Inner, eventually, inner_node

TICKETS = "/v1/halls/hall/tickets"
ROUTE = "/v1/halls/{hall}/tickets"
TAX = b'{"service": "tax"}'
ISSUE = post(TICKETS, TAX)
HEAD_BYTES = ISSUE.index(b"\r\n\r\n") + 4
MOST_BYTES = 100_000


@dataclass
class Place:
    """A node in this process that writes down what reached it, and which requests went the long way."""

    inner: Inner
    folder: Path
    read_bytes: int = 0
    long: list[str] = field(default_factory=list)

    def wire(self, limit: int = 2**16) -> Any:
        """A new connection."""
        return wire_to(self.inner.base_url, limit)

    async def reached(self, wire: Wire, data: bytes) -> None:
        """Send, and wait until the node has read all of it."""
        until = self.read_bytes + len(data)
        wire.send(data)
        await eventually(lambda: self.read_bytes >= until, "the node reads what was sent")

    def connection(self, wire: Wire) -> HttpProtocol | None:
        """The node's end of a connection; None where it has none any more."""
        mine = (one for one in self.inner.server.server_state.connections if isinstance(one, HttpProtocol))
        return next((one for one in mine if one.client == wire.address), None)

    def counted(self, status: int, route: str = ROUTE) -> float:
        """How many POSTs were counted with this status."""
        labels = (("method", "POST"), ("route", route), ("status", str(status)))
        return samples_of(self.inner.service.metrics).get(("http_requests_total", labels), 0)

    @property
    def issued(self) -> int:
        """How many tickets were given."""
        count = "SELECT count(*) FROM ticket"
        return int(self.inner.service.database.read(lambda one: one.exec_driver_sql(count).scalar_one()))


@asynccontextmanager
async def served(folder: Path, **settings: Any) -> AsyncIterator[Place]:
    """A hall `hall` whose counter 1 is open, at a node in this process."""
    with pytest.MonkeyPatch.context() as patch:
        async with inner_node(folder, max_body_bytes=MOST_BYTES, **settings) as inner:
            inner.server.config.timeout_keep_alive = 10 * WAIT_S  # whatever is closed sooner is closed for a reason
            place = Place(inner, folder)
            edge = inner.server.config.app
            assert isinstance(edge, Edge)
            data_received, app = HttpProtocol.data_received, edge._app

            def read(self: HttpProtocol, data: bytes) -> None:
                place.read_bytes += len(data)
                data_received(self, data)

            async def long(scope: Scope, receive: Receive, send: Send) -> None:
                if scope["type"] == "http":
                    place.long.append(f"{scope['method']} {scope['path']}")
                await app(scope, receive, send)

            bearer = {"Authorization": f"Bearer {settings.get('token')}"}
            await inner.client.put("/v1/halls/hall", json=plan(), headers=bearer)
            await inner.client.post("/v1/halls/hall/counters/1/open", json={"clerk": "li"}, headers=bearer)
            patch.setattr(HttpProtocol, "data_received", read)
            patch.setattr(edge, "_app", long)
            yield place


def brief(answer: Told) -> tuple[int, str | None]:
    """An answer's status, and what it says about the connection."""
    return answer.status, answer.headers.get("connection")
