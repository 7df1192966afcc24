"""What became of advice: misses foreseen with and without it, and those that the report's own judgement found."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from metrics.verdict import Count, Share, share_of
from metrics.waits import WaitRecord, classify
from models.vocabulary import AdviceKind, AdviceReply, Verdict
from models.wire import rfc3339, rfc3339_or_none
from queue_service.domain import events as ev
from queue_service.domain.advice import Advised


class AdviceFigures(BaseModel):
    """Advice of one kind and answer (None: nobody answered). Misses and `of` are summed as they were foreseen,
    `counted`, `missed` and `share` are what happened to those it was about."""

    model_config = ConfigDict(extra="forbid")

    kind: AdviceKind
    answer: AdviceReply | None
    given: Count
    misses_without: Annotated[Count, Field(description="foreseen if nothing is done")]
    misses_with: Annotated[Count, Field(description="foreseen if it is followed")]
    of: Count
    counted: Count
    missed: Count
    share: Share


@dataclass(slots=True)
class Effect:
    """How the visitors fared that advice was about."""

    counted: int = 0
    missed: int = 0
    open: int = 0

    def add(self, record: WaitRecord) -> None:
        """One of them."""
        verdict = classify(record)
        self.counted += verdict in (Verdict.KEPT, Verdict.MISSED)
        self.missed += verdict == Verdict.MISSED
        self.open += verdict == Verdict.OPEN

    @property
    def share(self) -> float | None:
        """The share of those counted that was kept."""
        return share_of(self.counted - self.missed, self.counted)


def concerns(advised: Advised, record: WaitRecord, waiting_since_ms: int) -> bool:
    """Whether a ticket is among those whose misses were foreseen."""
    if not advised.values["from_ms"] <= waiting_since_ms < advised.values["to_ms"]:
        return False
    return advised.kind == AdviceKind.CLOSE or record.service == advised.service


def given_document(advised: Advised, effect: Effect | None) -> dict[str, Any]:
    """Advice that was given, as it is shown; `effect` None: its hour has not begun."""
    values = advised.values
    return {
        "id": advised.id,
        "kind": advised.kind,
        "service": advised.service,
        "counters": list(values["counters"]),
        "given_at": rfc3339(advised.given_at_ms),
        "by": rfc3339(advised.by_ms),
        "expires_at": rfc3339(advised.expires_at_ms),
        "from": rfc3339(values["from_ms"]),
        "to": rfc3339(values["to_ms"]),
        "misses_without": values["misses_without"],
        "misses_with": values["misses_with"],
        "of": values["of"],
        "answer": advised.answer,
        "answered_at": rfc3339_or_none(advised.answered_at_ms),
        "answered_by": advised.answered_by,
        "answer_reason": advised.reason,
        "happened": None if effect is None else _happened(effect),
    }


def _happened(effect: Effect) -> Mapping[str, Any]:
    return {"counted": effect.counted, "missed": effect.missed, "open": effect.open, "share": effect.share}


class Followed:
    """Collects the advice of a report's days, then the tickets that it was about."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._advice: dict[str, tuple[Advised, Effect]] = {}

    def given(self, one: ev.Logged, event: ev.AdviceGiven) -> None:
        """Advice was given."""
        advised = Advised(
            event.advice, event.advice_kind, event.service, one.at_ms, event.by_ms, event.expires_at_ms, event.values
        )
        self._advice.setdefault(event.advice, (advised, Effect()))

    def answered(self, one: ev.Logged, event: ev.AdviceAnswered) -> None:
        """It was accepted or declined."""
        if event.advice in self._advice:
            self._advice[event.advice][0].answer = event.answer

    def take(self, tickets: list[tuple[WaitRecord, int]], from_ms: int, to_ms: int) -> None:
        """The tickets of a day, each with when its first wait began, and when the day begins and ends."""
        today = [one for one in self._advice.values() if from_ms <= one[0].given_at_ms < to_ms]
        for record, since_ms in tickets if today else ():
            for advised, effect in today:
                if concerns(advised, record, since_ms):
                    effect.add(record)

    def figures(self) -> list[AdviceFigures]:
        """By kind and answer, in the order of their words."""
        groups: dict[tuple[str, str], list[tuple[Advised, Effect]]] = defaultdict(list)
        for one in self._advice.values():
            groups[one[0].kind, one[0].answer or ""].append(one)
        return [_figures(AdviceKind(kind), answer, found) for (kind, answer), found in sorted(groups.items())]


def _figures(kind: AdviceKind, answer: str, found: list[tuple[Advised, Effect]]) -> AdviceFigures:
    counted, missed = (sum(getattr(effect, name) for _, effect in found) for name in ("counted", "missed"))
    foreseen = {
        name: sum(advised.values[name] for advised, _ in found) for name in ("misses_without", "misses_with", "of")
    }
    return AdviceFigures(
        kind=kind,
        answer=AdviceReply(answer) if answer else None,
        given=len(found),
        **foreseen,
        counted=counted,
        missed=missed,
        share=share_of(counted - missed, counted),
    )
