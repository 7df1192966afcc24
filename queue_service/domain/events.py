"""What has happened in a hall. One frozen class a kind; `VERSION` grows when its fields change meaning.

An event says everything later readers need (durations worked out under the plan of its day, the state left), so
the log can be read without the code that wrote it. Times and durations are milliseconds, suffix `_ms`.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

from queue_service.domain.value import value


@value(frozen=True, slots=True)
class Event:
    """Something that happened; its envelope (`Logged`) says when, where and by whom."""

    KIND: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1


@value(frozen=True, slots=True)
class PlanChanged(Event):
    """The hall's plan was put; `version` counts from 1."""

    KIND: ClassVar[str] = "plan_changed"
    document: Mapping[str, Any]
    version: int


@value(frozen=True, slots=True)
class DayOpened(Event):
    """A business day began. `carried` is what crosses midnight, so a hall can be loaded from here."""

    KIND: ClassVar[str] = "day_opened"
    day: str
    plan_seq: int
    plan_version: int
    carried: Mapping[str, Any]


@value(frozen=True, slots=True)
class TicketEvent(Event):
    """Something that happened to a ticket while its leg was for `service`."""

    ticket: str
    number: str
    service: str


@value(frozen=True, slots=True)
class TicketIssued(TicketEvent):
    """A number was given. `state` is `waiting`, or `expected` for a remote ticket that must check in."""

    KIND: ClassVar[str] = "ticket_issued"
    state: str
    priority: str
    channel: str
    language: str | None
    items: int
    party: str | None
    ref: str | None
    period: str | None
    promise_ms: int | None
    percentile: int | None
    apart: str | None


@value(frozen=True, slots=True)
class TicketBackfilled(TicketEvent):
    """A paper ticket from an outage, with claimed times; without `called_at_ms` it still waits."""

    KIND: ClassVar[str] = "ticket_backfilled"
    priority: str
    ref: str | None
    reason: str
    arrived_at_ms: int
    called_at_ms: int | None
    started_at_ms: int | None
    finished_at_ms: int | None
    counter: str | None
    period: str
    promise_ms: int
    percentile: int


@value(frozen=True, slots=True)
class TicketRecorded(TicketEvent):
    """A ticket of another system's history; it belongs to the past `day` and never enters the line."""

    KIND: ClassVar[str] = "ticket_recorded"
    day: str
    issued_at_ms: int
    called_at_ms: int | None
    day_end_ms: int
    period: str
    promise_ms: int
    percentile: int
    extra: Mapping[str, Any]


@value(frozen=True, slots=True)
class TicketCheckedIn(TicketEvent):
    """A remote visitor arrived; waiting begins now."""

    KIND: ClassVar[str] = "ticket_checked_in"
    period: str
    promise_ms: int
    percentile: int


@value(frozen=True, slots=True)
class CounterTicketEvent(TicketEvent):
    """Something that happened to a ticket at a counter."""

    counter: str


@value(frozen=True, slots=True)
class TicketCalled(CounterTicketEvent):
    """Called for the first time in this leg. `chosen` is the reason of a call out of order."""

    KIND: ClassVar[str] = "ticket_called"
    clerk: str
    waited_ms: int
    chosen: str | None
    overtaken: int


@value(frozen=True, slots=True)
class TicketRecalled(CounterTicketEvent):
    """The call was repeated."""

    KIND: ClassVar[str] = "ticket_recalled"


@value(frozen=True, slots=True)
class TicketStarted(CounterTicketEvent):
    """The visitor came. `implied`: nobody pressed start; left out of service-time statistics."""

    KIND: ClassVar[str] = "ticket_started"
    implied: bool


@value(frozen=True, slots=True)
class TicketFinished(CounterTicketEvent):
    """Served."""

    KIND: ClassVar[str] = "ticket_finished"


@value(frozen=True, slots=True)
class TicketNoShow(CounterTicketEvent):
    """Called as often and as long as the plan asks; nobody came."""

    KIND: ClassVar[str] = "ticket_no_show"


@value(frozen=True, slots=True)
class TicketRejoined(TicketEvent):
    """A no-show came back within the grace, with the wait it had."""

    KIND: ClassVar[str] = "ticket_rejoined"


@value(frozen=True, slots=True)
class TicketRequeued(CounterTicketEvent):
    """Put back in line with the wait it had; the counter is free."""

    KIND: ClassVar[str] = "ticket_requeued"
    from_state: str
    reason: str | None


@value(frozen=True, slots=True)
class TicketParked(CounterTicketEvent):
    """Service interrupted for the visitor's own errand."""

    KIND: ClassVar[str] = "ticket_parked"
    reason: str


@value(frozen=True, slots=True)
class TicketReturned(TicketEvent):
    """Back from parking: into the line, or straight to serving at `counter`, which had parked it."""

    KIND: ClassVar[str] = "ticket_returned"
    counter: str | None
    clerk: str | None


@value(frozen=True, slots=True)
class TicketTransferred(TicketEvent):
    """Into another line with the wait it had. A reservation falls back to everyone at `reserved_until_ms`."""

    KIND: ClassVar[str] = "ticket_transferred"
    counter: str | None
    from_state: str
    to_service: str
    waited_ms: int | None
    for_counter: str | None
    for_clerk: str | None
    reserved_until_ms: int | None


@value(frozen=True, slots=True)
class TicketChanged(TicketEvent):
    """A wrong service or an unentitled class put right; the arrival is kept."""

    KIND: ClassVar[str] = "ticket_changed"
    counter: str | None
    from_state: str
    to_service: str
    to_priority: str
    reason: str


@value(frozen=True, slots=True)
class TicketHandedOver(CounterTicketEvent):
    """The ticket being served moved from `counter` to `to_counter`; its service clock runs on."""

    KIND: ClassVar[str] = "ticket_handed_over"
    to_counter: str
    clerk: str


@value(frozen=True, slots=True)
class TicketPostponed(TicketEvent):
    """The visitor let others go first until `until_ms`; that time is the visitor's own."""

    KIND: ClassVar[str] = "ticket_postponed"
    until_ms: int
    waited_ms: int


@value(frozen=True, slots=True)
class TicketCancelled(TicketEvent):
    """Given up by the visitor or for them. `waited_ms` where a wait was running."""

    KIND: ClassVar[str] = "ticket_cancelled"
    counter: str | None
    from_state: str
    waited_ms: int | None


@value(frozen=True, slots=True)
class TicketExpired(TicketEvent):
    """The business day ended at `ended_at_ms` and the ticket with it."""

    KIND: ClassVar[str] = "ticket_expired"
    counter: str | None
    from_state: str
    waited_ms: int | None
    ended_at_ms: int


@value(frozen=True, slots=True)
class TurnedAway(Event):
    """A visitor got no ticket."""

    KIND: ClassVar[str] = "turned_away"
    service: str
    reason: str
    channel: str


@value(frozen=True, slots=True)
class CounterEvent(Event):
    """Something that happened to a counter."""

    counter: str


@value(frozen=True, slots=True)
class CounterOpened(CounterEvent):
    """A clerk signed on. `services` narrows what the plan lets the counter serve."""

    KIND: ClassVar[str] = "counter_opened"
    clerk: str
    services: tuple[str, ...] | None


@value(frozen=True, slots=True)
class CounterPaused(CounterEvent):
    """The counter calls nobody for a while."""

    KIND: ClassVar[str] = "counter_paused"
    reason: str


@value(frozen=True, slots=True)
class CounterPauseRequested(CounterEvent):
    """The counter pauses after the ticket it holds."""

    KIND: ClassVar[str] = "counter_pause_requested"
    reason: str


@value(frozen=True, slots=True)
class CounterResumed(CounterEvent):
    """The pause (or the wish for one) is over."""

    KIND: ClassVar[str] = "counter_resumed"


@value(frozen=True, slots=True)
class CounterClosed(CounterEvent):
    """The clerk signed off; `forced` is the reason of a supervisor who closed it."""

    KIND: ClassVar[str] = "counter_closed"
    forced: str | None


@value(frozen=True, slots=True)
class CounterRelieved(CounterEvent):
    """Another clerk took over in one step; a ticket held stays."""

    KIND: ClassVar[str] = "counter_relieved"
    clerk: str


@value(frozen=True, slots=True)
class HelpCalled(CounterEvent):
    """The counter rings the supervisor."""

    KIND: ClassVar[str] = "help_called"


@value(frozen=True, slots=True)
class CallAnnounced(CounterEvent):
    """A display told the lobby of the counter's call, `lag_ms` after it heard of it. `voice`: what it spoke with."""

    KIND: ClassVar[str] = "call_announced"
    ticket: str
    number: str
    display: str
    voice: str
    lag_ms: int


@value(frozen=True, slots=True)
class CommandUndone(CounterEvent):
    """The counter's last command (its first event is `command_seq`) was taken back; `tickets` says to which state."""

    KIND: ClassVar[str] = "command_undone"
    command_seq: int
    tickets: Mapping[str, str]


@value(frozen=True, slots=True)
class Suspended(Event):
    """Calls stop for the hall (`service` None) or one service; with `turn_away` no tickets are given either."""

    KIND: ClassVar[str] = "suspended"
    service: str | None
    reason: str
    turn_away: bool


@value(frozen=True, slots=True)
class Resumed(Event):
    """The suspension is over."""

    KIND: ClassVar[str] = "resumed"
    service: str | None


@value(frozen=True, slots=True)
class AlertEvent(Event):
    """Something about a warning to the staff."""

    alert: str


@value(frozen=True, slots=True)
class AlertRaised(AlertEvent):
    """The hall warns. `values` are the numbers of the text that tells it: seconds, counts, shares."""

    KIND: ClassVar[str] = "alert_raised"
    alert_kind: str
    service: str | None
    counter: str | None
    values: Mapping[str, Any]


@value(frozen=True, slots=True)
class AlertAcknowledged(AlertEvent):
    """Somebody has seen it; `by` whoever says so."""

    KIND: ClassVar[str] = "alert_acknowledged"
    by: str | None


@value(frozen=True, slots=True)
class AlertCleared(AlertEvent):
    """What it warned of is over, or the day is."""

    KIND: ClassVar[str] = "alert_cleared"


@value(frozen=True, slots=True)
class AdviceEvent(Event):
    """Something about advice to the staff."""

    advice: str


@value(frozen=True, slots=True)
class AdviceGiven(AdviceEvent):
    """The staff was advised to do something with counters by `by_ms`. `values`: what was foreseen with and without it,
    for which span (`from_ms`, `to_ms`), and at which counters; numbers of the text that tells it."""

    KIND: ClassVar[str] = "advice_given"
    advice_kind: str
    service: str
    by_ms: int
    expires_at_ms: int
    values: Mapping[str, Any]


@value(frozen=True, slots=True)
class AdviceAnswered(AdviceEvent):
    """The staff accepted or declined it; `by` whoever says so."""

    KIND: ClassVar[str] = "advice_answered"
    answer: str
    by: str | None
    reason: str | None


def _leaves(kind: type[Event]) -> list[type[Event]]:
    subclasses = kind.__subclasses__()
    own = [kind] if kind.KIND else []
    return own + [leaf for sub in subclasses for leaf in _leaves(sub)]


KINDS: dict[str, type[Event]] = {kind.KIND: kind for kind in _leaves(Event)}
"""Every kind by its name in the log."""


@value(frozen=True, slots=True)
class Logged:
    """An event with its place in the log. `command_seq` is the seq of the first event of the same command, `previous`
    the hash of the event before it, None where that is not known."""

    hall: str
    seq: int
    command_seq: int
    at_ms: int
    actor: str
    channel: str
    event: Event
    head: str
    previous: str | None = field(default=None, compare=False)
