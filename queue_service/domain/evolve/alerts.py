"""What the events of alerts change."""

from collections.abc import Callable
from typing import Any

from queue_service.domain import events as ev
from queue_service.domain.alert import Alert
from queue_service.domain.hall import Hall

CLEARED_KEPT = 50
"""So many of today's cleared alerts can still be looked at; the log has them all."""


def _raised(hall: Hall, logged: ev.Logged, event: ev.AlertRaised) -> None:
    hall.alerts[event.alert] = Alert(
        event.alert, event.alert_kind, logged.at_ms, event.service, event.counter, event.values
    )


def _acknowledged(hall: Hall, logged: ev.Logged, event: ev.AlertAcknowledged) -> None:
    alert = hall.alerts[event.alert]
    alert.acknowledged_at_ms, alert.acknowledged_by = logged.at_ms, event.by


def _cleared(hall: Hall, logged: ev.Logged, event: ev.AlertCleared) -> None:
    hall.alerts[event.alert].cleared_at_ms = logged.at_ms
    cleared = [alert.id for alert in hall.alerts.values() if alert.cleared_at_ms is not None]
    for alert_id in cleared[:-CLEARED_KEPT]:
        del hall.alerts[alert_id]


HANDLERS: dict[type[ev.Event], Callable[[Hall, ev.Logged, Any], None]] = {
    ev.AlertRaised: _raised,
    ev.AlertAcknowledged: _acknowledged,
    ev.AlertCleared: _cleared,
}
