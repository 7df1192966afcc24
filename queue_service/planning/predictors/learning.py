"""The learned predictor: boosted trees for the median, the nine-in-ten quantile and the chance of a long wait.

Absolute error and quantiles do not mind a rising change of scale, so the trees learn the square root of the wait,
where a minute more weighs most when the wait is short. Only here is scikit-learn used: training takes seconds and
belongs off the event loop. Source: Ang et al., M&SOM 18(1), 2016; scikit-learn's HistGradientBoosting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from queue_service.planning.predictors.known import Figures

LEAST_DAYS = 5
"""A week of open days: with fewer, the others are better."""
LEAST_ROWS = 200
MOST_ROWS = 60_000
"""The latest; more would cost time and teach of a past that is gone."""
_SEED = 1

Rows = Sequence[tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned; immutable, any thread may ask. `limit_s`: the wait that `chance` is about; `columns`: those of
    the features that tell something."""

    limit_s: float | None
    days: int
    rows: int
    columns: Any
    median: Any
    upper: Any
    over: Any

    def ask(self, rows: Rows) -> list[Figures]:
        """What it says of each row. Some milliseconds, however many rows: ask for many at once."""
        if not rows:
            return []
        table = np.asarray(rows, dtype=np.float64)[:, self.columns]
        with threadpool_limits(1, "openmp"):
            p50 = np.maximum(self.median.predict(table), 0.0) ** 2
            p90 = np.maximum(np.maximum(self.upper.predict(table), 0.0) ** 2, p50)
            chances = [None] * len(rows) if self.over is None else self.over.predict_proba(table)[:, 1].tolist()
        return [Figures(*one) for one in zip(p50.tolist(), p90.tolist(), chances, strict=True)]


def train(rows: Rows, waits_s: Sequence[float], days: int, limit_s: float | None) -> Model | None:
    """A model of so many days; None where that is too little. Rows in order of time: the latest are taken.

    `limit_s`: of the wait whose chance is asked for, if any is."""
    if days < LEAST_DAYS or len(rows) < LEAST_ROWS:
        return None
    with threadpool_limits(1, "openmp"):  # waiting for one another on busy cores costs more than it brings
        return _grown(rows, waits_s, days, limit_s)


def _grown(rows: Rows, waits_s: Sequence[float], days: int, limit_s: float | None) -> Model:
    table = np.asarray(rows[-MOST_ROWS:], dtype=np.float64)
    columns = _telling(table)
    table = table[:, columns]
    waits = np.asarray(waits_s[-MOST_ROWS:], dtype=np.float64)
    roots, passed = np.sqrt(waits), waits > (np.inf if limit_s is None else limit_s)
    median = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=300, learning_rate=0.06, min_samples_leaf=30, random_state=_SEED
    ).fit(table, roots)
    upper = HistGradientBoostingRegressor(
        loss="quantile", quantile=0.9, max_iter=150, learning_rate=0.06, min_samples_leaf=40, random_state=_SEED
    ).fit(table, roots)
    over = None
    if 10 <= passed.sum() <= len(passed) - 10:
        over = HistGradientBoostingClassifier(
            max_iter=150, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=40, l2_regularization=1.0,
            random_state=_SEED,
        ).fit(table, passed)  # fmt: skip
    return Model(limit_s, days, len(table), columns, median, upper, over)


def _telling(table: Any) -> Any:
    """The columns that are not the same in all rows: a file without counters says nothing of them, and the trees cannot
    be grown on a column without two values."""
    filled = np.where(np.isnan(table), np.inf, table)
    lowest = filled.min(axis=0)
    highest = np.where(np.isnan(table), -np.inf, table).max(axis=0)
    return np.flatnonzero(lowest < highest)
