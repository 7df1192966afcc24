"""`backtest`: what the wait estimates would have said of recorded days, held against what came."""

import csv
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.table import Table

from api.cli import APP, OUT
from api.cli.history import Halls, zone_named
from api.cli.plan_day import as_day
from api.cli.progress import progress
from queue_service.errors import BadInput
from queue_service.history import RecordedHall, read_history, reading

WORDS = {
    "moving_average": "moving average of 10",
    "last_to_enter": "last to enter service",
    "head_of_line": "head of the line",
    "queue_length": "queue length",
    "learned": "learned",
}


@APP.command()
def backtest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="recorded history (.csv, .csv.gz)")],
    test_from: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="foretell from this day; earlier ones teach")],
    zone: Annotated[
        str | None, typer.Option(help="the halls' time zone, such as Europe/Warsaw [default: the first time's offset]")
    ] = None,
    hall: Halls = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same figures as JSON")] = False,
) -> None:
    """Foretell the waits of recorded days, each ticket by what was known at its issue, and show how far that was off.

    Earlier days teach, and each later day teaches once it is over. `counters_open` and `waiting_before` are used where
    the file has them; tickets whose times are uncertain by more than 660 s are not judged. Broken rows
    are left out and counted. Errors are in minutes.
    """
    from queue_service.planning.backtest.figures import figures  # noqa: PLC0415 (learning is loaded when asked)
    from queue_service.planning.backtest.running import run  # noqa: PLC0415 (as above)

    first, broken = as_day(test_from), list[int]()
    halls = merged([one for file in files for one in _read(file, zone, hall or [], broken)])
    _check_days(halls, first)
    with progress("foretelling", sum(len(one.tickets) for one in halls)) as advance:
        document = {**figures(run(halls, first, advance)), "broken_rows": sum(broken)}
    if not document["tickets"]:
        raise BadInput(f"No ticket from {first} on was called with a wait that is known closely enough to judge by.")
    if as_json:
        OUT.out(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(document)


def _read(file: Path, zone: str | None, only: list[str], broken: list[int]) -> list[RecordedHall]:
    found = _zone_in(file) if zone is None else zone_named(zone)
    return read_history(file, lambda _: found, only, broken=broken)


def _zone_in(file: Path) -> ZoneInfo:
    """A zone with the offset of the file's first time, all year round. A foreign one (UTC, say) could end a day while
    people wait, and a wait that goes on past its day's end cannot be judged."""
    with reading(file) as text:
        try:
            issued = datetime.fromisoformat((next(csv.DictReader(text), {}).get("issued_at") or "").strip())
        except (ValueError, csv.Error):
            return ZoneInfo("UTC")  # the row is told of as broken
    offset = issued.utcoffset()
    hours = 0 if offset is None else round(offset.total_seconds() / 3600)
    return ZoneInfo(f"Etc/GMT{-hours:+d}" if -14 <= -hours <= 12 else "UTC")


def merged(halls: list[RecordedHall]) -> list[RecordedHall]:
    """A hall that is in several files once, its tickets in order of issue, each with a row of its own."""
    by_id: dict[str, RecordedHall] = {}
    for one in halls:
        known = by_id.setdefault(one.id, RecordedHall(one.id, one.name, one.zone))
        known.services.update(one.services)
        known.tickets.extend(one.tickets)
    for one in by_id.values():
        one.tickets.sort(key=lambda ticket: ticket.issued_at_ms)
        one.tickets[:] = [replace(ticket, row=row) for row, ticket in enumerate(one.tickets, 1)]
    return list(by_id.values())


def _check_days(halls: list[RecordedHall], first: str) -> None:
    days = sorted({day for one in halls for day in one.days})
    if not days or days[-1] < first:
        there = f"its days are {days[0]} to {days[-1]}" if days else "there is no ticket"
        raise BadInput(f"--test-from {first}: nothing is recorded from then on; {there}.")


def _show(document: dict[str, Any]) -> None:
    errors = Table("minutes", "tickets", "MAE", "≥1 ahead", "≥5 ahead", "bias", box=None, pad_edge=False)
    for basis, one in document["predictors"].items():
        errors.add_row(WORDS.get(basis, basis), *_cells(one))
    errors.add_row("served", *_cells(document["served"]), style="bold")
    OUT.print(errors)
    below = document["below_moving_average"]
    if below is not None:
        OUT.print(f"\nServed is {below:.1%} below the moving average of 10.")
    brier, over = document["brier_over_10_min"], document["share_over_10_min"]
    if brier is not None:
        OUT.print(f"Over 10 minutes: {over:.1%} of the tickets; Brier score of the chance foretold {brier:.3f}.\n")
    if document["broken_rows"]:
        OUT.print(f"Rows left out because they are broken: {document['broken_rows']}.")
    for word, count in document["no_estimate"].items():
        OUT.print(f"No estimate for {count} tickets: {word.replace('_', ' ')}.")
    days = Table("nine-in-ten bound", "tickets", "held", "mean, min", box=None, pad_edge=False)
    for day, one in document["days"].items():
        days.add_row(day, f"{one['tickets']:,}", f"{one['coverage']:.1%}", f"{one['mean_bound_min']:.1f}")
    OUT.print(days)


def _cells(errors: dict[str, Any]) -> list[str]:
    names = ("mae_min", "mae_ahead_1_min", "mae_ahead_5_min", "bias_min")
    return [f"{errors['tickets']:,}", *("-" if errors[name] is None else f"{errors[name]:.2f}" for name in names)]
