"""What the events of advice change."""

from collections.abc import Callable
from typing import Any

from queue_service.domain import events as ev
from queue_service.domain.advice import Advised
from queue_service.domain.hall import Hall

ADVICE_KEPT = 100
"""So much of today's advice can still be looked at and answered; the log has it all."""


def _given(hall: Hall, logged: ev.Logged, event: ev.AdviceGiven) -> None:
    hall.advice[event.advice] = Advised(
        event.advice,
        event.advice_kind,
        event.service,
        logged.at_ms,
        event.by_ms,
        event.expires_at_ms,
        event.values,
    )
    for advice_id in list(hall.advice)[:-ADVICE_KEPT]:
        del hall.advice[advice_id]


def _answered(hall: Hall, logged: ev.Logged, event: ev.AdviceAnswered) -> None:
    advised = hall.advice[event.advice]
    advised.answer, advised.answered_at_ms = event.answer, logged.at_ms
    advised.answered_by, advised.reason = event.by, event.reason


HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    ev.AdviceGiven: _given,
    ev.AdviceAnswered: _answered,
}
