"""A driven hall for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.metrics.driving import Drive, empty_database


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    """A hall with its plan, its counters open, at midnight."""
    database = empty_database(tmp_path)
    driven = Drive(database)
    driven.plan()
    driven.open("1", "2", "3")
    yield driven
    database.close()
