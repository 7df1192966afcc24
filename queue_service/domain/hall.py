"""What a hall knows now: tickets that are open, lines, counters. How events change it stands in `evolve`.

Only what is open is kept; a finished ticket lives on in the database. `touched` collects what changed since the
journal last wrote it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from models.vocabulary import HELD_STATES, Apart, CounterState, LegOutcome, TicketState, WaitClock
from queue_service.domain.advice import Advised
from queue_service.domain.alert import Alert
from queue_service.domain.calendar import Day, day_of
from queue_service.domain.plan import Plan

LaneKey = tuple[str, str]
Place = tuple[int, int, str, str]
"""A place in a lane: line_since_ms, issued_at_ms, number so that it sorts, ticket id."""

NUMBER_WIDTH = 12


@dataclass(slots=True)
class Leg:
    """One wait and one service. `waited_ms` is set once the wait is over."""

    service: str
    priority: str
    waiting_since_ms: int
    line_since_ms: int
    for_counter: str | None = None
    for_clerk: str | None = None
    reserved_until_ms: int | None = None
    counter: str | None = None
    clerk: str | None = None
    called_at_ms: int | None = None
    waited_ms: int | None = None
    recalls: int = 0
    started_at_ms: int | None = None
    start_implied: bool = False
    ended_at_ms: int | None = None
    outcome: LegOutcome | None = None


@dataclass(slots=True)
class Ticket:
    """A visitor's number with all its legs; `counter` only while called or serving."""

    id: str
    number: str
    day: str
    service: str
    priority: str
    channel: str
    state: TicketState
    issued_at_ms: int
    language: str | None = None
    items: int = 1
    party: str | None = None
    ref: str | None = None
    counter: str | None = None
    period: str | None = None
    promise_ms: int | None = None
    percentile: int | None = None
    apart: str | None = None
    closed_at_ms: int | None = None
    rejoins: int = 0
    postpones: int = 0
    last_seq: int = 0
    legs: list[Leg] = field(default_factory=list)

    @property
    def leg(self) -> Leg:
        """The present leg (a ticket that has not checked in has none)."""
        return self.legs[-1]

    @property
    def place(self) -> Place:
        """Its place in its lane."""
        return (self.legs[-1].line_since_ms, self.issued_at_ms, self.sorted_number, self.id)

    @property
    def sorted_number(self) -> str:
        """The number in the order of counting: as text A1000 would come before A999."""
        return self.number.rjust(NUMBER_WIDTH)

    def waited_so_far_ms(self) -> int:
        """The sum of the waits that are over."""
        waited_ms = 0
        for leg in self.legs:
            waited_ms += leg.waited_ms or 0
        return waited_ms

    def snapshot(self) -> "Snapshot":
        """How it is now, which later changes do not reach; `restored` makes a ticket of it."""
        return _TICKET_VALUES(self), [_LEG_VALUES(leg) for leg in self.legs]


def party_of(ticket: Ticket) -> str:
    """The name of the group a ticket belongs to: the ticket it came `with`, or itself."""
    return ticket.party or ticket.id


_TICKET_VALUES = attrgetter(*(one.name for one in fields(Ticket) if one.name != "legs"))
_LEG_VALUES = attrgetter(*(one.name for one in fields(Leg)))
Snapshot = tuple[tuple[Any, ...], list[tuple[Any, ...]]]
"""A ticket as it was: plain values, since most commands take one so that they can be taken back, and few are."""


def restored(snapshot: Snapshot) -> Ticket:
    """The ticket as it was, anew."""
    values, legs = snapshot
    ticket = Ticket(*values)
    ticket.legs = [Leg(*leg) for leg in legs]
    return ticket


@dataclass(slots=True)
class LastCommand:
    """A counter's last command, kept so that it can be taken back: what it touched, as it was before (of the counter
    itself: why it was paused, and was to be paused after).

    `finished`: the tickets it ended itself; any other that the hall has forgotten was ended by someone else."""

    command_seq: int
    last_seq: int
    at_ms: int
    tickets: dict[str, Snapshot]
    paused: tuple[str | None, str | None]
    finished: set[str] = field(default_factory=set)
    chosen_calls: int = 0


@dataclass(slots=True)
class Counter:
    """One window. `pause_reason` while paused; `pause_after` when it is to pause after the ticket it holds."""

    id: str
    is_open: bool = False
    clerk: str | None = None
    services: tuple[str, ...] | None = None
    ticket: str | None = None
    pause_reason: str | None = None
    pause_after: str | None = None
    since_ms: int = 0
    last: LastCommand | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Calls have stopped for the hall (`service` None) or a service."""

    service: str | None
    reason: str
    since_ms: int
    turn_away: bool


class Hall:
    """The state of one hall after its event `seq`, whose hash is `head`."""

    def __init__(self, hall_id: str) -> None:
        """An empty hall, before its first event."""
        self.id = hall_id
        self.seq = 0
        self.head = ""
        self.last_at_ms = 0
        self.plan: Plan | None = None
        self.plan_version = self.plan_seq = 0
        self.today: Day | None = None
        self.day_seq = 0
        self.tickets: dict[str, Ticket] = {}
        self.lanes: dict[LaneKey, list[Place]] = {}
        self.counters: dict[str, Counter] = {}
        self.busy: dict[str, int] = {}
        """How many tickets of a party are at counters, for each party of which somebody is."""
        self.number_counts: dict[str, int] = {}
        self.number_gaps: dict[str, list[tuple[int, int]]] = {}
        """By prefix, first and last of each stretch of numbers below its count that nobody has today."""
        self.quota_used: dict[tuple[str, str, str], int] = {}
        self.suspensions: dict[str | None, Suspension] = {}
        self.suspended_spans: list[tuple[str | None, int, int]] = []
        self.chosen_calls = 0
        self.announced_ms: dict[str, int] = {}
        self.alerts: dict[str, Alert] = {}
        self.advice: dict[str, Advised] = {}
        self.touched: dict[str, Ticket] = {}
        self.touched_legs: dict[tuple[str, int], Leg | None] = {}

    @property
    def rules(self) -> Plan:
        """The plan; a hall that has been planned always has one."""
        assert self.plan is not None, "a hall without a plan"
        return self.plan

    @property
    def day(self) -> Day:
        """The business day; a hall that has been planned always has one."""
        assert self.today is not None, "a hall without a day"
        return self.today

    def plan_day(self, iso_date: str) -> None:
        """Take the plan's calendar for a date."""
        self.today = day_of(self.rules.calendar, iso_date)

    def is_due(self, now_ms: int) -> bool:
        """Whether a new business day has begun."""
        return self.today is not None and now_ms >= self.today.end_ms

    # -- counters

    def able(self, counter: Counter, plan: Plan | None = None) -> tuple[str, ...]:
        """What a counter serves now, or would by another plan: its sign-on may narrow the plan."""
        counters = (plan or self.rules).counters
        planned = counters[counter.id].services if counter.id in counters else ()
        if counter.services is None:
            return planned
        return tuple(service for service in planned if service in counter.services)

    def counter_state(self, counter: Counter) -> CounterState:
        """closed, idle, called, serving or paused."""
        if not counter.is_open:
            return CounterState.CLOSED
        if counter.ticket is not None:
            held = self.tickets[counter.ticket].state
            return CounterState.CALLED if held == TicketState.CALLED else CounterState.SERVING
        return CounterState.PAUSED if counter.pause_reason is not None else CounterState.IDLE

    def called_since_ms(self, ticket: Ticket) -> int:
        """When a called ticket's call was announced; where no display has said so: when it was called."""
        return self.announced_ms.get(ticket.id) or ticket.leg.called_at_ms or 0

    # -- waiting

    def waiting_count(self, service: str) -> int:
        """How many wait for a service."""
        count = 0
        for key, _ in self.rules.lanes.get(service, ()):
            count += len(self.lanes.get(key, ()))
        return count

    def waiting(self) -> Iterator[Ticket]:
        """Everyone in a lane."""
        return (self.tickets[place[3]] for lane in self.lanes.values() for place in lane)

    def is_suspended(self, service: str) -> bool:
        """Whether calls have stopped for a service."""
        return bool(self.suspensions) and (None in self.suspensions or service in self.suspensions)

    def turns_away(self, service: str) -> bool:
        """Whether a suspension stops tickets for a service, too."""
        return any(one.turn_away for scope, one in self.suspensions.items() if scope in (None, service))

    def standing_alerts(self) -> list[Alert]:
        """Those that are not cleared."""
        return [alert for alert in self.alerts.values() if alert.cleared_at_ms is None]

    def waited_ms(self, leg: Leg, until_ms: int) -> int:
        """How long a leg has waited at an instant, by the plan's wait clock."""
        if self.rules.wait_clock == WaitClock.OPENING:
            return self.day.open_ms(leg.waiting_since_ms, until_ms)
        return max(0, until_ms - leg.waiting_since_ms)

    # -- changes, used by evolve only

    def touch(self, ticket: Ticket, seq: int) -> None:
        """Note that the journal must write this ticket and its present leg."""
        ticket.last_seq = seq
        self.touched[ticket.id] = ticket
        legs = ticket.legs
        if legs:
            self.touched_legs[ticket.id, len(legs)] = legs[-1]

    def drain(self) -> tuple[dict[str, Ticket], dict[tuple[str, int], Leg | None]]:
        """What was touched since the last drain: tickets by id, legs by (ticket, number); None: delete the row."""
        drained = self.touched, self.touched_legs
        self.touched, self.touched_legs = {}, {}
        return drained

    def attach(self, ticket: Ticket) -> None:
        """Put a ticket where its state says it belongs: a lane, a counter, or just the hall."""
        self.tickets[ticket.id] = ticket
        if ticket.state == TicketState.WAITING:
            leg, place = ticket.legs[-1], ticket.place
            lane = self.lanes.setdefault((leg.service, leg.priority), [])
            if lane and place < lane[-1]:
                insort(lane, place)
            else:
                lane.append(place)
        elif ticket.state in HELD_STATES and ticket.counter is not None:
            self.counters[ticket.counter].ticket = ticket.id
            party = party_of(ticket)
            self.busy[party] = self.busy.get(party, 0) + 1

    def detach(self, ticket: Ticket) -> None:
        """Take a ticket out of its lane, or off its counter."""
        if ticket.state == TicketState.WAITING:
            leg = ticket.legs[-1]
            lane = self.lanes[leg.service, leg.priority]
            del lane[bisect_left(lane, ticket.place)]
        elif ticket.counter is not None:
            self.counters[ticket.counter].ticket = None
            party = party_of(ticket)
            self.busy[party] -= 1
            if not self.busy[party]:
                del self.busy[party]

    def suspended_apart(self, ticket: Ticket, since_ms: int | None = None) -> str | None:
        """The mark of a ticket that waits while its service is suspended, or (back in line as if never called) was so
        since then. The verdict on a ticket carried over midnight was given at its own day's end."""
        if ticket.day != self.day.date:
            return None
        service = ticket.leg.service
        ended_ms = [end_ms for scope, _, end_ms in self.suspended_spans if scope in (None, service)]
        stood_still = since_ms is not None and any(end_ms > since_ms for end_ms in ended_ms)
        return Apart.SUSPENDED if stood_still or self.is_suspended(service) else None
