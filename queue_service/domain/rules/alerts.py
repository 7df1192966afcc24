"""Warnings to the staff: raised, seen, cleared. Whether there is something to warn of, those who watch the hall say."""

from collections.abc import Iterator

from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.alert import Alert
from queue_service.domain.hall import Hall
from queue_service.domain.rules.lookup import counter_of, service_of


def raise_alert(hall: Hall, command: c.RaiseAlert, now_ms: int) -> Iterator[ev.Event]:
    """Several nodes watch a hall; the first that speaks is heard, the others are refused."""
    if command.service is not None:
        service_of(hall, command.service)
    if command.counter is not None:
        counter_of(hall, command.counter)
    subject = (command.kind, command.service, command.counter)
    if command.alert in hall.alerts or any(alert.subject == subject for alert in hall.standing_alerts()):
        raise errors.AlertStands(kind=command.kind, service=command.service, counter=command.counter)
    yield ev.AlertRaised(
        alert=command.alert,
        alert_kind=command.kind,
        service=command.service,
        counter=command.counter,
        values=command.values,
    )


def acknowledge_alert(hall: Hall, command: c.AcknowledgeAlert, now_ms: int) -> Iterator[ev.Event]:
    """Who was first stays; once more changes nothing, nor does it when all is over."""
    alert = _alert(hall, command.alert)
    if alert.acknowledged_at_ms is None and alert.cleared_at_ms is None:
        yield ev.AlertAcknowledged(alert=alert.id, by=command.by)


def clear_alert(hall: Hall, command: c.ClearAlert, now_ms: int) -> Iterator[ev.Event]:
    """Once; another node may have said so already."""
    if _alert(hall, command.alert).cleared_at_ms is None:
        yield ev.AlertCleared(alert=command.alert)


def _alert(hall: Hall, alert_id: str) -> Alert:
    alert = hall.alerts.get(alert_id)
    if alert is None:
        raise errors.UnknownAlert(f"This hall has no alert {alert_id!r} today.", alert=alert_id)
    return alert
