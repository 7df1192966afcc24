"""The streams described as an AsyncAPI 3 document."""

from typing import Any

_SEQ = {"type": "integer", "minimum": 0, "description": "place in the hall's log"}
_HEAD = {"type": "string", "description": "hash of the log at seq"}
_TIME = {"type": "string", "format": "date-time"}
_OBJECT = {"type": "object"}


def _message(kind: str, summary: str, members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    properties = {"type": {"const": kind}, **members}
    payload = {"type": "object", "properties": properties, "required": ["type", *required]}
    return {"name": kind, "summary": summary, "contentType": "application/json", "payload": payload}


def _parameter(description: str) -> dict[str, str]:
    return {"description": description}


def messages() -> dict[str, Any]:
    """Every frame there is, by name, as JSON schemas."""
    board = {**_OBJECT, "description": "the whole board, as GET /v1/halls/{hall}/board shows it"}
    patch = {**_OBJECT, "description": "a JSON merge patch (RFC 7396) of the board"}
    event = {"seq": _SEQ, "head": _HEAD, "at": _TIME, "kind": {"type": "string"}, "patch": patch, "board": board}
    ticket = {"seq": _SEQ, "head": _HEAD, "ticket": {**_OBJECT, "description": "as GET /v1/tickets/{ticket} shows it"}}
    return {
        "snapshot": _message(
            "snapshot", "The board as of seq.", {"seq": _SEQ, "head": _HEAD, "board": board}, ["seq", "head", "board"]
        ),
        "event": _message(
            "event",
            "One event: gapless in seq. Apply `patch`, or take `board` in its place.",
            event,
            ["seq", "head", "at", "kind"],
        ),
        "heartbeat": _message(
            "heartbeat",
            "Every 15 s; as_of is this node's last confirmed reading of the log. Older than 15 s: do not trust it.",
            {"seq": _SEQ, "as_of": _TIME},
            ["seq", "as_of"],
        ),
        "ticketSnapshot": _message("snapshot", "The ticket as of seq.", ticket, ["seq", "head", "ticket"]),
        "ticket": _message("ticket", "The ticket has changed.", ticket, ["seq", "head", "ticket"]),
    }


def _channel(
    address: str, description: str, names: list[str], parameters: dict[str, Any], query: Any
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "parameters": parameters,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": query}} if query else {"ws": {"method": "GET"}},
    }


def _follow(channel: str, names: list[str]) -> dict[str, Any]:
    references = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "messages": references}


def document() -> dict[str, Any]:
    """The document."""
    hall_messages, ticket_messages = ["snapshot", "event", "heartbeat"], ["ticketSnapshot", "ticket", "heartbeat"]
    resume = {
        "type": "object",
        "properties": {
            "after": {"type": "integer", "description": "the last seq seen"},
            "head": {"type": "string", "description": "the hash that came with it"},
            "access_token": {"type": "string", "description": "with QUEUE_AUTH=token, where no header can be set"},
        },
    }
    hall, ticket = {"hall": _parameter("the hall's id")}, {"ticket": _parameter("the ticket's id")}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Queue service streams",
            "version": "1",
            "description": (
                "Boards and tickets as they change. Close codes: 1012 restart (come back with after and head), "
                "1013 this node cannot vouch for its data (try another), 4400 after is no integer, 4401 a token is "
                "needed, 4404 no such hall or ticket."
            ),
        },
        "channels": {
            "hall": _channel("/v1/halls/{hall}/stream", "A hall's board, for displays.", hall_messages, hall, resume),
            "ticket": _channel(
                "/v1/tickets/{ticket}/stream", "One ticket, for its visitor.", ticket_messages, ticket, None
            ),
        },
        "operations": {
            "followHall": _follow("hall", hall_messages),
            "followTicket": _follow("ticket", ticket_messages),
        },
        "components": {"messages": messages()},
    }
