"""Every answer held against the shape its route declares, and which operations were asked with success."""

from typing import Any

import httpx
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.problems import MEDIA_TYPE
from api.routes import counters, following, halls, menu, node, plans, promise, reports, staffing, tickets
from models.answers import Problem

MODULES = (tickets, menu, counters, halls, plans, promise, reports, staffing, node, following)
ROUTES = [route for module in MODULES for route in module.ROUTER.routes if isinstance(route, APIRoute)]
AT_A_CENTRE = {("POST", "/v1/halls/{hall}/accept-history")}
"""Done elsewhere than where the other stories happen: `tests.centre`."""
OPERATIONS = {(method, route.path) for route in ROUTES for method in route.methods or ()}


class Shapes:
    """Checks answers as an httpx response hook; `asked` collects the operations that were answered with 2xx."""

    def __init__(self) -> None:
        """Nothing asked yet."""
        self.asked: set[tuple[str, str]] = set()

    async def __call__(self, response: httpx.Response) -> None:
        """Check one answer."""
        await response.aread()
        self.check(response)

    def check(self, response: httpx.Response) -> None:
        """Its status is documented, its media type fits, and its body has the members it should have."""
        route = _route_of(response.request)
        documented = {route.status_code or 200, *(int(status) for status in route.responses)}
        assert response.status_code in documented, f"{response.status_code} of {route.path} is not documented"
        if response.is_success:
            self.asked.add((response.request.method, route.path))
            _check_success(response, route)
        elif route.path != "/readyz":
            check_problem(response)


def _route_of(request: httpx.Request) -> APIRoute:
    for route in ROUTES:
        if request.method in (route.methods or ()) and route.path_regex.match(request.url.path):
            return route
    raise AssertionError(f"no route for {request.method} {request.url.path}")


def _check_success(response: httpx.Response, route: APIRoute) -> None:
    if response.status_code == 204:
        assert response.content == b""
        assert "content-type" not in response.headers
    elif route.response_model is not None:
        assert response.headers["content-type"] == "application/json"
        TypeAdapter(route.response_model).validate_json(response.content)


def check_problem(response: httpx.Response, kind: str | None = None) -> dict[str, Any]:
    """A problem document (RFC 9457) that says the same as the status line; its members."""
    assert response.headers["content-type"] == MEDIA_TYPE, response.text
    document: dict[str, Any] = response.json()
    Problem.model_validate(document)
    assert document["status"] == response.status_code
    assert document["type"].startswith("/problems/")
    assert all(document[member] for member in ("title", "detail")), document
    assert "Traceback" not in response.text
    assert ("retry-after" in response.headers) == (response.status_code == 503)
    if kind is not None:
        assert document["type"] == f"/problems/{kind}", document
    return document
