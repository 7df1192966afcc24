"""What every request passes before a route: who asks, how large its body is, and that it is counted.

Plain ASGI, one object, so that it costs microseconds. Access is denied unless a rule here allows it.
"""

import hmac
import math
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from api.direct import Asked, Direct
from api.problems import problem
from queue_service.settings import Auth, Settings

ACTOR_OPEN = "local"
ACTOR_TOKEN = "token"  # noqa: S105 (an actor's name)
ACTOR_VISITOR = "visitor"

_FREE = re.compile(r"^/(healthz|readyz|docs|docs/.*|openapi\.json|asyncapi\.json)$")
_PAGE_GET = re.compile(r"^/$|^/(display|kiosk|join|t|desk|counter|board|plan|clips|pages|qr)/")
"""The pages themselves: shells, scripts, styles and QR codes, the same for everybody."""
_VISITOR_GET = re.compile(r"^/v1/(tickets/[^/]+(/menu)?|halls/[^/]+/menu)$")
_VISITOR_POST = re.compile(r"^/v1/(tickets/[^/]+/(check-in|postpone|rejoin|cancel)|halls/[^/]+/phone-tickets)$")
"""Of halls, whether a visitor may, their plan says: `api.routes.menu` asks it."""
_VISITOR_SOCKET = re.compile(r"^/v1/tickets/[^/]+/stream$")

_NOT_PLAIN = frozenset((b"transfer-encoding", b"expect", b"upgrade"))
"""Headers that ask something of the connection."""

Count = Callable[[str, str, int, float], None]
"""Told of each HTTP request: method, route template, status, seconds."""


def refused() -> Response:
    """401: who asks for this needs a token."""
    refusal = problem(401, "unauthorized", "A token is needed.", "Send Authorization: Bearer TOKEN.")
    refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal


class Edge:
    """Wraps the application."""

    def __init__(self, app: Direct, settings: Settings, count: Count, is_stopping: Callable[[], bool]) -> None:
        """`count` is told of each answered HTTP request. A node that `is_stopping` asks its clients to come back on
        another connection: who sent a request on one that is just being closed would not know what became of it."""
        self.direct = self._app = app
        self._open = settings.auth == Auth.OPEN
        self._token = (settings.token or "").encode()
        self._max_body_bytes = settings.max_body_bytes
        self._most_plain_bytes = min(settings.max_body_bytes, HIGH_WATER_LIMIT)
        self.count = count
        self.is_stopping = is_stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        actor = self._actor(scope)
        scope.setdefault("state", {})["actor"] = actor
        if scope["type"] == "websocket":
            if actor is None:
                await receive()
                await send({"type": "websocket.accept"})  # a browser is told a code only once the connection is open
                await send({"type": "websocket.close", "code": 4401, "reason": "a token is needed"})
                return
            await self._app(scope, receive, send)
            return
        await self._http(scope, receive, send, actor)

    def asked(self, scope: Scope) -> Asked | None:
        """What a POST asks for that may be answered without ASGI (see `exchange`); None where its head alone says that
        it is refused, or not plain."""
        asked, actor = self.direct.asked(scope["path"], scope["headers"]), self._actor(scope)
        if asked is None or actor is None or not _NOT_PLAIN.isdisjoint(asked.fields):
            return None
        if int(asked.fields.get(b"content-length", 0)) > self._most_plain_bytes:
            return None
        scope["state"]["actor"] = actor
        return asked

    async def _http(self, scope: Scope, receive: Receive, send: Send, actor: str | None) -> None:
        started, status = time.perf_counter(), 500

        def watched(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.is_stopping():
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            return send(message)

        announced = _announced_bytes(scope)
        try:
            if actor is None:
                await refused()(scope, receive, watched)
            elif announced is None:
                await self._app(scope, _Bounded(receive, self._max_body_bytes), watched)
            elif announced > self._max_body_bytes:
                await self._too_large(scope, receive, watched)
            else:
                await self._app(scope, receive, watched)  # the server reads no more of a body than was announced
        except _TooLarge:
            await self._too_large(scope, receive, watched)
        finally:
            route = scope.get("route")
            self.count(scope["method"], getattr(route, "path", ""), status, time.perf_counter() - started)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = problem(413, "too-large", "The body is too large.", f"At most {self._max_body_bytes} bytes.")
        refusal.headers["Connection"] = "close"
        await refusal(scope, receive, send)

    def _actor(self, scope: Scope) -> str | None:
        """Who asks; None: nobody who may."""
        if self._open:
            return ACTOR_OPEN
        if self._has_token(scope):
            return ACTOR_TOKEN
        path = scope["path"]
        if scope["type"] == "websocket":
            return ACTOR_VISITOR if _VISITOR_SOCKET.match(path) else None
        if _FREE.match(path):
            return ACTOR_VISITOR
        if scope["method"] not in ("GET", "HEAD"):
            return ACTOR_VISITOR if _VISITOR_POST.match(path) else None
        return ACTOR_VISITOR if _VISITOR_GET.match(path) or _PAGE_GET.match(path) else None

    def _has_token(self, scope: Scope) -> bool:
        """A bearer token in the header; for websockets, whose browsers cannot set one, also `?access_token=`."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, token = value.partition(b" ")
                return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)
        if scope["type"] == "websocket":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("access_token", [""])[0]
            return hmac.compare_digest(given.encode(), self._token)
        return False


def _announced_bytes(scope: Scope) -> float | None:
    """The length of the body, where the headers tell; infinite where they tell no number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else math.inf
    return None


class _TooLarge(HTTPException):
    """The body that came was larger than allowed. An HTTP error, because FastAPI, in the midst of reading the body,
    makes 400 of any other."""


class _Bounded:
    """A receive that stops at the allowed number of bytes, for bodies of unknown length."""

    __slots__ = ("_left", "_limit", "_receive")

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = self._limit = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _TooLarge(413, f"At most {self._limit} bytes.", {"Connection": "close"})
        return message
