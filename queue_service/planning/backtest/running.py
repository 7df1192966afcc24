"""The walk through recorded days: each day is foretold with what the days before taught, then learned from.

All of a file's halls share one model, as those of a node do; scores and bounds are each hall's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from models.vocabulary import EstimateBasis, NoEstimate
from queue_service.history import RecordedHall
from queue_service.planning.backtest.days import HallDays, Moment, is_measured
from queue_service.planning.predictors.estimator import Estimator
from queue_service.planning.predictors.features import features
from queue_service.planning.predictors.known import Estimate, Figures
from queue_service.planning.predictors.learning import Model, train

LIMIT_S = 600.0
"""The promise that recorded history is held against."""
ENOUGH_MORE = 1.05
"""A model is made anew once so much more is recorded; beyond its most rows, once a week."""
WEEK = 5


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was said of a ticket at its issue, and what came. `served` without figures: why there is none."""

    hall: str
    day: str
    row: int
    service: str
    ahead: int
    points: dict[EstimateBasis, float]
    served: Estimate | NoEstimate
    wait_s: float


@dataclass(slots=True)
class _Learning:
    """What the days so far taught; one model for all halls."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    days: int = 0
    model: Model | None = None
    _next: tuple[float, int] = (0.0, 0)

    def renew(self) -> None:
        """A new model where enough has come since the last."""
        if len(self.rows) < self._next[0] and self.days < self._next[1]:
            return
        model = train(self.rows, self.waits_s, self.days, LIMIT_S)
        if model is not None:
            self.model, self._next = model, (len(self.rows) * ENOUGH_MORE, self.days + WEEK)


def run(halls: Sequence[RecordedHall], test_from: str, advance: Callable[[int], None]) -> list[Foretold]:
    """What would have been said from that day on; `advance` is told how many tickets are done."""
    players = [(HallDays(hall), Estimator()) for hall in halls]
    learning, told = _Learning(), list[Foretold]()
    for day in sorted({day for hall, _ in players for day in hall.days}):
        learning.renew()
        learned_rows: list[tuple[int, tuple[float, ...], float]] = []
        for hall, estimator in players:
            moments = hall.play(day)
            rows = {one.ticket.row: features(one.known) for one in moments if one.known is not None}
            asked = learning.model.ask(list(rows.values())) if learning.model is not None else []
            said = _foretell(hall.hall.id, estimator, moments, dict(zip(rows, asked, strict=False)))
            told += said if day >= test_from else []
            learned_rows += (
                (one.ticket.issued_at_ms, rows[one.ticket.row], one.wait_s)
                for one in moments
                if one.known is None and is_measured(one.ticket)
            )
            advance(len(rows))
        for _, row, wait_s in sorted(learned_rows):
            learning.rows.append(row)
            learning.waits_s.append(wait_s)
        learning.days += 1
    return told


def _foretell(
    hall: str, estimator: Estimator, moments: Sequence[Moment], learned: dict[int, Figures]
) -> list[Foretold]:
    """A day of a hall through its estimator, in order of time; those whose wait is measured."""
    estimator.open_day()
    told = []
    pending: dict[int, tuple[int, Estimate | NoEstimate]] = {}
    for ticket, known, wait_s in moments:
        if not is_measured(ticket):
            continue
        if known is not None:
            figures = learned.get(ticket.row)
            given = {} if figures is None else {EstimateBasis.LEARNED: figures}
            served = estimator.issued(str(ticket.row), known, LIMIT_S, given)
            pending[ticket.row] = (known.ahead, served)
        elif (scored := estimator.called(str(ticket.row), wait_s)) is not None:
            ahead, served = pending.pop(ticket.row)
            told.append(Foretold(hall, ticket.day, ticket.row, ticket.service, ahead, scored.points, served, wait_s))
    return told
