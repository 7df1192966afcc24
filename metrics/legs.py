"""Waits and services leg by leg: the breakdown beside the verdict, and the wait records as CSV.

The verdict is per ticket and made in `verdict`; here each call counts for its own service, counter and department.
"""

import csv
import io
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from metrics.verdict import Count, Seconds, mean_ms, spread
from models.vocabulary import LegOutcome
from models.wire import rfc3339, seconds_or_none
from queue_service.domain.plan import Plan
from queue_service.journal import LEG, TICKET


class LegsBy(StrEnum):
    """What the legs are grouped by."""

    SERVICE = "service"
    COUNTER = "counter"
    DEPARTMENT = "department"


_SERVICE, _COUNTER, _DEPARTMENT = LegsBy


class LegFigures(BaseModel):
    """The calls of one service, counter or department; tickets apart are left out. `served`: services that were
    finished and whose start was not implied."""

    model_config = ConfigDict(extra="forbid")

    by: LegsBy
    name: str
    calls: Count
    mean_s: Annotated[Seconds, Field(description="the wait before the call, seconds")]
    p50_s: Seconds
    p90_s: Seconds
    max_s: Seconds
    served: Count
    mean_service_s: Seconds


class LegBreakdown:
    """Collects legs."""

    def __init__(self, plan: Plan) -> None:
        """`plan` says which service is of which department."""
        self._departments = {service.id: service.department for service in plan.services.values()}
        self._waits: dict[tuple[LegsBy, str], array[int]] = defaultdict(lambda: array("q"))
        self._services: dict[tuple[LegsBy, str], array[int]] = defaultdict(lambda: array("q"))

    def add(self, legs: Iterable[Any]) -> None:
        """Count the legs (rows of the leg table) that were called."""
        for leg in legs:
            if leg.called_at_ms is not None:
                self._add(leg, service_ms(leg))

    def _add(self, leg: Any, served_ms: int | None) -> None:
        department = self._departments.get(leg.service)
        for by, name in ((_SERVICE, leg.service), (_COUNTER, leg.counter), (_DEPARTMENT, department)):
            if name is not None:
                self._waits[by, name].append(leg.waited_ms)
                if served_ms is not None:
                    self._services[by, name].append(served_ms)

    def figures(self) -> list[LegFigures]:
        """By service, by counter, by department; each by name."""
        places = sorted(self._waits, key=lambda place: (list(LegsBy).index(place[0]), place[1]))
        return [self._figures(by, name) for by, name in places]

    def _figures(self, by: LegsBy, name: str) -> LegFigures:
        waits, services = sorted(self._waits[by, name]), self._services[by, name]
        return LegFigures(
            by=by,
            name=name,
            calls=len(waits),
            **spread(waits),
            served=len(services),
            mean_service_s=seconds_or_none(mean_ms(services)),
        )


def service_ms(leg: Any) -> int | None:
    """How long a leg's service took; None unless it was finished and someone said when it started."""
    if leg.outcome != LegOutcome.FINISHED or leg.start_implied or leg.started_at_ms is None:
        return None
    return int(leg.ended_at_ms - leg.started_at_ms)


# -- the wait records, for spreadsheets

BYTE_ORDER_MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

HEADER = (
    "number", "leg", "service", "service_name", "department", "counter", "priority", "channel", "waiting_since",
    "called_at", "started_at", "ended_at", "wait_s", "walk_s", "service_s", "start_implied", "recalls", "outcome",
    "period", "promise_s", "apart",
)  # fmt: skip
"""Neither the ticket's id (holding it is the visitor's right to cancel) nor the clerk (a person) is among them."""


def legs_csv(connection: Connection, plan: Plan, day: str) -> Iterator[str]:
    """The legs of the plan's hall on a business day, oldest first, as the text of a CSV file in pieces.

    Begins with a byte order mark, so that spreadsheets read it as UTF-8. Times are RFC 3339 UTC, durations seconds;
    a wait that is still running, an implied start's walk and service, and what has not happened yet are empty."""
    yield BYTE_ORDER_MARK + csv_line(HEADER)
    of_ticket = (TICKET.c.number, TICKET.c.channel, TICKET.c.period, TICKET.c.promise_ms, TICKET.c.apart)
    rows = (
        select(LEG, *of_ticket)
        .join(TICKET, TICKET.c.id == LEG.c.ticket)
        .where(LEG.c.hall == plan.id, LEG.c.day == day)
        .order_by(LEG.c.waiting_since_ms, TICKET.c.number, LEG.c.leg)
    )
    for row in connection.execute(rows):
        yield csv_line(_cells(plan, row))


def _cells(plan: Plan, row: Any) -> tuple[Any, ...]:
    service = plan.services.get(row.service)
    walk_ms = None
    if row.called_at_ms is not None and row.started_at_ms is not None and not row.start_implied:
        walk_ms = row.started_at_ms - row.called_at_ms
    return (
        row.number, row.leg, row.service, service and service.name, service and service.department, row.counter,
        row.priority, row.channel, rfc3339(row.waiting_since_ms), _instant(row.called_at_ms),
        _instant(row.started_at_ms), _instant(row.ended_at_ms), _seconds(row.waited_ms), _seconds(walk_ms),
        _seconds(service_ms(row)), int(row.start_implied), row.recalls, row.outcome, row.period,
        _seconds(row.promise_ms), row.apart,
    )  # fmt: skip


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def _seconds(duration_ms: int | None) -> str | None:
    return None if duration_ms is None else f"{duration_ms // 1000}.{duration_ms % 1000:03d}"


def csv_line(cells: Iterable[Any]) -> str:
    """One line of CSV (RFC 4180). Text that a spreadsheet would take for a formula is disarmed with an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_disarmed(cell) for cell in cells])
    return line.getvalue()


def _disarmed(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
