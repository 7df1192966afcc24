"""Warnings in the model: each thing is warned of once at a time, and not beyond the day."""

from dataclasses import replace

from queue_service import errors
from queue_service.domain import commands as c
from tests.model.state import Alert, HallModel
from tests.model.tickets import refuse

KEPT = 50


def raise_alert(hall: HallModel, command: c.RaiseAlert) -> None:
    """Of what is planned, and not warned of yet."""
    refuse(command.service is not None and hall.service(command.service) is None, errors.UnknownService)
    refuse(command.counter is not None and command.counter not in hall.counters, errors.UnknownCounter)
    about = (str(command.kind), command.service, command.counter)
    warned = [one.about for one in hall.alerts.values() if one.over_ms is None]
    refuse(about in warned or command.alert in hall.alerts, errors.AlertStands)
    hall.alerts[command.alert] = Alert(about, hall.now_ms)
    hall.tell("alert_raised")


def acknowledge(hall: HallModel, command: c.AcknowledgeAlert) -> None:
    """The first who has seen it, while it stands."""
    alert = _known(hall, command.alert)
    if alert.seen is None and alert.over_ms is None:
        hall.alerts[command.alert] = replace(alert, seen=(hall.now_ms, command.by))
        hall.tell("alert_acknowledged")


def clear(hall: HallModel, command: c.ClearAlert) -> None:
    """Over, once."""
    if _known(hall, command.alert).over_ms is None:
        _end(hall, command.alert)


def clear_all(hall: HallModel) -> None:
    """The day is over, and all warnings and advice with it."""
    for name, alert in list(hall.alerts.items()):
        if alert.over_ms is None:
            _end(hall, name)
    hall.alerts = {}
    hall.advice = {}


def _end(hall: HallModel, name: str) -> None:
    hall.alerts[name] = replace(hall.alerts[name], over_ms=hall.now_ms)
    over = [one for one, alert in hall.alerts.items() if alert.over_ms is not None]
    while len(over) > KEPT:
        del hall.alerts[over.pop(0)]
    hall.tell("alert_cleared")


def _known(hall: HallModel, name: str) -> Alert:
    alert = hall.alerts.get(name)
    if alert is None:
        raise errors.UnknownAlert
    return alert
