"""What a learned model looks at: numbers made of a `Known` alone, so that it sees no more than the others do.

Neither the hall nor the service is among them: what is learned of all of them holds for one that is new. Pure Python.
"""

import math

from queue_service.planning.predictors.known import Known
from queue_service.planning.predictors.points import queue_length

_ABSENT = math.nan


def features(known: Known) -> tuple[float, ...]:
    """One row: durations in seconds, counts; what is not known is not a number."""
    ahead, pace_3, pace_10 = known.ahead, _of(known.pace_3_s), _of(known.pace_10_s)
    return (
        known.weekday,
        known.of_day_s,
        ahead,
        _of(known.counters),
        _of(known.reported),
        known.head_age_s,
        _of(known.last_wait_s),
        _of(known.since_call_s),
        _of(known.recent_wait_s),
        _of(known.interval_s),
        _of(known.service_s),
        pace_3,
        pace_10,
        known.issued_today,
        known.called_today,
        known.issued_30_min,
        known.called_30_min,
        _of(known.since_issue_s),
        known.hall_ahead,
        known.hall_called_30_min,
        _of(known.hall_recent_wait_s),
        _of(queue_length(known)),
        ahead * _of(known.interval_s),
        (ahead + 1) * pace_3,
        (ahead + 1) * pace_10,
    )


def _of(value: float | None) -> float:
    return _ABSENT if value is None else float(value)
