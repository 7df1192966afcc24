"""The command line as its entry point runs it, and databases to run it on."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli import main
from queue_service import schema
from queue_service.database import Database
from tests.cli.load import SEEDS, driven
from tests.metrics.driving import Drive

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "deploy" / "samples" / "day.csv"


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def queue_service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`queue-service ARGUMENTS` by its entry point, inside this process; nothing that was raised may get through."""
    for name in ("QUEUE_DATABASE_URL", "QUEUE_AUTH", "QUEUE_TOKEN", "QUEUE_HOST"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["queue-service", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        wrote = capsys.readouterr()
        assert "Traceback" not in wrote.err
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, wrote.out, wrote.err)

    return run


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """Where a test's database is or will be."""
    return tmp_path / "queue.db"


@pytest.fixture
def url(database_path: Path) -> str:
    """Its URL."""
    return f"sqlite:///{database_path}"


Loads = Callable[[int], Path]


@pytest.fixture(scope="session")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """By seed, a database after a random load: three days of a hall. Each is made once and not to be changed."""
    folder = tmp_path_factory.mktemp("loads")

    def load(seed: int) -> Path:
        path = folder / f"{seed}.db"
        if not path.exists():
            driven(path, seed)
        return path

    return load


@pytest.fixture(scope="session")
def loaded(loads: Loads) -> Path:
    """One of them. Not to be changed: copy it."""
    return loads(SEEDS[0])


@pytest.fixture
def copied(loaded: Path, database_path: Path) -> Path:
    """A copy of the loaded database."""
    shutil.copy(loaded, database_path)
    return database_path


@pytest.fixture
def hall_today(url: str) -> Iterator[Drive]:
    """A database with one hall of two services, driven by hand."""
    database = Database(url)
    schema.prepare(database)
    drive = Drive(database)
    drive.plan()
    yield drive
    database.close()
