"""What became of the promise today, kept up event by event, so that neither a scrape nor a look at a long line needs to
look at everyone.

Each ticket is judged through `waits` once it has changed, so the gauges say what the report says. Time alone changes
only what is said of those who wait: they are kept by the instant until which they wait within their promise.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from typing import NamedTuple

from metrics.decided import Count, Decided, Outcome, allowed_share, outcome_of, passes_at_ms
from metrics.verdict import Promise, share_of
from metrics.waits import WaitRecord, classify, live_record
from models.vocabulary import Verdict, WaitClock
from queue_service.domain import events as ev
from queue_service.domain.calendar import Span
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.rules.undo import UNDO_MS

Cells = dict[Promise, Counter[Verdict]]
"""How many tickets of each promise stand in each cell."""

JUDGED_AT_ONCE = 256
"""A ticket may change several times before it is judged, but not so many tickets that judging them takes long."""


class Waits(NamedTuple):
    """A ticket in line: for which service, and until when within its promise."""

    promise: Promise
    service: str
    until_ms: int


class Settled(NamedTuple):
    """A ticket of which time changes nothing."""

    promise: Promise
    verdict: Verdict
    outcome: Outcome | None


class DayTally:
    """The tickets of one hall's business day."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._most: Counter[tuple[str, Verdict]] = Counter()
        self.last_call_ms = 0
        """When somebody was last called for the first time, as far as this process has read; 0: never."""
        self._hours: tuple[Span, ...] = ()
        self._begin()

    def _begin(self) -> None:
        self._changed: dict[str, Ticket] = {}
        self._stands: dict[str, Waits | Settled] = {}
        self._settled: Cells = defaultdict(Counter)
        self._decided = Decided()
        self._waiting: dict[tuple[Promise, str], list[tuple[int, str]]] = {}
        self._gone: dict[str, int] = {}
        self._gone_at: deque[tuple[int, str]] = deque()
        self._most.clear()

    def fold(self, hall: Hall, logged: ev.Logged) -> None:
        """Take in an event after `evolve` applied it to `hall`, and before `touched` is drained.

        From the event that opened the day on, each once and in order: then the counts are complete."""
        kind = type(logged.event)
        if kind is ev.TicketCalled:
            self.last_call_ms = logged.at_ms
        elif kind is ev.DayOpened:
            self._begin()
            self._judge_by(hall)
        elif kind is ev.PlanChanged:
            self._judge_by(hall)
        if hall.touched and kind is not ev.TicketRecorded:
            self._changed.update(hall.touched)
            if len(self._changed) >= JUDGED_AT_ONCE:
                self._judge(hall)

    def _judge_by(self, hall: Hall) -> None:
        """Where the hours have changed by which waits count, so may have what is said of everyone."""
        by_hours = hall.today is not None and hall.rules.wait_clock == WaitClock.OPENING
        hours = hall.day.opening if by_hours else ()
        if hours != self._hours:
            self._hours = hours
            self._changed.update(hall.tickets)

    def _judge(self, hall: Hall) -> None:
        """Put what has changed where it belongs."""
        changed, self._changed = self._changed, {}
        for ticket_id, ticket in changed.items():
            before = self._stands.pop(ticket_id, None)
            if before is not None:
                self._take(ticket_id, before)
            stand = _stand(hall, ticket)
            if stand is not None:
                self._put(ticket_id, stand)
                self._stands[ticket_id] = stand
            self._gone.pop(ticket_id, None)
            if ticket_id not in hall.tickets:
                gone_ms = self._gone[ticket_id] = ticket.closed_at_ms or hall.last_at_ms
                self._gone_at.append((gone_ms, ticket_id))
        self._forget_before(hall.last_at_ms - UNDO_MS)

    def _put(self, ticket_id: str, stand: Waits | Settled) -> None:
        if isinstance(stand, Waits):
            insort(self._waiting.setdefault((stand.promise, stand.service), []), (stand.until_ms, ticket_id))
            return
        self._settled[stand.promise][stand.verdict] += 1
        if stand.outcome is not None:
            self._decided.add(stand.outcome)

    def _take(self, ticket_id: str, stand: Waits | Settled) -> None:
        if isinstance(stand, Waits):
            line = self._waiting[stand.promise, stand.service]
            del line[bisect_left(line, (stand.until_ms, ticket_id))]
            if not line:
                del self._waiting[stand.promise, stand.service]
            return
        self._settled[stand.promise][stand.verdict] -= 1
        if stand.outcome is not None:
            self._decided.remove(stand.outcome)

    def _forget_before(self, at_ms: int) -> None:
        """What the hall has let go of and can no longer be undone needs no name; the oldest come first."""
        while self._gone_at and self._gone_at[0][0] < at_ms:
            gone_ms, ticket_id = self._gone_at.popleft()
            if self._gone.get(ticket_id) == gone_ms:
                del self._gone[ticket_id]
                self._stands.pop(ticket_id, None)

    def cells(self, hall: Hall, now_ms: int) -> Cells:
        """Every ticket of the hall's day whose wait has begun, by promise and cell, as of now."""
        self._judge(hall)
        cells: Cells = defaultdict(Counter, {promise: counts.copy() for promise, counts in self._settled.items()})
        within = Verdict.LEFT if hall.is_due(now_ms) else Verdict.OPEN
        for (promise, _), line in self._waiting.items():
            missed = bisect_left(line, (min(now_ms, hall.day.end_ms),))
            cells[promise][Verdict.MISSED] += missed
            cells[promise][within] += len(line) - missed
        return cells

    def counts(self, hall: Hall, since_ms: int, now_ms: int) -> Iterator[Count]:
        """The promises of today decided since then, as of now."""
        self._judge(hall)
        yield from self._decided.counts(since_ms, now_ms)
        for ((_, _, percentile), _), line in self._waiting.items():
            missed = bisect_left(line, (min(now_ms, hall.day.end_ms),)) - bisect_left(line, (since_ms,))
            if missed > 0:
                yield Count(True, allowed_share(percentile), missed)

    def passing(self, hall: Hall, since_ms: int, until_ms: int) -> Iterator[str]:
        """Those who wait and pass their promise in that time, if they are not called before."""
        self._judge(hall)
        for line in self._waiting.values():
            first, last = bisect_left(line, (since_ms,)), bisect_left(line, (until_ms,))
            yield from (ticket_id for _, ticket_id in line[first:last])

    def waited_for(self, hall: Hall) -> set[str]:
        """The services for which somebody waits to whom something was promised."""
        self._judge(hall)
        return {service for _, service in self._waiting}

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


def _stand(hall: Hall, ticket: Ticket) -> Waits | Settled | None:
    """How a ticket stands from now on; None: it is not of today, or no wait of it has begun."""
    if ticket.day != hall.day.date:
        return None
    record = live_record(hall, ticket, hall.last_at_ms)
    promise = _promise(record)
    if promise is None:
        return None
    verdict = classify(record)
    if record.waiting and verdict != Verdict.APART:
        until_ms = passes_at_ms(hall, ticket.legs, promise[1])
        assert until_ms is not None, "a wait is running"
        return Waits(promise, ticket.leg.service, until_ms)
    return Settled(promise, verdict, outcome_of(hall, record, ticket.legs, hall.last_at_ms))


def _promise(record: WaitRecord) -> Promise | None:
    """What the record is judged by; None before its wait began."""
    if record.period is None or record.promise_ms is None or record.percentile is None:
        return None
    return record.period, record.promise_ms, record.percentile
