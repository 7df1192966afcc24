"""Staffing advice: how many counters, for what, by when."""

from collections.abc import Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.asking import COMMANDING, READING, HallPath, Key, ask, json_response, service_of
from metrics.advised import given_document
from models import requests as bodies
from models.staffing import GivenAdvice, StaffingAnswer
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.submission import Answer

AdvicePath = Annotated[str, Path(max_length=100)]
ROUTER = APIRouter(prefix="/v1/halls/{hall}", tags=["planning"])


@ROUTER.get("/staffing", response_model=StaffingAnswer, responses=READING)
async def read_staffing(
    request: Request,
    hall: HallPath,
    fresh: Annotated[bool, Query(description="work it out anew, though the last is not five minutes old")] = False,
) -> Response:
    """How many counters keep the promise over the next three hours, and what to do where those at work do not.

    Worked out every five minutes beside the service; the first answer may take some seconds. What is advised is given:
    it stands in the hall's log, can be answered, and `given` says what became of it."""
    service = service_of(request)
    view = await service.current_view(hall)
    return json_response(orjson.dumps(await service.advising.staffing(view, 0 if fresh else None)))


@ROUTER.post("/staffing/{advice}/answer", response_model=GivenAdvice, responses=COMMANDING)
async def answer_advice(
    request: Request, hall: HallPath, advice: AdvicePath, body: bodies.AdviceAnswerBody, key: Key = None
) -> Response:
    """Accept or decline advice (its `id`), once, until it expires. Nothing is opened, moved or closed by it: the staff
    does that; what came of it is told beside what was foreseen."""
    command = c.AnswerAdvice(advice, body.answer, body.by, body.reason)

    def answer(hall: Hall, events: Sequence[Logged], now_ms: int) -> Answer:
        return Answer(200, orjson.dumps(given_document(hall.advice[advice], None)))

    return await ask(request, hall, command, answer, key)
