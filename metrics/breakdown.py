"""The rows of a report: the verdict by day, service, promise, zone, department, … and by crosses of them.

The tickets are counted by leaf (day, service, promise); a row takes some leaves together. What a service's zone,
department and group are, the hall's present plan says. Figures are made by `verdict`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from metrics.verdict import Figures, Group, Promise, figures
from models.vocabulary import Period
from queue_service.domain.plan import Plan
from queue_service.errors import BadValue

MOST_ROWS = 20_000
MOST_CROSSED = 3


class Scope(StrEnum):
    """What a row of the report is about. `service`: under one promise; `service_overall`: under all of its promises;
    `cross`: several dimensions at once, those of its places that are filled in."""

    TOTAL = "total"
    DAY = "day"
    PERIOD = "period"
    SERVICE = "service"
    ZONE = "zone"
    DEPARTMENT = "department"
    GROUP = "group"
    WEEK = "week"
    MONTH = "month"
    SERVICE_OVERALL = "service_overall"
    CROSS = "cross"


DIMENSIONS = (
    Scope.DAY, Scope.WEEK, Scope.MONTH, Scope.ZONE, Scope.SERVICE, Scope.DEPARTMENT, Scope.GROUP, Scope.PERIOD,
)  # fmt: skip
"""What a report can be broken down by, in the order in which a cross is sorted."""

Breakdown = tuple[Scope, ...]
"""One dimension, or several crossed."""


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scope: Scope
    day: str | None = Field(description="of rows about one day")
    service: str | None = Field(description="what the ticket's first wait was for, in rows about one service")


class Row(Figures, _Place):
    """The verdict of one part of the report: all, one day, one period's promise, one service under one promise, or
    what `by` asked for."""

    zone: str | None = Field(description="of rows about one zone; null there: services without one")
    department: str | None = Field(description="of rows about one department")
    group: str | None = Field(description="of rows about one group of services")
    week: str | None = Field(description="of rows about one ISO week, such as 2026-W10")
    month: str | None = Field(description="of rows about one month, such as 2026-03")


Leaf = tuple[str, str, Promise]
"""The smallest part: day, service, promise."""

Value = str | Promise | None
Part = tuple[Value, ...]

TOTAL: Breakdown = ()
ALWAYS: tuple[tuple[Scope, Breakdown], ...] = (
    (Scope.TOTAL, TOTAL),
    (Scope.DAY, (Scope.DAY,)),
    (Scope.PERIOD, (Scope.PERIOD,)),
    (Scope.SERVICE, (Scope.SERVICE, Scope.PERIOD)),
)
"""The rows of every report: the total, each day, each promise, each service under each promise."""


def parse_by(text: str | None) -> list[Breakdown]:
    """`zone,week,service.day` as breakdowns: a comma between them, a point between dimensions that are crossed.

    Raises BadValue that names the dimensions there are."""
    return [_breakdown(one.strip()) for one in (text or "").split(",") if one.strip()]


def _breakdown(text: str) -> Breakdown:
    names = [name.strip() for name in text.split(".")]
    known = [scope.value for scope in DIMENSIONS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadValue(
            f"There is no breakdown by {unknown[0]!r}; there are {', '.join(known)}, and crosses such as zone.day.",
            place="/query/by",
            known=known,
        )
    if len(set(names)) != len(names) or len(names) > MOST_CROSSED:
        raise BadValue(f"{text!r}: cross at most {MOST_CROSSED} different dimensions.", place="/query/by")
    return tuple(scope for scope in DIMENSIONS if scope.value in names)


def iso_week(day: str) -> str:
    """`2026-W10` for a date: the week's year may differ from the date's."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02d}"


class Labels:
    """Which value a leaf has in each dimension."""

    def __init__(self, plan: Plan) -> None:
        """The present plan labels the services, those of former plans have no label."""
        services = plan.services
        self._label: dict[Scope, dict[str, str | None]] = {
            Scope.ZONE: {name: service.zone for name, service in services.items()},
            Scope.DEPARTMENT: {name: service.department for name, service in services.items()},
            Scope.GROUP: {name: service.group for name, service in services.items()},
        }
        self._places = _places(plan)

    def part(self, breakdown: Breakdown, leaf: Leaf) -> Part:
        """The values of a leaf in the dimensions of a breakdown."""
        return tuple(self._value(scope, leaf) for scope in breakdown)

    def _value(self, scope: Scope, leaf: Leaf) -> Value:
        day, service, promise = leaf
        plain: dict[Scope, Callable[[], Value]] = {
            Scope.DAY: lambda: day,
            Scope.WEEK: lambda: iso_week(day),
            Scope.MONTH: lambda: day[:7],
            Scope.SERVICE: lambda: service,
            Scope.PERIOD: lambda: promise,
        }
        return plain[scope]() if scope in plain else self._label[scope].get(service)

    def order(self, breakdown: Breakdown, part: Part) -> tuple[Any, ...]:
        """Dates in order; services, zones, … as the plan lists them, others last; peak before off-peak."""
        return tuple(self._rank(scope, value) for scope, value in zip(breakdown, part, strict=True))

    def _rank(self, scope: Scope, value: Value) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return (value[0] != Period.PEAK, value[1], value[2])
        places = self._places.get(scope, {})
        return (places.get(value or "", len(places)), value or "")


def _places(plan: Plan) -> dict[Scope, dict[str, int]]:
    services = plan.services.values()
    listed = {
        Scope.SERVICE: [service.id for service in services],
        Scope.ZONE: [zone["id"] for zone in plan.document["zones"]],
        Scope.DEPARTMENT: [service.department for service in services if service.department],
        Scope.GROUP: [service.group for service in services if service.group],
    }
    return {scope: {name: place for place, name in enumerate(dict.fromkeys(names))} for scope, names in listed.items()}


def rows_of(plan: Plan, leaves: Mapping[Leaf, Group], by: Iterable[Breakdown] = ()) -> list[Row]:
    """Every row of a report: those that always are, then those of each breakdown of `by` that is not among them.

    Raises BadValue where a breakdown has more rows than anyone reads."""
    labels = Labels(plan)
    more = [one for one in dict.fromkeys(by) if one not in {breakdown for _, breakdown in ALWAYS}]
    wanted = [*ALWAYS, *((_scope(one), one) for one in more)]
    found: list[Row] = []
    for scope, breakdown in wanted:
        found += _rows(labels, scope, breakdown, leaves)
        if len(found) > MOST_ROWS:
            raise BadValue(f"More than {MOST_ROWS} rows: ask for fewer days, or cross less.", place="/query/by")
    return found


def _scope(breakdown: Breakdown) -> Scope:
    if len(breakdown) > 1:
        return Scope.CROSS
    return Scope.SERVICE_OVERALL if breakdown == (Scope.SERVICE,) else breakdown[0]


def _rows(labels: Labels, scope: Scope, breakdown: Breakdown, leaves: Mapping[Leaf, Group]) -> Iterator[Row]:
    """One row for each part; a total there always is."""
    parts: dict[Part, list[tuple[Promise, Group]]] = {(): []} if breakdown == TOTAL else {}
    for leaf, group in leaves.items():
        parts.setdefault(labels.part(breakdown, leaf), []).append((leaf[2], group))
    if len(parts) > MOST_ROWS:
        raise BadValue(f"More than {MOST_ROWS} rows: ask for fewer days, or cross less.", place="/query/by")
    for part in sorted(parts, key=lambda one: labels.order(breakdown, one)):
        yield _row(scope, breakdown, part, parts[part])


def _row(scope: Scope, breakdown: Breakdown, part: Part, groups: Sequence[tuple[Promise, Group]]) -> Row:
    about = {one.value: value for one, value in zip(breakdown, part, strict=True) if one != Scope.PERIOD}
    places = ("day", "service", "zone", "department", "group", "week", "month")
    return Row(scope=scope, **{name: about.get(name) for name in places}, **figures(groups).model_dump())
