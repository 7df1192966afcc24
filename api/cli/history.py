"""Days and logs as files: `import`, `export`, `replay`."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import orjson
import typer
from sqlalchemy import Connection

from api.cli import APP, OUT
from api.cli.plans import DatabaseUrl, open_database
from api.cli.progress import progress
from api.cli.verify import existing_database
from api.importing import Import
from models.time_zone import known_time_zone
from queue_service import journal, log_file
from queue_service.database import Database
from queue_service.errors import BadInput, UnknownHall
from queue_service.history import read_history, reading
from queue_service.settings import Settings

Halls = Annotated[list[str] | None, typer.Option("--hall", help="only this hall; may be given again")]
Zone = Annotated[str | None, typer.Option(help="the halls' time zone, such as Europe/Warsaw")]
HISTORY, LOG = "recorded history", "a log"
_KINDS = {".csv": HISTORY, ".csv.gz": HISTORY, ".jsonl": LOG, ".jsonl.gz": LOG}


def zone_named(name: str) -> ZoneInfo:
    """The zone; BadInput where there is none of that name."""
    try:
        return ZoneInfo(known_time_zone(name))
    except ValueError as error:
        raise BadInput(f"{name!r} is not the name of an IANA time zone, such as Europe/Warsaw.") from error


@APP.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="recorded history (.csv, .csv.gz) or a log (.jsonl, .jsonl.gz)")],
    zone: Zone = None,
    hall: Halls = None,
    skip_recorded: Annotated[bool, typer.Option(help="leave out days that have tickets already")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Take recorded history of past days, or restore a log that `export` wrote.

    Every row is checked first: when one is broken, nothing is stored. Halls of recorded history that do not exist are
    created (in --zone) with a plan made from the file. A log is restored hash by hash; its halls must be new.
    """
    kind = _kind_of(file)
    if kind == LOG and (zone is not None or skip_recorded):
        raise BadInput("A log says all by itself: --zone and --skip-recorded are for recorded history.")
    if kind == HISTORY:
        _import_history(database_url, file, None if zone is None else zone_named(zone), hall or [], skip_recorded)
    else:
        _restore(database_url, file, frozenset(hall or []))


def _kind_of(file: Path) -> str:
    kind = next((kind for ending, kind in _KINDS.items() if file.name.endswith(ending)), None)
    if kind is None:
        raise BadInput(f"{file}: recorded history ends in .csv or .csv.gz, a log in .jsonl or .jsonl.gz.")
    return kind


def _import_history(url: str | None, file: Path, zone: ZoneInfo | None, only: list[str], skip: bool) -> None:
    with closing(Database(url or Settings().database_url)) as database:
        found = Import(database, file, zone, only, skip)
        with progress("importing", found.tickets) as advance:
            found.store(advance)
    for hall in found.halls:
        created = "created, " if hall.id in found.created else ""
        days = f"{hall.days[0]} to {hall.days[-1]}: {len(hall.tickets)} tickets" if hall.days else "nothing new"
        OUT.print(f"{hall.id}: {created}{days}", markup=False)


def _restore(url: str | None, file: Path, only: frozenset[str]) -> None:
    with reading(file) as lines, closing(open_database(url)) as database, progress("restoring", None) as advance:
        try:
            with database.write_unhurried() as connection:
                restored = log_file.restore(connection, lines, only, advance)
        except BadInput as error:
            raise BadInput(f"{file}: {error} Nothing was stored.") from error
    for hall in restored:
        OUT.print(f"{hall.id}: {hall.seq} events, head {hall.head}", markup=False)


@APP.command()
def export(
    hall: Halls = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="a file (.gz: packed) [default: standard output]")
    ] = None,
    displaced: Annotated[
        bool, typer.Option("--displaced", help="what `accept-history` set aside, instead of the log")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the log as JSON lines, one event a line as GET …/events shows it, as of one moment.

    Anyone can recompute the hashes from it; `import` restores it in another database.
    """
    database = existing_database(database_url)
    try:
        database.read(lambda connection: _export(connection, hall, output, displaced))
    finally:
        database.close()


def _export(connection: Connection, wanted: list[str] | None, output: Path | None, displaced: bool) -> None:
    chosen = chosen_halls(connection, wanted)
    with writing(output) as target, progress("exporting", sum(chosen.values())) as advance:
        for page in log_file.displaced_pages(connection, chosen) if displaced else log_file.pages(connection, chosen):
            target.write(b"".join(page))
            advance(len(page))


def chosen_halls(connection: Connection, wanted: list[str] | None) -> dict[str, int]:
    """The halls that were asked for, or all, and how long their logs are. Raises UnknownHall."""
    positions = journal.all_positions(connection)
    chosen = dict.fromkeys(wanted or positions, 0)
    for name in chosen:
        if name not in positions:
            raise UnknownHall(f"There is no hall {name!r}.", hall=name)
        chosen[name] = positions[name].seq
    return chosen


@contextmanager
def writing(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears under its name once it is complete."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as plain:
            if output.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield plain
        part.replace(output)
    except OSError as error:
        raise BadInput(f"{output}: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


@APP.command()
def replay(
    file: Annotated[Path, typer.Argument(help="recorded history (.csv, .csv.gz)")],
    zone: Annotated[str, typer.Option(help="the halls' time zone, such as Europe/Warsaw")],
    hall: Halls = None,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="only this day")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the figures as JSON")] = False,
    database_url: Annotated[str | None, typer.Option(help="a new database to keep [default: a passing one]")] = None,
) -> None:
    """Play recorded days through the real application and compare its figures with the file's.

    HTTP layer, engine and database, under a clock set by the records, as fast as the machine allows. Exit code 1 when
    a figure differs.
    """
    from api.replay import count_actions, play  # noqa: PLC0415 (the whole application: not for the others here)
    from api.replay_figures import as_text  # noqa: PLC0415 (as above)
    from api.replay_shares import play_passing  # noqa: PLC0415 (as above)

    found = zone_named(zone)
    halls = read_history(file, lambda _: found, hall or [], day=day)
    with progress("replaying", count_actions(halls)) as advance:
        lines = play_passing(halls, advance) if database_url is None else play(halls, database_url, advance)
    if as_json:
        OUT.out(orjson.dumps([line.as_document() for line in lines], option=orjson.OPT_INDENT_2).decode())
    else:
        OUT.out(as_text(lines), end="")
    if not all(line.is_equal for line in lines):
        raise typer.Exit(1)
