"""The short way for commands: a plain POST goes straight to its route's function, past FastAPI's routers and solvers,
which cost more than deciding a command and storing it.

Whatever is not plain (a body that does not fit, a malformed key, another content type, an unknown path) goes FastAPI's
way as it came. So one place words every fault, and there are no routes but those that FastAPI documents.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
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

Place = tuple[int | str, ...]
"""Where a path leads: how many parts it has, and those that are words. `/v1/WORD/name/WORD/name/...`"""


class NotPlain(Exception):
    """The request must go FastAPI's way."""


class Way(NamedTuple):
    """A route, and what its function takes beside the request and the names in the path."""

    route: APIRoute
    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    body: Callable[[bytes], Any]


class Direct:
    """Wraps the application."""

    def __init__(self, app: FastAPI, routes: Iterable[BaseRoute]) -> None:
        """`routes`: those included in the application; the commands among them get a short way."""
        self._app = app
        self._ways = dict(way for route in routes for way in _way_of(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route's function, or pass on."""
        way, names = self._find(scope)
        if way is None:
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body", False):
            messages.append(await receive())
        try:
            content, body, key = _arguments(way, scope, messages)
        except (NotPlain, ValidationError):
            await self._app(scope, _Again(messages, receive), send)
            return
        scope["app"], scope["route"] = self._app, way.route
        request = _Read(scope, content)
        try:
            response = await way.endpoint(request, *names, body, key)
        except QueueServiceError as error:
            response = problem_of(error)
        except Exception as error:
            await on_bug(request, error)(scope, receive, send)
            raise
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[Way | None, Sequence[str]]:
        if scope["type"] != "http" or scope["method"] != "POST" or scope.get("root_path"):
            return None, ()
        parts = scope["path"].split("/")
        names = parts[3::2]
        for name in names:
            if not 0 < len(name) <= PATH_LENGTH:
                return None, ()
        return self._ways.get((len(parts), *parts[2::2])), names


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
    if takes_names and hints["key"] == Key and "{" not in "".join(parts[2::2]):
        yield (len(parts), *parts[2::2]), Way(route, route.endpoint, TypeAdapter(hints["body"]).validate_json)


def _arguments(way: Way, scope: Scope, messages: list[Message]) -> tuple[bytes, Any, str | None]:
    """The body's bytes, the body, the key. Raises NotPlain or ValidationError."""
    content = b"".join([message.get("body", b"") for message in messages])
    kind, keys = b"", []
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"idempotency-key":
            keys.append(value)
    if messages[-1]["type"] != "http.request" or len(keys) > 1 or (content and not _JSON.fullmatch(kind)):
        raise NotPlain
    if keys and not (len(keys[0]) <= KEY_LENGTH and _KEY.fullmatch(keys[0])):
        raise NotPlain
    return content, way.body(content or b"null"), keys[0].decode() if keys else None


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
