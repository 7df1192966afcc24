"""The FastAPI application around a service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import problems, stream
from api.asking import Application
from api.direct import Direct
from api.edge import Edge
from api.pages import clips, description, serving
from api.routes import counters, following, halls, menu, node, plans, promise, reports, staffing, tickets
from api.service import Service
from models.answers import Problem

ABOUT = """Tickets, counters, boards and the wait promise of service halls.

Times are RFC 3339 UTC, durations seconds with suffix `_s`. Errors are problem documents (RFC 9457) with a stable
`type`. Every POST takes an `Idempotency-Key`. The streams are described in `/asyncapi.json`."""


def build(service: Service) -> Edge:
    """The application, edge included; `lifespan` opens and closes the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            service.background(stream.keep_in_touch(service))
            yield

    app = Application(
        title="Queue service",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.service = service
    problems.install(app)
    modules = (
        tickets,
        menu,
        counters,
        halls,
        plans,
        promise,
        reports,
        staffing,
        node,
        following,
        stream,
        serving,
        clips,
        description,
    )
    routers = [module.ROUTER for module in modules]
    for router in routers:
        app.include_router(router)
    _document_problems(app)
    direct = Direct(app, [route for router in routers for route in router.routes])
    return Edge(direct, service.settings, service.metrics.count_http, lambda: service.stopping)


def _document_problems(app: FastAPI) -> None:
    """Name the problem document's schema, which the routes refer to, in the OpenAPI document."""
    original = app.openapi

    def openapi() -> dict[str, object]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]
