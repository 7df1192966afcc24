"""What may be said of the waits for one service for the next seconds: an immutable value that any thread may read.

It is made now and then on the event loop from all that the predictors know; what it says of one ticket then costs two
multiplications. So the writer, who answers with estimates, waits for nobody.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

from models.vocabulary import EstimateBasis, NoEstimate, TicketState
from models.wire import rfc3339
from queue_service.domain.hall import Hall, Ticket
from queue_service.planning.live.curve import Curve
from queue_service.planning.predictors.gamma import unit_quantile
from queue_service.planning.predictors.known import LEAST_SPREAD_S

FINE_STEP_S, COARSE_STEP_S = 60, 300
"""Visitors are told minutes up to ten, then five minutes."""
SOON_S = 1800.0


class Outlook(NamedTuple):
    """`because`: why nothing can be said, or None. `point_s`: the median of a whole wait, where that does not depend on
    how many are ahead. `scale_s`: seconds from one call to the next while somebody waits. `curve`: what a dear
    predictor says, where that one serves. `stretch`: by how many spreads the bound lies above the median; `scores`: by
    how many each of the latest waits did, rising."""

    as_of_ms: int
    because: NoEstimate | None
    basis: EstimateBasis | None = None
    point_s: float | None = None
    scale_s: float | None = None
    stretch: float = 0.0
    scores: tuple[float, ...] = ()
    curve: Curve | None = None


class Said(NamedTuple):
    """Seconds from now: half wait no longer than `p50_s`, nine in ten no longer than `p90_s`. `spread_s`: how far the
    waits of this kind lie apart."""

    p50_s: float
    p90_s: float
    spread_s: float


Outlooks = Mapping[str, Outlook]
"""By service."""

NONE_YET = Outlook(0, NoEstimate.TOO_LITTLE_HISTORY)


def said(outlook: Outlook, ahead: int, waited_s: float) -> Said | None:
    """How much longer somebody waits with so many ahead who has waited so long."""
    if outlook.because is not None:
        return None
    if outlook.point_s is not None:
        whole_s = outlook.point_s
        p50_s = max(0.0, whole_s - waited_s)
        spread_s = whole_s + LEAST_SPREAD_S
        return Said(p50_s, max(p50_s, whole_s + outlook.stretch * spread_s - waited_s), spread_s)
    if outlook.curve is not None:
        figures = outlook.curve.at(ahead)
        p50_s, spread_s = figures.p50_s, figures.spread_s
    elif outlook.scale_s is not None:
        p50_s = unit_quantile(ahead, 0.5) * outlook.scale_s if ahead else 0.0
        spread_s = p50_s + LEAST_SPREAD_S
    else:
        return None
    return Said(p50_s, max(p50_s, p50_s + outlook.stretch * spread_s), spread_s)


def chance_of_missing(outlook: Outlook, ahead: int, waited_s: float, left_s: float) -> float | None:
    """P(the wait goes on for more than `left_s`), given that it has lasted `waited_s`: by how far the latest waits lay
    above what was said of them. None where nothing can be said."""
    if left_s < 0:
        return 1.0
    figures = said(outlook, ahead, waited_s)
    if figures is None:
        return None
    spread_s = figures.spread_s
    if outlook.point_s is None:  # what was waited so far shows in how many are still ahead
        return _over(outlook.scores, figures.p50_s, spread_s, left_s)
    over = _over(outlook.scores, outlook.point_s, spread_s, waited_s + left_s)
    return min(1.0, over / _over(outlook.scores, outlook.point_s, spread_s, waited_s))


def _over(scores: tuple[float, ...], point_s: float, spread_s: float, wait_s: float) -> float:
    """The share of waits longer than that where the median is `point_s`; never quite 0 or 1."""
    score = (wait_s - point_s) / spread_s
    return (len(scores) - bisect_right(scores, score) + 0.5) / (len(scores) + 1)


def estimate_document(hall: Hall, service: str, outlook: Outlook, ahead: int, waited_s: float, now_ms: int) -> Any:
    """As `models.answers.EstimateAnswer` describes it."""
    because = _standing_still(hall, service, now_ms) or outlook.because
    figures = None if because is not None else said(outlook, ahead, waited_s)
    if figures is None:
        as_of_ms = outlook.as_of_ms or now_ms
        return {"because": because or NoEstimate.TOO_LITTLE_HISTORY, "as_of": rfc3339(as_of_ms)}
    step_s = FINE_STEP_S if figures.p90_s <= 600 else COARSE_STEP_S
    return {
        "p50_s": round(figures.p50_s),
        "p90_s": round(figures.p90_s),
        "from_s": math.floor(figures.p50_s / step_s) * step_s,
        "to_s": max(step_s, math.ceil(figures.p90_s / step_s) * step_s),
        "basis": outlook.basis,
        "as_of": rfc3339(outlook.as_of_ms),
    }


def same_estimate(one: Any, other: Any) -> bool:
    """Whether two documents say the same, whenever they were made."""
    return bool(one and other) and {**one, "as_of": ""} == {**other, "as_of": ""}


def _standing_still(hall: Hall, service: str, now_ms: int) -> NoEstimate | None:
    """What the hall itself says at once, without waiting for the next outlook."""
    if hall.is_suspended(service):
        return NoEstimate.SUSPENDED
    return None if hall.day.is_open(now_ms) else NoEstimate.HALL_CLOSED


def ticket_estimate(hall: Hall, ticket: Ticket, outlooks: Outlooks, ahead: int | None, now_ms: int) -> Any:
    """The estimate of a ticket; None unless it waits."""
    if ticket.state != TicketState.WAITING or ahead is None:
        return None
    outlook = outlooks.get(ticket.leg.service, NONE_YET)
    waited_s = hall.waited_ms(ticket.leg, now_ms) / 1000
    return estimate_document(hall, ticket.leg.service, outlook, ahead, waited_s, now_ms)
