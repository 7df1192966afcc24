"""The faults by which a well-formed plan contradicts itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.vocabulary import TICKET_CHANNELS, Channel
from queue_service.domain.plan import Document, able_of, minutes_of, service_from


@dataclass(frozen=True, slots=True)
class Fault:
    """One contradiction: where it is (JSON pointer), what is wrong, and the name of that for other languages."""

    place: str
    message: str
    code: str


def faults(document: Document) -> list[Fault]:
    """Every way in which a well-formed document contradicts itself; empty when it can be used."""
    return [
        *_repeated(document),
        *_unknown_names(document),
        *_bad_hours(document),
        *_bad_channels(document),
        *_bad_quotas(document),
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
            if minutes_of(entry["start"]) >= minutes_of(entry["end"]):
                yield Fault(f"{place}/{index}/end", f"{entry['end']} is not after {entry['start']}", "end-first")


def _bad_channels(document: Document) -> Iterator[Fault]:
    for index, channel in enumerate(document["check_in_channels"]):
        if channel not in (Channel.PHONE, Channel.WEB):
            yield Fault(f"/check_in_channels/{index}", "only remote tickets (phone, web) check in", "not-remote")


def _bad_quotas(document: Document) -> Iterator[Fault]:
    for index, service in enumerate(document["services"]):
        if (quota := service["quota"]) is not None:
            yield from _bad_quota(f"/services/{index}/quota", quota)


def _bad_quota(place: str, quota: Document) -> Iterator[Fault]:
    """More than there is: kept for walk-ins of a half-day that gives places at all, or for a channel on either."""
    halves = [quota["am"], quota["pm"]]
    reserve = quota["walk_in_reserve"]
    fewest = min((places for places in halves if places), default=None)
    if fewest is not None and reserve > fewest:
        yield Fault(f"{place}/walk_in_reserve", f"{reserve} are more than a half-day's {fewest} places", "over-places")
    for channel, share in quota["channels"].items():
        if channel not in TICKET_CHANNELS:
            yield Fault(f"{place}/channels/{channel}", f"{channel} takes no places of a quota", "takes-no-places")
        elif None not in halves and share > max(halves):
            message = f"{share} are more than the {max(halves)} places of any half-day"
            yield Fault(f"{place}/channels/{channel}", message, "over-places")


def _unserved(document: Document) -> Iterator[Fault]:
    """A service that no counter can serve would let people wait for nothing."""
    services = {part["id"]: service_from(part) for part in document["services"]}
    able = {name for part in document["counters"] for name in able_of(part, services)}
    for index, service in enumerate(document["services"]):
        if service["id"] not in able:
            yield Fault(f"/services/{index}/id", f"no counter serves {service['id']!r}", "unserved")
    for index, counter in enumerate(document["counters"]):
        if not able_of(counter, services):
            yield Fault(f"/counters/{index}/services", f"counter {counter['id']!r} serves nothing", "serves-nothing")


def _bad_burns(document: Document) -> Iterator[Fault]:
    for index, burn in enumerate(document.get("alerts", {}).get("burn", ())):
        if burn["short_s"] >= burn["long_s"]:
            yield Fault(
                f"/alerts/burn/{index}/short_s", f"{burn['short_s']} is not less than {burn['long_s']}", "not-less"
            )
