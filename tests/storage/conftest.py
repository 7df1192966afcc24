"""A real database for each test: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_service import schema
from queue_service.database import Database
from tests.databases import BOTH, Kind, kept_by
from tests.running import database_url


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Of the test's database."""
    return Kind(request.param)


@pytest.fixture
def folder(kind: Kind, tmp_path: Path) -> Path:
    """A folder with a database."""
    return kept_by(kind, tmp_path)


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    """The folder's database, its schema made by the migrations."""
    made = Database(database_url(folder))
    schema.prepare(made)
    yield made
    made.close()
