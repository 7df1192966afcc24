"""The streams described as an AsyncAPI 3 document. Its schemas are exact: a test validates every frame against them."""

from collections.abc import Iterable
from typing import Any

from models.answers import EstimateAnswer, TicketAnswer
from models.vocabulary import CounterState, TicketState
from queue_service.board import RECENT_CALLS
from queue_service.domain.events import KINDS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_SEQ: Schema = {**_COUNT, "description": "the place in the hall's log"}
_HEAD: Schema = {**_TEXT, "description": "the hash of the log up to seq"}


def _object(properties: Schema, required: Iterable[str] = (), description: str = "") -> Schema:
    """Exactly these members."""
    about = {"description": description} if description else {}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **about,
    }


def _by_id(entry: Schema) -> Schema:
    return {"type": "object", "additionalProperties": entry}


def _or_gone(properties: Schema) -> Schema:
    """The same members in a merge patch: each may be missing (as it was) or null (gone)."""
    return _object({name: {"anyOf": [schema, {"type": "null"}]} for name, schema in properties.items()})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_SERVICE: Schema = {"name": _TEXT, "zone": _TEXT, "waiting": _COUNT}
_COUNTER: Schema = {
    "name": _TEXT,
    "zone": _TEXT,
    "state": {"enum": [state.value for state in CounterState]},
    "since": _TIME,
    "number": {**_TEXT, "description": "of the ticket it has called or serves"},
    "recalls": {**_COUNT, "description": "how often the call was repeated, while called"},
    "pause_reason": _TEXT,
}
_SUSPENSION: Schema = {
    "service": _TEXT,
    "reason": _TEXT,
    "since": _TIME,
    "turn_away": {"type": "boolean", "description": "no tickets are given either"},
}
_CALL: Schema = {"number": _TEXT, "counter": _TEXT, "at": _TIME}
_LISTS: Schema = {
    "suspended": {
        "type": "array",
        "items": _object(_SUSPENSION, ["reason", "since", "turn_away"], "without `service`: the whole hall"),
    },
    "recent": {
        "type": "array",
        "maxItems": RECENT_CALLS,
        "items": _object(_CALL, _CALL.keys()),
        "description": "the last calls, newest first",
    },
}


def _schemas() -> dict[str, Schema]:
    zone = _object({"id": _TEXT, "name": _TEXT}, ["id", "name"])
    board = {
        "hall": _TEXT,
        "name": _TEXT,
        "day": {"type": "string", "format": "date"},
        "plan_version": _COUNT,
        "zones": {"type": "array", "items": zone},
        "services": _by_id(_object(_SERVICE, ["name", "waiting"])),
        "counters": _by_id(_object(_COUNTER, ["name", "state", "since"])),
        **_LISTS,
    }
    patch = {"services": _by_id(_or_gone(_SERVICE)), "counters": _by_id(_or_gone(_COUNTER)), **_LISTS}
    ticket = TicketAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    estimate = EstimateAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        **estimate.pop("$defs"),
        **ticket.pop("$defs"),
        "Estimate": estimate,
        "Ticket": {**ticket, "description": "as GET /v1/tickets/{ticket} shows it"},
        "Board": _object(board, board.keys(), "as GET /v1/halls/{hall}/board shows it"),
        "Patch": _object(patch, description="a JSON merge patch (RFC 7396) of the board"),
    }


def _message(kind: str, summary: str, members: Schema, optional: Schema | None = None) -> Schema:
    payload = _object({"type": {"const": kind}, **members, **(optional or {})}, ["type", *members])
    return {"name": kind, "summary": summary, "contentType": "application/json", "payload": payload}


def _messages() -> dict[str, Schema]:
    """Every frame there is."""
    place = {"seq": _SEQ, "head": _HEAD}
    kind = {**_TEXT, "examples": sorted(KINDS), "description": "more may be added: show what you know, patch always"}
    state = {"enum": [state.value for state in TicketState]}
    said = {
        **dict.fromkeys(("number", "service", "to_service", "counter", "to_counter"), _TEXT),
        **dict.fromkeys(("from_state", "state"), state),
        "day": {"type": "string", "format": "date"},
        "reason": {**_TEXT, "description": "why a hall, service or counter stands still, or gives no tickets"},
    }
    event = _message(
        "event",
        "One event: gapless in seq. Apply `patch`, or take `board` in its place.",
        {**place, "at": _TIME, "kind": kind},
        {**said, "patch": _ref("Patch"), "board": _ref("Board")},
    )
    event["payload"]["oneOf"] = [{"required": ["patch"]}, {"required": ["board"]}]
    beat = {"seq": _SEQ, "as_of": {**_TIME, "description": "up to when this node is known to have read the log"}}
    ticket = {**place, "ticket": _ref("Ticket")}
    coming = {"as_of": _TIME, "services": _by_id(_ref("Estimate"))}
    own = {"as_of": _TIME, "estimate": _ref("Estimate")}
    return {
        "snapshot": _message("snapshot", "The board as of seq: begin here.", {**place, "board": _ref("Board")}),
        "event": event,
        "heartbeat": _message("heartbeat", "Every 15 s. Two of them missing: do not trust what you show.", beat),
        "estimate": _message("estimate", "What to expect, by service, for whoever takes a number now.", coming),
        "ticketEstimate": _message("estimate", "What the visitor can expect from now on, where it has changed.", own),
        "ticketSnapshot": _message("snapshot", "The ticket as of seq.", ticket),
        "ticket": _message("ticket", "The ticket has changed: this is all of it.", ticket),
    }


def _channel(address: str, description: str, messages: list[str], parameter: str, query: Schema) -> Schema:
    return {
        "address": address,
        "description": description,
        "parameters": {parameter: {"description": f"the {parameter}'s id"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _follow(channel: str, messages: list[str]) -> Schema:
    references = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages]
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "messages": references}


_ABOUT = """Boards and tickets as they change. Frames are JSON texts; clients send nothing. docs/stream.md is the guide.

Close codes: 1012 the node stops (come back with after and head), 1013 this node cannot vouch for its data or has
none now (come back later, or to another), 1003, 1007, 1009 and 1002 what was sent is no text that is read here,
1011 no answer to a ping or a fault of the node (come back), 4400 after is no integer, 4401 a token is needed, 4404
there is no such hall or ticket."""


def document() -> Schema:
    """The document."""
    token = {"type": "string", "description": "with QUEUE_AUTH=token, where no Authorization header can be set"}
    resume = {
        "after": {"type": "integer", "description": "the seq that the client has; it is sent what came since"},
        "head": {"type": "string", "description": "the hash that came with it; without it there is a snapshot"},
        "access_token": token,
    }
    hall = ["snapshot", "event", "heartbeat", "estimate"]
    ticket = ["ticketSnapshot", "ticket", "heartbeat", "ticketEstimate"]
    halls, tickets = "/v1/halls/{hall}/stream", "/v1/tickets/{ticket}/stream"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Queue service streams", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "hall": _channel(
                halls, "A hall's board, for displays.", hall, "hall", {"type": "object", "properties": resume}
            ),
            "ticket": _channel(tickets, "One ticket, for whoever holds its id.", ticket, "ticket", {"type": "object"}),
        },
        "operations": {"followHall": _follow("hall", hall), "followTicket": _follow("ticket", ticket)},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }
