"""The schema: what the migrations make is what the tables declare, and no other database is touched."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

import models.tables  # noqa: F401 (declares the tables)
from queue_service import schema
from queue_service.database import Database
from queue_service.errors import BadInput, QueueServiceError, SchemaOutdated
from tests.databases import BOTH, Kind, free_port, kept_by, new_postgres_url
from tests.running import database_url
from tests.storage.rows import insert


def stored_schema(database: Database) -> dict[str, list[str]]:
    """Every table and index by name: its statement's parts, in order, without white space and Alembic's own table."""
    return database.read(_postgresql_schema if is_postgresql_url(database.url) else _sqlite_schema)


def is_postgresql_url(url: str) -> bool:
    """Of which kind a database is."""
    return url.startswith("postgresql:")


def _sqlite_schema(connection: Connection) -> dict[str, list[str]]:
    statement = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
    return {name: sorted(_parts(sql)) for name, sql in connection.exec_driver_sql(statement)}


_COLUMNS = """SELECT c.relname, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        (SELECT collname FROM pg_collation WHERE oid = a.attcollation))
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname != 'alembic_version'"""
_CONSTRAINTS = """SELECT c.relname, concat_ws(' ', o.conname, pg_get_constraintdef(o.oid))
    FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid
    WHERE o.connamespace = 'public'::regnamespace AND o.contype != 'n' AND c.relname != 'alembic_version'"""
_INDEXES = (
    """SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != 'alembic_version'"""
)


def _postgresql_schema(connection: Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for statement in (_COLUMNS, _CONSTRAINTS, _INDEXES):
        for table, part in connection.exec_driver_sql(statement):
            found.setdefault(table, []).append(part)
    return {table: sorted(parts) for table, parts in found.items()}


def _parts(sql: str) -> list[str]:
    """The statement cut at its outermost commas and brackets: the order of columns and constraints is no difference."""
    text, parts, depth = re.sub(r"\s+", " ", sql), [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if (letter in "()" and depth == (letter == "(")) or (letter == "," and depth == 1):
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def declared(kind: Kind, folder: Path) -> Database:
    """A database made of the tables as the models declare them."""
    (folder / "declared").mkdir()
    database = Database(database_url(kept_by(kind, folder / "declared", migrated=False)))
    SQLModel.metadata.create_all(database.engine)
    return database


def test_the_migrations_make_what_the_models_declare(database: Database, kind: Kind, tmp_path: Path) -> None:
    """Tables, columns, types, keys, indexes and CHECKs by name: the text of both schemas is the same."""
    from_models = declared(kind, tmp_path)
    assert set(stored_schema(database)) >= set(SQLModel.metadata.tables)
    assert stored_schema(database) == stored_schema(from_models)
    from_models.close()


def test_alembic_finds_nothing_to_migrate(database: Database) -> None:
    """A changed model without a migration fails here."""

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)
        return list(found)

    assert database.read(differences) == []


def test_parts_of_a_statement_are_compared_one_by_one() -> None:
    """A comma within a CHECK does not cut it, and one word more is a difference."""
    sql = "CREATE TABLE t ( a INTEGER,\n b TEXT NOT NULL, CONSTRAINT c CHECK (a IN (1, 2)) ) WITHOUT ROWID"
    assert _parts(sql) == [
        "CREATE TABLE t", "a INTEGER", "b TEXT NOT NULL", "CONSTRAINT c CHECK (a IN (1, 2))", "WITHOUT ROWID",
    ]  # fmt: skip


def test_an_empty_file_is_made_ready(tmp_path: Path) -> None:
    """No file, or one of no bytes, becomes a database of the newest schema; once more changes nothing."""
    (tmp_path / "empty.db").touch()
    for name in ("none.db", "empty.db"):
        database = Database(f"sqlite:///{tmp_path / name}")
        assert schema.present(database) is None
        schema.prepare(database)
        assert schema.present(database) == schema.newest()
        before = stored_schema(database)
        schema.prepare(database)
        assert schema.migrate(database) == (schema.newest(), schema.newest())
        assert stored_schema(database) == before
        database.close()


def at_revision(database: Database, revision: str) -> None:
    """Pretend that another version of the service made the schema."""
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))


def test_a_newer_schema_is_left_alone(database: Database) -> None:
    """Neither serving nor migrating touches a schema of a version to come; the message says what to run."""
    at_revision(database, "9999")
    for work in (schema.prepare, schema.migrate):
        with pytest.raises(SchemaOutdated, match=r"9999.*run the newer version"):
            work(database)


def test_an_older_schema_is_migrated_on_request_only(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serving on a schema that is not the newest is refused, saying what to run."""
    monkeypatch.setattr(schema, "newest", lambda: "0099")
    with pytest.raises(SchemaOutdated, match=r"at schema \d{4}, this version needs 0099: run `queue-service migrate`"):
        schema.prepare(database)


def test_the_revisions_told_by_the_names_of_files_are_those_of_the_migrations() -> None:
    """A start looks at no more than the names; Alembic follows the chain in what is written."""
    chain = [script.revision for script in ScriptDirectory.from_config(schema._config()).walk_revisions()]
    assert schema.revisions() == chain[::-1]


FIRST_TABLES = ("hall", "event", "ticket", "leg", "receipt")


@pytest.mark.parametrize("kind", BOTH)
def test_a_database_of_the_first_schema_is_upgraded_with_what_it_holds(kind: Kind, tmp_path: Path) -> None:
    """Tables are added; the rows there were are as they were, and what comes out is what an empty one becomes."""
    database = Database(database_url(kept_by(kind, tmp_path, migrated=False)))
    config = schema._config()
    with database.write_unhurried() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with database.write() as connection:
        for table in FIRST_TABLES:
            insert(connection, table)
    assert schema.migrate(database) == ("0001", schema.newest())
    with database.write() as connection:
        held = {connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in FIRST_TABLES}  # noqa: S608
    assert held == {1}
    from_models = declared(kind, tmp_path)
    assert stored_schema(database) == stored_schema(from_models)
    for one in (database, from_models):
        one.close()


def test_an_empty_database_of_a_server_is_made_ready() -> None:
    """The same on PostgreSQL."""
    database = Database(new_postgres_url(migrated=False))
    assert schema.present(database) is None
    schema.prepare(database)
    assert schema.present(database) == schema.newest()
    before = stored_schema(database)
    assert schema.migrate(database) == (schema.newest(), schema.newest())
    assert stored_schema(database) == before
    database.close()


def test_many_nodes_that_start_at_once_make_one_schema() -> None:
    """Eight first starts on one empty database: one migrates, the others wait for it and find it done."""
    url = new_postgres_url(migrated=False)

    def start(_: int) -> tuple[str | None, str]:
        database = Database(url)
        try:
            schema.prepare(database)
            return schema.migrate(database)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(start, range(8))) == [(schema.newest(), schema.newest())] * 8


def test_a_database_of_something_else_is_left_alone() -> None:
    """Tables of another program: refused, naming one of them and the database, without its password."""
    url = new_postgres_url(migrated=False)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE invoice (id integer)")
    database = Database(f"{url}&password=not-to-be-shown")
    for work in (schema.prepare, schema.migrate):
        with pytest.raises(BadInput, match=r"something else.*'invoice'") as caught:
            work(database)
        assert database.place in str(caught.value)
        assert "not-to-be-shown" not in str(caught.value)
    database.close()


def test_a_server_that_is_not_there_is_named() -> None:
    """Whose address is wrong reads which one it is, and what the connection said."""
    database = Database(f"postgresql://me:not-to-be-shown@127.0.0.1:{free_port()}/queue")
    with pytest.raises(BadInput, match=r"the database queue at 127\.0\.0\.1.*refused") as caught:
        schema.prepare(database)
    assert "not-to-be-shown" not in str(caught.value)
    database.close()


def test_what_is_no_url_of_postgresql_is_refused() -> None:
    """A misspelt parameter is named."""
    with pytest.raises(BadInput, match="sslmood"):
        Database("postgresql://host/queue?sslmood=require")


def garbage(path: Path) -> None:
    """Text that is no database."""
    path.write_text("What is this?\n" * 100, encoding="utf-8")


def someone_elses(path: Path) -> None:
    """A database of another program."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE invoice (id INTEGER)")
    connection.close()


def folder(path: Path) -> None:
    """Not even a file."""
    path.mkdir()


REFUSED: dict[Callable[[Path], None], str] = {
    garbage: "file is not a database",
    someone_elses: "of something else",
    folder: "unable to open",
}


def content(path: Path) -> object:
    """What somebody would miss."""
    if path.is_dir():
        return list(path.iterdir())
    if not path.read_bytes().startswith(b"SQLite format 3"):
        return path.read_bytes()
    connection = sqlite3.connect(path)
    dumped = list(connection.iterdump())
    connection.close()
    return dumped


@pytest.mark.parametrize("made", REFUSED, ids=lambda made: made.__name__)
def test_what_is_no_database_of_ours_is_refused_and_left_as_it_is(tmp_path: Path, made: Callable[[Path], None]) -> None:
    """A file of something else is named with its fault, and what it holds is as it was."""
    path = tmp_path / "queue.db"
    made(path)
    before = content(path)
    database = Database(f"sqlite:///{path}")
    for work in (schema.prepare, schema.migrate):
        with pytest.raises(BadInput, match=REFUSED[made]) as caught:
            work(database)
        assert str(path) in str(caught.value)
    database.close()
    assert content(path) == before


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A database below a file has no folder."""
    garbage(tmp_path / "file")
    below = Database(f"sqlite:///{tmp_path / 'file' / 'queue.db'}")
    with pytest.raises(BadInput, match="no folder"):
        schema.prepare(below)
    below.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/queue"])
def test_only_what_keeps_a_log_is_a_database(url: str) -> None:
    """What would forget everything, or is not supported, is refused."""
    with pytest.raises(QueueServiceError, match="QUEUE_DATABASE_URL must be sqlite:///FILE or postgresql://"):
        Database(url)


def test_serving_on_garbage_says_so_in_a_line(tmp_path: Path) -> None:
    """The command line ends with exit code 2 and one line: no traceback, nothing written."""
    garbage(tmp_path / "queue.db")
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
    done = subprocess.run(
        [*command, "--database-url", f"sqlite:///{tmp_path / 'queue.db'}"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2], timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "file is not a database" in done.stderr
