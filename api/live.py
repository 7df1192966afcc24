"""The live side of a running node: it looks at every hall now and then, and has raised or cleared what it warns of.

On the event loop, bounded: a look costs some microseconds per ticket of the day; what lies before today is read once a
day beside it. What the numbers mean, `metrics.live` says.
"""

import asyncio
import logging
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from api.answers import nothing
from metrics.live.burn import Burn, burns
from metrics.live.conditions import conditions, idle_while_waiting
from metrics.live.keeper import Keeper
from metrics.live.promise import Foreseen, expected_misses, promise_document
from metrics.live.watch import Watch, past_outcomes
from metrics.tally import Cells
from models.vocabulary import Channel, TicketState
from models.wire import rfc3339
from queue_service.board import Frame
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.order import ahead
from queue_service.errors import AlertStands, Unavailable, UnknownAlert
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.outlook import (
    NONE_YET,
    SOON_S,
    Outlooks,
    chance_of_missing,
    estimate_document,
    same_estimate,
    ticket_estimate,
)
from queue_service.view import View

if TYPE_CHECKING:
    from api.service import Service

LOG = logging.getLogger("queue_service.live")

LOOK_S = 5.0
ESTIMATE_S = 1.0
STILL_MS = 30_000
"""A hall where nobody waits and nothing happens is looked at again after so long: a node may have thousands of them."""
TOLD_MS = 10_000
LOOKED_AT_ONCE = 128
"""Of those who wait: what a command may have to wait for."""
IDLE_MS = 30_000
"""What a hall that warns of nothing is shown as idle while waiting."""


class LiveHalls:
    """What a node watches beside the views of its halls."""

    def __init__(self, service: "Service") -> None:
        """Nothing is watched until events come."""
        self._service = service
        self._watches: dict[str, Watch] = defaultdict(Watch)
        self._keepers: dict[str, Keeper] = defaultdict(Keeper)
        self._estimates: dict[str, HallEstimates] = defaultdict(HallEstimates)
        self._outlooks: dict[str, Outlooks] = {}
        self._looked: dict[str, tuple[int, int]] = {}
        self.asked_ms: dict[str, int] = {}
        """When somebody last wanted to know how long it will take, by hall."""
        self._told: dict[str, tuple[int, dict[str, Any]]] = {}
        service.metrics.watch_estimates(self.estimates_by_hall, lambda: self._outlooks)
        self._compared: dict[str, Outlooks] = {}
        self._answers: dict[str, tuple[tuple[Any, ...], bytes]] = {}

    def fold(self, hall: Hall, logged: Logged) -> None:
        """Keep up with a published event, after `evolve` and before `drain` (a `feed.Fold`)."""
        self._watches[hall.id].fold(hall, logged)
        self._estimates[hall.id].fold(hall, logged)

    async def keep_watch(self) -> None:
        """Look at every hall every few seconds, as long as the node runs."""
        while True:
            for view in tuple(self._service.feed.views.values()):
                try:
                    await self.look(view)
                except Unavailable as error:
                    LOG.warning("watch-put-off: %s", error)
                except Exception:
                    LOG.exception("watch-failed")
                await asyncio.sleep(0)  # of thousands of halls, all at once would hold up every command
            await asyncio.sleep(LOOK_S)

    async def look(self, view: View) -> None:
        """Raise and clear a hall's alerts, once."""
        await self._read_past(view)
        self.look_ahead(view.hall)
        hall, now_ms = view.hall, self._service.clock.now_ms()
        if hall.is_due(now_ms) or (hall.rules.alerts is None and not hall.alerts):
            return
        watch, cells = self._watches[hall.id], self._cells(hall, now_ms)
        expected = await self._expected_misses(hall)
        holding = conditions(hall, watch, self._burns(hall, now_ms), cells, expected, now_ms)
        for command in self._keepers[hall.id].commands(hall, holding, now_ms):
            try:
                await self._service.engine.submit(
                    hall.id, command, actor="system", channel=Channel.SYSTEM, answering=nothing
                )
            except (AlertStands, UnknownAlert):
                LOG.info("alert-known: %s", hall.id)  # another node was first

    async def _read_past(self, view: View) -> None:
        watch = self._watches[view.hall.id]
        if watch.past is None:
            plan, now_ms = view.hall.rules, self._service.clock.now_ms()
            past = await self._service.feed.read(partial(past_outcomes, plan=plan, now_ms=now_ms))
            watch.past = past

    # -- the answer of GET …/promise

    async def promise(self, view: View) -> bytes:
        """How the promise stands, made at most once a second while nothing happens."""
        await self._read_past(view)
        hall, now_ms = view.hall, self._service.clock.now_ms()
        key = (hall.seq, hall.head, now_ms // 1000)
        known = self._answers.get(hall.id)
        if known is None or known[0] != key:
            known = self._answers[hall.id] = (key, orjson.dumps(self._promise(hall, now_ms)))
        return known[1]

    def _promise(self, hall: Hall, now_ms: int) -> dict[str, Any]:
        rules = hall.rules.alerts
        idle = idle_while_waiting(hall, IDLE_MS if rules is None else rules.idle_ms, now_ms)
        foreseen = self._foreseen(hall, now_ms)
        cells, burning = self._cells(hall, now_ms), self._burns(hall, now_ms)
        return promise_document(hall, cells, burning, idle, foreseen, self._watches[hall.id], now_ms)

    def _cells(self, hall: Hall, now_ms: int) -> Cells:
        return self._service.metrics.tally(hall.id).cells(hall, now_ms)

    def _burns(self, hall: Hall, now_ms: int) -> list[Burn]:
        rules = hall.rules.alerts
        if rules is None:
            return []
        return burns(rules, hall.rules.calendar, self._watches[hall.id].outcomes(hall, now_ms), now_ms)

    # -- estimates

    async def keep_estimating(self) -> None:
        """Look ahead anew every second where it may have changed, as long as the node runs."""
        while True:
            for view in tuple(self._service.feed.views.values()):
                try:
                    if self._has_news(view.hall):
                        self.look_ahead(view.hall)
                        await asyncio.sleep(0)
                    if self.foretell(view):
                        await asyncio.sleep(0)
                except Exception:
                    LOG.exception("estimating-failed")
            await asyncio.sleep(ESTIMATE_S)

    def _has_news(self, hall: Hall) -> bool:
        """Whether somebody waits, or anything has happened since the last look, or that is long ago."""
        seq, at_ms = self._looked.get(hall.id, (-1, 0))
        return any(hall.lanes.values()) or hall.seq != seq or self._service.clock.now_ms() - at_ms >= STILL_MS

    def estimates_of(self, hall_id: str) -> HallEstimates:
        """What a hall's events have taught so far."""
        return self._estimates[hall_id]

    def estimates_by_hall(self) -> dict[str, HallEstimates]:
        """The same of every hall."""
        return dict(self._estimates)

    def look_ahead(self, hall: Hall) -> None:
        """Make the outlooks of a hall anew."""
        if hall.today is not None:
            now_ms = self._service.clock.now_ms()
            self._outlooks[hall.id] = self._estimates[hall.id].outlooks(hall, now_ms)
            self._looked[hall.id] = (hall.seq, now_ms)

    def foretell(self, view: View) -> bool:
        """Tell those who watch what to expect: where it has changed, and not more often than every ten seconds. Whether
        it had to be worked out."""
        now_ms, outlooks = self._service.clock.now_ms(), self._outlooks.get(view.hall.id)
        told_ms, told = self._told.get(view.hall.id, (0, {}))
        if not view.followers or outlooks is None or 0 <= now_ms - told_ms < TOLD_MS:
            return False
        if self._compared.get(view.hall.id) is outlooks:
            return False
        self._compared[view.hall.id] = outlooks
        services = self.estimates(view.hall)
        if all(same_estimate(one, told.get(name)) for name, one in services.items()):
            return True
        self._told[view.hall.id] = (now_ms, services)
        document = {"type": "estimate", "as_of": rfc3339(now_ms), "services": services}
        view.foretell(Frame(view.hall.seq, view.hall.head, orjson.dumps(document)))
        return True

    def estimate(self, hall: Hall, ticket: Ticket, places_ahead: int | None, now_ms: int) -> dict[str, Any] | None:
        """The estimate of a ticket (an `answers.Estimating`, for any thread)."""
        self.asked_ms[hall.id] = now_ms
        return self._estimate(hall, ticket, places_ahead, now_ms)

    def _estimate(self, hall: Hall, ticket: Ticket, places_ahead: int | None, now_ms: int) -> dict[str, Any] | None:
        document: dict[str, Any] | None = ticket_estimate(
            hall, ticket, self._outlooks.get(hall.id, {}), places_ahead, now_ms
        )
        return document

    def estimates(self, hall: Hall) -> dict[str, Any]:
        """By service, for whoever takes a number now."""
        now_ms, outlooks = self._service.clock.now_ms(), self._outlooks.get(hall.id, {})
        self.asked_ms[hall.id] = now_ms
        return {
            service: estimate_document(
                hall, service, outlooks.get(service, NONE_YET), hall.waiting_count(service), 0.0, now_ms
            )
            for service in hall.rules.services
        }

    def _foreseen(self, hall: Hall, now_ms: int) -> dict[str, Foreseen]:
        outlooks = self._outlooks.get(hall.id, {})
        return {one.id: self._foresee(hall, one, outlooks, now_ms) for one in hall.waiting()}

    def _foresee(self, hall: Hall, ticket: Ticket, outlooks: Outlooks, now_ms: int) -> Foreseen:
        before = ahead(hall, ticket, now_ms)
        chance, soon = _chances(hall, ticket, before, outlooks, now_ms)
        return Foreseen(chance, soon, self._estimate(hall, ticket, before, now_ms))

    async def _expected_misses(self, hall: Hall) -> float | None:
        """Of those who wait, some at a time: commands need not wait until a long line is looked through. Who is called
        meanwhile is left out."""
        soon: list[float | None] = []
        waiting = list(hall.waiting())
        for start in range(0, len(waiting), LOOKED_AT_ONCE):
            now_ms, outlooks = self._service.clock.now_ms(), self._outlooks.get(hall.id, {})
            soon += [
                _chances(hall, one, ahead(hall, one, now_ms), outlooks, now_ms)[1]
                for one in waiting[start : start + LOOKED_AT_ONCE]
                if one.state == TicketState.WAITING
            ]
            await asyncio.sleep(0)
        return expected_misses(soon)


def _chances(
    hall: Hall, ticket: Ticket, before: int, outlooks: Outlooks, now_ms: int
) -> tuple[float | None, float | None]:
    """The chance that a waiting ticket's wait passes the promise, and that it does so soon."""
    if ticket.promise_ms is None or ticket.apart is not None:
        return None, None
    waited_ms = ticket.waited_so_far_ms() + hall.waited_ms(ticket.leg, now_ms)
    left_s = (ticket.promise_ms - waited_ms) / 1000
    if left_s < 0:
        return 1.0, 0.0
    chance = chance_of_missing(outlooks.get(ticket.leg.service, NONE_YET), before, waited_ms / 1000, left_s)
    return chance, chance if chance is None or left_s <= SOON_S else 0.0
