"""A hall's plan as the rules use it, and the faults by which a plan contradicts itself.

`Plan.from_document` takes the document of a `plan_changed` event (validated and complete when it was logged), so
it needs no validation library and reads every document that was ever logged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.vocabulary import Channel, OrderRule, Period, WaitClock
from queue_service.domain.alert_rules import AlertRules, alert_rules
from queue_service.domain.calendar import Calendar, Hours

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One contradiction: where it is (JSON pointer), what is wrong, and the name of that for other languages."""

    place: str
    message: str
    code: str


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
        services = {part["id"]: _service(part) for part in document["services"]}
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
                part["id"]: CounterPlan(part["id"], part["name"], part["zone"], _able(part, services))
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


def _minutes(time_of_day: str) -> int:
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])


def _hours(parts: list[Document]) -> tuple[Hours, ...]:
    return tuple(Hours(frozenset(part["days"]), _minutes(part["start"]), _minutes(part["end"])) for part in parts)


def _reserve(part: Document) -> Reserve:
    (hours,) = _hours([part])
    return Reserve(frozenset(part["services"]), part["count"], hours)


def _service(part: Document) -> Service:
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


def _able(part: Document, services: Mapping[str, Service]) -> tuple[str, ...]:
    """What a counter serves: what it lists, else all of its zone, else everything."""
    if part["services"] is not None:
        return tuple(dict.fromkeys(part["services"]))
    return tuple(s.id for s in services.values() if part["zone"] is None or s.zone == part["zone"])


def faults(document: Document) -> list[Fault]:
    """Every way in which a well-formed document contradicts itself; empty when it can be used."""
    return [
        *_repeated(document),
        *_unknown_names(document),
        *_bad_hours(document),
        *_bad_channels(document),
        *_unserved(document),
        *_bad_burns(document),
    ]


def _repeated(document: Document) -> Iterator[Fault]:
    for part in ("zones", "services", "priorities", "counters"):
        yield from _repeats(part, "id", document[part])
    yield from _repeats("services", "prefix", document["services"])
    prefixes = {service["prefix"] for service in document["services"]}
    if document["emergency_prefix"] in prefixes:
        yield Fault("/emergency_prefix", "is the prefix of a service too; the paper series needs its own", "taken")


def _repeats(part: str, field: str, entries: list[Document]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        first = seen.setdefault(entry[field], index)
        if first != index:
            yield Fault(f"/{part}/{index}/{field}", f"{entry[field]!r} is taken by /{part}/{first}", "taken")


def _unknown_names(document: Document) -> Iterator[Fault]:
    zones = {zone["id"] for zone in document["zones"]}
    services = {service["id"] for service in document["services"]}
    for part in ("services", "counters"):
        for index, entry in enumerate(document[part]):
            if entry["zone"] is not None and entry["zone"] not in zones:
                yield Fault(f"/{part}/{index}/zone", f"there is no zone {entry['zone']!r}", "unknown-zone")
    for index, counter in enumerate(document["counters"]):
        yield from _unknown_services(f"/counters/{index}", counter["services"] or (), services)
    for index, reserve in enumerate(document.get("reserve", ())):
        yield from _unknown_services(f"/reserve/{index}", reserve["services"], services)


def _unknown_services(place: str, named: Sequence[str], services: set[str]) -> Iterator[Fault]:
    for position, service in enumerate(named):
        if service not in services:
            yield Fault(f"{place}/services/{position}", f"there is no service {service!r}", "unknown-service")


def _bad_hours(document: Document) -> Iterator[Fault]:
    lists = [(f"/calendar/{name}", document["calendar"][name]) for name in ("opening", "peaks", "dispenser")]
    lists += [(f"/services/{index}/hours", entry["hours"]) for index, entry in enumerate(document["services"])]
    lists.append(("/reserve", document.get("reserve", [])))
    for place, entries in lists:
        for index, entry in enumerate(entries):
            if _minutes(entry["start"]) >= _minutes(entry["end"]):
                yield Fault(f"{place}/{index}/end", f"{entry['end']} is not after {entry['start']}", "end-first")


def _bad_channels(document: Document) -> Iterator[Fault]:
    for index, channel in enumerate(document["check_in_channels"]):
        if channel not in (Channel.PHONE, Channel.WEB):
            yield Fault(f"/check_in_channels/{index}", "only remote tickets (phone, web) check in", "not-remote")


def _unserved(document: Document) -> Iterator[Fault]:
    """A service that no counter can serve would let people wait for nothing."""
    services = {part["id"]: _service(part) for part in document["services"]}
    able = {name for part in document["counters"] for name in _able(part, services)}
    for index, service in enumerate(document["services"]):
        if service["id"] not in able:
            yield Fault(f"/services/{index}/id", f"no counter serves {service['id']!r}", "unserved")
    for index, counter in enumerate(document["counters"]):
        if not _able(counter, services):
            yield Fault(f"/counters/{index}/services", f"counter {counter['id']!r} serves nothing", "serves-nothing")


def _bad_burns(document: Document) -> Iterator[Fault]:
    for index, burn in enumerate(document.get("alerts", {}).get("burn", ())):
        if burn["short_s"] >= burn["long_s"]:
            yield Fault(
                f"/alerts/burn/{index}/short_s", f"{burn['short_s']} is not less than {burn['long_s']}", "not-less"
            )
