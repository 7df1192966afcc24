"""Follows a hall's tickets in order of time and says at each issue what is known. Live and backtest share it.

Nothing here looks ahead: a `Known` is made of what was told before it was asked for. Who tells issues before calls
of the same instant (as `replay` does) keeps a call in the very moment of the issue unknown to it.
"""

from collections import deque
from collections.abc import Iterator

from queue_service.planning.predictors.known import Known

RECENT = 10
HALL_RECENT = 30
WINDOW_MS = 30 * 60_000
WEIGHT = 0.1
"""Of a new call-to-call time in its running mean."""
LONGEST_GAP_S = 3600.0
"""A longer one while somebody waited is a break or a fault of the records, not work."""


class Line:
    """One service's line and its recent past."""

    __slots__ = (
        "_places", "called_today", "calls", "interval_s", "issued", "issued_today", "last_call_ms", "last_wait_s",
        "service_s", "waiting", "waits", "waits_s", "was_busy",
    )  # fmt: skip

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self._places: deque[str] = deque()
        self.waits: deque[float] = deque()
        self.waits_s = 0.0
        self.last_wait_s: float | None = None
        self.interval_s: float | None = None
        self.service_s: float | None = None
        self.last_call_ms: int | None = None
        self.was_busy = False
        self.calls: deque[int] = deque()
        self.issued: deque[int] = deque()
        self.issued_today = self.called_today = 0

    def open_day(self) -> None:
        """Nobody waits; what was learned stays."""
        self.waiting.clear()
        for one in (self._places, self.calls, self.issued):
            one.clear()
        self.last_call_ms, self.was_busy = None, False
        self.issued_today = self.called_today = 0

    def warm(self, before: "Line") -> None:
        """What earlier days taught of the pace and the last waits, where today has shown nothing yet."""
        if self.last_wait_s is None:
            self.waits, self.waits_s, self.last_wait_s = before.waits, before.waits_s, before.last_wait_s
        self.interval_s = before.interval_s if self.interval_s is None else self.interval_s
        self.service_s = before.service_s if self.service_s is None else self.service_s

    def join(self, ticket: str, at_ms: int) -> None:
        """A ticket begins to wait."""
        self.waiting[ticket] = at_ms
        self._places.append(ticket)
        self.issued.append(at_ms)
        self.issued_today += 1

    def head_ms(self) -> int | None:
        """Since when the oldest of those waiting has waited."""
        places, waiting = self._places, self.waiting
        while places:
            since = waiting.get(places[0])
            if since is not None:
                return since
            places.popleft()
        return None

    def passed(self, since_ms: int) -> Iterator[str]:
        """Tickets that wait although they came before that."""
        for ticket in self._places:
            at_ms = self.waiting.get(ticket)
            if at_ms is not None:
                if at_ms >= since_ms:
                    return
                yield ticket

    def call(self, since_ms: int, at_ms: int, counters: int | None) -> float:
        """A ticket that waited since then is called; its wait in seconds."""
        wait_s = (at_ms - since_ms) / 1000
        self.last_wait_s = wait_s
        self.waits.append(wait_s)
        self.waits_s += wait_s
        if len(self.waits) > RECENT:
            self.waits_s -= self.waits.popleft()
        if self.last_call_ms is not None and self.was_busy:
            self._learn((at_ms - self.last_call_ms) / 1000, counters)
        self.last_call_ms = at_ms
        self.was_busy = bool(self.waiting)
        self.calls.append(at_ms)
        self.called_today += 1
        return wait_s

    def _learn(self, gap_s: float, counters: int | None) -> None:
        if gap_s > LONGEST_GAP_S:
            return
        self.interval_s = gap_s if self.interval_s is None else self.interval_s + WEIGHT * (gap_s - self.interval_s)
        if counters:
            work_s = gap_s * counters
            self.service_s = work_s if self.service_s is None else self.service_s + WEIGHT * (work_s - self.service_s)


class Tracker:
    """A hall. Times must not go back within a day; a ticket that is unknown is passed over in silence."""

    __slots__ = ("_calls", "_counters", "_day_ms", "_lines_of", "_weekday", "lines", "waits", "waits_s")

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self._lines_of: dict[str, str] = {}
        self._counters: dict[str, int] = {}
        self._calls: deque[int] = deque()
        self.waits: deque[float] = deque()
        self.waits_s = 0.0
        self._day_ms, self._weekday = 0, 0

    def open_day(self, start_ms: int, weekday: int) -> None:
        """A business day that begins at local midnight `start_ms`; Monday is 0."""
        self._day_ms, self._weekday = start_ms, weekday
        self._lines_of.clear()
        self._calls.clear()
        self._counters.clear()
        for line in self.lines.values():
            line.open_day()

    def warm(self, before: "Tracker") -> None:
        """Take over what earlier days taught, where today has shown nothing yet."""
        for service, line in before.lines.items():
            self.lines.setdefault(service, Line()).warm(line)
        if not self.waits:
            self.waits, self.waits_s = before.waits, before.waits_s

    def join(self, ticket: str, service: str, at_ms: int) -> None:
        """The ticket begins to wait (again: what it waited before is its caller's to know)."""
        line = self.lines.get(service)
        if line is None:
            line = self.lines[service] = Line()
        self._lines_of[ticket] = service
        line.join(ticket, at_ms)

    def leave(self, ticket: str) -> None:
        """The ticket waits no longer, and was not called."""
        service = self._lines_of.pop(ticket, None)
        if service is not None:
            self.lines[service].waiting.pop(ticket, None)

    def call(self, ticket: str, at_ms: int) -> float | None:
        """The ticket is called; its wait in seconds."""
        service = self._lines_of.pop(ticket, None)
        if service is None:
            return None
        line = self.lines[service]
        since_ms = line.waiting.pop(ticket)
        wait_s = line.call(since_ms, at_ms, self._counters.get(service))
        self._calls.append(at_ms)
        self.waits.append(wait_s)
        self.waits_s += wait_s
        if len(self.waits) > HALL_RECENT:
            self.waits_s -= self.waits.popleft()
        return wait_s

    def known(self, service: str, at_ms: int, counters: int | None = None, reported: int | None = None) -> Known:
        """What is known to somebody who would join that line now; ask before `join`."""
        line = self.lines.get(service)
        if line is None:
            line = self.lines[service] = Line()
        if counters is not None:
            self._counters[service] = counters
        head_ms, calls, issued, hall_calls = line.head_ms(), line.calls, line.issued, self._calls
        since_ms = at_ms - WINDOW_MS
        called_30 = _within(calls, since_ms)
        waits = len(line.waits)
        return Known(
            service,
            at_ms,
            self._weekday,
            (at_ms - self._day_ms) / 1000,
            len(line.waiting),
            counters,
            reported,
            0.0 if head_ms is None else (at_ms - head_ms) / 1000,
            line.last_wait_s,
            None if line.last_call_ms is None else (at_ms - line.last_call_ms) / 1000,
            line.waits_s / waits if waits else None,
            waits,
            line.interval_s,
            line.service_s,
            (at_ms - calls[-3]) / 3000 if len(calls) > 2 else None,
            (at_ms - calls[-10]) / 10_000 if len(calls) > 9 else None,
            line.issued_today,
            line.called_today,
            _within(issued, since_ms),
            called_30,
            (at_ms - issued[-1]) / 1000 if issued else None,
            len(self._lines_of),
            _within(hall_calls, since_ms),
            self.waits_s / len(self.waits) if self.waits else None,
        )


def _within(times: deque[int], since_ms: int) -> int:
    """How many are not older; ten older ones are kept for the pace."""
    while len(times) > RECENT and times[0] < since_ms:
        times.popleft()
    if not times or times[0] >= since_ms:
        return len(times)
    return sum(1 for at_ms in times if at_ms >= since_ms)
