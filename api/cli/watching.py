"""What a demonstration shows in the terminal: how the hall is, from its public `/metrics`."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.live import Live
from rich.table import Table

from api.cli import OUT
from api.client import QueueClient
from api.crowd import Tally
from queue_service.clock import FastClock
from queue_service.domain.plan import Plan

LOOK_S = 1.0
SAY_S = 900


class Figures:
    """What `/metrics` says of the hall: gauges by name and by the value of their last label."""

    _LINE = re.compile(r'^(queue_\w+)\{hall="[^"]*"(?:,\w+="([^"]*)")?\} (\S+)$', re.MULTILINE)

    def __init__(self, exposition: str) -> None:
        """Of one scrape."""
        self._found = {(name, label): float(value) for name, label, value in self._LINE.findall(exposition)}

    def of(self, name: str, label: str) -> float | None:
        """A gauge's value."""
        return self._found.get((name, label))

    def total(self, name: str) -> float:
        """The sum over its labels."""
        return sum(value for (found, _), value in self._found.items() if found == name)

    def longest(self, name: str) -> float:
        """The largest over its labels."""
        return max((value for (found, _), value in self._found.items() if found == name), default=0.0)

    def kept(self, period: str) -> str:
        """The share of promises kept in a period, beside what is promised."""
        share, promised = self.of("queue_share_kept", period), self.of("queue_promise_share", period)
        return "-" if share is None else f"{share:.0%} (promised {promised:.0%})"


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


class Watch:
    """Shows in the terminal how the hall is."""

    def __init__(self, client: QueueClient, plan: Plan, clock: FastClock, tally: Tally) -> None:
        """Nothing is shown until `run`."""
        self._client = client
        self._plan = plan
        self._clock = clock
        self._tally = tally
        self._zone = ZoneInfo(plan.calendar.time_zone)
        self._figures = Figures("")

    async def run(self) -> None:
        """A table that follows the hall; where nobody sits before it, a line every quarter of an hour."""
        said_ms = 0
        with self._table_shown() as live:
            while True:
                self._figures = Figures(await self._client.get("/metrics"))
                if live is not None:
                    live.update(self._table())
                elif self._clock.now_ms() - said_ms >= SAY_S * 1000:
                    said_ms = self._clock.now_ms()
                    OUT.print(f"{self._time()}  {self._summary()}")
                await asyncio.sleep(LOOK_S if live else min(LOOK_S, SAY_S / self._clock.pace / 10))

    @contextmanager
    def _table_shown(self) -> Iterator[Live | None]:
        if not OUT.is_terminal:
            yield None
            return
        with Live(self._table(), console=OUT, transient=True) as live:
            yield live

    def _time(self) -> str:
        return f"{datetime.fromtimestamp(self._clock.now_ms() / 1000, self._zone):%a %Y-%m-%d %H:%M}"

    def _summary(self) -> str:
        figures = self._figures
        busy = [f"{figures.of('queue_counters', state) or 0:.0f} {state}" for state in ("serving", "called", "idle")]
        return (
            f"waiting {figures.total('queue_waiting'):.0f}, oldest "
            f"{_minutes(figures.longest('queue_oldest_wait_seconds'))}; counters: {', '.join(busy)}; "
            f"kept at peak {figures.kept('peak')}, off-peak {figures.kept('off_peak')}"
        )

    def _table(self) -> Table:
        title = f"{self._plan.name} · {self._time()} · {self._clock.pace:g} times as fast"
        table = Table(title=title, caption=f"{self._summary()}\n{self._tally}\nStop with Ctrl-C.")
        for heading in ("", "service", "waiting", "oldest"):
            table.add_column(heading, justify="left" if heading == "service" else "right")
        for service in self._plan.services.values():
            waiting = self._figures.of("queue_waiting", service.id) or 0
            oldest_s = self._figures.of("queue_oldest_wait_seconds", service.id) or 0
            table.add_row(service.prefix, service.name, f"{waiting:.0f}", _minutes(oldest_s) if waiting else "")
        return table
