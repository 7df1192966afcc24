"""Made-up visitors and clerks: they use the public API and nothing else, at the pace of the demonstration's clock.

How many come follows from the plan: at its peaks nearly as many as its counters can serve, at other times far fewer.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, timedelta
from random import Random
from typing import Any

from api.client import Document, HallFollower, QueueClient, Refused
from queue_service.clock import FastClock
from queue_service.domain.calendar import Day, day_of, local_date
from queue_service.domain.plan import CounterPlan, Plan

LOG = logging.getLogger("queue_service.crowd")

MINUTE_MS = 60_000
BEFORE_OPENING_MS = 10 * MINUTE_MS
BEFORE_CLOSING_MS = 15 * MINUTE_MS
"""The first visitors come so long before the hall opens, the last so long before it closes."""
PEAK_LOAD, CALM_LOAD, LUNCH_LOAD, EARLY_LOAD = 0.85, 0.35, 0.2, 0.1
"""How many come, as shares of how many could be served."""
SERVICE_SHARE_OF_TARGET = 0.7
WALK_S = 20
PATIENCE_S = 2_700
LUNCH_S = 2_700
LUNCH_MS = LUNCH_S * 1_000
"""Half of the clerks eat so long before noon, the others after it."""
CLAIM_SHARE = 0.15
"""How many visitors belong to another class than the first."""
NO_SHOW, TRANSFER, PARK = 0.04, 0.03, 0.03
RETURNS = 0.5
IDLE_S = 60


@dataclass
class Tally:
    """What the crowd has done."""

    tickets: int = 0
    calls: int = 0
    served: int = 0
    no_shows: int = 0
    transfers: int = 0
    parked: int = 0
    left: int = 0
    turned_away: int = 0

    def __str__(self) -> str:
        """In a line."""
        return ", ".join(f"{getattr(self, one.name)} {one.name.replace('_', ' ')}" for one in fields(self))


def working_days(plan: Plan, from_day: str) -> list[Day]:
    """The days of the next fortnight on which the hall is open."""
    first = date.fromisoformat(from_day)
    days = [day_of(plan.calendar, (first + timedelta(days=ahead)).isoformat()) for ahead in range(14)]
    return [day for day in days if day.opening]


def mean_service_s(plan: Plan, service: str) -> float:
    """How long a service takes on average."""
    return plan.services[service].order_target_ms / 1000 * SERVICE_SHARE_OF_TARGET


def most_per_s(plan: Plan, service: str) -> float:
    """How many visitors a second the counters can serve if each gives its services the same time."""
    hands = sum(1 / len(one.services) for one in plan.counters.values() if service in one.services)
    return hands / (mean_service_s(plan, service) + WALK_S)


def load(day: Day, at_ms: int) -> float:
    """How many come at that moment, as a share of how many could be served."""
    if at_ms < day.opening[0][0]:
        return EARLY_LOAD
    if day.is_peak(at_ms):
        return PEAK_LOAD
    return LUNCH_LOAD if abs(at_ms - day.noon_ms) < LUNCH_MS else CALM_LOAD


class Crowd:
    """Everyone who comes to one hall, and everyone who works there."""

    def __init__(
        self, client: QueueClient, follower: HallFollower, plan: Plan, clock: FastClock, seed: int, tally: Tally
    ) -> None:
        """`plan` is that of a hall which exists; `seed` decides who comes when and what becomes of them."""
        self.tally = tally
        self._client = client
        self._follower = follower
        self._plan = plan
        self._clock = clock
        self._seed = seed
        self._news = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Live until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read_board())
                for service in self._plan.services:
                    tasks.create_task(self._arrivals(service))
                for counter in self._plan.counters.values():
                    tasks.create_task(self._work(counter))
        finally:
            for errand in self._errands:
                errand.cancel()

    def _random(self, who: str) -> Random:
        """Everyone has chances of their own, so that the same seed gives the same visitors whatever the others do."""
        return Random(f"{self._seed} {who}")  # noqa: S311 (no secret)

    # -- time

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._clock.pace)

    async def _until(self, at_ms: float) -> None:
        await self._pass((at_ms - self._clock.now_ms()) / 1000)

    async def _days(self) -> AsyncIterator[Day]:
        """Each working day, from shortly before it opens."""
        while True:
            now_ms = self._clock.now_ms()
            today = local_date(now_ms, self._plan.calendar.time_zone)
            day = next(day for day in working_days(self._plan, today) if day.opening[-1][1] > now_ms)
            await self._until(day.opening[0][0] - BEFORE_OPENING_MS)
            yield day
            await self._until(day.opening[-1][1])

    async def _read_board(self) -> None:
        async for _ in self._follower:
            self._news.set()
            self._news = asyncio.Event()

    async def _hear(self) -> None:
        """Wait until the board changes, or a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S / self._clock.pace):
                await self._news.wait()

    def _send_off(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # -- visitors

    async def _arrivals(self, service: str) -> None:
        """Visitors one after another, more of them when it is peak (a thinned Poisson stream)."""
        random = self._random(service)
        gap_ms = 1000 / (most_per_s(self._plan, service) * PEAK_LOAD)
        async for day in self._days():
            at_ms = day.opening[0][0] - BEFORE_OPENING_MS + random.expovariate(1 / gap_ms)
            while at_ms < day.opening[-1][1] - BEFORE_CLOSING_MS:
                await self._until(at_ms)
                if random.random() < load(day, round(at_ms)) / PEAK_LOAD:
                    self._send_off(self._visit(service, self._random(f"{service} {at_ms}")))
                at_ms += random.expovariate(1 / gap_ms)

    async def _visit(self, service: str, random: Random) -> None:
        """Take a ticket, wait, and give up when it takes too long."""
        normal, *others = self._plan.priorities
        priority = random.choice(others) if others and random.random() < CLAIM_SHARE else normal
        try:
            ticket = await self._client.issue(self._plan.id, service, priority=priority, channel="kiosk")
        except Refused:
            self.tally.turned_away += 1
            return
        self.tally.tickets += 1
        await self._pass(random.lognormvariate(math.log(PATIENCE_S), 0.4))
        if (await self._client.get(f"/v1/tickets/{ticket['id']}"))["state"] == "waiting":
            with suppress(Refused):
                await self._client.ticket(ticket["id"], "cancel")
                self.tally.left += 1

    # -- clerks

    async def _work(self, counter: CounterPlan) -> None:
        random = self._random(f"counter {counter.id}")
        async for day in self._days():
            await self._until(day.opening[0][0] - random.uniform(0, 5) * MINUTE_MS)
            try:
                await self._shift(counter, day, random)
            except Refused as refused:  # somebody else uses the hall, too: let them
                LOG.warning("shift-ended: counter %s: %s", counter.id, refused)

    async def _shift(self, counter: CounterPlan, day: Day, random: Random) -> None:
        hall, name = self._plan.id, counter.id
        with suppress(Refused):  # left open by an earlier demonstration
            await self._client.counter(hall, name, "close", force="a new shift begins")
        await self._client.counter(hall, name, "open", clerk=f"clerk-{name}")
        lunch_ms: float = day.noon_ms - (LUNCH_MS if list(self._plan.counters).index(name) % 2 else 0)
        while True:
            if self._clock.now_ms() > lunch_ms:
                lunch_ms = math.inf
                await self._eat(counter)
            ticket = await self._client.call_next(hall, name, finish_current=True)
            if ticket is not None:
                self.tally.calls += 1
                with suppress(Refused):  # gone meanwhile
                    await self._attend(counter, ticket, random)
            elif self._clock.now_ms() > day.opening[-1][1]:
                break
            else:
                await self._somebody(counter, min(lunch_ms, day.opening[-1][1]))
        await self._client.counter(hall, name, "close")

    async def _eat(self, counter: CounterPlan) -> None:
        """Pause once the visitor who is there is done."""
        reason = self._plan.document["pause_reasons"][0]
        asked = await self._client.counter(self._plan.id, counter.id, "pause", reason=reason, after_current=True)
        if asked["ticket"] is not None:
            await self._client.call_next(self._plan.id, counter.id, finish_current=True)
        await self._pass(LUNCH_S)
        await self._client.counter(self._plan.id, counter.id, "resume")

    async def _somebody(self, counter: CounterPlan, until_ms: float) -> None:
        """Wait for news until the board shows somebody whom the counter serves."""
        while True:
            await self._hear()
            lines = self._follower.board.get("services", {})
            if any(lines.get(service, {}).get("waiting") for service in counter.services):
                return
            if self._clock.now_ms() > until_ms:
                return

    async def _attend(self, counter: CounterPlan, ticket: Document, random: Random) -> None:
        """What becomes of a visitor who was called. One who is served stays until the clerk calls the next."""
        if random.random() < NO_SHOW:
            await self._nobody_comes(ticket["id"], random)
            return
        await self._pass(random.uniform(0.5, 1.5) * WALK_S)
        await self._client.ticket(ticket["id"], "start")
        mean_s = mean_service_s(self._plan, ticket["service"])
        await self._pass(random.lognormvariate(math.log(mean_s) - 0.18, 0.6))
        others = [service for service in counter.services if service != ticket["service"]]
        fate = random.random()
        if fate < TRANSFER and others:
            await self._client.ticket(ticket["id"], "transfer", service=random.choice(others))
            self.tally.transfers += 1
        elif fate < TRANSFER + PARK:
            await self._client.ticket(ticket["id"], "park", reason=self._plan.document["park_reasons"][0])
            self.tally.parked += 1
            self._send_off(self._come_back(ticket["id"], "return", random.uniform(300, 900)))
        else:
            self.tally.served += 1

    async def _nobody_comes(self, ticket: str, random: Random) -> None:
        """Call again as the plan asks, then go on. Some come after all."""
        for _ in range(self._plan.no_show_recalls):
            await self._pass(WALK_S)
            await self._client.ticket(ticket, "recall")
        await self._pass(self._plan.no_show_after_ms / 1000 + 1)
        await self._client.ticket(ticket, "no-show")
        self.tally.no_shows += 1
        if random.random() < RETURNS:
            self._send_off(self._come_back(ticket, "rejoin", random.uniform(60, 400)))

    async def _come_back(self, ticket: str, verb: str, after_s: float) -> None:
        await self._pass(after_s)
        with suppress(Refused):
            await self._client.ticket(ticket, verb)
