"""Advice in the model: each thing is said once, answered once, in time, and not beyond the day."""

from dataclasses import replace

from queue_service import errors
from queue_service.domain import commands as c
from tests.model.state import Advised, HallModel
from tests.model.tickets import refuse

KEPT = 100


def give(hall: HallModel, command: c.GiveAdvice) -> None:
    """About a planned service, and not said before."""
    refuse(hall.service(command.service) is None, errors.UnknownService)
    refuse(command.advice in hall.advice, errors.AdviceStands)
    hall.advice[command.advice] = Advised((str(command.kind), command.service), hall.now_ms, command.expires_at_ms)
    while len(hall.advice) > KEPT:
        del hall.advice[next(iter(hall.advice))]
    hall.tell("advice_given")


def answer(hall: HallModel, command: c.AnswerAdvice) -> None:
    """The first answer, while it can be followed."""
    refuse(command.advice not in hall.advice, errors.UnknownAdvice)
    advised = hall.advice[command.advice]
    refuse(advised.answer is not None, errors.AdviceAnswered)
    refuse(hall.now_ms >= advised.until_ms, errors.AdviceExpired)
    said = (hall.now_ms, str(command.answer), command.by, command.reason)
    hall.advice[command.advice] = replace(advised, answer=said)
    hall.tell("advice_answered")
