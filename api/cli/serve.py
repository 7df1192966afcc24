"""`serve`: run a node."""

import asyncio
import logging
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn

from api.app import build
from api.cli import APP, OUT
from api.cli.plans import apply_plan, open_database, read_plan
from api.http_protocol import HttpProtocol
from api.service import Service
from api.websocket_protocol import PreframedProtocol
from queue_service.clock import Clock
from queue_service.errors import BadInput
from queue_service.settings import Auth, Settings

STOP_S = 10
TICK_S = 0.1
PING_S = 20.0
"""How often a websocket's client is asked whether it is still there, and how long it may take to answer."""


class Server(uvicorn.Server):
    """uvicorn, saying where it listens once it does."""

    def __init__(self, service: Service, halls: list[str] | None = None) -> None:
        """Everything about HTTP and websockets is set here, once, for serve, demo and tests."""
        settings = service.settings
        self._service = service
        self._halls = halls or []
        config = uvicorn.Config(
            build(service),
            host=settings.host,
            port=settings.port,
            http=HttpProtocol,
            ws=PreframedProtocol,
            ws_per_message_deflate=False,
            ws_max_size=65_536,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
        super().__init__(config)

    @property
    def base_url(self) -> str:
        """Where it listens, with the port it really got."""
        port = self.servers[0].sockets[0].getsockname()[1]
        host = self._service.settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Asked to stop: from this moment on the node is not ready."""
        self._service.stopping = True
        super().handle_exit(sig, frame)

    async def main_loop(self) -> None:
        """Serve; asked to stop, go on until whoever sends requests here had time to see that the node is not ready. A
        second Ctrl-C cuts that short."""
        await super().main_loop()
        until = time.monotonic() + self._service.settings.drain_s
        while time.monotonic() < until and not self.force_exit:  # noqa: ASYNC110 (a signal sets no event)
            await asyncio.sleep(TICK_S)

    async def startup(self, sockets: Any = None) -> None:
        """Start, then print what to try."""
        await super().startup(sockets)
        if self.started:
            OUT.print(_links(self.base_url, self._halls[0] if self._halls else None, self._service.settings))


def _links(base: str, hall: str | None, settings: Settings) -> str:
    lines = [f"Serving at {base}", f"  API       {base}/docs", f"  metrics   {base}/metrics"]
    if settings.follow:
        lines.append(f"Read-only: it follows {', '.join(sorted(settings.follow))}. How fresh: {base}/v1/following")
    if hall:
        bearer = " -H 'Authorization: Bearer …'" if settings.auth == Auth.TOKEN else ""
        post = f"curl -s{bearer} -H 'Content-Type: application/json'"
        url = f"{base}/v1/halls/{hall}"
        service, counter = "business-registration", "1"
        lines += [
            f"  board     {url}/board",
            f"  stream    {url.replace('http', 'ws', 1)}/stream",
            "Take a ticket, open a counter, call next:",
            f'  {post} {url}/tickets -d \'{{"service": "{service}"}}\'',
            f'  {post} {url}/counters/{counter}/open -d \'{{"clerk": "li"}}\'',
            f"  {post} {url}/counters/{counter}/call-next -X POST",
        ]
    return "\n".join([*lines, "Stop with Ctrl-C."])


def given(**options: Any) -> dict[str, Any]:
    """The options that were really given; the rest come from QUEUE_* variables or defaults."""
    return {name: value for name, value in options.items() if value is not None}


def start_logging(level: str) -> None:
    """One line an event: time, level, logger, message (whose first word is a stable name)."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for noisy in ("uvicorn.error", "alembic", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # of a connection that the server ended it says so with a traceback; who used it hears of it and says so, too
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class OneLine(logging.Formatter):
    """Only a traceback has more lines: drivers and libpq explain themselves in several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line."""
        return " ".join(super().formatMessage(record).split())


def run(settings: Settings, plans: list[Path], clock: Clock | None = None) -> None:
    """Serve until stopped; halls of `plans` that do not exist yet are created."""
    start_logging(settings.log_level)
    if settings.follow and plans:
        raise BadInput("A node that follows halls makes none: leave out --hall, or --follow.")
    halls = [read_plan(path) for path in plans]  # before a database is made for nothing
    database = open_database(settings.database_url)
    for plan in halls:
        apply_plan(database, plan, only_new=True)
    database.close()
    Server(Service(settings, clock), [plan.id for plan in halls]).run()


@APP.command()
def serve(
    hall: Annotated[list[Path] | None, typer.Option(help="a plan to create if its hall is new")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="sqlite:///FILE or postgresql://… [default: sqlite:///./data/queue.db]")
    ] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="port; 0: any free one [default: 8000]")] = None,
    auth: Annotated[Auth | None, typer.Option(help="open (loopback only) or token [default: open]")] = None,
    token: Annotated[str | None, typer.Option(help="better given as QUEUE_TOKEN: options are seen in `ps`")] = None,
    max_body_bytes: Annotated[int | None, typer.Option(help="larger bodies get 413 [default: 1048576]")] = None,
    socket_buffer_bytes: Annotated[int | None, typer.Option(help="what may wait for a slow display")] = None,
    heartbeat_s: Annotated[float | None, typer.Option(help="how often streams say they live [default: 15]")] = None,
    drain_s: Annotated[float | None, typer.Option(help="unready for so long before it closes [default: 0]")] = None,
    wait_buckets: Annotated[list[float] | None, typer.Option(help="wait histogram bounds in seconds")] = None,
    clips: Annotated[str | None, typer.Option(help="folder of recorded words for displays without a voice")] = None,
    follow: Annotated[
        list[str] | None,
        typer.Option(metavar="HALL=URL", help="a read-only centre that follows this hall at its own node; repeatable"),
    ] = None,
    follow_tokens: Annotated[
        list[str] | None,
        typer.Option(metavar="HALL=TOKEN", help="the token of a hall's own node; better given as QUEUE_FOLLOW_TOKENS"),
    ] = None,
    follow_s: Annotated[float | None, typer.Option(help="how often each node is asked [default: 1]")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning, ... [default: info]")] = None,
) -> None:
    """Serve the API, the streams and the metrics. Every option is also a QUEUE_* variable."""
    options = given(
        database_url=database_url,
        host=host,
        port=port,
        auth=auth,
        token=token,
        max_body_bytes=max_body_bytes,
        socket_buffer_bytes=socket_buffer_bytes,
        heartbeat_s=heartbeat_s,
        drain_s=drain_s,
        wait_buckets=wait_buckets or None,
        clips=clips,
        follow=follow or None,
        follow_tokens=follow_tokens or None,
        follow_s=follow_s,
        log_level=log_level,
    )
    run(Settings(**options), hall or [])
