"""Keeps a node's dear predictors at work: which hall is studied when, which are asked, how often, and what if it fails.

Only for halls somebody asks this node about: several nodes share the halls as their visitors do. One hall is studied at
a time, once a day; one is simulated at a time, and the process rests three times as long as it took.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from queue_service.domain.hall import Hall
from queue_service.errors import Unavailable
from queue_service.planning.live.foretelling import Foreteller
from queue_service.planning.worker import WorkerDied
from queue_service.view import View

if TYPE_CHECKING:
    from api.service import Service

LOG = logging.getLogger("queue_service.foretelling")

STUDY_S = 5.0
PAUSE_S = 0.05
"""Between two halls: of thousands, most have not lived through a day that could be studied, and each is asked about."""
ASK_S = 1.0
ASKED_MS = 600_000
"""A hall nobody has asked about for so long is left alone."""
RETRY_MS, LONGEST_RETRY_MS = 60_000, 3_600_000
AGAIN_MS = 10_000
"""A hall where nothing has happened is asked about again after so long: a line that stands still tells something."""
FEWEST_WAITING = 5
"""With fewer in the hall a simulation tells no more than the others."""
MOST_WAITING = 4_000
"""With more it takes too long to be of use when it is done."""
REST = 3.0


class Foretelling:
    """What a node's dear predictors are at."""

    def __init__(self, service: "Service") -> None:
        """Nothing is started before a hall with earlier days is asked about."""
        self._service = service
        self.foreteller = Foreteller(service.settings.database_url, service.feed.read)
        self._studied: dict[str, str] = {}
        self._failed: dict[str, tuple[int, int]] = {}
        self._asked: dict[str, tuple[int, int]] = {}
        self._simulated_ms: dict[str, int] = {}
        self._rests_until_ms = 0

    def close(self) -> None:
        """End the processes."""
        self.foreteller.close()

    # -- what goes on by itself

    async def keep_studying(self) -> None:
        """Study halls that are due, one after another, as long as the node runs."""
        while True:
            await asyncio.sleep(STUDY_S)
            due = self.due()
            if not due:
                self.foreteller.rest()
            for view in due:
                await self.study(view)
                await asyncio.sleep(PAUSE_S)

    async def keep_asking(self) -> None:
        """Ask about every hall where something has happened, as long as the node runs."""
        while True:
            await asyncio.sleep(ASK_S)
            try:
                await self.ask()
                await self.simulate()
            except WorkerDied:
                LOG.warning("foreteller-died: the simple predictors serve until another is at work")
            except Exception:
                LOG.exception("foretelling-failed")

    # -- studying

    def due(self) -> list[View]:
        """Halls to be studied: open, asked about, and not studied on this business day."""
        now_ms = self._service.clock.monotonic_ms()
        return [
            view
            for view in self._wanted()
            if self._studied.get(view.hall.id) != view.hall.day.date
            and now_ms >= self._failed.get(view.hall.id, (0, 0))[0]
        ]

    def _wanted(self, halls: Iterable[str] | None = None) -> list[View]:
        """Halls that are open and were asked about, of these or of all."""
        now_ms, asked_ms, views = self._service.clock.now_ms(), self._service.live.asked_ms, self._service.feed.views
        chosen = tuple(views.values()) if halls is None else [views[one] for one in halls if one in views]
        return [
            view
            for view in chosen
            if now_ms - asked_ms.get(view.hall.id, 0) <= ASKED_MS
            and not view.hall.is_due(now_ms)
            and view.hall.day.is_open(now_ms)
        ]

    async def study(self, view: View) -> None:
        """Study a hall, once; where that fails it is tried again later, and what was learned before serves on."""
        hall, day = view.hall, view.hall.day.date
        try:
            await self._make_room(hall.id)
            await self.foreteller.study(hall, self._service.live.estimates_of(hall.id))
        except (WorkerDied, Unavailable) as error:
            LOG.warning("study-put-off: %s: %s", hall.id, error)
        except Exception:
            LOG.exception("study-failed: %s", hall.id)
        else:
            self._studied[hall.id] = day
            self._failed.pop(hall.id, None)
            self._asked.pop(hall.id, None)
            return
        times = self._failed.get(hall.id, (0, 0))[1] + 1
        wait_ms = min(RETRY_MS * 2 ** (times - 1), LONGEST_RETRY_MS)
        self._failed[hall.id] = (self._service.clock.monotonic_ms() + wait_ms, times)

    async def _make_room(self, hall_id: str) -> None:
        """Forget a hall that nobody asks about any more, where there is no place for this one."""
        if self.foreteller.is_full and not self.foreteller.knows(hall_id):
            wanted = {view.hall.id for view in self._wanted()}
            for other in self.foreteller.halls():
                if other not in wanted:
                    await self.foreteller.forget(other)
                    self._studied.pop(other, None)
                    return

    # -- asking

    async def ask(self) -> None:
        """Ask about all halls where something has happened since, together."""
        now_ms, live = self._service.clock.now_ms(), self._service.live
        wanted = self._wanted(self.foreteller.halls())
        chosen = [view.hall for view in wanted if _is_news(view.hall, self._asked, now_ms)]
        await self.foreteller.ask([(hall, live.estimates_of(hall.id)) for hall in chosen], now_ms)
        self._asked.update((hall.id, (hall.seq, now_ms)) for hall in chosen)
        live.news.update(hall.id for hall in chosen)

    async def simulate(self) -> None:
        """Simulate the hall that was longest not simulated, of those where some wait."""
        clock, live = self._service.clock, self._service.live
        if clock.monotonic_ms() < self._rests_until_ms:
            return
        now_ms = clock.now_ms()
        halls = [
            view.hall
            for view in self._wanted(self.foreteller.halls())
            if None not in view.hall.suspensions
            and FEWEST_WAITING <= sum(map(len, view.hall.lanes.values())) <= MOST_WAITING
            and now_ms - self._simulated_ms.get(view.hall.id, 0) >= AGAIN_MS
        ]
        if not halls:
            return
        hall = min(halls, key=lambda one: self._simulated_ms.get(one.id, 0))
        self._simulated_ms[hall.id] = now_ms
        taken_s = await self.foreteller.simulate(hall, live.estimates_of(hall.id), now_ms)
        live.news.add(hall.id)
        self._rests_until_ms = clock.monotonic_ms() + round(REST * taken_s * 1000)


def _is_news(hall: Hall, known: dict[str, tuple[int, int]], now_ms: int) -> bool:
    """Whether anything has happened in a hall since it was last asked about, or that is long ago."""
    seq, at_ms = known.get(hall.id, (-1, 0))
    return hall.seq != seq or now_ms - at_ms >= AGAIN_MS
