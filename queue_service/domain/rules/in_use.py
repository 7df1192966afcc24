"""What stands in the way of a new plan: what is in use cannot be planned away, or people would be left standing."""

from collections.abc import Iterator

from queue_service.domain.calendar import local_date
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan


def in_the_way(hall: Hall, plan: Plan, now_ms: int) -> list[str]:
    """Everything in use that the plan would take away, in words; nothing where it can be put."""
    return [*_of_the_day(hall, plan, now_ms), *_of_counters(hall, plan), *_of_tickets(hall, plan)]


def _of_the_day(hall: Hall, plan: Plan, now_ms: int) -> Iterator[str]:
    """Another zone gives the day another end: tickets would expire before they were issued, numbers be given twice."""
    zone, today = plan.calendar.time_zone, hall.day.date
    if zone == hall.rules.calendar.time_zone:
        return
    if hall.tickets:
        count = len(hall.tickets)
        yield (
            f"{count} {'ticket is' if count == 1 else 'tickets are'} open: the time zone can be changed once "
            f"{'it is' if count == 1 else 'they are'} done with, before a day's first number"
        )
    if hall.number_counts:
        yield f"numbers were given on {today}: the time zone can be changed after midnight, before a day's first number"
    if (there := local_date(now_ms, zone)) < today:
        yield f"it is still {there} in {zone}: the time zone can be changed once {today} has begun there"


def _of_counters(hall: Hall, plan: Plan) -> Iterator[str]:
    for counter in hall.counters.values():
        if not counter.is_open:
            continue
        if counter.id not in plan.counters:
            yield f"counter {counter.id} is open"
        elif (able := hall.able(counter)) and not hall.able(counter, plan):
            yield f"counter {counter.id} is open for {', '.join(able)} alone, and would serve nothing"


def _of_tickets(hall: Hall, plan: Plan) -> Iterator[str]:
    for ticket in hall.tickets.values():
        if ticket.service not in plan.services:
            yield f"{ticket.number} is {ticket.state} for {ticket.service}"
        if ticket.priority not in plan.priorities:
            yield f"{ticket.number} is {ticket.state} with class {ticket.priority}"
    for service in hall.suspensions:
        if service and service not in plan.services:
            yield f"{service} is suspended"
