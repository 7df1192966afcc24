"""What the design says a wait, its verdict and the figures are, written from its words and straight over the log.

Nothing of `metrics` and none of the rules that change a hall are used: only the events as they stand in the log, and
the model's own calendar. Slow and plain on purpose.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, sqrt
from typing import Any

from queue_service.domain.events import Logged
from tests.model import days

FOREVER = 10**15
MINUTE = 60_000


@dataclass
class Wait:
    """From its beginning to its first call, cancel or expiry."""

    service: str
    since: int
    end: int | None = None
    by_call: bool = False


@dataclass
class Turn:
    """One call to a counter and what followed there."""

    counter: str
    called: int
    started: int | None = None
    implied: bool = False
    ended: int | None = None
    outcome: str = ""
    moved: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Visit:
    """A ticket's day."""

    ticket: str
    day: str
    service: str
    state: str = ""
    promise: tuple[str, int, int] | None = None
    apart: str | None = None
    waits: list[Wait] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """An event as the log shows it."""

    seq: int
    command: int
    at: int
    kind: str
    data: dict[str, Any]


class History:
    """The visits of a hall, as they were up to an instant."""

    def __init__(self, log: Iterable[Logged], plan: dict[str, Any], now: int) -> None:
        """`plan`: the present plan's document, for calendar and labels."""
        self.plan, self.now = plan, now
        self.log = [Told(one.seq, one.command_seq, one.at_ms, one.event.KIND, asdict(one.event)) for one in log]
        undone = {(told.data["command_seq"], ticket) for told in self.log if told.kind == "command_undone"
                  for ticket in told.data["tickets"]}  # fmt: skip
        self.visits: dict[str, Visit] = {}
        self._suspended: set[str | None] = set()
        for told in self.log:
            if (told.command, told.data.get("ticket")) not in undone:
                self._fold(told)

    # -- the life of tickets

    def _fold(self, told: Told) -> None:
        data = told.data
        if told.kind in ("suspended", "resumed"):
            self._stand_still(told)
        elif "ticket" in data:
            visit = self.visits.get(data["ticket"])
            if visit is None:
                visit = self.visits[data["ticket"]] = self._new(told)
            elif told.at < days.end_ms(self.plan, visit.day):  # its day's end is its end
                getattr(self, f"_{told.kind.removeprefix('ticket_')}")(visit, told, data)
            else:
                self._carry_on(visit, told, data)
            if data.get("period"):
                visit.promise = (data["period"], data["promise_ms"], data["percentile"])

    def _carry_on(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        """Serving goes on over midnight; with it ends what a ticket does to its own day."""
        turn = visit.turns[-1] if visit.turns else None
        if turn is None or turn.ended is not None:
            return
        if told.kind == "ticket_handed_over":
            turn.moved.append((told.at, turn.counter))
            turn.counter = data["to_counter"]
        elif told.kind == "ticket_expired":
            turn.ended, turn.outcome = data["ended_at_ms"], "expired"
        else:
            turn.ended, turn.outcome = told.at, told.kind.removeprefix("ticket_")

    def _new(self, told: Told) -> Visit:
        data = told.data
        day = days.local_date(self.plan, told.at)
        visit = Visit(data["ticket"], day, data["service"], apart=data.get("apart"))
        if told.kind == "ticket_backfilled":
            self._paper(visit, data)
        elif data["state"] == "waiting":
            self._wait(visit, told.at)
        else:
            visit.state = "expected"
        return visit

    def _paper(self, visit: Visit, data: dict[str, Any]) -> None:
        visit.apart, visit.state = "backfilled", "waiting"
        wait = Wait(data["service"], data["arrived_at_ms"])
        visit.waits.append(wait)
        if data["called_at_ms"] is not None:
            wait.end, wait.by_call, visit.state = data["called_at_ms"], True, "finished"
            if data["counter"] is not None:
                started = data["started_at_ms"] or data["called_at_ms"]
                ended = data["finished_at_ms"] or started
                turn = Turn(data["counter"], data["called_at_ms"], started, data["started_at_ms"] is None, ended)
                turn.outcome = "finished"
                visit.turns.append(turn)

    def _wait(self, visit: Visit, since: int) -> None:
        visit.state = "waiting"
        visit.waits.append(Wait(visit.service, since))
        self._flag(visit)

    def _flag(self, visit: Visit) -> None:
        if self._suspended & {None, visit.service} and visit.apart is None:
            visit.apart = "suspended"

    def _stand_still(self, told: Told) -> None:
        if told.kind == "resumed":
            self._suspended.discard(told.data["service"])
            return
        self._suspended.add(told.data["service"])
        for visit in self.visits.values():
            if visit.state == "waiting" and told.at < days.end_ms(self.plan, visit.day):
                self._flag(visit)

    def _over(self, visit: Visit, at: int, by_call: bool = False) -> None:
        if visit.waits and visit.waits[-1].end is None:
            visit.waits[-1].end, visit.waits[-1].by_call = at, by_call

    def _leave(self, visit: Visit, at: int, outcome: str) -> None:
        self._over(visit, at)
        if visit.turns and visit.turns[-1].ended is None:
            visit.turns[-1].ended, visit.turns[-1].outcome = at, outcome
        visit.state = outcome

    def _checked_in(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._wait(visit, told.at)

    def _called(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._over(visit, told.at, by_call=True)
        visit.state = "called"
        visit.turns.append(Turn(data["counter"], told.at))

    def _recalled(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        """Counted elsewhere."""

    def _started(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        visit.state, visit.turns[-1].started, visit.turns[-1].implied = "serving", told.at, data["implied"]

    def _handed_over(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        visit.turns[-1].moved.append((told.at, visit.turns[-1].counter))
        visit.turns[-1].counter = data["to_counter"]

    def _finished(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "finished")

    def _no_show(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "no_show")

    def _cancelled(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "cancelled")

    def _parked(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "parked")

    def _rejoined(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._wait(visit, told.at)

    def _requeued(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "requeued")
        self._wait(visit, told.at)

    def _returned(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        if data["counter"] is None:
            self._wait(visit, told.at)
            return
        visit.waits.append(Wait(visit.service, told.at, told.at, by_call=True))
        visit.turns.append(Turn(data["counter"], told.at, told.at))
        visit.state = "serving"

    def _transferred(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._leave(visit, told.at, "transferred")
        visit.service = data["to_service"]
        self._wait(visit, told.at)

    def _changed(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        visit.service = data["to_service"]
        if visit.waits:
            visit.waits[-1].service = visit.service
        if visit.state == "waiting":
            self._flag(visit)

    def _postponed(self, visit: Visit, told: Told, data: dict[str, Any]) -> None:
        self._over(visit, told.at)
        self._wait(visit, data["until_ms"])

    # -- the verdict

    def until(self, visit: Visit) -> int:
        """When a ticket is judged: now, or at its day's end."""
        return min(self.now, days.end_ms(self.plan, visit.day))

    def waited(self, visit: Visit) -> int:
        """The sum of its waits; one that is still running goes on until it is judged."""
        return sum(max(0, (self.until(visit) if one.end is None else one.end) - one.since) for one in visit.waits)

    def came(self) -> list[Visit]:
        """Everyone whose wait began."""
        return [visit for visit in self.visits.values() if visit.promise is not None]

    def verdict(self, visit: Visit) -> str:
        """Kept, missed, open, left or apart."""
        assert visit.promise is not None
        if visit.apart is not None:
            return "apart"
        if self.waited(visit) > visit.promise[1]:
            return "missed"
        if visit.state == "waiting":
            return "open" if self.now < days.end_ms(self.plan, visit.day) else "left"
        return "left" if visit.state in ("no_show", "cancelled") else "kept"

    def cause(self, visit: Visit) -> str | None:
        """Why its promise was missed."""
        assert visit.promise is not None
        period, promise, _ = visit.promise
        if self.waited(visit) <= promise or visit.apart not in (None, "suspended"):
            return None
        if visit.apart == "suspended":
            return "suspended"
        if self._in_hours(visit) <= promise:
            return "outside_hours"
        came, service = visit.waits[0].since, visit.waits[0].service
        ahead = [one.waits[0] for one in self.came() if one.day == visit.day and (one.promise or "")[0] == "peak"]
        stood = any(one.service == service and one.since < came < (one.end or FOREVER) for one in ahead)
        return "spilled_over" if period == "off_peak" and stood else "ordinary"

    def _in_hours(self, visit: Visit) -> int:
        """How much of the waits lay in opening hours."""
        strict = {**self.plan, "calendar": {**self.plan["calendar"], "wait_clock": "opening"}}
        until = self.until(visit)
        return sum(days.waited_ms(strict, visit.day, one.since, one.end or until) for one in visit.waits)

    # -- figures

    def figures(self, visits: Sequence[Visit]) -> dict[str, Any]:
        """What a row of the report says of some tickets."""
        cells = [self.verdict(visit) for visit in visits]
        found: dict[str, Any] = {cell: cells.count(cell) for cell in ("kept", "missed", "open", "left", "apart")}
        pairs = list(zip(visits, cells, strict=True))
        counted = sorted(self.waited(visit) for visit, cell in pairs if cell in ("kept", "missed"))
        causes = [self.cause(visit) for visit in visits]
        for cause in ("ordinary", "spilled_over", "outside_hours", "suspended"):
            found[f"missed_{cause}"] = causes.count(cause)
        low, high = interval(found["kept"], len(counted))
        called = [visit for visit, cell in pairs if cell != "apart" and visit.waits[-1].by_call]
        found |= {
            "counted": len(counted),
            "share": found["kept"] / len(counted) if counted else None,
            "share_low": low, "share_high": high,
            "mean_s": int(sum(counted) / len(counted) + 0.5) / 1000 if counted else None,
            **{f"p{percent}_s": rank(counted, percent) for percent in (50, 90, 95)},
            "max_s": rank(counted, 100),
            "called": len(called),
            "called_within": sum(self.waited(visit) <= (visit.promise or ("", 0))[1] for visit in called),
            "met": self._met(pairs),
        }  # fmt: skip
        return found

    def _met(self, pairs: Sequence[tuple[Visit, str]]) -> bool | None:
        """Each promise that somebody was counted under: its percentile is within it."""
        counted = [visit for visit, cell in pairs if cell in ("kept", "missed")]
        promises = {visit.promise for visit in counted if visit.promise}
        reached = [
            (rank(sorted(self.waited(one) for one in counted if one.promise == promise), promise[2]) or 0) * 1000
            <= promise[1]
            for promise in promises
        ]
        return all(reached) if reached else None


def rank(ordered: Sequence[int], percent: int) -> float | None:
    """Nearest rank, in seconds."""
    return ordered[max(1, ceil(percent * len(ordered) / 100)) - 1] / 1000 if ordered else None


def interval(part: int, whole: int) -> tuple[float | None, float | None]:
    """Wilson's interval at 95 %: the shares that are not further than 1.96 standard errors from what was seen."""
    if not whole:
        return None, None
    z, share = 1.959963984540054, part / whole
    middle, half = share + z * z / (2 * whole), z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return (middle - half) / (1 + z * z / whole), (middle + half) / (1 + z * z / whole)


def grouped(visits: Iterable[Visit], key: Callable[[Visit], Any]) -> dict[Any, list[Visit]]:
    """Tickets by something of theirs."""
    found: dict[Any, list[Visit]] = {}
    for visit in visits:
        found.setdefault(key(visit), []).append(visit)
    return found


# -- counters


def duty(history: History, from_ms: int, to_ms: int) -> dict[str, list[int]]:
    """Per counter, how long it was open and how long paused, millisecond stretches between events added up."""
    now: dict[str, bool] = {}
    before: dict[tuple[str, int], bool] = {}
    found: dict[str, list[int]] = {}
    since = from_ms
    for told in [*history.log, Told(0, 0, min(to_ms, history.now), "end", {})]:
        at = max(from_ms, min(told.at, to_ms, history.now))
        for counter, paused in now.items():
            found.setdefault(counter, [0, 0])[paused] += at - since
        since = at
        _turn(told, now, before)
    return found


def _turn(told: Told, now: dict[str, bool], before: dict[tuple[str, int], bool]) -> None:
    """`now` says of each counter signed on whether it is paused."""
    counter = told.data.get("counter")
    if counter in now:
        before.setdefault((counter, told.command), now[counter])
    if told.kind == "counter_opened":
        now[told.data["counter"]] = False
    elif told.kind == "counter_closed":
        now.pop(told.data["counter"], None)
    elif told.kind in ("counter_paused", "counter_resumed"):
        now[told.data["counter"]] = told.kind == "counter_paused"
    elif told.kind == "command_undone":
        now[told.data["counter"]] = before[told.data["counter"], told.data["command_seq"]]


def served(history: History) -> dict[str, dict[str, int]]:
    """Per counter, what it did with the tickets called to it."""
    found: dict[str, dict[str, int]] = {}

    def of(counter: str) -> dict[str, int]:
        return found.setdefault(counter, dict.fromkeys(("calls", "finished", "serving", "called"), 0))

    for visit in history.came():
        for turn in visit.turns:
            of(turn.counter)["calls"] += 1
            of(turn.counter)["finished"] += turn.outcome == "finished"
            waits_on = history.until(visit) if turn.started is None else history.now
            end = waits_on if turn.ended is None else turn.ended
            begun = turn.called if turn.implied else turn.started
            first = turn.moved[0][1] if turn.moved else turn.counter
            of(first)["called"] += (end if begun is None else begun) - turn.called
            for at, counter in turn.moved:
                if begun is not None and begun < at < end:
                    of(counter)["serving"] += at - begun
                    begun = at
            of(turn.counter)["serving"] += end - (end if begun is None else begun)
    return found
