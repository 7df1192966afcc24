"""What the state of a hall does not tell: promises decided, the last call, bells that nobody answered. Folded event by
event beside the view, as the tally is; what happened on earlier days is read once, beside the event loop.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from metrics.live.burn import Outcome, open_since_ms, outcome_of
from metrics.waits import live_record, wait_record
from queue_service.domain import events as ev
from queue_service.domain.calendar import local_date
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.journal import LEG, TICKET

_SETTLING = frozenset({ev.TicketFinished, ev.TicketCancelled, ev.TicketExpired, ev.TicketBackfilled})


class Watch:
    """One hall's day beside its state. `past`: outcomes of earlier days, None until they are read."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        self._begin()

    def _begin(self) -> None:
        self.past: list[Outcome] | None = None
        self.last_call_ms = 0
        self.rings: dict[str, int] = {}
        self._settled: dict[str, Outcome] = {}

    def fold(self, hall: Hall, logged: ev.Logged) -> None:
        """Take in an event after `evolve` applied it, and before `touched` is drained."""
        event = logged.event
        if type(event) in _SETTLING:
            assert isinstance(event, ev.TicketEvent), "tickets settle by their own events"
            self._settle(hall, event.ticket, logged.at_ms)
        elif isinstance(event, ev.CommandUndone):
            for ticket_id in event.tickets:
                self._settled.pop(ticket_id, None)
        elif isinstance(event, ev.DayOpened):
            self._begin()
        elif isinstance(event, ev.TicketCalled):
            self.last_call_ms = logged.at_ms
        self._hear(event, logged.at_ms)

    def _hear(self, event: ev.Event, at_ms: int) -> None:
        """A bell; whatever the counter does next says that it is over."""
        if isinstance(event, ev.HelpCalled):
            self.rings.setdefault(event.counter, at_ms)
        elif self.rings and not isinstance(event, ev.AlertEvent):
            self.rings.pop(getattr(event, "counter", None) or "", None)

    def _settle(self, hall: Hall, ticket_id: str, at_ms: int) -> None:
        ticket = hall.touched.get(ticket_id)
        if ticket is None or ticket_id in hall.tickets or ticket.day != hall.day.date:
            return
        outcome = outcome_of(hall, live_record(hall, ticket, at_ms), ticket.legs, at_ms)
        if outcome is not None:
            self._settled[ticket_id] = outcome

    def outcomes(self, hall: Hall, now_ms: int) -> list[Outcome]:
        """Every promise decided so far, of the days that were read and of today."""
        return [*(self.past or ()), *self._settled.values(), *_undecided_yet(hall, now_ms)]


def _undecided_yet(hall: Hall, now_ms: int) -> Iterator[Outcome]:
    """Of tickets the hall still holds: those called within the promise, and those that have passed it."""
    today = hall.day.date
    for ticket in hall.tickets.values():
        if ticket.day == today and ticket.legs:
            outcome = outcome_of(hall, live_record(hall, ticket, now_ms), ticket.legs, now_ms)
            if outcome is not None:
                yield outcome


def past_outcomes(connection: Connection, plan: Plan, now_ms: int) -> list[Outcome]:
    """The promises decided on the days before today that the longest burn of the plan looks back on."""
    if plan.alerts is None or not plan.alerts.burns:
        return []
    longest_ms = max(rule.long_ms for rule in plan.alerts.burns)
    zone = plan.calendar.time_zone
    first, today = local_date(open_since_ms(plan.calendar, now_ms, longest_ms), zone), local_date(now_ms, zone)
    found: list[Outcome] = []
    legs: dict[str, list[Any]] = defaultdict(list)
    days = (LEG.c.hall == plan.id, LEG.c.day >= first, LEG.c.day < today)
    for row in connection.execute(select(LEG).where(*days).order_by(LEG.c.ticket, LEG.c.leg)).fetchall():
        legs[row.ticket].append(row)
    for row in connection.execute(
        select(TICKET).where(TICKET.c.hall == plan.id, TICKET.c.day >= first, TICKET.c.day < today)
    ).fetchall():
        outcome = _past_outcome(plan, row, legs.get(row.id, []), now_ms)
        if outcome is not None:
            found.append(outcome)
    return found


def _past_outcome(plan: Plan, row: Any, legs: list[Any], now_ms: int) -> Outcome | None:
    clock = Hall(plan.id)  # an empty hall: it knows the plan's wait clock and the day's opening hours
    clock.plan = plan
    clock.plan_day(row.day)
    record = wait_record(clock, row, legs, clock.day.end_ms, now_ms)
    own = [leg for leg in legs if leg.waiting_since_ms < clock.day.end_ms]
    return outcome_of(clock, record, own, clock.day.end_ms)
