"""Errors as RFC 9457 problem documents: the one table from our errors to HTTP. A test asserts it is complete."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.faults import message_of, place_of
from queue_service import errors

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "1"

TABLE: dict[type[errors.QueueServiceError], tuple[int, str]] = {
    errors.UnknownHall: (404, "unknown-hall"),
    errors.UnknownTicket: (404, "unknown-ticket"),
    errors.UnknownCounter: (404, "unknown-counter"),
    errors.UnknownAlert: (404, "unknown-alert"),
    errors.UnknownAdvice: (404, "unknown-advice"),
    errors.UnknownService: (422, "unknown-service"),
    errors.UnknownPriority: (422, "unknown-priority"),
    errors.UnknownReason: (422, "unknown-reason"),
    errors.BadValue: (422, "bad-value"),
    errors.PlanFaulty: (422, "plan-faulty"),
    errors.KeyReused: (422, "key-reused"),
    errors.WrongState: (409, "wrong-state"),
    errors.WrongCounterState: (409, "wrong-counter-state"),
    errors.CounterHoldsTicket: (409, "counter-holds-ticket"),
    errors.ClerkElsewhere: (409, "clerk-elsewhere"),
    errors.TooEarly: (409, "too-early"),
    errors.BoundReached: (409, "bound-reached"),
    errors.NothingToUndo: (409, "nothing-to-undo"),
    errors.TurnedAway: (409, "turned-away"),
    errors.Suspended: (409, "suspended"),
    errors.AlertStands: (409, "alert-stands"),
    errors.AdviceStands: (409, "advice-stands"),
    errors.AdviceAnswered: (409, "advice-answered"),
    errors.AdviceExpired: (409, "advice-expired"),
    errors.PlanInUse: (409, "plan-in-use"),
    errors.NoOtherHistory: (409, "no-other-history"),
    errors.ReadOnly: (403, "read-only"),
    errors.StaleVersion: (412, "stale-version"),
    errors.Unavailable: (503, "unavailable"),
    errors.Unreadable: (503, "unreadable"),
    errors.OutcomeUnknown: (503, "outcome-unknown"),
    errors.Overloaded: (503, "overloaded"),
    errors.ClockUnconfirmed: (503, "clock-unconfirmed"),
    errors.LogCorrupt: (503, "log-corrupt"),
    errors.UnknownEventKind: (503, "unknown-event-kind"),
    errors.SchemaOutdated: (503, "schema-outdated"),
    errors.BadInput: (422, "bad-input"),
}
"""Our errors: status and the last part of the problem's stable `type`."""


def problem(status: int, name: str, title: str, detail: str, facts: Mapping[str, Any] | None = None) -> Response:
    """A problem document."""
    body = {"type": f"/problems/{name}", "title": title, "status": status, "detail": detail, **(facts or {})}
    headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else None
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def problem_of(error: errors.QueueServiceError) -> Response:
    """The problem document of one of our errors."""
    status, name = TABLE[type(error)]
    return problem(status, name, type(error).__doc__ or name, str(error), error.facts)


def faulty(found: list[Any], what: str = "The request") -> Response:
    """422 naming each fault and its place; `found` as pydantic lists errors."""
    faults = [_fault(one) for one in found[:50]]
    listed = "; ".join(f"{fault['place']}: {fault['message']}" for fault in faults[:5])
    return problem(422, "invalid-request", f"{what} does not fit.", listed, {"faults": faults})


_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length")


def _fault(one: Any) -> dict[str, Any]:
    """One of pydantic's errors: where, what, its name for other languages, and the bound that was not kept."""
    bounds = [one.get("ctx", {})[name] for name in _BOUNDS if name in one.get("ctx", {})]
    code = one["type"].replace("_", "-")
    return {
        "place": place_of(tuple(one["loc"])),
        "message": message_of(one),
        "code": code,
        **({"bound": bounds[0]} if bounds else {}),
    }


def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.QueueServiceError), "registered for these only"
    return problem_of(error)


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for these only"
    if isinstance(error.body, bytes):  # nobody read it as JSON, so its faults would be those of a piece of text
        return problem(422, "not-called-json", _NOT_CALLED_JSON, "Send it with Content-Type: application/json.")
    found = list(error.errors())
    for one in found:
        if one["type"] == "json_invalid":
            return problem(400, *_HTTP[400], f"{one['ctx']['error']} at character {one['loc'][-1]}.")
    return faulty(found)


_NOT_CALLED_JSON = "The request does not say that its body is JSON."
_HTTP = {
    400: ("not-json", "The body is not JSON."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take this method."),
    413: ("too-large", "The body is too large."),
}
"""Errors of the framework: the last part of the type, and the title."""


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for these only"
    detail = str(error.detail)
    name, title = _HTTP.get(error.status_code, (f"http-{error.status_code}", detail))
    if error.status_code in (404, 405):
        detail = f"{request.method} {request.url.path} is not in the contract; see /docs."
    response = problem(error.status_code, name, title, detail)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = _methods_here(request) or response.headers["Allow"]
    return response


def _methods_here(request: Request) -> str:
    """Every method of the address: Starlette names only those of the first route that has it."""
    template = getattr(request.scope.get("route"), "path", "")
    operations = request.app.openapi()["paths"].get(template, {})
    return ", ".join(sorted(method.upper() for method in operations))


def on_bug(request: Request, error: BaseException) -> Response:
    """500. Whoever asks for this lets the error pass on, and it is logged."""
    return problem(500, "internal", "Something is wrong in the service.", "The fault was logged; nothing was stored.")


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(errors.QueueServiceError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, on_bug)
