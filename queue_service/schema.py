"""The database's schema: created and upgraded by Alembic migrations, checked before serving."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from queue_service.database import Database
from queue_service.errors import SchemaOutdated


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "models:migrations")
    return config


def newest() -> str:
    """The revision this version declares."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def present(database: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    return database.read(lambda connection: MigrationContext.configure(connection).get_current_revision())


def migrate(database: Database) -> tuple[str | None, str]:
    """Create or upgrade the schema in one transaction; the revisions before and after."""
    before = present(database)
    config = _config()

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    with database.write() as connection:
        upgrade(connection)
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
