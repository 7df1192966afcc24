"""What can be asked of a hall. Values only; whether it can be done is for `rules` to say."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from models.vocabulary import AdviceKind, AdviceReply, AlertKind, Channel, Voice
from queue_service.domain.value import value


@value(frozen=True, slots=True)
class Command:
    """Something a caller wants done in one hall."""


@value(frozen=True, slots=True)
class PutPlan(Command):
    """Put the hall's plan (validated, complete). `if_version`: only if that is still the plan's version; 0: only if
    there is no hall yet."""

    document: Mapping[str, Any]
    if_version: int | None = None


@value(frozen=True, slots=True)
class OpenDay(Command):
    """Roll over to the business day of the present instant, if it has changed."""


@value(frozen=True, slots=True)
class IssueTicket(Command):
    """Give a number. `ticket` is the new id, made by the caller; `party` a ticket it belongs with."""

    ticket: str
    service: str
    priority: str | None = None
    channel: Channel = Channel.API
    language: str | None = None
    items: int = 1
    party: str | None = None
    ref: str | None = None


@value(frozen=True, slots=True)
class PaperTicket:
    """One ticket of a backfill: claimed times in ms, in order; `number` only of the emergency series."""

    ticket: str
    service: str
    arrived_at_ms: int
    number: str | None = None
    priority: str | None = None
    ref: str | None = None
    called_at_ms: int | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    counter: str | None = None


@value(frozen=True, slots=True)
class Backfill(Command):
    """Enter the paper tickets of an outage."""

    tickets: Sequence[PaperTicket]
    reason: str


@value(frozen=True, slots=True)
class RecordedTicket:
    """One row of imported history."""

    ticket: str
    number: str
    service: str
    issued_at_ms: int
    called_at_ms: int | None
    extra: Mapping[str, Any]


@value(frozen=True, slots=True)
class RecordHistory(Command):
    """Store tickets of past days, recorded by another system."""

    tickets: Sequence[RecordedTicket]


@value(frozen=True, slots=True)
class Suspend(Command):
    """Stop calls for the hall (`service` None) or a service."""

    reason: str
    service: str | None = None
    turn_away: bool = False


@value(frozen=True, slots=True)
class Resume(Command):
    """End a suspension."""

    service: str | None = None


@value(frozen=True, slots=True)
class RaiseAlert(Command):
    """Warn the staff. `alert` is the new id, made by the caller; `values` as in the event."""

    alert: str
    kind: AlertKind
    service: str | None = None
    counter: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@value(frozen=True, slots=True)
class AlertCommand(Command):
    """Something asked of one alert."""

    alert: str


@value(frozen=True, slots=True)
class AcknowledgeAlert(AlertCommand):
    """Say that it was seen."""

    by: str | None = None


@value(frozen=True, slots=True)
class ClearAlert(AlertCommand):
    """What it warned of is over."""


@value(frozen=True, slots=True)
class GiveAdvice(Command):
    """Advise the staff. `advice` is the new id, made by the caller; it can be answered until `expires_at_ms`; `values`
    as in the event."""

    advice: str
    kind: AdviceKind
    service: str
    by_ms: int
    expires_at_ms: int
    values: Mapping[str, Any] = field(default_factory=dict)


@value(frozen=True, slots=True)
class AnswerAdvice(Command):
    """Accept or decline it."""

    advice: str
    answer: AdviceReply
    by: str | None = None
    reason: str | None = None


@value(frozen=True, slots=True)
class TicketCommand(Command):
    """Something asked of one ticket."""

    ticket: str


@value(frozen=True, slots=True)
class Recall(TicketCommand):
    """Repeat the call."""


@value(frozen=True, slots=True)
class Start(TicketCommand):
    """The visitor came."""


@value(frozen=True, slots=True)
class Finish(TicketCommand):
    """The service is done."""


@value(frozen=True, slots=True)
class NoShow(TicketCommand):
    """Nobody came."""


@value(frozen=True, slots=True)
class Rejoin(TicketCommand):
    """A no-show came after all."""


@value(frozen=True, slots=True)
class Requeue(TicketCommand):
    """Put a held ticket back in line."""

    reason: str | None = None


@value(frozen=True, slots=True)
class Park(TicketCommand):
    """Interrupt the service for an errand of the visitor's."""

    reason: str


@value(frozen=True, slots=True)
class Return(TicketCommand):
    """Back from parking; with `counter`, straight to serving at the counter that parked it."""

    counter: str | None = None


@value(frozen=True, slots=True)
class Transfer(TicketCommand):
    """Into another line. A reservation for a counter or clerk falls back to everyone after `reserve_ms`."""

    service: str
    for_counter: str | None = None
    for_clerk: str | None = None
    reserve_ms: int | None = None


@value(frozen=True, slots=True)
class Change(TicketCommand):
    """Correct the service or the priority class."""

    reason: str
    service: str | None = None
    priority: str | None = None


@value(frozen=True, slots=True)
class HandOver(TicketCommand):
    """Move the ticket being served to another counter."""

    to_counter: str


@value(frozen=True, slots=True)
class CheckIn(TicketCommand):
    """The remote visitor arrived."""


@value(frozen=True, slots=True)
class Postpone(TicketCommand):
    """Let others go first for `by_ms`."""

    by_ms: int


@value(frozen=True, slots=True)
class Cancel(TicketCommand):
    """Give the ticket up."""


@value(frozen=True, slots=True)
class CounterCommand(Command):
    """Something asked of one counter."""

    counter: str


@value(frozen=True, slots=True)
class OpenCounter(CounterCommand):
    """Sign a clerk on."""

    clerk: str
    services: tuple[str, ...] | None = None


@value(frozen=True, slots=True)
class PauseCounter(CounterCommand):
    """Call nobody for a while; `after_current` waits for the ticket held."""

    reason: str
    after_current: bool = False


@value(frozen=True, slots=True)
class ResumeCounter(CounterCommand):
    """End the pause."""


@value(frozen=True, slots=True)
class CloseCounter(CounterCommand):
    """Sign the clerk off. With `force` (a supervisor's reason) a held ticket goes back in line first."""

    force: str | None = None


@value(frozen=True, slots=True)
class RelieveCounter(CounterCommand):
    """Another clerk takes over."""

    clerk: str


@value(frozen=True, slots=True)
class CallHelp(CounterCommand):
    """Ring the supervisor."""


@value(frozen=True, slots=True)
class AnnounceCall(CounterCommand):
    """A display has told the lobby of the counter's call."""

    number: str
    display: str
    voice: Voice
    lag_ms: int


@value(frozen=True, slots=True)
class Undo(CounterCommand):
    """Take back the counter's last command."""


@value(frozen=True, slots=True)
class CallNext(CounterCommand):
    """Call whoever is next; with `finish_current` finish the ticket held first."""

    finish_current: bool = False


@value(frozen=True, slots=True)
class CallChosen(CounterCommand):
    """Call a certain ticket, by id or number, with a reason; with `finish_current` finish the ticket held first."""

    reason: str
    ticket: str | None = None
    number: str | None = None
    finish_current: bool = False
