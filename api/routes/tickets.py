"""Tickets: giving them, and every command of their life."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import answers
from api.asking import COMMANDING, READING, HallPath, Key, TicketPath, ask, ask_ticket, json_response, service_of
from api.ids import new_ticket_id
from models import requests as bodies
from models.answers import LegList, TicketAnswer
from queue_service.domain import commands as c
from queue_service.submission import Answering

ROUTER = APIRouter(tags=["tickets"])


@ROUTER.post("/v1/halls/{hall}/tickets", status_code=201, response_model=TicketAnswer, responses=COMMANDING)
async def issue_ticket(request: Request, hall: HallPath, body: bodies.IssueBody, key: Key = None) -> Response:
    """Take a number. 409 `turned-away` says why there is none now."""
    service = service_of(request)
    command = c.IssueTicket(
        new_ticket_id(hall, service.clock.now_ms()),
        body.service,
        body.priority,
        body.channel,
        body.language,
        body.items,
        body.with_,
        body.ref,
    )
    answering = partial(answers.issued, estimating=service.live.estimate)
    return await ask(request, hall, command, answering, key, body.channel)


@ROUTER.get("/v1/tickets/{ticket}", response_model=TicketAnswer, responses=READING)
async def read_ticket(request: Request, ticket: TicketPath) -> Response:
    """A ticket, open or closed. Holding its id is the visitor's right to follow it."""
    return json_response(await service_of(request).ticket(ticket))


@ROUTER.get("/v1/tickets/{ticket}/legs", response_model=LegList, responses=READING)
async def read_legs_of_ticket(request: Request, ticket: TicketPath) -> Response:
    """What became of a visit so far: every wait and every service, for staff."""
    return json_response(await service_of(request).legs(ticket))


def _answering(request: Request) -> Answering:
    return partial(answers.about_ticket, estimating=service_of(request).live.estimate)


Build = Callable[[str, Any], c.TicketCommand]


def _ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


def _transfer(ticket: str, body: bodies.TransferBody) -> c.Transfer:
    return c.Transfer(ticket, body.service, body.for_counter, body.for_clerk, _ms(body.reserve_s))


BARE: dict[str, tuple[type[c.TicketCommand], str]] = {
    "recall": (c.Recall, "Repeat the call."),
    "start": (c.Start, "The visitor came; service begins."),
    "finish": (c.Finish, "The service is done."),
    "no-show": (c.NoShow, "Nobody came, after the plan's recalls and seconds."),
    "rejoin": (
        c.Rejoin,
        "A no-show came after all, within the plan's grace: back in line with the wait it had before.",
    ),
    "check-in": (c.CheckIn, "A remote visitor arrived; waiting begins now."),
    "cancel": (c.Cancel, "Give the ticket up."),
}
"""Commands without a body."""

FILLED: dict[str, tuple[type[bodies.Body], Build, str]] = {
    "park": (
        bodies.ParkBody,
        lambda t, b: c.Park(t, b.reason),
        "Interrupt the service for an errand of the visitor's.",
    ),
    "transfer": (
        bodies.TransferBody,
        _transfer,
        "Into another line, with the number, the arrival and the wait it has.",
    ),
    "change": (
        bodies.ChangeBody,
        lambda t, b: c.Change(t, b.reason, b.service, b.priority),
        "Put a wrong service or priority class right; arrival kept.",
    ),
    "hand-over": (
        bodies.HandOverBody,
        lambda t, b: c.HandOver(t, b.to_counter),
        "Move the ticket being served to an idle counter; its service clock runs on.",
    ),
    "postpone": (
        bodies.PostponeBody,
        lambda t, b: c.Postpone(t, b.by_s * 1000),
        "Let others go first for a while, within the plan's bound.",
    ),
}
"""Commands with a body."""

OPTIONAL: dict[str, tuple[type[bodies.Body], Build, str]] = {
    "requeue": (
        bodies.RequeueBody,
        lambda t, b: c.Requeue(t, b.reason),
        "Put a held ticket back in line with the wait it had; frees the counter.",
    ),
    "return": (
        bodies.ReturnBody,
        lambda t, b: c.Return(t, b.counter),
        "Back from parking: into the line, or straight to the counter that parked it.",
    ),
}
"""Commands whose body may be left out."""


def _add(verb: str, about: str, handle: Callable[..., Any], body: Any) -> None:
    handle.__annotations__["body"] = body
    handle.__doc__ = about
    name = verb.replace("-", "_") + "_ticket"
    path = "/v1/tickets/{ticket}/" + verb
    ROUTER.add_api_route(
        path, handle, methods=["POST"], name=name, operation_id=name, response_model=TicketAnswer, responses=COMMANDING
    )


def _bare(verb: str, kind: type[c.TicketCommand], about: str) -> None:
    async def handle(request: Request, ticket: TicketPath, body: Any = None, key: Key = None) -> Response:
        return await ask_ticket(request, kind(ticket), _answering(request), key)

    _add(verb, about, handle, bodies.Nothing | None)


def _filled(verb: str, model: type[bodies.Body], build: Build, about: str) -> None:
    async def handle(request: Request, ticket: TicketPath, body: Any, key: Key = None) -> Response:
        return await ask_ticket(request, build(ticket, body), _answering(request), key)

    _add(verb, about, handle, model)


def _optional(verb: str, model: type[bodies.Body], build: Build, about: str) -> None:
    async def handle(request: Request, ticket: TicketPath, body: Any = None, key: Key = None) -> Response:
        return await ask_ticket(request, build(ticket, body or model()), _answering(request), key)

    _add(verb, about, handle, model | None)


for _verb, (_kind, _about) in BARE.items():
    _bare(_verb, _kind, _about)
for _verb, (_model, _build, _about) in FILLED.items():
    _filled(_verb, _model, _build, _about)
for _verb, (_model, _build, _about) in OPTIONAL.items():
    _optional(_verb, _model, _build, _about)
