"""Tickets that were not taken here and now: paper tickets of an outage, and another system's history."""

from collections.abc import Iterator
from itertools import pairwise

from models.vocabulary import Period
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.calendar import day_of, local_date
from queue_service.domain.hall import Hall
from queue_service.domain.rules.issue import next_number
from queue_service.domain.rules.lookup import counter_of, priority_of, promise_at, service_of


def backfill(hall: Hall, command: c.Backfill, now_ms: int) -> Iterator[ev.Event]:
    """Enter paper tickets with claimed times, flagged and counted apart."""
    taken: set[str] = set()
    for index, paper in enumerate(command.tickets):
        _check(hall, paper, index, now_ms, taken)
    for paper in sorted(command.tickets, key=lambda one: one.number is None):  # claimed numbers first, then new ones
        period, promise = promise_at(hall, paper.arrived_at_ms)
        prefix = hall.rules.emergency_prefix or hall.rules.services[paper.service].prefix
        yield ev.TicketBackfilled(
            ticket=paper.ticket,
            number=paper.number or next_number(hall, prefix),
            service=paper.service,
            priority=priority_of(hall, paper.priority),
            ref=paper.ref,
            reason=command.reason,
            arrived_at_ms=paper.arrived_at_ms,
            called_at_ms=paper.called_at_ms,
            started_at_ms=paper.started_at_ms,
            finished_at_ms=paper.finished_at_ms,
            counter=paper.counter,
            period=period,
            promise_ms=promise.promise_ms,
            percentile=promise.percentile,
        )


def _check(hall: Hall, paper: c.PaperTicket, index: int, now_ms: int, taken: set[str]) -> None:
    service_of(hall, paper.service)
    priority_of(hall, paper.priority)
    if paper.counter is not None:
        counter_of(hall, paper.counter)
    place = f"/tickets/{index}"
    given = [
        (name, at_ms)
        for name in ("arrived_at", "called_at", "started_at", "finished_at")
        if (at_ms := getattr(paper, f"{name}_ms")) is not None
    ]
    for (earlier, before_ms), (later, after_ms) in pairwise(given):
        if after_ms < before_ms:
            raise errors.BadValue(f"{later} is before {earlier}.", place=f"{place}/{later}", code="paper-order")
    for name, at_ms in given:
        if not hall.day.start_ms <= at_ms <= now_ms:
            detail = f"{name} is not between today's midnight and now."
            raise errors.BadValue(detail, place=f"{place}/{name}", code="paper-not-today")
    if len(given) > 1 and paper.called_at_ms is None:
        raise errors.BadValue("A served ticket needs called_at.", place=f"{place}/called_at", code="paper-not-called")
    if paper.number is not None:
        _check_number(hall, paper.number, place, taken)


def _check_number(hall: Hall, number: str, place: str, taken: set[str]) -> None:
    """A claimed number must be of the emergency series and nobody's today. The series may have gaps, and who shares a
    stack of slips enters them in any order."""
    prefix = hall.rules.emergency_prefix or ""
    digits = number[len(prefix) :] if prefix and number.startswith(prefix) else ""
    counted = digits.isascii() and digits.isdigit() and len(digits) <= 6
    if not counted or int(digits) == 0 or digits != f"{int(digits):03d}":
        detail = "Only numbers of the plan's emergency series can be claimed."
        raise errors.BadValue(detail, place=f"{place}/number", code="paper-series")
    if number in taken or _is_taken(hall, prefix, int(digits)):
        raise errors.BadValue(f"{number} was entered already.", place=f"{place}/number", code="paper-entered")
    taken.add(number)


def _is_taken(hall: Hall, prefix: str, count: int) -> bool:
    """Whether somebody has this number of the prefix today."""
    gaps = hall.number_gaps.get(prefix, ())
    return count <= hall.number_counts.get(prefix, 0) and not any(first <= count <= last for first, last in gaps)


def record_history(hall: Hall, command: c.RecordHistory, now_ms: int) -> Iterator[ev.Event]:
    """Store tickets of past days for reports and planning; today is not touched."""
    for recorded in command.tickets:
        service_of(hall, recorded.service)
        date = local_date(recorded.issued_at_ms, hall.rules.calendar.time_zone)
        if date >= hall.day.date:
            raise errors.BadValue(f"{recorded.number} was issued on {date}: history ends before today.")
        if recorded.called_at_ms is not None and recorded.called_at_ms < recorded.issued_at_ms:
            raise errors.BadValue(f"{recorded.number} was called before it was issued.")
    for recorded in command.tickets:
        day = day_of(hall.rules.calendar, local_date(recorded.issued_at_ms, hall.rules.calendar.time_zone))
        period = Period.PEAK if day.is_peak(recorded.issued_at_ms) else Period.OFF_PEAK
        promise = hall.rules.promises[period]
        yield ev.TicketRecorded(
            ticket=recorded.ticket,
            number=recorded.number,
            service=recorded.service,
            day=day.date,
            issued_at_ms=recorded.issued_at_ms,
            called_at_ms=recorded.called_at_ms,
            day_end_ms=day.end_ms,
            period=period,
            promise_ms=promise.promise_ms,
            percentile=promise.percentile,
            extra=recorded.extra,
        )
