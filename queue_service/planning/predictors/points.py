"""The online predictors: each a function of what is known, which gives the median wait in seconds, or None where it
cannot.

Sources: last to enter service and head of line, Ibrahim and Whitt, M&SOM 11(3), 2009; queue length, Whitt,
Management Science 45(6), 1999.
"""

from typing import Protocol

from models.vocabulary import EstimateBasis
from queue_service.planning.predictors.gamma import chance_over, unit_quantile
from queue_service.planning.predictors.known import Known


class Predictor(Protocol):
    """The median wait in seconds of who joins the line now; None: not enough is known."""

    def __call__(self, known: Known, /) -> float | None:
        """Ask it."""


def moving_average(known: Known) -> float | None:
    """The mean wait of the last ten called."""
    return known.recent_wait_s


def last_to_enter(known: Known) -> float | None:
    """The wait of the last called."""
    return known.last_wait_s


def head_of_line(known: Known) -> float | None:
    """How long the oldest has waited; nobody there: no wait."""
    return known.head_age_s if known.last_wait_s is not None else None


def scale_s(known: Known) -> float | None:
    """Seconds from one call to the next while somebody waits: m / c where both are known."""
    if known.counters and known.service_s is not None:
        return known.service_s / known.counters
    return known.interval_s


def queue_length(known: Known) -> float | None:
    """The median of the gamma wait behind those ahead; nobody ahead: a counter is taken to be free."""
    scale = scale_s(known)
    if scale is None:
        return None
    return unit_quantile(known.ahead, 0.5) * scale if known.ahead else 0.0


def queue_length_chance(known: Known, promise_s: float) -> float | None:
    """P(wait > promise) by the gamma wait."""
    scale = scale_s(known)
    return None if scale is None else chance_over(known.ahead, scale, promise_s)


def points_of(known: Known) -> dict[EstimateBasis, float]:
    """What each predictor says; those that can say nothing are left out."""
    return {basis: point for basis, predict in PREDICTORS.items() if (point := predict(known)) is not None}


PREDICTORS: dict[EstimateBasis, Predictor] = {
    EstimateBasis.MOVING_AVERAGE: moving_average,
    EstimateBasis.LAST_TO_ENTER: last_to_enter,
    EstimateBasis.HEAD_OF_LINE: head_of_line,
    EstimateBasis.QUEUE_LENGTH: queue_length,
}
