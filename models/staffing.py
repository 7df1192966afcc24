"""The shape of staffing advice, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from models.answers import AnswerShape
from models.vocabulary import AdviceKind, AdviceReply

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Texts = dict[str, str]
"""A sentence by language."""


class AdviceItem(AnswerShape):
    """One thing to do by `by`. Misses are visitors of the service (of the hall, where a counter may close) who begin to
    wait between `from` and `to` and wait longer than `promise_s`; `of`: how many come. Averages of the runs. `until`:
    as long as it is needed (open) or helps (move). `id`: its advice_id, to be answered until `expires_at`."""

    id: str
    kind: AdviceKind
    reason: Literal["would_break", "cannot_be_kept", "fewer_keep"]
    service: str
    count: Count
    counters: list[str]
    from_services: list[str]
    by: AwareDatetime
    until: AwareDatetime | None
    promise_s: float
    misses_without: Count
    misses_with: Count
    of: Count
    from_: Annotated[AwareDatetime, Field(alias="from")]
    to: AwareDatetime
    expires_at: AwareDatetime
    text: Texts
    alternatives: list[AdviceItem]


class AdviceQuarter(AnswerShape):
    """A quarter of an hour: counters at work and the share kept, as it is and as advised."""

    at: AwareDatetime
    counters_now: Count
    counters_needed: Count
    share_now: Share
    share_needed: Share


class AdviceBasis(AnswerShape):
    """What the advice stands on: which past days, how busy today is beside them, where service times come from."""

    arrivals: Literal["same_weekday", "recent_days"]
    days: Count
    today_ratio: float
    service_times: dict[str, Literal["own", "pooled", "default"]]
    runs: Count
    until: AwareDatetime


class AdviceHappened(AnswerShape):
    """What became of those who began to wait between `from` and `to`. `open`: they still wait within the promise."""

    counted: Count
    missed: Count
    open: Count
    share: Share | None


class GivenAdvice(AnswerShape):
    """Advice that was given today: what was foreseen, what the staff made of it, and what happened after all (None
    until the hour that it is about begins). What was not accepted may have been done all the same, and the reverse."""

    id: str
    kind: AdviceKind
    service: str
    counters: list[str]
    given_at: AwareDatetime
    by: AwareDatetime
    expires_at: AwareDatetime
    from_: Annotated[AwareDatetime, Field(alias="from")]
    to: AwareDatetime
    misses_without: Count
    misses_with: Count
    of: Count
    answer: AdviceReply | None
    answered_at: AwareDatetime | None
    answered_by: str | None
    answer_reason: str | None
    happened: AdviceHappened | None


class StaffingAnswer(AnswerShape):
    """Advice, or `because` there is none."""

    hall: str
    day: str
    as_of: AwareDatetime
    because: (
        Literal["too_little_history", "hall_closed", "hall_suspended", "no_counter_open", "no_promise", "busy"] | None
    )
    basis: AdviceBasis | None
    share_if_nothing_changes: Share | None
    reachable_share: Share | None
    text: Texts
    advice: list[AdviceItem]
    quarters: list[AdviceQuarter]
    given: list[GivenAdvice]
