"""How the promise stands now, and the hall's alerts."""

from collections.abc import Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.asking import COMMANDING, READING, HallPath, Key, ask, json_response, service_of
from metrics.live.promise import alert_document
from models import requests as bodies
from models.live import AlertAnswer, PromiseAnswer
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.submission import Answer

ROUTER = APIRouter(prefix="/v1/halls/{hall}", tags=["promise"])

AlertPath = Annotated[str, Path(max_length=100)]


@ROUTER.get("/promise", response_model=PromiseAnswer, responses=READING)
async def read_promise(request: Request, hall: HallPath) -> Response:
    """How the promise stands: today's figures, who waits and with what chance of missing it, how fast its budget of
    misses burns, who could be called and is not, and what the hall warns of."""
    service = service_of(request)
    return json_response(await service.live.promise(await service.current_view(hall)))


@ROUTER.post("/alerts/{alert}/acknowledge", response_model=AlertAnswer, responses=COMMANDING)
async def acknowledge_alert(
    request: Request, hall: HallPath, alert: AlertPath, body: bodies.AcknowledgeBody | None = None, key: Key = None
) -> Response:
    """Say that an alert was seen. Who was first stays; once more, or after it was cleared, changes nothing."""
    command = c.AcknowledgeAlert(alert, body.by if body else None)

    def answer(hall: Hall, events: Sequence[Logged], now_ms: int) -> Answer:
        return Answer(200, orjson.dumps(alert_document(hall.alerts[alert])))

    return await ask(request, hall, command, answer, key)
