"""Shapes of answers, as the OpenAPI document shows them. The bytes are made by `api.answers`; a test compares."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.vocabulary import Apart, Channel, EstimateBasis, NoEstimate, Period, TicketState


class AnswerShape(BaseModel):
    """An answer: exactly these members."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)


class EstimateAnswer(AnswerShape):
    """How long someone is likely to wait from now: half wait no longer than `p50_s`, nine in ten no longer than
    `p90_s`; visitors are told `from_s` to `to_s`. `basis`: what made it. Or nothing, `because` of something."""

    p50_s: Annotated[float, Field(ge=0)] | None = None
    p90_s: Annotated[float, Field(ge=0)] | None = None
    from_s: Annotated[float, Field(ge=0)] | None = None
    to_s: Annotated[float, Field(ge=0)] | None = None
    basis: EstimateBasis | None = None
    because: NoEstimate | None = None
    as_of: AwareDatetime


class TicketAnswer(AnswerShape):
    """A ticket. `ahead`: how many of its service stand before it (None unless waiting). `estimate`: None
    unless waiting. `waited_s`: the sum of its waits so far, up to this answer."""

    id: str
    hall: str
    number: str
    day: str
    service: str
    priority: str
    channel: Channel
    language: str | None
    items: int
    with_: str | None = Field(alias="with")
    ref: str | None
    state: TicketState
    counter: str | None
    ahead: int | None
    estimate: EstimateAnswer | None
    issued_at: AwareDatetime
    waiting_since: AwareDatetime | None
    called_at: AwareDatetime | None
    started_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    waited_s: float
    recalls: int
    leg: int
    period: Period | None
    promise_s: float | None
    apart: Apart | None
    seq: int


class LegAnswer(AnswerShape):
    """One wait and one service of a ticket. `outcome`: how it ended, None while it goes on."""

    leg: int
    service: str
    priority: str
    counter: str | None
    clerk: str | None
    waiting_since: AwareDatetime
    called_at: AwareDatetime | None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    waited_s: float | None
    recalls: int
    outcome: str | None


class LegList(AnswerShape):
    """A ticket's legs, the first one first."""

    items: list[LegAnswer]


class TicketList(AnswerShape):
    """Tickets by time of issue; `next` continues the list as `after`."""

    items: list[TicketAnswer]
    next: str | None


class CounterAnswer(AnswerShape):
    """A counter as it stands; `ticket` while it holds one. `announced_at`: when the lobby was told of its call."""

    hall: str
    counter: str
    state: str
    clerk: str | None
    services: list[str]
    ticket: str | None
    number: str | None
    pause_reason: str | None
    pause_after: str | None
    announced_at: AwareDatetime | None
    since: AwareDatetime
    seq: int


class HallSummary(AnswerShape):
    """One hall of the list."""

    id: str
    name: str
    day: str
    seq: int


class HallList(AnswerShape):
    """All halls."""

    items: list[HallSummary]


class SuspensionAnswer(AnswerShape):
    """What is suspended after the command."""

    hall: str
    suspended: list[dict[str, Any]]
    seq: int


class BackfillAnswer(AnswerShape):
    """The tickets entered."""

    items: list[TicketAnswer]


class BoardAnswer(AnswerShape):
    """What a display shows, as of `seq` of the hall's log (whose hash there is `head`). `estimates`: by service, for
    whoever takes a number now; they are no part of the board, and have their own frames in the stream."""

    seq: int
    head: str
    as_of: AwareDatetime
    board: dict[str, Any]
    estimates: dict[str, EstimateAnswer]


class EventAnswer(AnswerShape):
    """One event of the log, with all that its hash is made of."""

    hall: str
    seq: int
    command_seq: int
    at: AwareDatetime
    at_ms: int
    kind: str
    version: int
    actor: str
    channel: str
    data: dict[str, Any]
    head: str


class EventList(AnswerShape):
    """A stretch of the log; `last_seq` is where the log ends now."""

    items: list[EventAnswer]
    last_seq: int


class Problem(BaseModel):
    """An error (RFC 9457). `type` is stable; further members say what is allowed."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class Health(AnswerShape):
    """Whether the node lives, or is ready, and why not. `stale_halls`: at a centre, those that it cannot read now; it
    is ready all the same, for the others."""

    status: str
    reasons: list[str] = Field(default_factory=list)
    stale_halls: list[str] = Field(default_factory=list)


class OtherHistoryAnswer(AnswerShape):
    """The node's log and what is here are the same up to the event `common_seq`; `only_here`: how many come after it
    here and are not in the node's log."""

    common_seq: int
    only_here: int


class FollowedAnswer(AnswerShape):
    """A hall that a centre follows at the hall's own `node`, up to `seq`. `as_of`, `lag_s`: when all that the node had
    was here; null: not since this centre began. `stale`: what is shown of it need not be so any more."""

    hall: str
    node: str
    seq: int
    head: str
    as_of: AwareDatetime | None
    lag_s: float | None
    stale: bool
    problem: str | None
    other_history: OtherHistoryAnswer | None


class FollowedList(AnswerShape):
    """All halls that this node follows."""

    items: list[FollowedAnswer]


class AcceptedAnswer(AnswerShape):
    """The history that was accepted: the same up to `common_seq`, then `set_aside` events were taken out here; the log
    is followed up to `seq` now."""

    hall: str
    common_seq: int
    set_aside: int
    seq: int
