"""The AsyncAPI document is one: complete, with every reference leading somewhere, and true to the routes.

That every frame which is really sent fits it is checked wherever a test reads one (`tests.stream.sockets`).
"""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from api import stream
from api.asyncapi import document
from queue_service.domain.events import KINDS
from queue_service.view import TRY_AGAIN
from tests.stream.lobby import Lobby
from tests.stream.sockets import schema_of


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(child)


def resolve(pointer: str) -> Any:
    """What a reference within the document leads to."""
    found: Any = document()
    for step in pointer.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


async def test_the_node_serves_it(lobby: Lobby) -> None:
    """GET /asyncapi.json is the document."""
    assert await lobby.client.get("/asyncapi.json") == document()


def test_it_has_what_asyncapi_3_asks_for() -> None:
    """Version, title; channels with an address, its parameters and messages; operations with an action."""
    described = document()
    assert described["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= described["info"].keys()
    for channel in described["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
        assert channel["messages"]
    for operation in described["operations"].values():
        assert operation["action"] == "send"
        messages = resolve(operation["channel"]["$ref"])["messages"]
        assert [reference["$ref"].rpartition("/")[2] for reference in operation["messages"]] == list(messages)


def test_every_reference_leads_somewhere() -> None:
    """Nothing is left hanging, and nothing in `components` is left unused."""
    references = {part["$ref"] for part in parts(document()) if "$ref" in part}
    for reference in references:
        assert resolve(reference)
    for kind, components in document()["components"].items():
        assert {f"#/components/{kind}/{name}" for name in components} <= references


def test_its_payloads_are_json_schemas() -> None:
    """Each is valid against the draft that AsyncAPI builds on, and refuses what it does not name."""
    for message in document()["components"]["messages"].values():
        jsonschema_rs.meta.validate({**message["payload"], "$schema": "http://json-schema.org/draft-07/schema#"})
        assert message["payload"]["additionalProperties"] is False


def test_its_channels_are_the_routes() -> None:
    """One channel for each websocket route, at its path."""
    paths = {getattr(route, "path", "") for route in stream.ROUTER.routes}
    assert {channel["address"] for channel in document()["channels"].values()} == paths


def test_it_names_every_kind_of_event() -> None:
    """Whoever writes a display can see what there is to show."""
    assert document()["components"]["messages"]["event"]["payload"]["properties"]["kind"]["examples"] == sorted(KINDS)


def test_it_names_every_close_code() -> None:
    """All codes that the stream closes with are told."""
    about = document()["info"]["description"]
    codes = (TRY_AGAIN, stream.BAD_REQUEST, stream.NOT_FOUND, 1012, 1003, 1007, 1011, 4401)
    assert [code for code in codes if str(code) not in about] == []


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "heartbeat", "seq": 1},
        {"type": "heartbeat", "seq": -1, "as_of": "2026-03-02T00:00:00.000Z"},
        {"type": "heartbeat", "seq": 1, "as_of": "yesterday"},
        {"type": "heartbeat", "seq": 1, "as_of": "2026-03-02T00:00:00.000Z", "clerk": "li"},
        {"type": "event", "seq": 1, "head": "", "at": "2026-03-02T00:00:00.000Z", "kind": "ticket_issued"},
        {"type": "snapshot", "seq": 1, "head": "", "board": {}},
    ],
    ids=["no as_of", "negative seq", "no time", "a name", "neither patch nor board", "an empty board"],
)
def test_it_refuses_frames_that_are_wrong(frame: dict[str, Any]) -> None:
    """The check that every frame of these tests goes through can fail."""
    assert not schema_of("hall").is_valid(frame)
