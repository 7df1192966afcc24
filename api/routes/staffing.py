"""Staffing advice: how many counters, for what, by when."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asking import READING, HallPath, json_response, service_of
from models.staffing import StaffingAnswer

ROUTER = APIRouter(prefix="/v1/halls/{hall}", tags=["planning"])


@ROUTER.get("/staffing", response_model=StaffingAnswer, responses=READING)
async def read_staffing(
    request: Request,
    hall: HallPath,
    fresh: Annotated[bool, Query(description="work it out anew, though the last is not five minutes old")] = False,
) -> Response:
    """How many counters keep the promise over the next three hours, and what to do where those at work do not.

    Worked out every five minutes beside the service; the first answer may take some seconds."""
    service = service_of(request)
    view = await service.current_view(hall)
    found = await service.advisor.advice(view.hall, service.clock.now_ms(), *([0] if fresh else []))
    return json_response(orjson.dumps(found))
