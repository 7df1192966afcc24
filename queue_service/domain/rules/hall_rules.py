"""The hall itself: its plan, its business day, its suspensions."""

from collections.abc import Iterator
from typing import Any

from models.vocabulary import HELD_STATES, CounterState, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.calendar import local_date
from queue_service.domain.carried import carried
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.plan import Plan
from queue_service.domain.plan_faults import faults
from queue_service.domain.rules.in_use import in_the_way
from queue_service.domain.rules.lookup import service_of


def put_plan(hall: Hall, command: c.PutPlan, now_ms: int) -> Iterator[ev.Event]:
    """A new or changed plan. The same document again changes nothing."""
    if command.if_version is not None and command.if_version != hall.plan_version:
        raise errors.StaleVersion(
            f"The plan is at version {hall.plan_version}, not {command.if_version}: read it again, then change it.",
            version=hall.plan_version,
        )
    found = faults(command.document)
    if found:
        listed = [{"place": fault.place, "message": fault.message, "code": fault.code} for fault in found]
        raise errors.PlanFaulty("; ".join(f"{fault.place}: {fault.message}" for fault in found[:5]), faults=listed)
    if hall.plan is not None:
        if command.document == hall.plan.document:
            return
        _refuse_loss(hall, Plan.from_document(command.document), now_ms)
    yield ev.PlanChanged(document=command.document, version=hall.plan_version + 1)
    if hall.today is None:
        yield _day(hall, local_date(now_ms, hall.rules.calendar.time_zone))


def _refuse_loss(hall: Hall, plan: Plan, now_ms: int) -> None:
    found = in_the_way(hall, plan, now_ms)[:100]
    if found:
        texts = [text for text, _ in found]
        detail = "In the way of this plan: " + "; ".join(texts[:10]) + "."
        raise errors.PlanInUse(detail, in_use=texts, uses=[use for _, use in found])


def _day(hall: Hall, date: str) -> ev.DayOpened:
    return ev.DayOpened(day=date, plan_seq=hall.plan_seq, plan_version=hall.plan_version, carried=carried(hall))


def open_day(hall: Hall, command: c.OpenDay, now_ms: int) -> Iterator[ev.Event]:
    """Midnight: what is open expires at the day's end, serving goes on, numbers restart, alerts are over."""
    if not hall.is_due(now_ms):
        return
    ended_at_ms = hall.day.end_ms
    for ticket in list(hall.tickets.values()):
        if ticket.state != TicketState.SERVING:
            yield _expired(hall, ticket, ended_at_ms)
    for counter in list(hall.counters.values()):
        if counter.pause_after is not None and hall.counter_state(counter) == CounterState.IDLE:
            yield ev.CounterPaused(counter=counter.id, reason=counter.pause_after)
    for alert in hall.standing_alerts():
        yield ev.AlertCleared(alert=alert.id)
    yield _day(hall, local_date(now_ms, hall.rules.calendar.time_zone))


def _expired(hall: Hall, ticket: Ticket, ended_at_ms: int) -> ev.TicketExpired:
    waiting = ticket.state == TicketState.WAITING
    return ev.TicketExpired(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        counter=ticket.counter if ticket.state in HELD_STATES else None,
        from_state=ticket.state,
        waited_ms=hall.waited_ms(ticket.leg, ended_at_ms) if waiting else None,
        ended_at_ms=ended_at_ms,
    )


def suspend(hall: Hall, command: c.Suspend, now_ms: int) -> Iterator[ev.Event]:
    """Stop calls for the hall or a service."""
    _check_scope(hall, command.service)
    if command.service in hall.suspensions:
        since = hall.suspensions[command.service]
        raise errors.Suspended(f"Already suspended: {since.reason}.", service=command.service, reason=since.reason)
    yield ev.Suspended(service=command.service, reason=command.reason, turn_away=command.turn_away)


def resume(hall: Hall, command: c.Resume, now_ms: int) -> Iterator[ev.Event]:
    """End a suspension."""
    _check_scope(hall, command.service)
    if command.service not in hall.suspensions:
        raise errors.WrongState("Nothing is suspended here.", state="running", allowed=["suspend"])
    yield ev.Resumed(service=command.service)


def _check_scope(hall: Hall, service: Any) -> None:
    if service is not None:
        service_of(hall, service)
