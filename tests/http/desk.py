"""A hall as its clients see it: every command over HTTP under a clock set by hand, every answer held to its shape."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from api.service import Service
from models.wire import rfc3339
from queue_service.clock import HandClock
from tests.halls import plan
from tests.http.shapes import Shapes, check_problem
from tests.running import inner_node

EIGHT_MS = 1_772_409_600_000
"""Monday 2026-03-02, 08:00 in Asia/Shanghai: off-peak, an hour before the peak of the plan below."""
DAY_MS = 86_400_000
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PEAK = {"peaks": [{"days": EVERY_DAY, "start": "09:00", "end": "11:00"}]}


class Desk:
    """One hall of a node; counters 1 and 2 are open."""

    def __init__(self, hall: str, client: httpx.AsyncClient, clock: HandClock) -> None:
        """Made by `Desks.new`."""
        self.hall = hall
        self.client = client
        self.clock = clock
        self.date = rfc3339(clock.now_ms())[:10]

    def utc(self, time: str) -> str:
        """A moment of the hall's first day, the time in UTC."""
        return f"{self.date}T{time}Z"

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.set_ms(self.clock.now_ms() + round(seconds * 1000))

    async def ask(self, method: str, path: str, expect: int = 200, **request: Any) -> httpx.Response:
        """An answer of the hall (a path that begins with a slash is the node's)."""
        url = path if path.startswith("/") else f"/v1/halls/{self.hall}{'/' if path else ''}{path}"
        answer = await self.client.request(method, url, **request)
        assert answer.status_code == expect, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer

    async def get(self, path: str, **params: str) -> Any:
        """The JSON of a read."""
        return (await self.ask("GET", path, params=params)).json()

    async def post(self, path: str, expect: int = 200, **body: Any) -> Any:
        """The JSON a command of the hall is answered with; `with_` is sent as `with`."""
        sent = {name.removesuffix("_"): value for name, value in body.items()}
        answer = await self.ask("POST", path, expect, json=sent or None)
        return answer.json() if answer.content else None

    async def issue(self, service: str = "tax", **fields: Any) -> Any:
        """A new ticket."""
        return await self.post("tickets", 201, service=service, **fields)

    async def ticket(self, ticket: str, verb: str, expect: int = 200, **body: Any) -> Any:
        """A command about a ticket."""
        return await self.post(f"/v1/tickets/{ticket}/{verb}", expect, **body)

    async def counter(self, counter: str, verb: str, expect: int = 200, **body: Any) -> Any:
        """A command of a counter."""
        return await self.post(f"counters/{counter}/{verb}", expect, **body)

    async def refused(self, path: str, kind: str, status: int = 409, **body: Any) -> dict[str, Any]:
        """A command of the hall (or, with a slash, the node) that is refused; the problem document."""
        sent = {name.removesuffix("_"): value for name, value in body.items()}
        return check_problem(await self.ask("POST", path, status, json=sent or None), kind)

    async def refused_ticket(self, ticket: str, verb: str, kind: str, status: int = 409, **body: Any) -> dict[str, Any]:
        """A command about a ticket that is refused; the problem document."""
        return await self.refused(f"/v1/tickets/{ticket}/{verb}", kind, status, **body)

    async def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The log, or the data of its events of a kind."""
        events: list[dict[str, Any]] = (await self.get("events", limit="1000"))["items"]
        return events if kind is None else [event["data"] for event in events if event["kind"] == kind]

    async def serving(self, counter: str = "1", service: str = "tax") -> Any:
        """A new ticket, called (out of order, if others wait) and started at a counter."""
        ticket = (await self.issue(service))["id"]
        await self.counter(counter, "call", ticket=ticket, reason="to be served")
        return await self.ticket(ticket, "start")


class Desks:
    """Makes halls on one node."""

    def __init__(self, service: Service, client: httpx.AsyncClient, clock: HandClock, shapes: Shapes) -> None:
        """No halls yet."""
        self.service = service
        self.client = client
        self.clock = clock
        self.shapes = shapes
        self._numbers = count(1)

    async def new(self, **changes: Any) -> Desk:
        """A hall of its own at the next eight in the morning; `changes` replace parts of its plan."""
        self.clock.set_ms(self.clock.now_ms() + (EIGHT_MS - self.clock.now_ms()) % DAY_MS)
        desk = Desk(f"hall-{next(self._numbers)}", self.client, self.clock)
        changed = {"time_zone": "Asia/Shanghai", "calendar": PEAK, **changes}
        await desk.ask("PUT", "", 201, json=plan(desk.hall, **changed))
        for counter in ("1", "2"):
            await desk.counter(counter, "open", clerk=f"clerk-{counter}")
        return desk

    async def look(self, desk: Desk) -> None:
        """Have the node look at the hall now, as it does every few seconds by itself."""
        await self.service.live.look(await self.service.current_view(desk.hall))


@asynccontextmanager
async def desks_in(folder: Path) -> AsyncIterator[Desks]:
    """A node at eight in the morning, whose every answer is checked."""
    clock, shapes = HandClock(EIGHT_MS), Shapes()
    async with inner_node(folder, clock) as inner:
        inner.client.event_hooks = {"response": [shapes]}
        yield Desks(inner.service, inner.client, clock, shapes)
