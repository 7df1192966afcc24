"""A hall's own order rule, simulated from how it stands now: with its skills, classes, breaks and who is still to come.

`standing_of` takes a picture of the hall on the event loop; `simulated` runs it many times, elsewhere.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.vocabulary import OrderRule
from queue_service.domain.hall import Hall, LaneKey
from queue_service.domain.heads import Terms
from queue_service.domain.plan import Plan
from queue_service.planning.live.curve import Answer, Points
from queue_service.planning.simulation.drawing import Durations, Exponential, Held, draw
from queue_service.planning.simulation.live import held_of, idle_since_of, shifts_of, waiting_of
from queue_service.planning.simulation.running import Simulator
from queue_service.planning.simulation.scene import Scene, Shift, Visitor
from queue_service.planning.staffing.learning import DEFAULT_SERVICE_MS, NEEDED_DAYS, Learned, flows, ratio

HORIZON_MS = 2 * 3_600_000
VISITORS = 40_000
"""Over all runs: about half a second of a processor's time."""
RUNS = (10, 60)


@dataclass(frozen=True)
class Standing:
    """A hall at an instant. `came`: how many numbers were given today."""

    now_ms: int
    day: str
    came: int
    order: OrderRule
    max_overtake_ms: int
    lane_terms: Mapping[LaneKey, Terms]
    default_priority: str
    shifts: tuple[Shift, ...]
    suspended: frozenset[str]
    waiting: tuple[Visitor, ...]
    held: tuple[Held, ...]
    idle_since_ms: Mapping[str, int]


def standing_of(hall: Hall, now_ms: int) -> Standing:
    """The hall as it stands; counters that are paused, or about to, stay away."""
    plan = hall.rules
    return Standing(
        now_ms=now_ms,
        day=hall.day.date,
        came=sum(hall.number_counts.values()),
        order=plan.order,
        max_overtake_ms=plan.max_overtake_ms,
        lane_terms=plan.lane_terms,
        default_priority=plan.default_priority,
        shifts=shifts_of(hall, now_ms, now_ms + HORIZON_MS),
        suspended=frozenset(name for name in plan.services if hall.is_suspended(name)),
        waiting=tuple(waiting_of(hall)),
        held=tuple(held_of(hall, now_ms)),
        idle_since_ms=idle_since_of(hall),
    )


def simulated(standing: Standing, demand: Learned, plan: Plan) -> tuple[Answer, float] | None:
    """What the runs say by service and number ahead, and the seconds of processor time they took; None where too few
    days were recorded to draw from. `plan`: that of the days `demand` was learned from."""
    if demand.days < NEEDED_DAYS:
        return None
    begun_s = time.process_time()
    waiting = [one for one in standing.waiting if (one.service, one.priority) in standing.lane_terms]
    services = sorted({one for shift in standing.shifts for one in shift.services} - standing.suspended)
    waits_s = _waits_s(standing, demand, plan, waiting, services)
    p50, p90 = (np.quantile(waits_s, share, axis=0, method="inverted_cdf") for share in (0.5, 0.9))
    asked = [*(one.service for one in waiting), *services]
    answer: Answer = {}
    for service in services:
        places = sorted((place for place, one in enumerate(asked) if one == service), key=lambda one: (p50[one], one))
        called = [place for place in places if np.isfinite(p50[place])]
        if called:
            upper = np.minimum(np.maximum.accumulate(p90[called]), HORIZON_MS / 1000)
            answer[service] = Points(tuple(p50[called].tolist()), tuple(upper.tolist()))
    return answer, time.process_time() - begun_s


def _waits_s(
    standing: Standing, demand: Learned, plan: Plan, waiting: Sequence[Visitor], services: Sequence[str]
) -> npt.NDArray[np.float64]:
    """How much longer each waits in each run (rows), and behind them one who would join each service now: such a one
    takes no time at the counter, so that nobody else is kept by it. Infinite: not called before the end."""
    now_ms, end_ms = standing.now_ms, standing.now_ms + HORIZON_MS
    busy = ratio(demand, plan.calendar, standing.day, standing.came, now_ms)
    coming = [
        flow
        for flow in flows(demand, plan, standing.day, now_ms, end_ms, busy)
        if (flow.service, flow.priority) in standing.lane_terms
    ]
    expected = sum(one.per_hour * (one.to_ms - one.from_ms) / 3_600_000 for flow in coming for one in flow.stretches)
    runs = min(max(round(VISITORS / (1 + len(waiting) + expected)), RUNS[0]), RUNS[1])
    joining = [Visitor(service, standing.default_priority, now_ms, now_ms, now_ms, 0) for service in services]
    simulator = Simulator(_scene(standing, end_ms))
    times = _times(standing, demand)
    waits_s = np.full((runs, len(waiting) + len(joining)), np.inf)
    for run in range(runs):
        drawn = draw(coming, lambda _: None, now_ms // 1000, run, waiting, standing.held, times, now_ms)
        visitors = [*drawn.visitors[: len(waiting)], *joining, *drawn.visitors[len(waiting) :]]
        course = simulator.run(visitors, drawn.busy_until_ms, standing.idle_since_ms)
        for place, called_at_ms in enumerate(course.called_at_ms[: waits_s.shape[1]]):
            if called_at_ms is not None:
                waits_s[run, place] = (called_at_ms - now_ms) / 1000
    return waits_s


def _scene(standing: Standing, end_ms: int) -> Scene:
    return Scene(
        standing.order, standing.max_overtake_ms, standing.lane_terms, standing.shifts, standing.now_ms, end_ms,
        standing.suspended,
    )  # fmt: skip


def _times(standing: Standing, demand: Learned) -> dict[str, Durations]:
    """Service times of every service that is there; a new one takes what a new hall's would."""
    here = {service for service, _ in standing.lane_terms} | {one.service for one in standing.held}
    default = Exponential(DEFAULT_SERVICE_MS)
    return {service: demand.durations.get(service, default) for service in here}
