"""Advice to the staff: given once, answered once while it can still be followed."""

from collections.abc import Iterator

from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall
from queue_service.domain.rules.lookup import service_of


def give_advice(hall: Hall, command: c.GiveAdvice, now_ms: int) -> Iterator[ev.Event]:
    """Several nodes advise a hall; the first that says a thing is heard."""
    service_of(hall, command.service)
    if command.advice in hall.advice:
        raise errors.AdviceStands(advice=command.advice)
    yield ev.AdviceGiven(
        advice=command.advice,
        advice_kind=command.kind,
        service=command.service,
        by_ms=command.by_ms,
        expires_at_ms=command.expires_at_ms,
        values=command.values,
    )


def answer_advice(hall: Hall, command: c.AnswerAdvice, now_ms: int) -> Iterator[ev.Event]:
    """Once, and in time."""
    advised = hall.advice.get(command.advice)
    if advised is None:
        raise errors.UnknownAdvice(
            f"This hall was not given the advice {command.advice!r} today.", advice=command.advice
        )
    if advised.answer is not None:
        raise errors.AdviceAnswered(f"It was {advised.answer} already.", advice=advised.id, answer=advised.answer)
    if now_ms >= advised.expires_at_ms:
        raise errors.AdviceExpired(advice=advised.id)
    yield ev.AdviceAnswered(advice=advised.id, answer=command.answer, by=command.by, reason=command.reason)
