"""A hall at an instant, and which of its counters could call somebody just now."""

from collections.abc import Iterable
from heapq import heappop, heappush

from models.vocabulary import CounterState, TicketState
from queue_service.domain import events as ev
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Counter, Hall, Ticket
from queue_service.domain.order import eligible

TICKS = 1 << 20
"""So many to a millisecond: the place of an event among those of its millisecond."""


def ms_of(tick: int) -> int:
    """The instant of a tick, ms since 1970."""
    return tick // TICKS


class Stage:
    """`since`: the counters that could call, and since which tick without a break: their chances."""

    def __init__(self, opening: Iterable[ev.Logged]) -> None:
        """`opening`: the plan, and the event that opens the day."""
        first = list(opening)
        self.hall = Hall(first[0].hall)
        self.since: dict[str, int] = {}
        self.wakes: list[int] = []
        self.withheld: set[str] = set()
        for one in first:
            evolve(self.hall, one)
        self.hall.seq = self.hall.day_seq

    def apply(self, event: ev.Event, tick: int) -> None:
        """Let an event happen."""
        at_ms, seq = ms_of(tick), self.hall.seq + 1
        evolve(self.hall, ev.Logged(self.hall.id, seq, seq, at_ms, "what-if", "system", event, ""))
        ticket = self.hall.tickets.get(getattr(event, "ticket", ""))
        if ticket is not None and ticket.state == TicketState.WAITING:
            for later_ms in (ticket.leg.waiting_since_ms, ticket.leg.reserved_until_ms):
                if later_ms is not None and later_ms > at_ms:
                    heappush(self.wakes, later_ms * TICKS)

    def woken(self, until: int) -> int | None:
        """The next tick before `until` at which time alone may let somebody be called."""
        while self.wakes and self.wakes[0] < until:
            tick = heappop(self.wakes)
            if not self.wakes or self.wakes[0] != tick:
                return tick
        return None

    def look(self, tick: int) -> tuple[list[str], dict[str, int]]:
        """The counters whose chance begins now; and those whose chance is over, with the tick it began."""
        began, over, line = [], {}, _Line(self.hall, ms_of(tick))
        for name, counter in self.hall.counters.items():
            if self._is_idle(counter) and line.holds_for(counter):
                if name not in self.since:
                    self.since[name] = tick
                    began.append(name)
            elif name in self.since:
                over[name] = self.since.pop(name)
        return began, over

    def _is_idle(self, counter: Counter) -> bool:
        if not counter.is_open or counter.ticket is not None or counter.id in self.withheld:
            return False
        return None not in self.hall.suspensions and self.hall.counter_state(counter) == CounterState.IDLE


class _Line:
    """Who could be called at an instant: `order.heads` for all counters at once, and only whether there is one."""

    def __init__(self, hall: Hall, now_ms: int) -> None:
        self._hall, self._now_ms = hall, now_ms
        waiting: dict[str, list[Ticket]] = {}
        for (service, _), lane in hall.lanes.items():
            if lane and not hall.is_suspended(service):
                waiting.setdefault(service, []).extend(hall.tickets[place[3]] for place in lane)
        self._waiting = waiting

    def holds_for(self, counter: Counter) -> bool:
        """Whether the counter could call somebody."""
        if not self._waiting:
            return False
        hall, now_ms = self._hall, self._now_ms
        return any(
            eligible(ticket, counter, now_ms, hall.busy)
            for service in hall.able(counter)
            for ticket in self._waiting.get(service, ())
        )
