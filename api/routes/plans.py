"""Looking before a plan is put."""

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from api.asking import COMMANDING, STALE, HallPath, json_response, service_of
from api.routes.halls import version_of
from models.plan import PlanDocument
from models.plan_check import PlanCheckAnswer
from queue_service.domain import commands as c
from queue_service.domain.hall import Hall
from queue_service.domain.plan_changes import plan_changes
from queue_service.domain.rules import decide
from queue_service.errors import BadValue, UnknownHall

ROUTER = APIRouter(tags=["halls"])


@ROUTER.post("/v1/halls/{hall}/plan-check", response_model=PlanCheckAnswer, responses={**COMMANDING, **STALE})
async def check_plan(
    request: Request, hall: HallPath, body: PlanDocument, if_match: Annotated[str | None, Header(max_length=40)] = None
) -> Response:
    """What `PUT /v1/halls/{hall}` would say to this plan, and what it would change. Nothing is stored."""
    if body.id != hall:
        raise BadValue(f"The document's id is {body.id!r}, the path says {hall!r}.", place="/id")
    service = service_of(request)
    try:
        known = (await service.current_view(hall)).hall
    except UnknownHall:
        known = Hall(hall)
    document = body.model_dump(mode="json")
    # A rule changes nothing by itself, and refuses before its first event.
    next(decide(known, c.PutPlan(document, version_of(if_match)), service.clock.now_ms()), None)
    before = {} if known.plan is None else known.plan.document
    found = {
        "hall": hall,
        "version": known.plan_version,
        "document": document,
        "changes": [asdict(one) for one in plan_changes(before, document)],
    }
    return json_response(orjson.dumps(found))
