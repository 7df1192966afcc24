"""`verify`: prove the log and everything that was derived from it."""

import sys

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.cli import APP, ERR, OUT
from api.cli.plans import DatabaseUrl
from api.cli.progress import progress
from queue_service import schema
from queue_service.database import Database
from queue_service.errors import BadInput
from queue_service.settings import Settings
from queue_service.verification import Disproved, Proof, halls, prove


def existing_database(url: str | None) -> Database:
    """The database of the settings or the option. It must be there: nothing is to be found in a new one."""
    database = Database(url or Settings().database_url)
    try:
        _check_existing(database)
    except BaseException:
        database.close()
        raise
    return database


def _check_existing(database: Database) -> None:
    if not schema.is_made(database):
        raise BadInput(f"There is no database at {database.place}.")
    schema.prepare(database)


@APP.command()
def verify(database_url: DatabaseUrl = None) -> None:
    """Prove the log and its rows, hall by hall; exit code 1 and the first fault when they do not agree.

    The chain of hashes, the gapless log, and every ticket and leg as a fold of the events, as of one moment. A running
    server is not disturbed.
    """
    database = existing_database(database_url)
    try:
        database.read(prove_all)
    except Disproved as disproved:
        ERR.print(str(disproved.fault), style="red", markup=False)
        sys.exit(1)
    except DBAPIError as error:
        ERR.print(f"The database cannot be read: {error.orig}", style="red", markup=False)
        sys.exit(1)
    finally:
        database.close()


def prove_all(connection: Connection) -> None:
    """Prove every hall, and say so; raises Disproved."""
    found = halls(connection)
    with progress("verifying", sum(events for _, events in found)) as advance:
        for hall_id, _ in found:
            _say(prove(connection, hall_id, advance))
    if not found:
        OUT.print("There are no halls.")


def _say(proof: Proof) -> None:
    counts = f"{proof.events} events, {proof.tickets} tickets, {proof.legs} legs"
    OUT.print(f"{proof.hall}: {counts}, head {proof.head}", markup=False)
