"""From what there is to warn of to commands: raise what is new, clear what has been over for a while.

Every node keeps a keeper for each hall. They may all speak at once: the hall's log hears the first.
"""

from collections.abc import Iterable, Iterator
from os import urandom

from metrics.live.conditions import Condition
from models.vocabulary import AlertKind
from queue_service.domain import commands as c
from queue_service.domain.hall import Hall

CALM_MS = 60_000
"""What comes and goes is not told each time: it must be over for so long."""
_OVER_AT_ONCE = (AlertKind.IDLE_WHILE_WAITING, AlertKind.HELP_UNANSWERED)
"""Somebody did what was asked for."""


class Keeper:
    """Remembers since when the hall has been calm about each alert."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._calm_since_ms: dict[str, int] = {}

    def commands(self, hall: Hall, holding: Iterable[Condition], now_ms: int) -> Iterator[c.Command]:
        """What to send, given what holds now."""
        present = {one.subject: one for one in holding}
        standing = {alert.subject: alert for alert in hall.standing_alerts()}
        for subject, condition in present.items():
            if subject not in standing:
                yield _raise(condition)
        calm = {alert.id: alert for subject, alert in standing.items() if subject not in present}
        self._calm_since_ms = {name: self._calm_since_ms.get(name, now_ms) for name in calm}
        for name, alert in calm.items():
            if alert.kind in _OVER_AT_ONCE or now_ms - self._calm_since_ms[name] >= CALM_MS:
                yield c.ClearAlert(name)


def _raise(condition: Condition) -> c.RaiseAlert:
    alert = f"w{urandom(8).hex()}"
    return c.RaiseAlert(alert, condition.kind, condition.service, condition.counter, condition.values)
