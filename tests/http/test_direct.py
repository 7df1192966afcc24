"""The short way for commands is only shorter: what it answers is what FastAPI's own way answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from api import app as api_app
from api.direct import Direct
from api.edge import ACTOR_OPEN
from api.service import Service
from queue_service.settings import Settings
from tests.halls import plan
from tests.http.bad_requests import ALL, JSON, STATES
from tests.running import database_url

SELDOM = {
    "/v1/halls/{hall}/accept-history",
    "/v1/halls/{hall}/alerts/{alert}/acknowledge",
    "/v1/halls/{hall}/staffing/{advice}/answer",
}
"""Asked a few times a day: they need not be fast."""

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICKET = "hall.00000000000000000000000000"
ISSUE = b'{"service": "tax", "items": 2, "language": "zh-CN"}'
CASES: list[tuple[str, bytes, dict[str, str]]] = [
    ("/v1/halls/hall/tickets", ISSUE, JSON),
    ("/v1/halls/hall/tickets", ISSUE, {"Content-Type": "Application/JSON; charset=utf-8"}),
    ("/v1/halls/hall/tickets", ISSUE.decode().encode("utf-16"), JSON),
    ("/v1/halls/hall/tickets", ISSUE, {"Content-Type": "application/vnd.queue+json"}),
    ("/v1/halls/hall/tickets", ISSUE, {"Content-Type": "text/plain"}),
    ("/v1/halls/hall/tickets", ISSUE, {}),
    ("/v1/halls/hall/tickets", b'{"service": "tax", "service": "land"}', JSON),
    ("/v1/halls/hall/tickets", b'{"service": "\\ud800"}', JSON),
    ("/v1/halls/hall/tickets", b'{"service": "tax", "items": NaN}', JSON),
    ("/v1/halls/hall/tickets", b'{"service": "tax", "items": 1.0}', JSON),
    ("/v1/halls/hall/tickets", b"null", JSON),
    ("/v1/halls/hall/tickets", b"", JSON),
    ("/v1/halls/hall/tickets/", ISSUE, JSON),
    ("/v1/halls//tickets", ISSUE, JSON),
    ("/v2/halls/hall/tickets", ISSUE, JSON),
    (f"/v1/halls/{'h' * 101}/tickets", ISSUE, JSON),
    ("/v1/halls/hall/tickets?channel=desk", ISSUE, JSON),
    ("/v1/halls/hall/tickets", ISSUE, {**JSON, "Idempotency-Key": "k" * 255}),
    ("/v1/halls/hall/tickets", ISSUE, {**JSON, "Idempotency-Key": "k" * 256}),
    ("/v1/halls/hall/tickets", ISSUE, {**JSON, "Idempotency-Key": ""}),
    ("/v1/halls/hall/tickets", ISSUE, {**JSON, "Idempotency-Key": "two words"}),
    ("/v1/halls/hall/counters/1/help", b"", {}),
    ("/v1/halls/hall/counters/1/help", b"null", JSON),
    ("/v1/halls/hall/counters/1/help", b"{}", JSON),
    ("/v1/halls/hall/counters/1/help", b"{}", {}),
    ("/v1/halls/hall/counters/1/help", b" ", JSON),
    ("/v1/halls/hall/counters/1%2F2/help", b"", {}),
    ("/v1/halls/nowhere/tickets", ISSUE, JSON),
    (f"/v1/tickets/{TICKET}/start", b"", {}),
    (f"/v1/tickets/{TICKET}/park", b"", {}),
    ("/v1/tickets/nonsense/finish", b"[]", JSON),
]
"""Requests at the borders of what is plain: path, body, headers."""


class Ways:
    """A running service, asked by the short way or by FastAPI's."""

    def __init__(self, direct: Direct, fastapi: FastAPI) -> None:
        """Both reach the same service."""
        self.direct = direct
        self.fastapi = fastapi

    async def ask(self, short: bool, method: str, path: str, content: bytes | None, headers: Any) -> httpx.Response:
        """The answer of one of them."""

        async def known(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["actor"] = ACTOR_OPEN
            await (self.direct if short else self.fastapi)(scope, receive, send)

        transport = httpx.ASGITransport(known)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", trust_env=False) as client:
            return await client.request(method, path, content=content, headers=headers)

    async def both(self, path: str, content: bytes | None, headers: Any, method: str = "POST") -> list[Any]:
        """What each way answers: status, media type, and a problem's document or some members of a ticket."""
        answers = [await self.ask(short, method, path, content, headers) for short in (True, False)]
        told: list[Any] = []
        for answer in answers:
            document = answer.json() if answer.content else None
            told.append((answer.status_code, answer.headers.get("content-type"), lasting(document)))
        return told


def lasting(document: Any) -> Any:
    """A document without what differs from one ticket or moment to the next."""
    if not isinstance(document, dict) or "type" in document:
        return document
    return {name: value for name, value in document.items() if name in ("hall", "service", "items", "state", "counter")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ways(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ways]:
    """A hall `hall` whose counter 1 is open, reached both ways inside this process."""
    folder: Path = tmp_path_factory.mktemp("ways")
    service = Service(Settings(database_url=database_url(folder)))
    direct = api_app.build(service).direct
    made = Ways(direct, direct.app)
    async with service.running():
        await made.ask(True, "PUT", "/v1/halls/hall", httpx.Request("PUT", "/", json=plan()).content, JSON)
        await made.ask(True, "POST", "/v1/halls/hall/counters/1/open", b'{"clerk": "li"}', JSON)
        yield made


@pytest.mark.parametrize(("path", "content", "headers"), CASES)
async def test_both_ways_answer_alike(ways: Ways, path: str, content: bytes, headers: dict[str, str]) -> None:
    """Plain or not, a command gets the same status, media type and document on either way."""
    short, long = await ways.both(path, content, headers)
    assert short == long


@pytest.mark.parametrize("name", [name for name in ALL if name not in STATES])
async def test_both_ways_refuse_alike(ways: Ways, name: str) -> None:
    """Every request that is bad whatever the state gets the same problem on either way."""
    bad = ALL[name]
    content = None if bad.content is None else bad.content.replace(b"{hall}", b"hall")
    headers = {**(JSON if content is not None else {}), **bad.headers}
    short, long = await ways.both(bad.path.replace("{hall}", "hall"), content, headers, bad.method)
    assert short == long


async def test_every_command_has_a_short_way(ways: Ways) -> None:
    """No command is slow because its function takes something unusual."""
    documented = {path for path, item in ways.fastapi.openapi()["paths"].items() if "post" in item}
    assert {way.route.path for way in ways.direct._ways.values()} == documented - {
        "/v1/node/confirm-clock",
        "/v1/halls/{hall}/plan-check",
        *SELDOM,
    }


async def test_a_fault_of_ours_is_told_and_passed_on(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody expects is 500 with a problem document, and reaches the server, which logs it."""
    way = next(way for way in ways.direct._ways.values() if way.route.path.endswith("/call-next"))
    sent: list[Any] = []

    async def fail(*_: Any) -> Any:
        raise RuntimeError("unexpected")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    monkeypatch.setitem(ways.direct._ways, (7, "halls", "counters", "call-next"), way._replace(endpoint=fail))
    scope = {"type": "http", "method": "POST", "path": "/v1/halls/hall/counters/1/call-next", "headers": []}
    with pytest.raises(RuntimeError, match="unexpected"):
        await ways.direct(scope, receive, send)
    assert sent[0]["status"] == 500
    assert b"/problems/internal" in sent[1]["body"]
