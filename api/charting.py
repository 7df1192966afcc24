"""The charts of a hall's day as pages embed them: drawn beside the event loop, each kept for a minute.

What a chart shows stands in `metrics.charts`; who asks at once for the same chart waits for the same drawing.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from metrics.breakdown import parse_by
from metrics.catalogue import Language
from metrics.charts import Chart, draw
from metrics.names import Names
from metrics.report import Report, promise_report
from queue_service.domain.plan import Plan

KEPT_S = 60
MOST_KEPT = 200

Read = Callable[[Callable[[Connection, Plan], Report]], Coroutine[Any, Any, Report]]
"""Runs work with a connection and the hall's plan beside the event loop."""
Made = TypeVar("Made")


class _Kept(Generic[Made]):
    """What was made in the last minute, by what was asked; the oldest go first."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], tuple[float, asyncio.Task[Made]]] = {}

    async def get(self, asked: tuple[str, ...], make: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """What was made for it, or is being made, or will be now. A failure is told to all who wait and forgotten."""
        made_s, task = self._made.get(asked, (0.0, None))
        if task is None or time.monotonic() - made_s > KEPT_S:
            self._made.pop(asked, None)
            while len(self._made) >= MOST_KEPT:
                del self._made[next(iter(self._made))]
            task = asyncio.get_running_loop().create_task(make())
            self._made[asked] = (time.monotonic(), task)
        try:
            return await asyncio.shield(task)
        except Exception:
            self._made.pop(asked, None)
            raise


class Charts:
    """Draws charts and keeps them for a minute."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._reports: _Kept[Report] = _Kept()
        self._drawn: _Kept[bytes] = _Kept()

    async def svg(self, plan: Plan, chart: Chart, day: date, now_ms: int, language: Language, read: Read) -> bytes:
        """A chart of a hall's business day, up to a minute old."""
        iso = day.isoformat()

        def report(connection: Connection, present: Plan) -> Report:
            return promise_report(connection, present, iso, iso, now_ms, parse_by("service"))

        async def made() -> bytes:
            found = await self._reports.get((plan.id, iso), lambda: read(report))
            return (await asyncio.to_thread(draw, chart, found, Names(plan, language))).encode()

        return await self._drawn.get((plan.id, iso, chart.value, language.value), made)
