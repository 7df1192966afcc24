"""What the hall achieved: the promise report, and the wait records for spreadsheets."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asking import READING, HallPath, json_response, service_of
from metrics.legs import legs_csv
from metrics.rendering import as_json
from metrics.report import Report, promise_report
from models.fields import Day
from queue_service.domain.plan import Plan
from queue_service.errors import BadValue

ROUTER = APIRouter(prefix="/v1/halls/{hall}", tags=["reports"])

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 31)
MOST_DAYS = 3_700
"""Ten years: more in one answer would keep a reader waiting for minutes."""

Result = TypeVar("Result")
DayQuery = Annotated[Day | None, Query(description="a business day, such as 2026-11-24")]


@ROUTER.get("/promise-report", response_model=Report, responses=READING)
async def read_report(
    request: Request,
    hall: HallPath,
    day: DayQuery = None,
    from_day: Annotated[Day | None, Query(alias="from", description="the first business day")] = None,
    to_day: Annotated[Day | None, Query(alias="to", description="the last business day, included")] = None,
) -> Response:
    """How the hall kept its promise on a day (today, unless it says otherwise) or over `from` to `to`, those still
    waiting included."""
    if day is not None and (from_day, to_day) != (None, None):
        raise BadValue("Give either day, or from and to.", place="/query/day")
    today = await _today(request, hall)
    first, last = from_day or day or to_day or today, to_day or day or today
    _check_range(first, last)
    now_ms = service_of(request).clock.now_ms()
    report = await _read(
        request, hall, lambda one, plan: promise_report(one, plan, first.isoformat(), last.isoformat(), now_ms)
    )
    return json_response(orjson.dumps(as_json(report)))


@ROUTER.get(
    "/legs.csv",
    response_class=Response,
    responses={**READING, 200: {"description": "UTF-8 with BOM", "content": {"text/csv": {}}}},
)
async def read_legs(request: Request, hall: HallPath, day: DayQuery = None) -> Response:
    """Every wait and service of a business day (today, unless it says otherwise), one line a leg."""
    chosen = day or await _today(request, hall)
    _check_range(chosen, chosen)
    text = await _read(request, hall, lambda one, plan: "".join(legs_csv(one, plan, chosen.isoformat())))
    headers = {"Content-Disposition": f'attachment; filename="legs-{hall}-{chosen.isoformat()}.csv"'}
    return Response(text.encode(), headers=headers, media_type="text/csv")


async def _today(request: Request, hall: str) -> date:
    """The hall's present business day, opened if it was due."""
    view = await service_of(request).current_view(hall)
    return date.fromisoformat(view.hall.day.date)


async def _read(request: Request, hall: str, work: Callable[[Any, Plan], Result]) -> Result:
    """Run `work` with the hall's present plan beside the event loop, in a read transaction whose connection it gets."""
    service = service_of(request)
    plan = (await service.feed.view(hall)).hall.rules
    return await asyncio.to_thread(service.database.read, lambda connection: work(connection, plan))


def _check_range(first: date, last: date) -> None:
    if not FIRST_DAY <= first <= last <= LAST_DAY:
        raise BadValue(f"{first} to {last} is no range of days: from comes first.", place="/query/from")
    if (last - first).days > MOST_DAYS:
        raise BadValue(f"At most {MOST_DAYS} days in one report.", place="/query/from", max_days=MOST_DAYS)
