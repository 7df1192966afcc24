"""What the state of a hall does not tell: the last call, bells that nobody answered, what displays say. Folded event by
event beside the view, as the tally is; what became of promises on earlier days is read once, beside the event loop.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from metrics.decided import Decided, Outcome, outcome_of
from metrics.live.burn import open_since_ms
from metrics.reading import DayRead, read_days
from queue_service.domain import events as ev
from queue_service.domain.calendar import day_of, local_date
from queue_service.domain.plan import Plan


class Told(NamedTuple):
    """What a display last said: with what it spoke, when, how late it was, and how late today at worst."""

    voice: str
    at_ms: int
    lag_ms: int
    worst_ms: int


class Watch:
    """One hall's day beside its state. `past`: what was decided on earlier days, None until that is read."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        self._begin()

    def _begin(self) -> None:
        self.past: Decided | None = None
        self.last_call_ms = 0
        self.rings: dict[str, int] = {}
        self.displays: dict[str, Told] = {}
        self.postponed: set[str] = set()

    def fold(self, logged: ev.Logged) -> None:
        """Take in an event."""
        event = logged.event
        if isinstance(event, ev.DayOpened):
            self._begin()
        elif isinstance(event, ev.TicketCalled):
            self.last_call_ms = logged.at_ms
        elif isinstance(event, ev.TicketPostponed):
            self.postponed.add(event.ticket)
        self._hear(event, logged.at_ms)

    def _hear(self, event: ev.Event, at_ms: int) -> None:
        """A bell; whatever the counter does next says that it is over."""
        if isinstance(event, ev.HelpCalled):
            self.rings.setdefault(event.counter, at_ms)
        elif isinstance(event, ev.CallAnnounced):
            self.displays[event.display] = self._heard_from(event, at_ms)
        elif self.rings and not isinstance(event, ev.AlertEvent):
            self.rings.pop(getattr(event, "counter", None) or "", None)

    def _heard_from(self, event: ev.CallAnnounced, at_ms: int) -> Told:
        known = self.displays.get(event.display)
        return Told(event.voice, at_ms, event.lag_ms, max(event.lag_ms, known.worst_ms if known else 0))


def past_outcomes(connection: Connection, plan: Plan, now_ms: int) -> list[Outcome]:
    """The promises decided on the days before today that the longest burn of the plan looks back on."""
    if plan.alerts is None or not plan.alerts.burns:
        return []
    longest_ms = max(rule.long_ms for rule in plan.alerts.burns)
    zone = plan.calendar.time_zone
    first = local_date(open_since_ms(plan.calendar, now_ms, longest_ms), zone)
    today = day_of(plan.calendar, local_date(now_ms, zone))
    yesterday = local_date(today.start_ms - 1, zone)
    return [outcome for day in read_days(connection, plan, first, yesterday, now_ms) for outcome in _outcomes(day)]


def _outcomes(read: DayRead) -> Iterator[Outcome]:
    for ticket in read.tickets:
        outcome = outcome_of(read.clock, ticket.record, ticket.legs, read.until_ms)
        if outcome is not None:
            yield outcome
