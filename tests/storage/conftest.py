"""A real database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_service import schema
from queue_service.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A file of its own, its schema made by the migrations."""
    made = Database(f"sqlite:///{tmp_path / 'queue.db'}")
    schema.prepare(made)
    yield made
    made.close()
