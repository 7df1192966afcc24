"""How far the wait estimates of a hall were off, as a section of its report: by service, and by what made them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from metrics.verdict import Count
from models.vocabulary import EstimateBasis
from queue_service.estimate_errors import OwnError, errors_of


class EstimateError(BaseModel):
    """How far the estimates of a service that were served at the issue were from what came."""

    model_config = ConfigDict(extra="forbid")

    service: str
    basis: Annotated[EstimateBasis | None, Field(description="what made them; null: all of the service")]
    counted: Count
    mae_s: Annotated[float, Field(ge=0, description="mean distance of the median from the wait")]
    bias_s: Annotated[float, Field(description="mean of estimate less wait; above 0: too long was said")]
    coverage: Annotated[float, Field(ge=0, le=1, description="waits within the 90 % bound")]


def estimate_errors(connection: Connection, hall: str, from_day: str, to_day: str) -> list[EstimateError] | None:
    """Each service's, and each predictor's of it; None where nothing was measured on these days."""
    errors = errors_of(connection, hall, from_day, to_day)
    found = []
    for service in sorted({service for service, _ in errors}):
        its = {basis: error for (name, basis), error in errors.items() if name == service}
        total = OwnError()
        for error in its.values():
            total.merge(error)
        found += [_figures(service, basis, error) for basis, error in ((None, total), *its.items())]
    return found or None


def _figures(service: str, basis: EstimateBasis | None, error: OwnError) -> EstimateError:
    return EstimateError(
        service=service,
        basis=basis,
        counted=error.scored,
        mae_s=round(error.mae_s, 3),
        bias_s=round(error.bias_s, 3),
        coverage=error.coverage,
    )
