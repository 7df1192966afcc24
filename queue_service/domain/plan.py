"""A hall's plan as the rules use it. How a plan contradicts itself stands in `plan_faults`.

`Plan.from_document` takes the document of a `plan_changed` event (validated and complete when it was logged), so
it needs no validation library and reads every document that was ever logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.vocabulary import Channel, OrderRule, Period, WaitClock
from queue_service.domain.alert_rules import AlertRules, alert_rules
from queue_service.domain.calendar import Calendar, Hours

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quota:
    """Places per half-day; None means without bound."""

    am: int | None
    pm: int | None
    walk_in_reserve: int
    channels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Service:
    """One matter people come for."""

    id: str
    name: str
    prefix: str
    zone: str | None
    department: str | None
    group: str | None
    order_target_ms: int
    hours: tuple[Hours, ...]
    quota: Quota | None


@dataclass(frozen=True, slots=True)
class Priority:
    """A class of visitors; `rank` is its place in the plan, 0 first (used by the rule `strict`, last class first)."""

    id: str
    rank: int
    order_target_percent: int
    head_start_ms: int


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """One window and what it can serve."""

    id: str
    name: str
    zone: str | None
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Clerks who can be called in: `count` at once, for some services, during some hours."""

    services: frozenset[str]
    count: int
    hours: Hours


@dataclass(frozen=True, slots=True)
class PeriodPromise:
    """`percentile` of the visitors called within `promise_ms`."""

    promise_ms: int
    percentile: int


@dataclass(frozen=True)
class Plan:
    """Everything a hall's rules depend on. `document` is the plan as it was put, complete with defaults."""

    document: Document
    id: str
    name: str
    training: bool
    order: OrderRule
    max_overtake_ms: int
    calendar: Calendar
    wait_clock: WaitClock
    promises: Mapping[Period, PeriodPromise]
    services: Mapping[str, Service]
    priorities: Mapping[str, Priority]
    counters: Mapping[str, CounterPlan]
    reserve: tuple[Reserve, ...]
    no_show_recalls: int
    no_show_after_ms: int
    rejoins: int
    rejoin_grace_ms: int
    postpone_times: int
    postpone_max_ms: int
    pause_reasons: frozenset[str]
    park_reasons: frozenset[str]
    chosen_calls_per_day: int
    check_in_channels: frozenset[Channel]
    emergency_prefix: str | None
    alerts: AlertRules | None

    @cached_property
    def default_priority(self) -> str:
        """The class of a visitor who claims none: the first of the plan."""
        return next(iter(self.priorities))

    @cached_property
    def lane_terms(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Per (service, priority): order target in ms, head start in ms, rank."""
        return {
            (service.id, priority.id): (
                max(1, service.order_target_ms * priority.order_target_percent // 100),
                priority.head_start_ms,
                priority.rank,
            )
            for service in self.services.values()
            for priority in self.priorities.values()
        }

    @cached_property
    def lanes(self) -> dict[str, list[tuple[tuple[str, str], tuple[int, int, int]]]]:
        """Each service's lanes in the order of the classes: their keys, and their terms."""
        found: dict[str, list[tuple[tuple[str, str], tuple[int, int, int]]]] = {name: [] for name in self.services}
        for key, terms in self.lane_terms.items():
            found[key[0]].append((key, terms))
        return found

    @staticmethod
    def from_document(document: Document) -> "Plan":
        """The plan of a complete document (as `PlanDocument.model_dump(mode='json')` gives it)."""
        calendar, no_show, postpone = document["calendar"], document["no_show"], document["postpone"]
        services = {part["id"]: service_from(part) for part in document["services"]}
        return Plan(
            document=document,
            id=document["id"],
            name=document["name"],
            training=document["training"],
            order=OrderRule(document["order"]),
            max_overtake_ms=document["max_overtake_s"] * 1000,
            calendar=Calendar(
                time_zone=document["time_zone"],
                opening=_hours(calendar["opening"]),
                peaks=_hours(calendar["peaks"]),
                dispenser=_hours(calendar["dispenser"]),
                closed_dates=frozenset(calendar["closed_dates"]),
                shoulder_s=document["promise"]["shoulder_s"],
            ),
            wait_clock=WaitClock(calendar["wait_clock"]),
            promises={
                period: PeriodPromise(
                    document["promise"][period.value]["promise_s"] * 1000,
                    document["promise"][period.value]["percentile"],
                )
                for period in Period
            },
            services=services,
            priorities={
                part["id"]: Priority(part["id"], rank, part["order_target_percent"], part["head_start_s"] * 1000)
                for rank, part in enumerate(document["priorities"])
            },
            counters={
                part["id"]: CounterPlan(part["id"], part["name"], part["zone"], able_of(part, services))
                for part in document["counters"]
            },
            reserve=tuple(_reserve(part) for part in document.get("reserve", ())),  # older plans have none
            no_show_recalls=no_show["recalls"],
            no_show_after_ms=no_show["after_s"] * 1000,
            rejoins=no_show["rejoins"],
            rejoin_grace_ms=no_show["rejoin_grace_s"] * 1000,
            postpone_times=postpone["times"],
            postpone_max_ms=postpone["max_s"] * 1000,
            pause_reasons=frozenset(document["pause_reasons"]),
            park_reasons=frozenset(document["park_reasons"]),
            chosen_calls_per_day=document["chosen_calls_per_day"],
            check_in_channels=frozenset(Channel(channel) for channel in document["check_in_channels"]),
            emergency_prefix=document["emergency_prefix"],
            alerts=alert_rules(document.get("alerts")),
        )


def minutes_of(time_of_day: str) -> int:
    """Minutes after midnight."""
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])


def _hours(parts: list[Document]) -> tuple[Hours, ...]:
    return tuple(Hours(frozenset(part["days"]), minutes_of(part["start"]), minutes_of(part["end"])) for part in parts)


def _reserve(part: Document) -> Reserve:
    (hours,) = _hours([part])
    return Reserve(frozenset(part["services"]), part["count"], hours)


def service_from(part: Document) -> Service:
    """A service of a document."""
    quota = part["quota"]
    return Service(
        id=part["id"],
        name=part["name"],
        prefix=part["prefix"],
        zone=part["zone"],
        department=part["department"],
        group=part["group"],
        order_target_ms=part["order_target_s"] * 1000,
        hours=_hours(part["hours"]),
        quota=quota and Quota(quota["am"], quota["pm"], quota["walk_in_reserve"], quota["channels"]),
    )


def able_of(part: Document, services: Mapping[str, Service]) -> tuple[str, ...]:
    """What a counter serves: what it lists, else all of its zone, else everything."""
    if part["services"] is not None:
        return tuple(dict.fromkeys(part["services"]))
    return tuple(s.id for s in services.values() if part["zone"] is None or s.zone == part["zone"])
