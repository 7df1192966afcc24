"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): what its own checks cannot know about this service."""

from typing import Any

import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response

MEANING = {"/time_zone"}
"""Places whose values a schema cannot describe: only the zones that exist are zones."""


@schemathesis.check
def well_formed_is_understood(ctx: CheckContext, response: Response, case: schemathesis.Case[Any]) -> bool | None:
    """What the document allows is never refused as ill-formed; it may be refused for what it means."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return None
    problem = response.json()
    if problem["type"] not in ("/problems/invalid-request", "/problems/not-json"):
        return None
    places = {fault["place"] for fault in problem.get("faults", [])}
    assert places
    assert places <= MEANING, f"well-formed, yet refused: {problem['detail']}"
    return None
