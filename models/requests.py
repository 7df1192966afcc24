"""Request bodies: shapes, types and ranges. Unknown fields are refused. What a hall allows is for its rules."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.fields import LINE_PATTERN, NUMBER, Moment, YesNo
from models.vocabulary import AdviceReply, Channel, Voice

Id = Annotated[str, StringConstraints(min_length=1, max_length=40)]
TicketId = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=LINE_PATTERN)]
TicketNumber = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=LINE_PATTERN)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=LINE_PATTERN)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=LINE_PATTERN)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=LINE_PATTERN)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$")]
DurationS = Annotated[int, Field(ge=1, le=86_400), NUMBER]
TicketChannel = Literal[Channel.KIOSK, Channel.DESK, Channel.PHONE, Channel.WEB, Channel.API]


class Body(BaseModel):
    """A request body: a misspelt field is an error, not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """No fields."""


class IssueBody(Body):
    """Take a number. `with` names an open ticket to be served together with; `items` weighs in quotas."""

    service: Id
    priority: Id | None = None
    channel: TicketChannel = Channel.API
    language: Language | None = None
    items: Annotated[int, Field(ge=1, le=100), NUMBER] = 1
    with_: Annotated[TicketId | None, Field(alias="with")] = None
    ref: Ref | None = None


class PhoneTicketBody(Body):
    """Take a number by phone."""

    service: Id
    language: Language | None = None


class RequeueBody(Body):
    """Put a held ticket back in line."""

    reason: Why | None = None


class ParkBody(Body):
    """Interrupt the service; the reason is one of the plan's."""

    reason: Why


class ReturnBody(Body):
    """Back from parking; with `counter`, straight to serving at the counter that parked it."""

    counter: Id | None = None


class TransferBody(Body):
    """Into another line; kept for a counter or clerk for `reserve_s` (default 600), then open to all."""

    service: Id
    for_counter: Id | None = None
    for_clerk: Person | None = None
    reserve_s: DurationS | None = None


class ChangeBody(Body):
    """Put a wrong service or priority class right."""

    service: Id | None = None
    priority: Id | None = None
    reason: Why


class HandOverBody(Body):
    """Move the ticket being served to another counter."""

    to_counter: Id


class PostponeBody(Body):
    """Let others go first for `by_s` seconds."""

    by_s: DurationS


class OpenBody(Body):
    """A clerk signs on; `services` may narrow what the counter serves."""

    clerk: Person
    services: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None


class PauseBody(Body):
    """Pause now, or after the ticket held; the reason is one of the plan's."""

    reason: Why
    after_current: YesNo = False


class CloseBody(Body):
    """Sign off; `force` is a supervisor's reason to close a counter that holds a ticket."""

    force: Why | None = None


class RelieveBody(Body):
    """Another clerk takes over."""

    clerk: Person


class CallNextBody(Body):
    """Call whoever is next; `finish_current` finishes the ticket held first."""

    finish_current: YesNo = False


class CallBody(Body):
    """Call a certain ticket, by id or number, and say why."""

    ticket: TicketId | None = None
    number: TicketNumber | None = None
    reason: Why
    finish_current: YesNo = False


class SuspendBody(Body):
    """Stop calls for the hall, or for one service; `turn_away` also stops giving tickets."""

    service: Id | None = None
    reason: Why
    turn_away: YesNo = False


class ResumeBody(Body):
    """End the suspension of the hall, or of one service."""

    service: Id | None = None


class AcknowledgeBody(Body):
    """Say that an alert was seen, and by whom."""

    by: Person | None = None


class AnnouncedBody(Body):
    """A display tells that it announced a call: which `number`, under which name it does so, with what it spoke, and
    how long after it heard of the call."""

    number: TicketNumber
    display: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=LINE_PATTERN)]
    voice: Voice
    lag_s: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False), NUMBER] = 0.0


class AdviceAnswerBody(Body):
    """What the staff makes of advice, who says so, and why."""

    answer: AdviceReply
    by: Person | None = None
    reason: Why | None = None


class PaperTicketBody(Body):
    """One paper ticket: claimed times, in order; without `called_at` it still waits."""

    service: Id
    number: Annotated[str, StringConstraints(min_length=4, max_length=9)] | None = None
    priority: Id | None = None
    ref: Ref | None = None
    counter: Id | None = None
    arrived_at: Moment
    called_at: Moment | None = None
    started_at: Moment | None = None
    finished_at: Moment | None = None


class BackfillBody(Body):
    """The paper tickets of an outage."""

    reason: Why
    tickets: Annotated[list[PaperTicketBody], Field(min_length=1, max_length=500)]
