"""The short way for commands: a plain POST goes straight to its route's function, past FastAPI's routers and solvers,
which cost more than deciding a command and storing it.

Whatever is not plain (a body that does not fit, a malformed key, another content type, an unknown path) goes FastAPI's
way as it came. So one place words every fault, and there are no routes but those that FastAPI documents. What comes
through uvicorn goes a shorter way still, without ASGI: see `exchange`.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_type_hints

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from api.asking import KEY_LENGTH, KEY_PATTERN, PATH_LENGTH, CounterPath, HallPath, Key, TicketPath
from api.problems import on_bug, problem_of
from queue_service.errors import QueueServiceError

_JSON = re.compile(rb"\s*application/json\s*(;.*)?", re.IGNORECASE)
_KEY = re.compile(KEY_PATTERN.encode())
_ONCE = (b"content-type", b"idempotency-key", b"content-length", b"authorization")
"""Headers that are looked at: of a request that has one of them twice, FastAPI's way makes what it makes."""

Headers = Sequence[tuple[bytes, bytes]]
Answering = Coroutine[Any, Any, Response]
Place = tuple[int | str, ...]
"""Where a path leads: how many parts it has, and those that are words. `/v1/WORD/name/WORD/name/...`"""
VERSION = "v1"


class NotPlain(Exception):
    """The request must go FastAPI's way."""


class Way(NamedTuple):
    """A route, and what its function takes beside the request and the names in the path."""

    route: APIRoute
    endpoint: Callable[..., Answering]
    body: Callable[[bytes], Any]


class Asked(NamedTuple):
    """What the head of a plain request asks for. `fields`: its headers."""

    way: Way
    names: Sequence[str]
    fields: Mapping[bytes, bytes]
    key: str | None

    def begin(self, app: FastAPI, scope: Scope, content: bytes) -> Answering:
        """The route's function, called with all it takes. Raises NotPlain or ValidationError."""
        if content and not _is_json(self.fields.get(b"content-type", b"")):
            raise NotPlain
        body = self.way.body(content or b"null")
        scope["app"], scope["route"] = app, self.way.route
        return self.way.endpoint(_Read(scope, content), *self.names, body, self.key)


class Direct:
    """Wraps the application."""

    def __init__(self, app: FastAPI, routes: Iterable[BaseRoute]) -> None:
        """`routes`: those included in the application; the commands among them get a short way."""
        self.app = app
        self._ways = dict(way for route in routes for way in _way_of(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route's function, or pass on."""
        asked = None
        if scope["type"] == "http" and scope["method"] == "POST" and not scope.get("root_path"):
            asked = self.asked(scope["path"], scope["headers"])
        if asked is None:
            await self.app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body", False):
            messages.append(await receive())
        try:
            answering = asked.begin(self.app, scope, _content(messages))
        except (NotPlain, ValidationError):
            await self.app(scope, _Again(messages, receive), send)
            return
        try:
            response = await answering
        except QueueServiceError as error:
            response = problem_of(error)
        except Exception as error:
            await on_bug(Request(scope), error)(scope, receive, send)
            raise
        await response(scope, receive, send)

    def asked(self, path: str, headers: Headers) -> Asked | None:
        """What the head of a POST asks for; None where it is not plain."""
        parts = path.split("/")
        names = parts[3::2]
        way = self._ways.get((len(parts), *parts[2::2]))
        if way is None or parts[1] != VERSION:
            return None
        for name in names:
            if not 0 < len(name) <= PATH_LENGTH:
                return None
        fields = dict(headers)
        if len(fields) != len(headers) and _has_twice(headers):
            return None
        key = fields.get(b"idempotency-key")
        if key is None:
            return Asked(way, names, fields, None)
        return Asked(way, names, fields, key.decode()) if len(key) <= KEY_LENGTH and _KEY.fullmatch(key) else None


def _way_of(route: BaseRoute) -> Iterator[tuple[Place, Way]]:
    """The short way of a route, if its function takes the request, names, a body and a key, and nothing else."""
    if not isinstance(route, APIRoute) or route.methods != {"POST"} or route.dependencies:
        return
    parts = route.path.split("/")
    names = [part.strip("{}") for part in parts[3::2]]
    hints = get_type_hints(route.endpoint, include_extras=True)
    takes_names = all(hints.get(name) in (HallPath, TicketPath, CounterPath) for name in names)
    if list(inspect.signature(route.endpoint).parameters) != ["request", *names, "body", "key"]:
        return
    if takes_names and hints["key"] == Key and parts[1] == VERSION and "{" not in "".join(parts[2::2]):
        yield (len(parts), *parts[2::2]), Way(route, route.endpoint, TypeAdapter(hints["body"]).validate_json)


def _content(messages: list[Message]) -> bytes:
    """The whole body. Raises NotPlain where the client has gone before its end."""
    if messages[-1]["type"] != "http.request":
        raise NotPlain
    return b"".join([message.get("body", b"") for message in messages])


def _has_twice(headers: Headers) -> bool:
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in _ONCE)


def _is_json(kind: bytes) -> bool:
    return kind == b"application/json" or _JSON.fullmatch(kind) is not None


class _Again:
    """A receive that gives what was read once more."""

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = iter(messages)
        self._receive = receive

    async def __call__(self) -> Message:
        for message in self._messages:
            return message
        return await self._receive()


class _Read(Request):
    """A request whose body has been read."""

    def __init__(self, scope: Scope, content: bytes) -> None:
        super().__init__(scope)
        self._content = content

    async def body(self) -> bytes:
        return self._content
