"""What may be known about a ticket at the moment it is issued, and the words in which an estimate is given."""

from collections.abc import Mapping
from typing import NamedTuple

from models.vocabulary import EstimateBasis

LEAST_SPREAD_S = 60.0
"""So that a point of nothing has a bound, too."""


class Known(NamedTuple):
    """All that a predictor may look at. A tuple: one is made per issue, and a frozen dataclass costs more.

    Durations are seconds. None: nothing of the kind has happened yet (or, for `counters` and `reported`, nobody said).
    """

    service: str
    at_ms: int
    weekday: int
    of_day_s: float
    ahead: int
    """Tickets of the service that wait, this one not among them."""
    counters: int | None
    """Counters open and able to serve it."""
    reported: int | None
    """Length of the line by another source, such as a board that is read now and then."""
    head_age_s: float
    """How long the oldest of those ahead has waited; 0 where nobody is."""
    last_wait_s: float | None
    since_call_s: float | None
    recent_wait_s: float | None
    """Mean wait of the last ten called."""
    recent_waits: int
    interval_s: float | None
    """Time from call to call while somebody waited, recent ones weighing more."""
    service_s: float | None
    """The same, times the counters open: about the time one counter takes for one ticket."""
    pace_3_s: float | None
    pace_10_s: float | None
    """Time since the third-last and the tenth-last call, per call; of today."""
    issued_today: int
    called_today: int
    issued_30_min: int
    called_30_min: int
    since_issue_s: float | None
    hall_ahead: int
    hall_called_30_min: int
    hall_recent_wait_s: float | None
    """Mean wait of the last thirty called in the hall."""


class Estimate(NamedTuple):
    """Figures. `bound_s`: nine of ten wait no longer. `chance`: that the wait passes the promise, where asked for."""

    p50_s: float
    bound_s: float
    basis: EstimateBasis
    chance: float | None


class Figures(NamedTuple):
    """What a dear predictor says of a ticket: median, raw nine-in-ten quantile, chance of passing the promise."""

    p50_s: float
    p90_s: float
    chance: float | None = None

    @property
    def spread_s(self) -> float:
        """How far waits are expected to lie apart."""
        return max(self.p90_s - self.p50_s, LEAST_SPREAD_S)


Given = Mapping[EstimateBasis, Figures]
"""By what dear predictors there are."""
