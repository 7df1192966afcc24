"""`report`: the promise's verdict over some days, as text, CSV, JSON, a workbook or a page."""

from datetime import date
from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.cli import APP, OUT
from api.cli.plans import DatabaseUrl
from api.cli.verify import existing_database
from metrics.catalogue import Language
from metrics.formats import Format, breakdowns, rendered
from metrics.names import Names
from metrics.rendering import as_csv, as_json
from metrics.report import Report, promise_report
from queue_service import journal
from queue_service.database import Database
from queue_service.domain.calendar import local_date
from queue_service.domain.plan import Plan
from queue_service.errors import BadInput, UnknownHall

SUFFIXES = {".txt": Format.TEXT, ".htm": Format.HTML, **{f".{form.value}": form for form in Format}}


@APP.command()
def report(
    hall: Annotated[str, typer.Argument(help="the hall's id")],
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="one day [default: today]")] = None,
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="the first of several")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="the last of them")] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="further breakdowns: day, week, month, zone, service, department, group, period; "
            "several with commas, crossed with a point: zone,service.week"
        ),
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="[default: by --out's name, else text]")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write here; needed for xlsx")] = None,
    language: Annotated[Language, typer.Option(help="of text, workbook and page")] = Language.EN,
    as_json_: Annotated[bool, typer.Option("--json", help="the fields of GET …/promise-report")] = False,
    as_csv_: Annotated[bool, typer.Option("--csv", help="one line a row, the same fields")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Say how a hall kept its promise, those still waiting included. A running server is not disturbed.

    A month as a page to print or send: queue-service report HALL --from 2026-11-01 --to 2026-11-30 --out november.html
    """  # fmt: skip
    if day and (from_day or to_day):
        raise BadInput("Give either --day, or --from and --to.")
    chosen = _form(form, out, as_json_, as_csv_)
    database = existing_database(database_url)
    try:
        found, plan = report_of(database, hall, from_day or day, to_day or day, by, chosen)
    finally:
        database.close()
    if out is not None:
        out.write_bytes(rendered(found, Names(plan, language), chosen))
        OUT.print(f"Written to {out}.", markup=False)
    elif chosen == Format.JSON:
        OUT.out(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2).decode())
    elif chosen == Format.CSV:
        OUT.out(as_csv(found), end="")
    else:
        OUT.out(rendered(found, Names(plan, language), chosen).decode(), end="")


def _form(form: Format | None, out: Path | None, json: bool, csv: bool) -> Format:
    """The one form that was asked for; a file's name may say it."""
    if json and csv:
        raise BadInput("Give either --json or --csv.")
    asked = {one for one in (form, Format.JSON if json else None, Format.CSV if csv else None) if one is not None}
    if len(asked) > 1:
        raise BadInput("Give one form: --format, --json or --csv.")
    if not asked and out is not None and out.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{out}: name a form with --format, or end the name in one of {', '.join(SUFFIXES)}.")
    named = SUFFIXES[out.suffix.lower()] if out is not None and not asked else Format.TEXT
    chosen = next(iter(asked), named)
    if chosen == Format.XLSX and out is None:
        raise BadInput("A workbook needs a file: --out FILE.xlsx.")
    return chosen


def report_of(
    database: Database,
    hall_id: str,
    from_day: str | None,
    to_day: str | None,
    by: str | None = None,
    form: Format = Format.JSON,
) -> tuple[Report, Plan]:
    """The report of a hall as its log stands, from one day to another, today where none is said; and its plan."""
    position = database.read(journal.all_positions).get(hall_id)
    if position is None:
        raise UnknownHall(f"There is no hall {hall_id!r}.", hall=hall_id)
    plan = database.read(lambda one: journal.load(one, hall_id, position)).rules
    clock = database.clock()
    database.set_clock(clock)
    now_ms = clock.now_ms()
    today = local_date(now_ms, plan.calendar.time_zone)
    first, last = _day(from_day or to_day or today), _day(to_day or today)
    if first > last:
        raise BadInput(f"{first} is after {last}.")
    parts = breakdowns(form, by, (date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    return database.read(lambda one: promise_report(one, plan, first, last, now_ms, parts)), plan


def _day(text: str) -> str:
    """A date as ISO writes it, within the years that zones and clocks know."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: write it as 2026-11-24.") from error
    if not 1970 < found.year < 9999:
        raise BadInput(f"{text}: the year must be between 1971 and 9998.")
    return found.isoformat()
