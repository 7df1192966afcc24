"""The proof of a database after a fault: what `queue-service verify` checks, and the command itself."""

from pathlib import Path

from queue_service.database import Database
from queue_service.verification import halls, prove
from tests.running import command_line, database_url


def prove_all(folder: Path) -> int:
    """Prove every hall of the folder's database, beside a running node or without one; how many events there are."""
    database = Database(database_url(folder))
    try:
        return database.read(
            lambda connection: sum(prove(connection, hall, lambda _: None).events for hall, _ in halls(connection))
        )
    finally:
        database.close()


def verify(folder: Path) -> None:
    """`queue-service verify` finds nothing."""
    done = command_line("verify", "--database-url", database_url(folder))
    assert done.returncode == 0, done.stdout + done.stderr
