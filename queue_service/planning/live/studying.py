"""What a hall's earlier days teach: scores and bounds of every predictor, a learned model, who comes and how long they
take. Worked out in a process of its own, from the log and nothing else; nothing of a day is used for that day.
"""

import pickle
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service import journal
from queue_service.database import Database
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.errors import UnknownHall
from queue_service.planning.live.answering import Taught
from queue_service.planning.live.estimates import HallEstimates, LiveEstimator
from queue_service.planning.live.past import events_of, past_days
from queue_service.planning.predictors.estimator import NOTHING, Estimator, Scored
from queue_service.planning.predictors.features import features
from queue_service.planning.predictors.known import Figures, Given, Known
from queue_service.planning.predictors.tracker import Tracker
from queue_service.planning.staffing.learning import Learned, learn

if TYPE_CHECKING:
    from queue_service.planning.predictors.learning import Model

HELD_DAYS = 2
"""The last days are foretold by a model of those before: the learned predictor is scored by what it could know."""


@dataclass(frozen=True)
class Studied:
    """`tracker` and `estimator` are as of the last night; `packed`: a `Taught` for the process that is asked."""

    days: int
    has_model: bool
    tracker: Tracker
    estimator: Estimator
    packed: bytes


@dataclass(slots=True)
class _Issue:
    """What was known to a ticket at its issue, and its wait, once it is called."""

    day: int
    ticket: str
    known: Known
    wait_s: float | None = None


class _Step(NamedTuple):
    """What an estimator was told: a day opened (no ticket), an issue, a call (a wait), or that a ticket left."""

    ticket: str | None = None
    issue: _Issue | None = None
    wait_s: float | None = None


@dataclass(slots=True)
class _Tape:
    """All that was told, to be told again."""

    steps: list[_Step] = field(default_factory=list)
    issues: list[_Issue] = field(default_factory=list)
    days: int = 0


class _Recorder(LiveEstimator):
    """An estimator that says nothing and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.tape = _Tape()
        self._waiting: dict[str, _Issue] = {}

    def open_day(self) -> None:
        self.tape.days += 1
        self.tape.steps.append(_Step())
        self._waiting.clear()

    def issued(self, ticket: str, known: Known, promise_s: float | None, given: Given = NOTHING) -> NoEstimate:
        issue = self._waiting[ticket] = _Issue(self.tape.days, ticket, known)
        self.tape.issues.append(issue)
        self.tape.steps.append(_Step(ticket, issue))
        return NoEstimate.TOO_LITTLE_HISTORY

    def called(self, ticket: str, wait_s: float) -> Scored | None:
        issue = self._waiting.pop(ticket, None)
        if issue is not None:
            issue.wait_s = wait_s
            self.tape.steps.append(_Step(ticket, None, wait_s))
        return None

    def left(self, ticket: str) -> None:
        if self._waiting.pop(ticket, None) is not None:
            self.tape.steps.append(_Step(ticket))


@dataclass(frozen=True)
class _Past:
    """What was read of a hall's earlier days."""

    days: int
    plan: Plan
    tracker: Tracker
    tape: _Tape
    demand: Learned


def study(url: str, hall_id: str, today: str, with_model: bool) -> Studied:
    """What the days before `today` teach. Seconds of work; `with_model`: grow one where there are days enough.

    Raises UnknownHall, LogCorrupt, UnknownEventKind."""
    database = Database(url)
    try:
        past = database.read(lambda connection: _read(connection, hall_id, today))
    finally:
        database.close()  # what follows takes its time, and would keep the database from tidying up
    given, model = _grown(past.tape) if with_model else (dict[str, Figures](), None)
    packed = zlib.compress(pickle.dumps(Taught(model, past.demand, past.plan)), 1)
    return Studied(past.days, model is not None, past.tracker, _played(past.tape, given), packed)


def _read(connection: Connection, hall_id: str, today: str) -> _Past:
    position = journal.positions(connection, [hall_id]).get(hall_id)
    if position is None:
        raise UnknownHall(f"There is no hall {hall_id!r}.", hall=hall_id)
    plan = journal.day_start(connection, hall_id, position.day_seq).rules
    estimates, recorder = HallEstimates(), _Recorder()
    estimates.estimator = recorder
    days = past_days(connection, hall_id, today)
    for hall, logged in _folded(connection, plan, days, today):
        estimates.fold(hall, logged)
    return _Past(len(days), plan, estimates.tracker, recorder.tape, learn(connection, plan, today))


def _folded(connection: Connection, plan: Plan, days: Sequence[str], today: str) -> Iterator[tuple[Hall, Logged]]:
    if not days:
        return
    hall = Hall(plan.id)
    for logged in events_of(connection, plan.id, plan, days[0], today):
        evolve(hall, logged)
        yield hall, logged
        hall.drain()


def _grown(tape: _Tape) -> tuple[dict[str, Figures], "Model | None"]:
    """What a model of the days before says of the tickets of the last days, and a model of all days."""
    called = [one for one in tape.issues if one.wait_s is not None]
    days = sorted({one.day for one in called})
    from queue_service.planning.predictors.learning import LEAST_DAYS, train  # noqa: PLC0415 (scikit-learn, if needed)

    if len(days) < LEAST_DAYS:
        return {}, None
    rows = {id(one): features(one.known) for one in tape.issues}

    def grown(of: Sequence[int]) -> "Model | None":
        chosen = [one for one in called if one.day in of]
        return train([rows[id(one)] for one in chosen], [one.wait_s or 0.0 for one in chosen], len(of), None)

    held = days[LEAST_DAYS:][-HELD_DAYS:]
    asked = [one for one in tape.issues if one.day in held]
    before = grown(days[: len(days) - len(held)]) if held else None
    said = before.ask([rows[id(one)] for one in asked]) if before is not None else []
    return dict(zip((one.ticket for one in asked), said, strict=False)), grown(days)


def _played(tape: _Tape, given: dict[str, Figures]) -> Estimator:
    """An estimator that was told all of it."""
    estimator = Estimator()
    for ticket, issue, wait_s in tape.steps:
        if ticket is None:
            estimator.open_day()
        elif issue is not None:
            said = {EstimateBasis.LEARNED: given[ticket]} if ticket in given else NOTHING
            estimator.issued(ticket, issue.known, None, said)
        elif wait_s is not None:
            estimator.called(ticket, wait_s)
        else:
            estimator.left(ticket)
    return estimator
