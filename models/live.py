"""Shapes of the live answers: how the promise stands now, and what the hall warns of. See `models.answers`."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from models.answers import AnswerShape, EstimateAnswer
from models.vocabulary import AlertKind, Period, Voice

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float | None, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class AlertAnswer(AnswerShape):
    """A warning to the staff. `text_key` and `values` make its text; `cleared_at`: when it was over."""

    id: str
    kind: AlertKind
    since: AwareDatetime
    service: str | None
    counter: str | None
    text_key: str
    values: dict[str, Any]
    acknowledged_at: AwareDatetime | None
    acknowledged_by: str | None
    cleared_at: AwareDatetime | None


class StandAnswer(AnswerShape):
    """Today's tickets by what became of the promise, as the report of today says."""

    counted: Count
    kept: Count
    missed: Count
    open: Count
    left: Count
    apart: Count
    share: Share


class PeriodStandAnswer(StandAnswer):
    """The same under one promise."""

    period: Period
    promise_s: Seconds
    percentile: int


class WaitingAnswer(AnswerShape):
    """Someone who waits. `chance_of_missing`: that the wait passes the promise; None where nothing can be said."""

    ticket: str
    number: str
    service: str
    waited_s: Seconds
    promise_s: Seconds | None
    chance_of_missing: Share
    estimate: EstimateAnswer | None


class BurnAnswer(AnswerShape):
    """How fast the budget of misses burns, over `long_s` and `short_s` seconds of opening hours. `firing`: both exceed
    `limit` and enough tickets were `counted` in the long window."""

    kind: AlertKind
    long_s: int
    short_s: int
    limit: float
    long: float | None
    short: float | None
    counted: Count
    firing: bool


class IdleAnswer(AnswerShape):
    """A counter that could call somebody; `service`: what the one waits for who waits longest."""

    counter: str
    idle_s: Seconds
    service: str


class HelpAnswer(AnswerShape):
    """A counter that rang for help, and has done nothing since."""

    counter: str
    since: AwareDatetime


class DisplayAnswer(AnswerShape):
    """What a display said when it last announced a call: with what it spoke, and how long after the call it began, then
    and today at worst."""

    display: str
    voice: Voice
    at: AwareDatetime
    lag_s: Seconds
    worst_lag_s: Seconds


class PromiseAnswer(AnswerShape):
    """How the promise stands. `expected_misses_30_min`: of those who wait now, in the next half hour."""

    as_of: AwareDatetime
    day: str
    totals: StandAnswer
    periods: list[PeriodStandAnswer]
    expected_misses_30_min: Annotated[float | None, Field(ge=0)]
    waiting: list[WaitingAnswer]
    burn: list[BurnAnswer]
    idle_while_waiting: list[IdleAnswer]
    help: list[HelpAnswer]
    displays: list[DisplayAnswer]
    alerts: list[AlertAnswer]
