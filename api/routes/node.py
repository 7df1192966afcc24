"""The node itself: health, readiness, metrics, its clock, the stream's description."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.asking import READING, json_response, service_of
from api.asyncapi import document
from models.answers import Health

ROUTER = APIRouter(tags=["node"])

UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": Health, "description": "Not ready, and why"}}


@ROUTER.get("/healthz", response_model=Health, responses=READING)
async def healthz() -> Response:
    """The process answers."""
    return json_response(b'{"status":"ok","reasons":[]}')


@ROUTER.get("/readyz", response_model=Health, responses=UNREADY)
async def readyz(request: Request) -> Response:
    """Whether the node can be given work, and why not."""
    service = service_of(request)
    reasons = service.faults()
    document: dict[str, Any] = {"status": "unready" if reasons else "ready", "reasons": reasons}
    if service.following is not None:
        document["stale_halls"] = service.following.stale_halls()
    body = orjson.dumps(document)
    return Response(body, 503 if reasons else 200, media_type="application/json")


@ROUTER.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    body, media_type = service_of(request).metrics.exposition()
    return Response(body, media_type=media_type)


@ROUTER.post("/v1/node/confirm-clock", response_model=Health, responses={**READING, **UNREADY})
async def confirm_clock(request: Request) -> Response:
    """An operator says that this node's present time is right, after a jump made it unready."""
    service = service_of(request)
    service.engine.guard.confirm()
    return await readyz(request)


@ROUTER.get("/asyncapi.json")
async def asyncapi() -> Response:
    """The streams, as an AsyncAPI 3 document."""
    return json_response(orjson.dumps(document()))
