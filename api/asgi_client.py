"""A client that calls an ASGI application in its own process: no sockets, the whole HTTP layer.

Nothing but JSON in and out, and no streaming: what a replay of recorded days needs, several times faster than a
general client.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

from queue_service.errors import QueueServiceError

_HEADERS = [(b"host", b"replay"), (b"content-type", b"application/json")]


class Client:
    """Sends requests to one application."""

    def __init__(self, app: ASGIApp) -> None:
        """See `running`: the application must have been started."""
        self._app = app

    async def ask(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        """The JSON of a successful answer (None where it is empty); any other is an error."""
        status, answer = await self._send(method, path, b"" if body is None else orjson.dumps(body), query)
        if not 200 <= status < 300:
            raise QueueServiceError(f"{method} {path} was answered {status}: {answer.decode(errors='replace')}")
        return orjson.loads(answer) if answer else None

    async def _send(self, method: str, path: str, body: bytes, query: str) -> tuple[int, bytes]:
        status, parts, asked = 0, [], False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self._app(_scope(method, path, query, len(body)), receive, send)
        return status, b"".join(parts)


def _scope(method: str, path: str, query: str, length: int) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [*_HEADERS, (b"content-length", str(length).encode())],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[Client]:
    """Start an application as a server does, and stop it at the end (ASGI lifespan)."""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    lifespan = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put))
    await _phase(lifespan, to_app, from_app, "lifespan.startup")
    try:
        yield Client(app)
    finally:
        await _phase(lifespan, to_app, from_app, "lifespan.shutdown")
        await lifespan


async def _phase(
    lifespan: "asyncio.Future[None]", to_app: "asyncio.Queue[Message]", from_app: "asyncio.Queue[Message]", name: str
) -> None:
    """Ask for startup or shutdown and wait until it is complete."""
    to_app.put_nowait({"type": name})
    answering = asyncio.create_task(from_app.get())
    either: list[asyncio.Future[Any]] = [answering, lifespan]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not answering.done():
        answering.cancel()
        await lifespan  # it died without a word: let its error speak
    if answering.result()["type"] != f"{name}.complete":
        await lifespan
        raise QueueServiceError(f"The application did not get through {name}.")
