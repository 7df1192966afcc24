"""What became of the promise today, kept up event by event, so that a scrape needs no database.

Tickets the hall has let go of are counted when they go; those it holds are judged when the counts are read. Both go
through `waits`, so the gauges say what the report says.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from metrics.verdict import Promise, share_of
from metrics.waits import WaitRecord, classify, live_record
from models.vocabulary import Verdict
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall
from queue_service.domain.rules.undo import UNDO_MS

Cells = dict[Promise, Counter[Verdict]]
"""How many tickets of each promise stand in each cell."""

_SETTLING = frozenset({ev.TicketFinished, ev.TicketCancelled, ev.TicketExpired, ev.TicketBackfilled})
"""After these the hall may hold the ticket no more."""


class DayTally:
    """The settled tickets of one hall's business day."""

    def __init__(self) -> None:
        """Nothing is settled yet."""
        self._settled: Cells = defaultdict(Counter)
        self._undoable: dict[str, tuple[int, Promise, Verdict]] = {}
        self._settled_at: deque[tuple[int, str]] = deque()
        self._most: Counter[tuple[str, Verdict]] = Counter()
        self.last_call_ms = 0
        """When somebody was last called for the first time, as far as this process has read; 0: never."""

    def fold(self, hall: Hall, logged: ev.Logged) -> None:
        """Take in an event after `evolve` applied it to `hall`, and before `touched` is drained.

        From the event that opened the day on, each once and in order: then the counts are complete."""
        event = logged.event
        kind = type(event)
        if kind in _SETTLING:
            assert isinstance(event, ev.TicketEvent), "tickets settle by their own events"
            self._settle(hall, event.ticket, logged.at_ms)
        elif kind is ev.TicketCalled:
            self.last_call_ms = logged.at_ms
        elif kind is ev.CommandUndone:
            assert isinstance(event, ev.CommandUndone), "just compared"
            for ticket_id in event.tickets:
                self._take_back(ticket_id)
        elif kind is ev.DayOpened:
            self._settled, self._undoable, self._settled_at = defaultdict(Counter), {}, deque()
            self._most.clear()

    def _settle(self, hall: Hall, ticket_id: str, at_ms: int) -> None:
        ticket = hall.touched.get(ticket_id)
        if ticket is None or ticket_id in hall.tickets or ticket.day != hall.day.date:
            return
        record = live_record(hall, ticket, at_ms)
        promise = _promise(record)
        if promise is not None:
            verdict = classify(record)
            self._settled[promise][verdict] += 1
            self._forget_before(at_ms - UNDO_MS)
            self._undoable[ticket_id] = (at_ms, promise, verdict)
            self._settled_at.append((at_ms, ticket_id))

    def _forget_before(self, at_ms: int) -> None:
        """What can no longer be undone needs no name; the oldest come first."""
        while self._settled_at and self._settled_at[0][0] < at_ms:
            settled_at_ms, ticket_id = self._settled_at.popleft()
            if ticket_id in self._undoable and self._undoable[ticket_id][0] == settled_at_ms:
                del self._undoable[ticket_id]

    def _take_back(self, ticket_id: str) -> None:
        """An undone command has brought a settled ticket back."""
        settled = self._undoable.pop(ticket_id, None)
        if settled is not None:
            self._settled[settled[1]][settled[2]] -= 1

    def cells(self, hall: Hall, now_ms: int) -> Cells:
        """Every ticket of the hall's day whose wait has begun, by promise and cell, as of now."""
        cells: Cells = defaultdict(Counter, {promise: counts.copy() for promise, counts in self._settled.items()})
        for record in _open_records(hall, now_ms):
            promise = _promise(record)
            if promise is not None:
                cells[promise][classify(record)] += 1
        return cells

    def most(self, period: str, verdict: Verdict, count: int) -> int:
        """The largest count of this cell that was ever shown today, `count` being the present one."""
        self._most[period, verdict] = max(count, self._most[period, verdict])
        return self._most[period, verdict]

    def share_kept(self, hall: Hall, now_ms: int) -> dict[str, float]:
        """Kept / (kept + missed) by period; periods in which nothing counts yet are left out."""
        return shares(self.cells(hall, now_ms))


def shares(cells: Cells) -> dict[str, float]:
    """Kept / (kept + missed) by period, over all of its promises; left out where nothing counts."""
    by_period = by_period_of(cells)
    found = {
        period: share_of(counts[Verdict.KEPT], counts[Verdict.KEPT] + counts[Verdict.MISSED])
        for period, counts in by_period.items()
    }
    return {period: share for period, share in found.items() if share is not None}


def by_period_of(cells: Cells) -> dict[str, Counter[Verdict]]:
    """The cells of each period, its promises taken together (a plan change within the day gives it two)."""
    by_period: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for (period, _, _), counts in cells.items():
        by_period[period].update(counts)
    return by_period


def _open_records(hall: Hall, now_ms: int) -> Iterator[WaitRecord]:
    today = hall.day.date
    return (live_record(hall, ticket, now_ms) for ticket in hall.tickets.values() if ticket.day == today)


def _promise(record: WaitRecord) -> Promise | None:
    """What the record is judged by; None before its wait began."""
    if record.period is None or record.promise_ms is None or record.percentile is None:
        return None
    return record.period, record.promise_ms, record.percentile
