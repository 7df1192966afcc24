"""Advice in words, by the message catalogues beside this file (`words.<language>.toml`); no sentence stands in code."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from models.vocabulary import AdviceKind
from queue_service.planning.staffing.advice import Advice, AdviceReason, Item

LANGUAGES = ("en", "zh-CN")
_SUMMARIES = {
    AdviceReason.KEPT: "kept",
    AdviceReason.WOULD_BREAK: "would_break",
    AdviceReason.CANNOT_BE_KEPT: "cannot",
}


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The messages of a language."""
    text = files(__package__).joinpath(f"words.{language}.toml").read_text(encoding="utf-8")
    return {name: str(message) for name, message in tomllib.loads(text).items()}


class Names:
    """What services and counters are called, and when is when."""

    def __init__(self, services: Mapping[str, str], counters: Mapping[str, str], time_zone: str) -> None:
        """Names by id."""
        self.services, self.counters, self.zone = services, counters, ZoneInfo(time_zone)

    def clock(self, at_ms: int) -> str:
        """Local time of day."""
        return datetime.fromtimestamp(at_ms / 1000, self.zone).strftime("%H:%M")


def refusal(because: str, **facts: int) -> dict[str, str]:
    """Why there is no advice, by language."""
    return {language: catalogue(language)[because].format(**facts) for language in LANGUAGES}


def summary(advice: Advice, names: Names, until_ms: int) -> dict[str, str]:
    """The whole in a sentence, by language."""
    facts = {
        "share": _percent(advice.share_if_nothing_changes),
        "reachable": _percent(advice.reachable_share),
        "until": names.clock(until_ms),
    }
    return {language: catalogue(language)[_SUMMARIES[advice.reason]].format(**facts) for language in LANGUAGES}


def sentence(item: Item, names: Names) -> dict[str, str]:
    """One item with its first alternative, by language."""
    return {language: _sentence(item, names, catalogue(language)) for language in LANGUAGES}


def _sentence(item: Item, names: Names, words: Mapping[str, str]) -> str:
    plain = item.misses_with * 4 <= item.misses_without
    said = words[item.kind.value if plain else f"{item.kind.value}_without"].format(**_facts(item, names, words))
    if item.kind == AdviceKind.OPEN and item.until_ms is not None:
        said += words["until"].format(until=names.clock(item.until_ms))
    for other in item.alternatives[:1]:
        facts = _facts(other, names, words)
        key = "alternative_for_good" if other.until_ms is None else "alternative_until"
        said += words[key].format(**facts)
    return said + words["end"]


def _facts(item: Item, names: Names, words: Mapping[str, str]) -> dict[str, str | int]:
    listed = words["list"].join(item.counters)
    return {
        "count": item.count,
        "service": names.services.get(item.service, item.service),
        "by": names.clock(item.by_ms),
        "counters": words["counters"].format(names=listed) if item.kind == AdviceKind.OPEN else listed,
        "from_services": words["list"].join(names.services.get(one, one) for one in item.from_services),
        "missed": item.misses_without,
        "with_them": item.misses_with,
        "of": item.of,
        "promise": words["minutes"].format(count=f"{item.promise_ms / 60_000:g}"),
        "until": "" if item.until_ms is None else names.clock(item.until_ms),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
