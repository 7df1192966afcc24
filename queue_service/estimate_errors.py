"""How far the wait estimates that were served were from what came, summed by day: rows that are no part of the log.

Each call is counted once, whichever node comes first with it: a node that has read the day's log anew, or another one,
leaves out what was counted already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from models.tables import EstimateErrorRow
from models.vocabulary import EstimateBasis
from queue_service.upsert import Upsert, table_of

ESTIMATE_ERROR = table_of(EstimateErrorRow)
_ERRORS = Upsert(ESTIMATE_ERROR, update=True)


class Scored(NamedTuple):
    """One estimate whose wait is known. `seq`: of the call in the hall's log; `error_s`: the estimate less the wait."""

    seq: int
    day: str
    service: str
    basis: EstimateBasis
    error_s: float
    covered: bool


@dataclass(slots=True)
class OwnError:
    """How far estimates were off: tickets scored, those within the bound, sums in seconds."""

    scored: int = 0
    covered: int = 0
    error_s: float = 0.0
    absolute_s: float = 0.0

    def add(self, scored: Scored) -> None:
        """A wait is known."""
        self.scored += 1
        self.covered += scored.covered
        self.error_s += scored.error_s
        self.absolute_s += abs(scored.error_s)

    def merge(self, other: "OwnError") -> None:
        """Take others in."""
        self.scored += other.scored
        self.covered += other.covered
        self.error_s += other.error_s
        self.absolute_s += other.absolute_s

    @property
    def coverage(self) -> float:
        """The share of waits within the bound."""
        return self.covered / self.scored

    @property
    def bias_s(self) -> float:
        """The mean of estimate less wait."""
        return self.error_s / self.scored

    @property
    def mae_s(self) -> float:
        """The mean distance between them."""
        return self.absolute_s / self.scored


Errors = dict[tuple[str, EstimateBasis], OwnError]
"""By service, and by what made the estimates."""


def add(connection: Connection, hall: str, scored: Sequence[Scored]) -> None:
    """Count what was not counted yet, in a write transaction."""
    for day in sorted({one.day for one in scored}):
        _add(connection, hall, day, [one for one in scored if one.day == day])


def _add(connection: Connection, hall: str, day: str, scored: Iterable[Scored]) -> None:
    table = ESTIMATE_ERROR
    here = select(table).where(table.c.hall == hall, table.c.day == day).with_for_update()
    rows = {(row.service, EstimateBasis(row.basis)): row for row in connection.execute(here)}
    counted_seq = max((row.last_seq for row in rows.values()), default=0)
    new: Errors = {}
    last_seq = counted_seq
    for one in scored:
        if one.seq > counted_seq:
            new.setdefault((one.service, one.basis), OwnError()).add(one)
            last_seq = max(last_seq, one.seq)
    values = []
    for key, error in new.items():
        if key in rows:
            error.merge(_error_of(rows[key]))
        sums_ms = round(error.error_s * 1000), round(error.absolute_s * 1000)
        values.append((hall, day, *key, error.scored, error.covered, *sums_ms, last_seq))
    _ERRORS.run(connection, values)


def _error_of(row: Any) -> OwnError:
    scored, covered, error_ms, absolute_ms = map(int, (row.scored, row.covered, row.error_ms, row.absolute_ms))
    return OwnError(scored, covered, error_ms / 1000, absolute_ms / 1000)


def errors_of(connection: Connection, hall: str, from_day: str, to_day: str) -> Errors:
    """What was counted on some days, both included, summed."""
    table = ESTIMATE_ERROR
    sums = (func.sum(table.c[name]).label(name) for name in ("scored", "covered", "error_ms", "absolute_ms"))
    by = (table.c.service, table.c.basis)
    query = select(*by, *sums).where(table.c.hall == hall, table.c.day >= from_day, table.c.day <= to_day).group_by(*by)
    return {(row.service, EstimateBasis(row.basis)): _error_of(row) for row in connection.execute(query.order_by(*by))}
