"""What a hall's own past days teach: who comes when, and how long a counter is taken. Reads tables, off the loop."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from models.vocabulary import LegOutcome
from queue_service.domain.calendar import Calendar, day_of
from queue_service.domain.plan import Plan
from queue_service.journal import LEG, TICKET
from queue_service.planning.simulation.drawing import Durations, Exponential, Flow, Resampled, Stretch

HALF_HOUR_MS = 1_800_000
WEEKS, DAYS_BACK = 8, 28
NEEDED_DAYS = 2
NEEDED_SERVICES = 20
DEFAULT_SERVICE_MS = 8 * 60_000
LONGEST_SERVICE_MS = 4 * 3_600_000
RATIO_BOUNDS, RATIO_FROM = (0.5, 2.0), 20.0


class ArrivalBasis(StrEnum):
    """Which days the arrivals were learned from."""

    SAME_WEEKDAY = "same_weekday"
    RECENT_DAYS = "recent_days"


class ServiceBasis(StrEnum):
    """Where a service's times come from."""

    OWN = "own"
    POOLED = "pooled"
    DEFAULT = "default"


@dataclass(frozen=True)
class Learned:
    """Arrivals a day by (service, half-hour of the day), shares of the priority classes, and service times.

    `days`: how many were learned from."""

    days: int
    arrival_basis: ArrivalBasis
    arrivals: Mapping[tuple[str, int], float]
    classes: Mapping[str, Mapping[str, float]]
    durations: Mapping[str, Durations]
    service_basis: Mapping[str, ServiceBasis]


def learn(connection: Connection, plan: Plan, day: str) -> Learned:
    """For a business day, from the days before it.

    The same weekday of the last weeks where there are two of them, else all of the last days on which the hall gave
    tickets. Half-hours count from the day's local midnight."""
    today = date.fromisoformat(day)
    weekdays = [(today - timedelta(weeks=back)).isoformat() for back in range(1, WEEKS + 1)]
    recent = [(today - timedelta(days=back)).isoformat() for back in range(1, DAYS_BACK + 1)]
    counted = _counts(connection, plan, sorted({*weekdays, *recent}))
    same, all_ = ([one for one in wanted if one in counted] for wanted in (weekdays, recent))
    basis = ArrivalBasis.SAME_WEEKDAY if len(same) >= NEEDED_DAYS else ArrivalBasis.RECENT_DAYS
    used = same if basis == ArrivalBasis.SAME_WEEKDAY else all_
    total: Counter[tuple[str, str, int]] = Counter()
    for one in used:
        total.update(counted[one])
    durations, service_basis = _durations(connection, plan, recent[-1], day)
    return Learned(len(used), basis, _per_day(total, len(used)), _classes(total), durations, service_basis)


def _counts(connection: Connection, plan: Plan, days: list[str]) -> dict[str, Counter[tuple[str, str, int]]]:
    """Tickets by day, and by service, class and half-hour."""
    columns = (TICKET.c.day, TICKET.c.service, TICKET.c.priority, TICKET.c.issued_at_ms)
    query = select(*columns).where(TICKET.c.hall == plan.id, TICKET.c.day.in_(days))
    found: dict[str, Counter[tuple[str, str, int]]] = defaultdict(Counter)
    for day, service, priority, issued_at_ms in connection.execute(query):
        if service in plan.services:
            half = half_hour(plan.calendar, day, issued_at_ms)
            found[day][service, priority if priority in plan.priorities else plan.default_priority, half] += 1
    return found


def half_hour(calendar: Calendar, day: str, at_ms: int) -> int:
    """Which half-hour of a business day an instant is in."""
    return (at_ms - day_of(calendar, day).start_ms) // HALF_HOUR_MS


def _per_day(total: Counter[tuple[str, str, int]], days: int) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = defaultdict(float)
    for (service, _, half), count in total.items():
        found[service, half] += count / days
    return dict(found)


def _classes(total: Counter[tuple[str, str, int]]) -> dict[str, dict[str, float]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (service, priority, _), count in total.items():
        found[service][priority] += count
    return {service: {name: one / counts.total() for name, one in counts.items()} for service, counts in found.items()}


def _durations(
    connection: Connection, plan: Plan, from_day: str, before: str
) -> tuple[dict[str, Durations], dict[str, ServiceBasis]]:
    """From call to finish; implied starts are left out, and history recorded without services."""
    columns = (LEG.c.service, LEG.c.called_at_ms, LEG.c.ended_at_ms)
    query = select(*columns).where(
        LEG.c.hall == plan.id,
        LEG.c.day >= from_day,
        LEG.c.day < before,
        LEG.c.outcome == LegOutcome.FINISHED.value,
        LEG.c.start_implied == 0,
        LEG.c.called_at_ms.is_not(None),
        LEG.c.started_at_ms.is_not(None),  # recorded history knows calls only
    )
    samples: dict[str, list[int]] = defaultdict(list)
    for service, called_at_ms, ended_at_ms in connection.execute(query):
        if 0 <= ended_at_ms - called_at_ms <= LONGEST_SERVICE_MS:
            samples[service].append(ended_at_ms - called_at_ms)
    pooled = [one for sample in samples.values() for one in sample]
    found = {name: _times(samples[name], pooled) for name in plan.services}
    return {name: one for name, (one, _) in found.items()}, {name: basis for name, (_, basis) in found.items()}


def _times(own: list[int], pooled: list[int]) -> tuple[Durations, ServiceBasis]:
    if len(own) >= NEEDED_SERVICES:
        return Resampled(own), ServiceBasis.OWN
    if len(pooled) >= NEEDED_SERVICES:
        return Resampled(pooled), ServiceBasis.POOLED
    return Exponential(DEFAULT_SERVICE_MS), ServiceBasis.DEFAULT


def ratio(learned: Learned, calendar: Calendar, day: str, came: int, now_ms: int) -> float:
    """How busy today is beside what was learned: tickets so far over those expected by now, within bounds.

    1 until so many were expected that the ratio says something."""
    half, into_ms = divmod(now_ms - day_of(calendar, day).start_ms, HALF_HOUR_MS)
    expected = sum(count for (_, at), count in learned.arrivals.items() if at < half)
    expected += sum(count for (_, at), count in learned.arrivals.items() if at == half) * into_ms / HALF_HOUR_MS
    if expected < RATIO_FROM:
        return 1.0
    return min(max(came / expected, RATIO_BOUNDS[0]), RATIO_BOUNDS[1])


def flows(learned: Learned, plan: Plan, day: str, from_ms: int, to_ms: int, ratio: float) -> tuple[Flow, ...]:
    """The arrivals of a span of a day, by service and class."""
    start_ms = day_of(plan.calendar, day).start_ms
    halves = range((from_ms - start_ms) // HALF_HOUR_MS, (to_ms - 1 - start_ms) // HALF_HOUR_MS + 1)
    found = []
    for service, classes in learned.classes.items():
        for priority, share in sorted(classes.items()):
            stretches = tuple(
                Stretch(
                    max(from_ms, start_ms + half * HALF_HOUR_MS),
                    min(to_ms, start_ms + (half + 1) * HALF_HOUR_MS),
                    learned.arrivals.get((service, half), 0.0) * share * ratio * 2,
                )
                for half in halves
            )
            found.append(Flow(service, priority, stretches, learned.durations[service]))
    return tuple(found)
