"""One hall's recorded days in order of time. What is told of a ticket is what was known at its issue, and no more."""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import groupby
from typing import NamedTuple

from queue_service.domain.calendar import to_ms
from queue_service.history import Recorded, RecordedHall
from queue_service.planning.predictors.known import Known
from queue_service.planning.predictors.tracker import Tracker

WIDEST_S = 660
"""Times that were estimated in a wider bracket show where the line was, but are no measure of anything."""
LOST_AFTER = 3
"""Who was passed over by so many that came later has left; where that is wrong, the call tells."""


class Moment(NamedTuple):
    """Something that happened: an issue (`known` is what was known then) or a call (`wait_s`)."""

    ticket: Recorded
    known: Known | None
    wait_s: float


def is_measured(ticket: Recorded) -> bool:
    """Whether its wait is known, and closely enough."""
    brackets = (ticket.extra.get("issued_uncertainty_s", 0), ticket.extra.get("called_uncertainty_s", 0))
    return ticket.called_at_ms is not None and all(one <= WIDEST_S for one in brackets)


class HallDays:
    """A hall's tracker, told of one day after the other."""

    def __init__(self, hall: RecordedHall) -> None:
        """Nothing was told."""
        self.hall = hall
        self.days = {day: list(tickets) for day, tickets in groupby(hall.tickets, lambda one: one.day)}
        self._tracker = Tracker()
        self._passed: dict[str, int] = {}

    def play(self, day: str) -> list[Moment]:
        """The moments of a day, in order; issues before calls of the same instant."""
        tickets = self.days.get(day, [])
        if not tickets:
            return []
        midnight = datetime.combine(date.fromisoformat(day), time(), self.hall.zone)
        self._tracker.open_day(to_ms(midnight), midnight.weekday())
        self._passed.clear()
        return [self._tell(ticket, is_call) for _, is_call, ticket in sorted(_told(tickets), key=lambda one: one[:2])]

    def _tell(self, ticket: Recorded, is_call: bool) -> Moment:
        if not is_call:
            counters, reported = ticket.extra.get("counters_open"), ticket.extra.get("waiting_before")
            known = self._tracker.known(ticket.service, ticket.issued_at_ms, counters, reported)
            self._tracker.join(str(ticket.row), ticket.service, ticket.issued_at_ms)
            return Moment(ticket, known, 0.0)
        assert ticket.called_at_ms is not None
        if self._tracker.call(str(ticket.row), ticket.called_at_ms) is not None:
            self._pass_over(ticket)
        return Moment(ticket, None, (ticket.called_at_ms - ticket.issued_at_ms) / 1000)

    def _pass_over(self, called: Recorded) -> None:
        """Who came before the called one and still waits may have left: nobody wrote down when."""
        lost = []
        for ticket in self._tracker.lines[called.service].passed(called.issued_at_ms):
            self._passed[ticket] = self._passed.get(ticket, 0) + 1
            if self._passed[ticket] >= LOST_AFTER:
                lost.append(ticket)
        for ticket in lost:
            self._tracker.leave(ticket)


def _told(tickets: list[Recorded]) -> Iterator[tuple[int, bool, Recorded]]:
    for ticket in tickets:
        yield ticket.issued_at_ms, False, ticket
        if ticket.called_at_ms is not None:
            yield ticket.called_at_ms, True, ticket
