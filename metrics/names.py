"""What the hall, its services, zones and counters are called in a reader's language, by the present plan; and the
hall's local time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from metrics.catalogue import Language, Words, words
from queue_service.domain.plan import Plan


class Names:
    """Names by id; what the plan does not know (any more) keeps its id."""

    def __init__(self, plan: Plan, language: Language) -> None:
        """The plan's `names` of the language, else its `name`."""
        document = plan.document
        self.words: Words = words(language)
        self.hall = _name(document, language)
        self.zone_key = plan.calendar.time_zone
        self._of: dict[str, dict[str, str]] = {
            part: {entry["id"]: _name(entry, language) for entry in _entries(document, part)}
            for part in ("services", "zones", "counters")
        }

    def local(self, at: str) -> str:
        """An RFC 3339 time on the hall's wall clock, to the second."""
        return datetime.fromisoformat(at).astimezone(ZoneInfo(self.zone_key)).strftime("%Y-%m-%d %H:%M:%S")

    def service(self, service: str | None) -> str:
        """A service's name."""
        return self._named("services", service)

    def zone(self, zone: str | None) -> str:
        """A zone's name."""
        return self._named("zones", zone)

    def counter(self, counter: str | None) -> str:
        """A counter's name."""
        return self._named("counters", counter)

    def _named(self, part: str, name: str | None) -> str:
        return self.words("place.none") if name is None else self._of[part].get(name, name)


def _entries(document: Mapping[str, Any], part: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = document[part]
    return found


def _name(entry: Mapping[str, Any], language: Language) -> str:
    """Plans name themselves in their own language; others stand in `names`."""
    return str(entry.get("names", {}).get(language.value, entry["name"]))
