"""`demo`: a node with the sample hall, and made-up visitors and clerks who use its public API.

The node's wall clock runs faster than time does, so that a whole day, its peaks and its promise report can be watched;
deadlines and heartbeats stay real (see `queue_service.clock.FastClock`).
"""

import asyncio
from contextlib import suppress
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from api.cli import APP, OUT
from api.cli.plans import open_database, read_plan
from api.cli.serve import Server, given, start_logging
from api.cli.watching import Watch
from api.client import HallFollower, QueueClient, Refused
from api.crowd import BEFORE_OPENING_MS, Crowd, Tally, working_days
from api.service import Service
from models.plan import PlanDocument
from queue_service import journal
from queue_service.clock import FastClock, SystemClock
from queue_service.domain.calendar import local_date
from queue_service.domain.plan import Plan
from queue_service.settings import Settings

SAMPLE = "halls/fengxian.toml"
TURN_S = 0.02


def sample_plan() -> Path:
    """The sample hall's plan: of the checkout, or as it came with an installed wheel."""
    checkout = Path(__file__).parents[2] / "deploy" / SAMPLE
    return checkout if checkout.exists() else Path(str(files("api") / "samples" / SAMPLE))


def start_ms(plan: Plan, database_url: str) -> int:
    """Shortly before the hall opens: today, or on the next working day that the database does not know yet."""
    database = open_database(database_url)
    known = database.read(journal.all_positions).get(plan.id)
    database.close()
    first = local_date(SystemClock().now_ms(), plan.calendar.time_zone)
    if known is not None:
        first = max(first, (date.fromisoformat(known.day) + timedelta(days=1)).isoformat())
    return working_days(plan, first)[0].opening[0][0] - BEFORE_OPENING_MS


class Demo:
    """A server, and a hall full of people."""

    def __init__(self, settings: Settings, document: PlanDocument, speed: float, seed: int) -> None:
        """Nothing runs yet."""
        self._document = document.model_dump(mode="json")
        self._plan = Plan.from_document(self._document)
        self._seed = seed
        self._token = settings.token
        self._clock = FastClock(start_ms(self._plan, settings.database_url), speed)
        self._began_ms = self._clock.now_ms()
        self._tally = Tally()
        self.server = Server(Service(settings, self._clock), [self._plan.id])

    @property
    def summary(self) -> str:
        """What happened, in a line."""
        return f"{(self._clock.now_ms() - self._began_ms) / 60_000:.0f} minutes of the hall: {self._tally}."

    async def run(self, minutes: float | None) -> None:
        """Serve until stopped, or until so many of the hall's minutes have passed."""
        serving = asyncio.create_task(self.server.serve())
        while not (self.server.started or serving.done()):  # noqa: ASYNC110 (uvicorn tells it in no other way)
            await asyncio.sleep(TURN_S)
        living = asyncio.create_task(self._live())
        try:
            real_s = None if minutes is None else minutes * 60 / self._clock.pace
            await asyncio.wait([serving, living], timeout=real_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = living.done()
            living.cancel()
            await asyncio.wait([living])
            self.server.should_exit = True
            await serving
        if ended:
            living.result()

    async def _live(self) -> None:
        url, hall = self.server.base_url, self._plan.id
        async with QueueClient(url, self._token) as client, HallFollower(url, hall, token=self._token) as follower:
            with suppress(Refused):  # it is there already
                await client.put_new(f"/v1/halls/{hall}", self._document)
            crowd = Crowd(client, follower, self._plan, self._clock, self._seed, self._tally)
            watch = Watch(client, self._plan, self._clock, self._tally)
            await asyncio.gather(crowd.run(), watch.run())


@APP.command()
def demo(
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="how fast the hall's time runs")] = 60,
    seed: Annotated[int, typer.Option(help="decides who comes when, and what becomes of them")] = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="stop after so many minutes of the hall's time [default: never]")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="keep what happens: sqlite:///FILE or postgresql://… [default: a temporary file]")
    ] = None,
    host: Annotated[str | None, typer.Option(help="address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="port; 0: any free one [default: 8000]")] = None,
) -> None:
    """Serve the sample hall, with made-up visitors and clerks who use the public API, an hour a minute."""
    start_logging("warning")
    with TemporaryDirectory(prefix="queue-demo-") as folder:
        url = database_url or f"sqlite:///{folder}/queue.db"
        shown = Demo(Settings(**given(host=host, port=port), database_url=url), read_plan(sample_plan()), speed, seed)
        loop_factory = shown.server.config.get_loop_factory()
        with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(shown.run(minutes))
        OUT.print(shown.summary)
