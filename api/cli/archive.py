"""Archives of closed days: `archive`, `verify-archive`."""

import sys
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from api.cli import APP, ERR, OUT
from api.cli.history import Halls, chosen_halls, writing
from api.cli.plans import DatabaseUrl
from api.cli.progress import progress
from api.cli.verify import existing_database
from queue_service import archive as archives
from queue_service.archive import Broken, Stretch
from queue_service.databases.backup import refuse_to_overwrite
from queue_service.errors import BadInput
from queue_service.history import reading

_REST = {4: "-01-01", 7: "-01", 10: ""}
"""What makes a date of a year, a month, a day, by its length."""


@APP.command()
def archive(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="a year, month or day that is over, such as 2025")],
    hall: Halls = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="an existing folder")] = Path(),
    database_url: DatabaseUrl = None,
) -> None:
    """Write the log of a closed year (or month, or day) to a file a hall, HALL-PERIOD.jsonl.gz.

    Each file begins and ends with a checkpoint: the place in the hall's log, and the hash there. Keep the last ones
    printed somewhere else: they prove the file, and the log that goes on. Nothing is taken out of the database.
    """
    _check_period(period)
    with closing(existing_database(database_url)) as database:
        database.read(lambda connection: _archive(connection, period, hall, output))


def _check_period(period: str) -> None:
    try:
        date.fromisoformat(period + _REST[len(period)])
    except (KeyError, ValueError) as error:
        raise BadInput(f"{period!r} is no year, month or day: write it as 2025, 2025-03 or 2025-03-14.") from error


def _archive(connection: Connection, period: str, wanted: list[str] | None, folder: Path) -> None:
    halls = chosen_halls(connection, wanted)
    found = {name: archives.stretch(connection, name, period) for name in halls}
    files = {name: folder / f"{name}-{period}.jsonl.gz" for name, part in found.items() if part is not None}
    for file in files.values():
        refuse_to_overwrite(file)
    with progress("archiving", sum(part.end.seq - part.begin.seq for part in found.values() if part)) as advance:
        for name, part in found.items():
            if part is None:
                OUT.print(f"{name}: no days in {period}", markup=False)
                continue
            with writing(files[name]) as target:
                for page in archives.pages(connection, part):
                    target.write(b"".join(page))
                    advance(len(page))
            OUT.print(f"{files[name]}: {part.days[0]} to {part.days[-1]}, {_told(part)}", markup=False)


def _told(part: Stretch) -> str:
    return f"events {part.begin.seq + 1} to {part.end.seq}, head {part.end.head}"


@APP.command()
def verify_archive(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="archives, in any order")],
    database_url: Annotated[
        str | None, typer.Option(help="a database whose log must go on from them [default: none is asked]")
    ] = None,
) -> None:
    """Prove archives: every hash is made again, each hall's files meet, and a database's log goes on from them.

    Exit code 1 and the first fault when they do not.
    """
    try:
        parts = archives.joined(part for file in files for part in _proved(file))
        if database_url is not None:
            with closing(existing_database(database_url)) as database:
                for part in parts:
                    database.read(partial(archives.check_live, part=part))
    except Broken as broken:
        ERR.print(str(broken), style="red", markup=False)
        sys.exit(1)
    for part in parts:
        earlier = "" if part.begin.seq == 0 else " (what comes before was not looked at)"
        goes_on = "" if database_url is None else ", and the database goes on from there"
        OUT.print(f"{part.begin.hall}: {_told(part)}{earlier}{goes_on}", markup=False)


def _proved(file: Path) -> list[Stretch]:
    with reading(file) as lines:
        try:
            return list(archives.proved(lines))
        except Broken as broken:
            raise Broken(f"{file}: {broken}") from broken
