"""What visitors' phones may ask without a token: a hall's menu and a ticket, where the hall's plan lets them."""

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import answers
from api.asking import (
    COMMANDING,
    READING,
    HallPath,
    Key,
    TicketPath,
    ask,
    json_response,
    service_of,
)
from api.edge import ACTOR_VISITOR, refused
from api.ids import hall_of, new_ticket_id
from models import requests as bodies
from models.answers import TicketAnswer
from models.menu import MenuAnswer
from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.errors import UnknownHall
from queue_service.view import View

ROUTER = APIRouter(tags=["visitors"])


@ROUTER.get("/v1/halls/{hall}/menu", response_model=MenuAnswer, responses=READING)
async def read_menu(request: Request, hall: HallPath) -> Response:
    """What can be had in the hall, in names, and how long it takes. Without a token: where the plan's `phone.tickets`
    says so."""
    view = await _allowed(request, hall)
    return refused() if view is None else _menu(request, view)


@ROUTER.post("/v1/halls/{hall}/phone-tickets", status_code=201, response_model=TicketAnswer, responses=COMMANDING)
async def take_by_phone(request: Request, hall: HallPath, body: bodies.PhoneTicketBody, key: Key = None) -> Response:
    """Take a number by phone. Without a token: where the plan's `phone.tickets` says so."""
    if await _allowed(request, hall) is None:
        return refused()
    service = service_of(request)
    ticket = new_ticket_id(hall, service.clock.now_ms())
    command = c.IssueTicket(ticket, body.service, channel=Channel.PHONE, language=body.language)
    return await ask(
        request, hall, command, partial(answers.issued, estimating=service.live.estimate), key, Channel.PHONE
    )


@ROUTER.get("/v1/tickets/{ticket}/menu", response_model=MenuAnswer, responses=READING)
async def read_menu_of_ticket(request: Request, ticket: TicketPath) -> Response:
    """The menu of a ticket's hall, for whoever holds the ticket."""
    service = service_of(request)
    await service.ticket(ticket)
    view = await service.current_view(hall_of(ticket))
    found = view.hall.tickets.get(ticket)
    left = max(0, view.hall.rules.postpone_times - found.postpones) if found else 0
    return _menu(request, view, left)


async def _allowed(request: Request, hall: str) -> View | None:
    """The hall's view; None for a visitor without a token whom its plan does not let in. Such a one does not learn
    either which halls there are."""
    is_visitor = request.scope["state"]["actor"] == ACTOR_VISITOR
    try:
        view = await service_of(request).current_view(hall)
    except UnknownHall:
        if is_visitor:
            return None
        raise
    return None if is_visitor and not _phone(view)["tickets"] else view


def _phone(view: View) -> dict[str, Any]:
    """The plan's part for phones; plans of before there was one let nobody in."""
    phone: dict[str, Any] = view.hall.rules.document.get("phone", {"tickets": False, "come_now_ahead": 3})
    return phone


def _menu(request: Request, view: View, postpones_left: int | None = None) -> Response:
    hall, document, phone = view.hall, view.hall.rules.document, _phone(view)
    estimates = service_of(request).live.estimates(hall)
    services = [
        {
            **{name: part.get(name, {}) for name in ("id", "name", "names", "bring", "zone")},
            "waiting": hall.waiting_count(part["id"]),
            "suspended": hall.is_suspended(part["id"]),
            "turned_away": hall.turns_away(part["id"]),
            "estimate": estimates[part["id"]],
        }
        for part in document["services"]
    ]
    found = {
        **{name: document[name] for name in ("id", "name", "time_zone", "languages", "zones", "counters")},
        "names": document.get("names", {}),
        "phone_tickets": phone["tickets"],
        "come_now_ahead": phone["come_now_ahead"],
        "postpone_max_s": document["postpone"]["max_s"],
        "postpones_left": postpones_left,
        "services": services,
    }
    return json_response(orjson.dumps(found))
