"""What a hall's log tells a report beside the tickets: plan changes, people turned away, chosen calls, the counters'
hours, hand-overs, commands undone, suspensions. One pass over the events of these kinds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from metrics.advised import Followed
from metrics.counters import Duties, Moves
from metrics.integrity import Integrity
from metrics.verdict import Count
from models.vocabulary import TurnedAwayReason
from models.wire import rfc3339
from queue_service.domain import events as ev
from queue_service.journal import EVENT, first_seq, logged, positions

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
ROWS_AT_ONCE = 2_000


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TurnedAwayCount(_Shape):
    """How many visitors got no ticket for a service, and why."""

    service: str
    reason: TurnedAwayReason
    count: Count


class PlanChange(_Shape):
    """The plan was put within the days reported."""

    at: Instant
    version: int


class ChosenCall(_Shape):
    """A call out of order, its reason, and how many were overtaken by it; `undone`: taken back, and not counted."""

    at: Instant
    number: str
    service: str
    counter: str
    reason: str
    overtaken: Count
    undone: bool


_CHOSEN = (EVENT.c.kind == ev.TicketCalled.KIND) & EVENT.c.data.not_like('%"chosen":null%')
_KINDS = (
    ev.PlanChanged, ev.TurnedAway, ev.DayOpened, ev.CounterOpened, ev.CounterPaused, ev.CounterResumed,
    ev.CounterClosed, ev.CommandUndone, ev.Suspended, ev.Resumed, ev.TicketHandedOver, ev.AdviceGiven,
    ev.AdviceAnswered,
)  # fmt: skip


@dataclass(slots=True)
class _Still:
    """What is suspended now, by scope: since when."""

    since_ms: dict[str | None, int] = field(default_factory=dict)


class Told:
    """Reads the events from one instant up to another, and what held when they begin."""

    def __init__(
        self,
        from_ms: int,
        to_ms: int,
        now_ms: int,
        integrity: Integrity,
        on_duty: Callable[[str, bool, int, int], None],
        on_turned_away: Callable[[int, str], None],
    ) -> None:
        """What still goes on is told until `to_ms` or now. `on_duty` is told when counters were open (see `Duties`),
        `on_turned_away` of visitors without a ticket: when, and for which service they came."""
        self.turned_away: Counter[tuple[str, str]] = Counter()
        self.plan_changes: list[PlanChange] = []
        self.chosen_calls: list[ChosenCall] = []
        self.moves: Moves = defaultdict(list)
        self.advice = Followed()
        self._from_ms, self._to_ms, self._until_ms = from_ms, to_ms, min(to_ms, now_ms)
        self._integrity = integrity
        self._duties = Duties(from_ms, self._until_ms, on_duty)
        self._on_turned_away = on_turned_away
        self._still = _Still()
        self._hand_overs: dict[int, str] = {}
        self._standing: dict[int, tuple[ChosenCall, str, int]] = {}
        self._handlers: dict[type[ev.Event], Callable[[ev.Logged, Any], None]] = {
            ev.PlanChanged: self._plan_changed,
            ev.TurnedAway: self._turned_away,
            ev.TicketCalled: self._chosen,
            ev.Suspended: self._suspended,
            ev.Resumed: self._resumed,
            ev.TicketHandedOver: self._handed_over,
            ev.CommandUndone: self._undone,
            ev.AdviceGiven: self.advice.given,
            ev.AdviceAnswered: self.advice.answered,
        }

    def read(self, connection: Connection, hall: str) -> None:
        """Everything, in the order of the log."""
        begun = False
        for row in _rows(connection, hall, self._from_ms, self._to_ms):
            one = logged(row)
            if isinstance(one.event, ev.DayOpened):
                if not begun:
                    self._begin(one.event, one.at_ms)
                begun = True
                continue
            if isinstance(one.event, ev.CounterEvent):
                self._duties.fold(one)
            handler = self._handlers.get(type(one.event))
            if handler is not None and (one.at_ms >= self._from_ms or isinstance(one.event, ev.Suspended | ev.Resumed)):
                handler(one, one.event)
        self._duties.end()
        for since_ms in self._still.since_ms.values():
            self._stood_still(since_ms, self._until_ms)
        for call, ticket, at_ms in self._standing.values():
            self._integrity.chosen(ticket, at_ms, call.counter, call.overtaken)

    def _begin(self, event: ev.DayOpened, at_ms: int) -> None:
        """What the first day's opening event carries: the counters and suspensions of the night."""
        self._duties.begin(event.carried.get("counters", []), at_ms)
        for one in event.carried.get("suspensions", []):
            self._still.since_ms[one["service"]] = one["since_ms"]

    def _plan_changed(self, one: ev.Logged, event: ev.PlanChanged) -> None:
        self.plan_changes.append(PlanChange(at=rfc3339(one.at_ms), version=event.version))
        self._integrity.plan_changed()

    def _turned_away(self, one: ev.Logged, event: ev.TurnedAway) -> None:
        self.turned_away[event.service, event.reason] += 1
        self._on_turned_away(one.at_ms, event.service)

    def _chosen(self, one: ev.Logged, event: ev.TicketCalled) -> None:
        if event.chosen is None:
            return
        call = ChosenCall(
            at=rfc3339(one.at_ms),
            number=event.number,
            service=event.service,
            counter=event.counter,
            reason=event.chosen,
            overtaken=event.overtaken,
            undone=False,
        )
        self.chosen_calls.append(call)
        self._standing[one.command_seq] = call, event.ticket, one.at_ms

    def _handed_over(self, one: ev.Logged, event: ev.TicketHandedOver) -> None:
        self.moves[event.ticket].append((one.at_ms, event.counter))
        self._hand_overs[one.command_seq] = event.ticket

    def _undone(self, one: ev.Logged, event: ev.CommandUndone) -> None:
        self._integrity.undone(event.counter)
        if event.command_seq in self._standing:
            self._standing.pop(event.command_seq)[0].undone = True
        ticket = self._hand_overs.pop(event.command_seq, None)
        if ticket is not None:
            self.moves[ticket].pop()

    def _suspended(self, one: ev.Logged, event: ev.Suspended) -> None:
        self._still.since_ms[event.service] = one.at_ms
        if one.at_ms >= self._from_ms:
            self._integrity.suspended()

    def _resumed(self, one: ev.Logged, event: ev.Resumed) -> None:
        since_ms = self._still.since_ms.pop(event.service, None)
        if since_ms is not None:
            self._stood_still(since_ms, one.at_ms)

    def _stood_still(self, since_ms: int, until_ms: int) -> None:
        self._integrity.stood_still(max(0, min(until_ms, self._until_ms) - max(since_ms, self._from_ms)))


def _rows(connection: Connection, hall: str, from_ms: int, to_ms: int) -> Iterator[Any]:
    """The rows of the log that a report tells of, from the event that opened the day before `from_ms` or at it."""
    position = positions(connection, [hall]).get(hall)
    if position is None:
        return
    first, last = (first_seq(connection, hall, at_ms, position.seq) - 1 for at_ms in (from_ms, to_ms))
    opened = (
        select(EVENT.c.seq)
        .where(EVENT.c.hall == hall, EVENT.c.seq <= first, EVENT.c.kind == ev.DayOpened.KIND)
        .order_by(EVENT.c.seq.desc())
        .limit(1)
    )
    begin = connection.execute(opened).scalar_one_or_none() or first + 1
    told = EVENT.c.kind.in_([kind.KIND for kind in _KINDS]) | _CHOSEN
    stretch = (EVENT.c.hall == hall, EVENT.c.seq >= begin, EVENT.c.seq <= last)
    rows = select(EVENT).where(*stretch, told).order_by(EVENT.c.seq)
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(rows)
