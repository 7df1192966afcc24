"""The plan of a hall that is known only from recorded history: one all-day promise, one counter for each service."""

from typing import Any

from models.plan import PlanDocument
from queue_service.history import RecordedHall

PROMISE_S = 600
PERCENTILE = 90
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}


def plan_of(hall: RecordedHall) -> dict[str, Any]:
    """A complete plan document: the services of the file, each with a counter of the same id; ten minutes, always.

    Number prefixes are dealt out in the order in which the file names the services; calls out of order, which recorded
    days may have any number of, are not bounded.
    """
    promise = {"promise_s": PROMISE_S, "percentile": PERCENTILE}
    document = {
        "id": hall.id,
        "name": hall.name,
        "time_zone": hall.zone.key,
        "max_overtake_s": 86_400,
        "promise": {"peak": promise, "off_peak": promise},
        "calendar": {"peaks": [_ALL_DAY]},
        "services": [
            {"id": service, "name": name, "prefix": _prefix(place)}
            for place, (service, name) in enumerate(hall.services.items())
        ],
        "counters": [{"id": service, "name": service, "services": [service]} for service in hall.services],
        "chosen_calls_per_day": 100_000,
    }
    return PlanDocument.model_validate(document).model_dump(mode="json")


def _prefix(place: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    before, letter = divmod(place, len(_LETTERS))
    return (_LETTERS[before - 1] if before else "") + _LETTERS[letter]
