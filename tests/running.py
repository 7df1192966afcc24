"""Real nodes for tests: a server process of its own on a free port, or uvicorn inside the test under a hand clock.

Every node has a folder of its own with its database and its log. Nothing here sleeps for a time that was guessed:
conditions are asked again until they hold or a deadline passes.
"""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection

from api.cli.serve import Server
from api.service import Service
from queue_service.clock import Clock
from queue_service.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
QUEUE_SERVICE = (sys.executable, "-c", "from api.cli import main; main()")
START_S = 60
WAIT_S = 30
TURN_S = 0.005
SERVING = "Serving at "
ELSEWHERE = "database.url"
NOT_PASSED_ON = ("QUEUE_", "PYTHONDONTWRITEBYTECODE")
TLS = ssl.create_default_context()
"""Unused, but costly to make for each of many clients."""

Value = TypeVar("Value")


def database_url(folder: Path) -> str:
    """The database of a folder: its file, unless one elsewhere was `assigned` to it."""
    elsewhere = folder / ELSEWHERE
    return elsewhere.read_text(encoding="utf-8") if elsewhere.exists() else f"sqlite:///{folder / 'queue.db'}"


def assigned(folder: Path, url: str) -> Path:
    """The folder, whose database is elsewhere from now on."""
    (folder / ELSEWHERE).write_text(url, encoding="utf-8")
    return folder


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without its own settings, so that only what a test says applies. Modules are compiled
    once and kept, as where the service is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(extra or {})}


def until(condition: Callable[[], Value], what: str, wait_s: float = WAIT_S) -> Value:
    """The first true value of a condition; fails once `wait_s` have passed without one."""
    deadline = time.monotonic() + wait_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {wait_s} s in vain: {what}"
        time.sleep(TURN_S)
    return value


async def eventually(condition: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
    """The same for conditions that need the event loop meanwhile; a condition may be a coroutine function."""
    deadline = time.monotonic() + wait_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {wait_s} s in vain: {what}"
        await asyncio.sleep(TURN_S)


def command_line(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`queue-service ARGUMENTS`, run to its end."""
    return subprocess.run(
        [*QUEUE_SERVICE, *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def children_of(pid: int) -> list[int]:
    """The processes that one has started and that run."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in listed for child in one.read_text(encoding="utf-8").split()]


@dataclass
class Node:
    """A server process."""

    process: subprocess.Popen[bytes]
    base_url: str
    folder: Path

    @property
    def log(self) -> str:
        """All it wrote so far, standard output and error."""
        return (self.folder / "node.log").read_text(encoding="utf-8", errors="replace")

    @property
    def children(self) -> list[int]:
        """The processes that it started and that run."""
        return children_of(self.process.pid)

    @property
    def database(self) -> Path:
        """Its database file."""
        return self.folder / "queue.db"

    def kill(self) -> None:
        """End it as a power cut ends a process: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(WAIT_S)

    def stop(self) -> int:
        """Ask it to stop, and wait; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(WAIT_S)

    def client(self, **options: Any) -> httpx.Client:
        """A client of this node."""
        return httpx.Client(base_url=self.base_url, timeout=WAIT_S, verify=TLS, **options)

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        """A client for requests from an event loop."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=WAIT_S, verify=TLS, **options)

    @asynccontextmanager
    async def crowd(self, size: int, **options: Any) -> AsyncIterator[list[httpx.AsyncClient]]:
        """Many clients, each with a connection of its own."""
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(self.async_client(**options)) for _ in range(size)]


def start_node(folder: Path, *options: str, command: Sequence[str] = (*QUEUE_SERVICE, "serve"), **env: str) -> Node:
    """Start a node on the folder's database and wait until it says where it serves."""
    log_path = folder / "node.log"
    begins_at = log_path.stat().st_size if log_path.exists() else 0
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", "0", "--database-url", database_url(folder), *options],
            env=environment(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def said() -> str | None:
        text = log_path.read_bytes()[begins_at:].decode(errors="replace")
        assert process.poll() is None, f"the node ended with {process.returncode}:\n{text}"
        return next((line for line in text.splitlines(keepends=True) if line.startswith(SERVING)), None)

    try:
        line = until(
            lambda: (found := said()) and found.endswith("\n") and found, "the node says where it serves", START_S
        )
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Node(process, str(line).removeprefix(SERVING).strip(), folder)


@contextmanager
def running_node(folder: Path, *options: str, **env: str) -> Iterator[Node]:
    """A node for the length of a block; it is stopped whatever happens."""
    node = start_node(folder, *options, **env)
    try:
        yield node
    finally:
        node.stop()


@dataclass
class Inner:
    """A node inside this process, under real uvicorn: its service can be reached, its clock set."""

    service: Service
    server: Server
    base_url: str
    client: httpx.AsyncClient


@asynccontextmanager
async def inner_node(folder: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Inner]:
    """Serve from the test's own event loop."""
    service = Service(Settings(database_url=database_url(folder), port=0, **settings), clock)
    server = Server(service)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or serving.done(), "the server starts")
    if serving.done():
        serving.result()
    try:
        async with httpx.AsyncClient(base_url=server.base_url, timeout=WAIT_S, verify=TLS) as client:
            yield Inner(service, server, server.base_url, client)
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def writer_held(inner: Inner) -> AsyncIterator[None]:
    """The writer is busy for the length of the block; what is asked meanwhile makes one batch."""
    entered, release = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        entered.set()
        release.wait(WAIT_S)

    holding = asyncio.create_task(inner.service.engine.maintain(hold))
    await eventually(entered.is_set, "the writer is held")
    try:
        yield
    finally:
        release.set()
        await holding
