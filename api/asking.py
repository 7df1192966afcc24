"""From a request to a command's answer: who asks, with which idempotency key, and back to a response."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import Response

from api.answers import NO_CONTENT
from api.ids import hall_of
from api.problems import MEDIA_TYPE
from api.service import Service
from models.answers import Problem
from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.submission import Answer, Answering, Keyed

JSON = "application/json"
KEY_PATTERN = r"^[\x21-\x7e]+$"
KEY_LENGTH = 255
PATH_LENGTH = 100

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="the same key and body again get the first answer again",
        min_length=1,
        max_length=KEY_LENGTH,
        pattern=KEY_PATTERN,
    ),
]
HallPath = Annotated[str, Path(max_length=PATH_LENGTH)]
TicketPath = Annotated[str, Path(max_length=PATH_LENGTH)]
CounterPath = Annotated[str, Path(max_length=PATH_LENGTH)]


def _documented(status: int, what: str) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"description": what, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    }


READING: dict[int | str, dict[str, Any]] = {
    **_documented(401, "No valid token (only with QUEUE_AUTH=token)"),
    **_documented(404, "There is no such hall, ticket or counter"),
    **_documented(422, "The request does not fit; each fault is named with its place"),
    **_documented(503, "Not now; try again after Retry-After seconds"),
}
COMMANDING: dict[int | str, dict[str, Any]] = {
    **READING,
    **_documented(400, "The body is not JSON"),
    **_documented(403, "This node only follows the hall (a centre); `node` is where commands go"),
    **_documented(409, "The present state does not allow it; the answer says which state"),
    **_documented(413, "The body is too large"),
}
STALE = _documented(412, "The plan was changed meanwhile")
PROBLEM_MODEL = Problem


class Application(FastAPI):
    """FastAPI's, with the service that its routes reach."""

    service: Service


def service_of(request: HTTPConnection) -> Service:
    """The running node."""
    application: Application = request.scope["app"]
    return application.service


async def ask(
    request: Request,
    hall: str,
    command: c.Command,
    answering: Answering,
    key: str | None,
    channel: Channel = Channel.API,
) -> Response:
    """Have a command decided and stored; the response comes only after that."""
    service = service_of(request)
    if service.following is not None:
        raise service.following.refusal(hall)
    actor: str = request.scope["state"]["actor"]
    keyed = None
    if key is not None:
        body_hash = hashlib.sha256(await request.body()).hexdigest()
        keyed = Keyed(key, request.method, request.scope["path"][:300], body_hash)
    if hall not in service.feed.views and not isinstance(command, c.PutPlan):
        await service.feed.view(hall)  # the writer goes by it, and holds nobody up by reading the day's log
    engine = service.engine
    return respond(await engine.submit(hall, command, actor=actor, channel=channel, answering=answering, keyed=keyed))


async def ask_ticket(request: Request, command: c.TicketCommand, answering: Answering, key: str | None) -> Response:
    """The same for a command about a ticket, whose id names the hall."""
    return await ask(request, hall_of(command.ticket), command, answering, key)


class Plain(Response):
    """A response of bytes whose headers are known: what `Response` works out afresh for each is not needed."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        """A body is JSON; `headers` come beside those that tell of it."""
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        if body:
            self.raw_headers.append(_JSON_TYPE)
        if status != NO_CONTENT:
            self.raw_headers.append((b"content-length", b"%d" % len(body)))


_JSON_TYPE = (b"content-type", JSON.encode())


def respond(answer: Answer) -> Response:
    """An engine's answer as a response."""
    headers = {**answer.headers, "Idempotency-Replayed": "true"} if answer.replayed else answer.headers
    return Plain(answer.body, answer.status, headers)


def json_response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """200 with JSON that is already bytes."""
    return Response(body, 200, headers, JSON)
