"""What the hall achieved: the promise report and its charts, and the wait records for spreadsheets."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asking import READING, HallPath, service_of
from metrics.catalogue import Language
from metrics.charts import Chart
from metrics.formats import MEDIA_TYPES, Format, breakdowns, rendered
from metrics.legs import legs_csv
from metrics.names import Names
from metrics.report import Report, promise_report
from models.fields import Day
from queue_service.domain.plan import Plan
from queue_service.errors import BadValue

ROUTER = APIRouter(prefix="/v1/halls/{hall}", tags=["reports"])

YEARS = range(1971, 9999)
"""Those that zones and clocks know whole."""
MOST_DAYS = 3_700
"""Ten years: more in one answer would keep a reader waiting for minutes."""

Result = TypeVar("Result")
DayQuery = Annotated[Day | None, Query(description="a business day, such as 2026-11-24")]
LanguageQuery = Annotated[Language, Query(description="of what is made for readers")]

_FORMS: dict[int | str, dict[str, Any]] = {
    **READING,
    200: {
        "description": "The report in the form that was asked for",
        "content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values() if "json" not in kind},
    },
}


@ROUTER.get("/promise-report", response_model=Report, responses=_FORMS)
async def read_report(
    request: Request,
    hall: HallPath,
    day: DayQuery = None,
    from_day: Annotated[Day | None, Query(alias="from", description="the first business day")] = None,
    to_day: Annotated[Day | None, Query(alias="to", description="the last business day, included")] = None,
    by: Annotated[
        str | None, Query(description="further breakdowns, such as `zone,week`; crossed with a point: `zone.day`")
    ] = None,
    form: Annotated[Format, Query(alias="format", description="html and xlsx are files for readers")] = Format.JSON,
    language: LanguageQuery = Language.EN,
) -> Response:
    """How the hall kept its promise on a day (today, unless it says otherwise) or over `from` to `to`, those still
    waiting included."""
    if day is not None and (from_day, to_day) != (None, None):
        raise BadValue("Give either day, or from and to.", place="/query/day")
    today = await _today(request, hall)
    first, last = from_day or day or to_day or today, to_day or day or today
    if day is None:
        _check_range(first, last, "/query/to" if from_day is None else "/query/from", "/query/to")
    else:
        _check_range(day, day)
    now_ms = service_of(request).clock.now_ms()
    parts = breakdowns(form, by, (last - first).days + 1)

    def made(connection: Any, plan: Plan) -> bytes:
        report = promise_report(connection, plan, first.isoformat(), last.isoformat(), now_ms, parts)
        return rendered(report, Names(plan, language), form)

    body = await _read(request, hall, made)
    return Response(body, headers=_headers(form, hall, first, last), media_type=MEDIA_TYPES[form])


def _headers(form: Format, hall: str, first: date, last: date) -> dict[str, str]:
    """Files for spreadsheets get a name, pages a policy that lets them load nothing."""
    if form == Format.HTML:
        from metrics.rendering.page import content_policy  # noqa: PLC0415 (it brings the charts along)

        return {"Content-Security-Policy": content_policy(), "X-Content-Type-Options": "nosniff"}
    if form in (Format.CSV, Format.XLSX):
        name = f"promise-{hall}-{first.isoformat()}-{last.isoformat()}.{form.value}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}
    return {}


@ROUTER.get(
    "/charts/{chart}.svg",
    response_class=Response,
    responses={**READING, 200: {"description": "An image", "content": {"image/svg+xml": {}}}},
)
async def read_chart(
    request: Request, hall: HallPath, chart: Chart, day: DayQuery = None, language: LanguageQuery = Language.EN
) -> Response:
    """A chart of a business day (today, unless it says otherwise), up to a minute old. It holds no script and no style,
    so that any content policy allows it inside a page."""
    chosen = day or await _today(request, hall)
    _check_range(chosen, chosen)
    service = service_of(request)
    plan = (await service.feed.view(hall)).hall.rules
    drawn = await service.charts.svg(
        plan, chart, chosen, service.clock.now_ms(), language, lambda work: _read(request, hall, work)
    )
    headers = {
        "Cache-Control": "private, max-age=60",
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(drawn, headers=headers, media_type="image/svg+xml")


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
    return await service.feed.read(lambda connection: work(connection, plan))


def _check_range(first: date, last: date, first_place: str = "/query/day", last_place: str = "/query/day") -> None:
    """The places: which parameters said the two days."""
    for given, place in ((first, first_place), (last, last_place)):
        if given.year not in YEARS:
            raise BadValue(f"{given}: the year must be between {YEARS[0]} and {YEARS[-1]}.", place=place)
    if first > last:
        raise BadValue(f"{first} to {last} is no range of days: from comes first.", place=first_place)
    if (last - first).days > MOST_DAYS:
        raise BadValue(f"At most {MOST_DAYS} days in one report.", place=first_place, max_days=MOST_DAYS)
