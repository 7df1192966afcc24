"""Halls: the plan, the board, suspensions, paper tickets, lists, the log."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from api import answers
from api.asking import COMMANDING, READING, STALE, HallPath, Key, ask, json_response, service_of
from api.ids import new_ticket_id
from models import answers as shapes
from models import requests as bodies
from models.fields import Day
from models.plan import PlanDocument
from models.vocabulary import Channel, TicketState
from models.wire import rfc3339
from queue_service import journal
from queue_service.domain import commands as c
from queue_service.domain.calendar import to_ms
from queue_service.domain.hall import Ticket
from queue_service.errors import BadValue, StaleVersion
from queue_service.log_file import event_document

ROUTER = APIRouter(tags=["halls"])

Limit = Annotated[int, Query(ge=1, le=1_000)]
Text = Annotated[str | None, Query(max_length=100)]


@ROUTER.get("/v1/halls", response_model=shapes.HallList, responses=READING)
async def list_halls(request: Request) -> Response:
    """All halls."""
    found = await service_of(request).feed.read(journal.all_positions)
    items = [{"id": name, "name": one.name, "day": one.day, "seq": one.seq} for name, one in found.items()]
    return json_response(orjson.dumps({"items": items}))


@ROUTER.get("/v1/halls/{hall}", response_model=PlanDocument, responses=READING)
async def read_plan(request: Request, hall: HallPath) -> Response:
    """The hall's plan, with its version as ETag."""
    view = await service_of(request).current_view(hall)
    return json_response(orjson.dumps(view.hall.rules.document), answers.plan_headers(view.hall))


@ROUTER.put(
    "/v1/halls/{hall}",
    response_model=PlanDocument,
    responses={**COMMANDING, **STALE, 201: {"model": PlanDocument, "description": "The hall is new"}},
)
async def put_plan(
    request: Request,
    hall: HallPath,
    body: PlanDocument,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
    if_none_match: Annotated[str | None, Header(max_length=40)] = None,
    key: Key = None,
) -> Response:
    """Put the plan. `If-Match: "VERSION"` refuses to overwrite a change not seen; `If-None-Match: *` only makes new."""
    if body.id != hall:
        raise BadValue(f"The document's id is {body.id!r}, the path says {hall!r}.", place="/id")
    command = c.PutPlan(body.model_dump(mode="json"), version_of(if_match, if_none_match))
    return await ask(request, hall, command, answers.planned, key)


def version_of(if_match: str | None, if_none_match: str | None = None) -> int | None:
    """The plan's version that a caller knows; None: any. Raises StaleVersion for what was never one."""
    if if_none_match == "*":
        return 0
    if if_match is None or if_match == "*":
        return None
    version = if_match.strip('"')
    if not (version.isascii() and version.isdigit()):
        raise StaleVersion(f"{if_match} is not a version of this plan.")
    return int(version)


@ROUTER.get("/v1/halls/{hall}/board", response_model=shapes.BoardAnswer, responses=READING)
async def read_board(request: Request, hall: HallPath) -> Response:
    """What a display shows; the stream continues it from `seq` and `head`."""
    service = service_of(request)
    view = await service.current_view(hall)
    document = {
        "seq": view.hall.seq,
        "head": view.hall.head,
        "as_of": rfc3339(service.as_of_ms(hall)),
        "board": view.board(),
        "estimates": service.live.estimates(view.hall),
    }
    return json_response(orjson.dumps(document))


@ROUTER.post("/v1/halls/{hall}/suspend", response_model=shapes.SuspensionAnswer, responses=COMMANDING)
async def suspend(request: Request, hall: HallPath, body: bodies.SuspendBody, key: Key = None) -> Response:
    """Stop calls for the hall or a service; shown on boards. Waits go on and are reported apart."""
    command = c.Suspend(body.reason, body.service, body.turn_away)
    return await ask(request, hall, command, answers.about_suspensions, key)


@ROUTER.post("/v1/halls/{hall}/resume", response_model=shapes.SuspensionAnswer, responses=COMMANDING)
async def resume(request: Request, hall: HallPath, body: bodies.ResumeBody | None = None, key: Key = None) -> Response:
    """End a suspension."""
    return await ask(request, hall, c.Resume(body.service if body else None), answers.about_suspensions, key)


@ROUTER.post("/v1/halls/{hall}/backfill", status_code=201, response_model=shapes.BackfillAnswer, responses=COMMANDING)
async def backfill(request: Request, hall: HallPath, body: bodies.BackfillBody, key: Key = None) -> Response:
    """Enter the paper tickets of an outage, with claimed times; flagged and counted apart."""
    now_ms = service_of(request).clock.now_ms()
    tickets = [
        c.PaperTicket(
            ticket=new_ticket_id(hall, now_ms),
            service=paper.service,
            number=paper.number,
            priority=paper.priority,
            ref=paper.ref,
            counter=paper.counter,
            arrived_at_ms=to_ms(paper.arrived_at),
            called_at_ms=_to_ms(paper.called_at),
            started_at_ms=_to_ms(paper.started_at),
            finished_at_ms=_to_ms(paper.finished_at),
        )
        for paper in body.tickets
    ]
    return await ask(request, hall, c.Backfill(tickets, body.reason), answers.backfilled, key, Channel.PAPER)


def _to_ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


@ROUTER.get("/v1/halls/{hall}/tickets", response_model=shapes.TicketList, responses=READING)
async def list_tickets(
    request: Request,
    hall: HallPath,
    state: TicketState | None = None,
    service: Text = None,
    day: Annotated[Day | None, Query(description="a business day, such as 2026-11-24")] = None,
    number: Text = None,
    ref: Text = None,
    after: Text = None,
    limit: Limit = 100,
) -> Response:
    """Tickets of a day (today, unless `day` or `ref` says otherwise), by their ids: that is by time of issue, to the
    millisecond."""
    node = service_of(request)
    view = await node.current_view(hall)
    chosen = view.hall.day.date if day is None and ref is None else day
    given = {"state": state, "service": service, "day": chosen, "number": number, "ref": ref}
    filters = {name: str(value) for name, value in given.items() if value is not None}

    def read(connection: Any) -> list[tuple[str, Ticket]]:
        return journal.tickets_from(connection, journal.ticket_rows(connection, hall, filters, after or "", limit))

    found = await node.feed.read(read)
    now_ms = node.clock.now_ms()
    items = [_listed(view.hall.tickets.get(one.id) or one, view, now_ms, node.live.estimate) for _, one in found]
    following = found[-1][1].id if len(found) == limit else None
    return json_response(orjson.dumps({"items": items, "next": following}))


def _listed(ticket: Ticket, view: Any, now_ms: int, estimating: answers.Estimating) -> dict[str, Any]:
    if ticket.id in view.hall.tickets:
        return answers.live_ticket(view.hall, ticket, now_ms, estimating)
    return answers.ticket_document(ticket, view.hall.id, None, ticket.waited_so_far_ms(), ticket.last_seq)


@ROUTER.get("/v1/halls/{hall}/events", response_model=shapes.EventList, responses=READING)
async def read_events(
    request: Request, hall: HallPath, after: Annotated[int, Query(ge=0, le=2**62)] = 0, limit: Limit = 200
) -> Response:
    """The hall's log after a seq, with all that its hashes are made of."""
    node = service_of(request)
    view = await node.current_view(hall)
    rows = await node.feed.read(lambda connection: journal.event_rows(connection, hall, after, limit))
    items = [event_document(row) for row in rows]
    return json_response(orjson.dumps({"items": items, "last_seq": max(view.hall.seq, rows[-1].seq if rows else 0)}))
