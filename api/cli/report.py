"""`report`: the promise's verdict over some days, as text, CSV or JSON."""

from datetime import date
from typing import Annotated

import orjson
import typer

from api.cli import APP, OUT
from api.cli.plans import DatabaseUrl
from api.cli.verify import existing_database
from metrics.rendering import as_csv, as_json, as_text
from metrics.report import Report, promise_report
from queue_service import journal
from queue_service.clock import SystemClock
from queue_service.database import Database
from queue_service.domain.calendar import local_date
from queue_service.errors import BadInput, UnknownHall


@APP.command()
def report(
    hall: Annotated[str, typer.Argument(help="the hall's id")],
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="one day [default: today]")] = None,
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="the first of several")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="the last of them")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="the fields of GET …/promise-report")] = False,
    as_csv_: Annotated[bool, typer.Option("--csv", help="one line a row, the same fields")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Say how a hall kept its promise, those still waiting included. A running server is not disturbed."""
    if day and (from_day or to_day):
        raise BadInput("Give either --day, or --from and --to.")
    if as_json_ and as_csv_:
        raise BadInput("Give either --json or --csv.")
    database = existing_database(database_url)
    try:
        found = report_of(database, hall, from_day or day, to_day or day)
    finally:
        database.close()
    if as_json_:
        OUT.out(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2).decode())
    else:
        OUT.out(as_csv(found) if as_csv_ else as_text(found), end="")


def report_of(database: Database, hall_id: str, from_day: str | None, to_day: str | None) -> Report:
    """The report of a hall as its log stands, from one day to another; today where none is said."""
    position = database.read(journal.all_positions).get(hall_id)
    if position is None:
        raise UnknownHall(f"There is no hall {hall_id!r}.", hall=hall_id)
    plan = database.read(lambda one: journal.load(one, hall_id, position)).rules
    now_ms = SystemClock().now_ms()
    today = local_date(now_ms, plan.calendar.time_zone)
    first, last = _day(from_day or to_day or today), _day(to_day or today)
    if first > last:
        raise BadInput(f"{first} is after {last}.")
    return database.read(lambda one: promise_report(one, plan, first, last, now_ms))


def _day(text: str) -> str:
    """A date as ISO writes it, within the years that zones and clocks know."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no day: write it as 2026-11-24.") from error
    if not 1970 < found.year < 9999:
        raise BadInput(f"{text}: the year must be between 1971 and 9998.")
    return found.isoformat()
