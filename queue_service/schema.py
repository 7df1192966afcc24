"""The database's schema: created and upgraded by Alembic migrations, checked before serving."""

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from queue_service.database import Database
from queue_service.errors import BadInput, SchemaOutdated

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = "SELECT version_num FROM alembic_version"


def revisions() -> list[str]:
    """All revisions this version knows, oldest first: the name of each migration's file begins with its own."""
    names = (file.name for file in files("models.migrations.versions").iterdir())
    return sorted(name.partition("_")[0] for name in names if name[0].isdigit())


def newest() -> str:
    """The revision this version declares."""
    return revisions()[-1]


def present(database: Database) -> str | None:
    """The revision of the database; None when it is empty. Raises BadInput where the file is no such database, and
    SchemaOutdated where only a newer version of the service knows its revision."""
    try:
        revision, tables = database.read(_revision_and_tables)
    except DBAPIError as error:
        said = " ".join(str(error.orig).split()).rstrip(".?")
        raise BadInput(f"{database.place} cannot be used as the database: {said}.") from error
    if revision is None and tables:
        raise BadInput(f"{database.place} is the database of something else (it has a table {tables[0]!r}).")
    if revision is not None and revision not in revisions():
        raise SchemaOutdated(
            f"The database is at schema {revision}, made by a newer version; this one knows schema {newest()} at most "
            "and leaves it alone: run the newer version of queue-service, or name another database."
        )
    return revision


def is_made(database: Database) -> bool:
    """Whether there is a database of ours, of whatever version; nothing is made by asking."""
    return database.exists() and present(database) is not None


def _revision_and_tables(connection: Connection) -> tuple[str | None, list[str]]:
    tables = inspect(connection).get_table_names()
    revision = connection.execute(text(_REVISION)).scalar() if "alembic_version" in tables else None
    return revision, tables


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 (as in `migrate`)

    config = Config()
    config.set_main_option("script_location", "models:migrations")
    return config


def migrate(database: Database) -> tuple[str | None, str]:
    """Create or upgrade the schema in one transaction; the revisions before and after."""
    from alembic import command  # noqa: PLC0415 (dear to load, and no start needs it but the very first)

    present(database)
    config = _config()
    with database.write_unhurried() as connection:
        before, _ = _revision_and_tables(connection)  # another node may have migrated while this one waited
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, newest()


def prepare(database: Database) -> None:
    """Make an empty database ready; refuse one of another version, saying what to run."""
    revision = present(database)
    if revision is None:
        migrate(database)
    elif revision != newest():
        raise SchemaOutdated(
            f"The database is at schema {revision}, this version needs {newest()}: run `queue-service migrate`."
        )
