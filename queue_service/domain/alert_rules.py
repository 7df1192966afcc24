"""When a hall warns its staff: the part `alerts` of its plan, as those who watch it use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.vocabulary import AlertKind


@dataclass(frozen=True, slots=True)
class BurnRule:
    """When the budget of misses burns too fast: over the long and the short window of opening hours."""

    kind: AlertKind
    long_ms: int
    short_ms: int
    limit: int


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When the hall warns its staff; None in place of all of this: never."""

    burns: tuple[BurnRule, ...]
    burn_counted: int
    foreseen_misses: int
    idle_ms: int
    silent_ms: int
    help_ms: int


def alert_rules(part: Mapping[str, Any] | None) -> AlertRules | None:
    """A plan of before there were alerts warns of nothing until it is put again."""
    if part is None or not part["enabled"]:
        return None
    burns = (
        BurnRule(AlertKind(one["kind"]), one["long_s"] * 1000, one["short_s"] * 1000, one["limit"])
        for one in part["burn"]
    )
    return AlertRules(
        burns=tuple(burns),
        burn_counted=part["burn_counted"],
        foreseen_misses=part["foreseen_misses"],
        idle_ms=part["idle_s"] * 1000,
        silent_ms=part["silent_s"] * 1000,
        help_ms=part["help_s"] * 1000,
    )
