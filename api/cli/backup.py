"""`backup`: a copy of an SQLite database while it is served, proved before it gets its name."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import URL

from api.cli import APP, ERR, OUT
from api.cli.plans import DatabaseUrl
from api.cli.progress import progress
from api.cli.verify import prove_all
from queue_service import schema
from queue_service.database import Database
from queue_service.databases.backup import refuse_to_overwrite, settle
from queue_service.errors import BadInput
from queue_service.settings import Settings
from queue_service.verification import Disproved


@APP.command()
def backup(
    file: Annotated[Path, typer.Argument(help="the copy to make; it must not be there yet")],
    database_url: DatabaseUrl = None,
) -> None:
    """Copy an SQLite database, as of one moment, while a server goes on with it.

    The copy holds all that was acknowledged before this began, receipts too. It is proved as `verify` does, and only
    then gets its name. To go back to it: stop the server, put the copy in the place of the database, delete its
    `-wal` and `-shm`, start. PostgreSQL has tools of its own; this says which.
    """
    refuse_to_overwrite(file)
    part = file.with_name(f"{file.name}.part")
    try:
        with closing(Database(database_url or Settings().database_url)) as database:
            if not schema.is_made(database):
                raise BadInput(f"There is no database at {database.place}.")
            part.unlink(missing_ok=True)  # of a backup that was cut off
            _copy(database, part)
        _prove(part)
        settle(part, file)
    finally:
        for leftover in (part, *(part.with_name(f"{part.name}{ending}") for ending in ("-wal", "-shm", "-journal"))):
            leftover.unlink(missing_ok=True)
    OUT.print(f"{file}: {file.stat().st_size} bytes", markup=False)


def _copy(database: Database, part: Path) -> None:
    with progress("copying", None) as advance:
        before = 0

        def show(left: int, total: int) -> None:
            nonlocal before
            advance(total - left - before)
            before = total - left

        database.copy_into(part, show)


def _prove(part: Path) -> None:
    """Prove the copy's halls. An older schema, as before a migration, is only known to be whole as a file."""
    with closing(Database(URL.create("sqlite", database=str(part)).render_as_string())) as copy:
        if schema.present(copy) != schema.newest():
            ERR.print("The schema is older than this version: the copy is whole, its log was not proved.")
            return
        try:
            copy.read(prove_all)
        except Disproved as disproved:
            ERR.print(f"The database is not sound, no backup was kept. {disproved.fault}", style="red", markup=False)
            sys.exit(1)
