"""What stands in the way of a new plan: what is in use cannot be planned away, or people would be left standing."""

from collections.abc import Iterator

from queue_service.domain.calendar import local_date
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan

Use = tuple[str, dict[str, str]]
"""What is in use in words, and in parts: a code and what it is about."""


def in_the_way(hall: Hall, plan: Plan, now_ms: int) -> list[Use]:
    """Everything in use that the plan would take away; nothing where it can be put."""
    return [*_of_the_day(hall, plan, now_ms), *_of_counters(hall, plan), *_of_tickets(hall, plan)]


def _of_the_day(hall: Hall, plan: Plan, now_ms: int) -> Iterator[Use]:
    """Another zone gives the day another end: tickets would expire before they were issued, numbers be given twice."""
    zone, today = plan.calendar.time_zone, hall.day.date
    if zone == hall.rules.calendar.time_zone:
        return
    if hall.tickets:
        count = len(hall.tickets)
        yield (
            f"open tickets: {count} (the time zone can be changed once they are done with, and before a day's first)",
            {"code": "tickets", "count": f"{count}"},
        )
    if hall.number_counts:
        yield (
            f"numbers were given on {today}: the time zone can be changed after midnight, before a day's first number",
            {"code": "numbers", "day": today},
        )
    if (there := local_date(now_ms, zone)) < today:
        yield (
            f"it is still {there} in {zone}: the time zone can be changed once {today} has begun there",
            {"code": "date", "zone": zone, "there": there, "day": today},
        )


def _of_counters(hall: Hall, plan: Plan) -> Iterator[Use]:
    for counter in hall.counters.values():
        if not counter.is_open:
            continue
        if counter.id not in plan.counters:
            yield f"counter {counter.id} is open", {"code": "counter", "counter": counter.id}
        elif (able := hall.able(counter)) and not hall.able(counter, plan):
            services = ", ".join(able)
            yield (
                f"counter {counter.id} is open for {services} alone, and would serve nothing",
                {"code": "idle", "counter": counter.id, "services": services},
            )


def _of_tickets(hall: Hall, plan: Plan) -> Iterator[Use]:
    for ticket in hall.tickets.values():
        told, what = f"{ticket.number} is {ticket.state}", {"number": ticket.number, "state": ticket.state}
        if ticket.service not in plan.services:
            yield f"{told} for {ticket.service}", {"code": "service", **what, "service": ticket.service}
        if ticket.priority not in plan.priorities:
            yield f"{told} with class {ticket.priority}", {"code": "priority", **what, "priority": ticket.priority}
    for service in hall.suspensions:
        if service and service not in plan.services:
            yield f"{service} is suspended", {"code": "suspended", "service": service}
