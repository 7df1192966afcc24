"""The answer of a plan that was checked and not put. See `models.answers`."""

from typing import Any

from models.answers import AnswerShape
from models.plan import PlanDocument


class PlanChangeAnswer(AnswerShape):
    """A difference at `place` (a JSON pointer; entries with an `id` by it). None: not there before, or after."""

    place: str
    before: Any
    after: Any


class PlanCheckAnswer(AnswerShape):
    """The plan could be put. `version`: of the plan it was compared with, 0 where there is none yet; `document`: as it
    would stand, complete with defaults."""

    hall: str
    version: int
    document: PlanDocument
    changes: list[PlanChangeAnswer]
