"""The plain model of a hall: immutable tickets and counters in dicts, and nothing clever.

It states the rules of the design a second time, from its text; of the service it knows only what can be asked
(commands), what is refused (errors) and the names of fields and words. A change puts a new value into a dict, so a
copy of the dicts is a whole copy: that is how a rollback, and an undo, are stated.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

CLOSED = ("finished", "cancelled", "expired")
HELD = ("called", "serving")


@dataclass(frozen=True)
class Leg:
    """One wait and one service."""

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
    outcome: str | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket, open or closed; the model forgets none. `changes` counts the commands' changes to it."""

    id: str
    number: str
    day: str
    service: str
    priority: str
    channel: str
    state: str
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
    legs: tuple[Leg, ...] = ()
    changes: int = 0

    @property
    def leg(self) -> Leg:
        """The present leg."""
        return self.legs[-1]

    @property
    def group(self) -> str:
        """Those who came together bear the name of the first of them."""
        return self.party or self.id

    @property
    def waited_ms(self) -> int:
        """All waits that are over."""
        return sum(leg.waited_ms or 0 for leg in self.legs)

    def with_leg(self, **changes: Any) -> "Ticket":
        """The ticket with its present leg changed."""
        return replace(self, legs=(*self.legs[:-1], replace(self.leg, **changes)))


@dataclass(frozen=True)
class Counter:
    """A counter; who it serves is written on the ticket only."""

    id: str
    since_ms: int
    clerk: str | None = None
    services: tuple[str, ...] | None = None
    pause: str | None = None
    pause_after: str | None = None
    record: "Record | None" = None

    @property
    def is_open(self) -> bool:
        """Whether a clerk is signed on."""
        return self.clerk is not None


@dataclass(frozen=True)
class Record:
    """A counter's last command, to be taken back: what it changed, as it was before and as it left it."""

    at_ms: int
    before: dict[str, Ticket]
    after: dict[str, Ticket]
    counter: Counter
    chosen: int


@dataclass(frozen=True)
class Suspension:
    """A hall (`service` None) or a service stands still."""

    service: str | None
    reason: str
    since_ms: int
    turn_away: bool


@dataclass(frozen=True)
class Alert:
    """A warning of today; `about`: what it warns of."""

    about: tuple[str, str | None, str | None]
    since_ms: int
    seen: tuple[int, str | None] | None = None
    over_ms: int | None = None


@dataclass(frozen=True)
class Advised:
    """Advice of today. `answer`: when, what, by whom, why."""

    about: tuple[str, str]
    given_ms: int
    until_ms: int
    answer: tuple[int, str, str | None, str | None] | None = None


@dataclass
class HallModel:
    """A hall. `happened`: the kinds of the events since it was last emptied; `details`: what some of them say beside
    (how many a chosen call overtook, why somebody was turned away)."""

    id: str
    plan: dict[str, Any] | None = None
    version: int = 0
    date: str = ""
    now_ms: int = 0
    last_at_ms: int = 0
    tickets: dict[str, Ticket] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    issued: list[tuple[str, str, str, int]] = field(default_factory=list)
    suspensions: dict[str | None, Suspension] = field(default_factory=dict)
    stood_still: list[tuple[str | None, int, int]] = field(default_factory=list)
    chosen: int = 0
    announced: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    advice: dict[str, Advised] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    details: list[int | str] = field(default_factory=list)

    def twin(self) -> "HallModel":
        """A copy that later changes do not reach."""
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (dict, list)):
                setattr(twin, name, copy(value))
        return twin

    # -- reading

    @property
    def rules(self) -> dict[str, Any]:
        """The plan's document."""
        assert self.plan is not None
        return self.plan

    def service(self, name: str) -> dict[str, Any] | None:
        """A service of the plan."""
        return next((one for one in self.rules["services"] if one["id"] == name), None)

    @property
    def priorities(self) -> list[str]:
        """The classes in the plan's order."""
        return [one["id"] for one in self.rules["priorities"]]

    def open_tickets(self) -> list[Ticket]:
        """Everyone who still has something to expect of the hall."""
        return [ticket for ticket in self.tickets.values() if ticket.state not in CLOSED]

    def in_state(self, *states: str) -> list[Ticket]:
        """Tickets in some states."""
        return [ticket for ticket in self.tickets.values() if ticket.state in states]

    def held(self, counter: str) -> Ticket | None:
        """The ticket that a counter has called or serves."""
        return next((ticket for ticket in self.in_state(*HELD) if ticket.counter == counter), None)

    def planned_services(self, counter: str) -> list[str]:
        """What the plan lets a counter serve: its list, else its zone's, else everything."""
        planned = next((one for one in self.rules["counters"] if one["id"] == counter), None)
        if planned is None:
            return []
        if planned["services"] is not None:
            return list(planned["services"])
        return [one["id"] for one in self.rules["services"] if planned["zone"] in (None, one["zone"])]

    def served(self, counter: Counter) -> list[str]:
        """What a counter serves now: the clerk may have signed on for less."""
        planned = self.planned_services(counter.id)
        return [one for one in planned if counter.services is None or one in counter.services]

    def numbers_today(self) -> set[str]:
        """The numbers that somebody has today."""
        return {one.number for one in self.tickets.values() if one.day == self.date and one.channel != "history"}

    def passed_over(self) -> set[str]:
        """Numbers below a count that nobody has."""
        counted = [f"{prefix}{one:03d}" for prefix, count in self.numbers.items() for one in range(1, count + 1)]
        return set(counted) - self.numbers_today()

    def stands_still(self, service: str) -> bool:
        """Whether calls for a service have stopped."""
        return None in self.suspensions or service in self.suspensions

    # -- changing

    def tell(self, *kinds: str) -> None:
        """Note what happened."""
        self.happened += kinds

    def put(self, ticket: Ticket, **changes: Any) -> Ticket:
        """Change a ticket."""
        known = self.tickets.get(ticket.id)
        changed = replace(ticket, **changes, changes=known.changes + 1 if known else 0)
        self.tickets[ticket.id] = changed
        return changed

    def set_counter(self, name: str, **changes: Any) -> Counter:
        """Change a counter."""
        self.counters[name] = replace(self.counters[name], **changes)
        return self.counters[name]

    def set_counters(self, names: Iterable[str | None], **changes: Any) -> None:
        """Change some counters."""
        for name in names:
            if name is not None:
                self.set_counter(name, **changes)
