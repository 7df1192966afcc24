"""Constructed situations whose answer theory knows."""

from typing import Any

from models.vocabulary import OrderRule
from queue_service.planning.simulation.drawing import Exponential, Flow, Stretch
from queue_service.planning.simulation.scene import Shift
from queue_service.planning.staffing.situation import Promises, Reserve, Situation

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
ALWAYS_TEN_MINUTES = Promises(((0, 10 * HOUR_MS),), 600_000, 0.90, 600_000, 0.90)


def seat(number: int) -> str:
    """A counter's name."""
    return f"{number:02}"


def situation(
    per_hour: dict[str, float], minutes: float, working: dict[str, int], reserve: int = 0, **more: Any
) -> Situation:
    """Arrivals an hour by service, `minutes` of service; `working` counters by service; a reserve for everything.

    Twenty seats more than work, able to serve everything, stand empty."""
    services = tuple(per_hour)
    until_ms = int(more.pop("hours", 3) * HOUR_MS)
    shifts: list[Shift] = []
    for service, count in working.items():
        for _ in range(count):
            shifts.append(Shift(seat(len(shifts)), 0, until_ms + HOUR_MS, (service,)))
    service_times = {name: Exponential(minutes * MINUTE_MS) for name in services}
    return Situation(
        **{
            "now_ms": 0,
            "until_ms": until_ms,
            "order": OrderRule.LARGEST_SHARE,
            "max_overtake_ms": HOUR_MS,
            "lane_terms": {(name, "p"): (600_000, 0, 0) for name in services},
            "promises": ALWAYS_TEN_MINUTES,
            "shifts": tuple(shifts),
            "seats": {seat(number): services for number in range(len(shifts) + 20)},
            "taken": frozenset(),
            "reserves": (Reserve(frozenset(services), reserve, 0, 10 * HOUR_MS),) if reserve else (),
            "flows": tuple(
                Flow(name, "p", (Stretch(0, until_ms + HOUR_MS, rate),), service_times[name])
                for name, rate in per_hour.items()
            ),
            "durations": service_times,
            "seed": 5,
            **more,
        }
    )
