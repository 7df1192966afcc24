"""The live side of a running node: it looks at every hall now and then, and has raised or cleared what it warns of.

On the event loop, bounded: a look asks what is kept up event by event, and goes through no line; what lies before today
is read once a day beside it. What the numbers mean, `metrics.live` says.
"""

import asyncio
import logging
from collections import defaultdict
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection

from api.answers import nothing
from api.foreseeing import misses_to_come
from api.promising import Promises
from metrics.decided import Decided
from metrics.live.burn import Burn, Deciding, burns
from metrics.live.conditions import conditions
from metrics.live.keeper import Keeper
from metrics.live.watch import Watch, past_outcomes
from metrics.tally import Cells
from models.vocabulary import Channel
from models.wire import rfc3339
from queue_service.board import Frame
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.plan import Plan
from queue_service.errors import AlertStands, Unavailable, UnknownAlert
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.outlook import (
    NONE_YET,
    Outlooks,
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
"""A hall where nobody waits and nothing happens is looked ahead for again after so long: a node may have thousands of
them."""
TOLD_MS = 10_000
NOTHING_DECIDED = Decided()


class LiveHalls:
    """What a node watches beside the views of its halls."""

    def __init__(self, service: "Service") -> None:
        """Nothing is watched until events come."""
        self._service = service
        self._watches: dict[str, Watch] = defaultdict(Watch)
        self._keepers: dict[str, Keeper] = defaultdict(Keeper)
        self._estimates: dict[str, HallEstimates] = defaultdict(HallEstimates)
        self._outlooks: dict[str, Outlooks] = {}
        self._looked_ms: dict[str, int] = {}
        self.news: set[str] = set()
        """Halls to look ahead for anew within a second."""
        self.asked_ms: dict[str, int] = {}
        """When somebody last wanted to know how long it will take, by hall."""
        self._told: dict[str, tuple[int, dict[str, Any]]] = {}
        service.metrics.watch_estimates(self.estimates_by_hall, lambda: self._outlooks)
        self._compared: dict[str, Outlooks] = {}
        self.promises = Promises(self)

    def fold(self, hall: Hall, logged: Logged) -> None:
        """Keep up with a published event, after `evolve` and before `drain` (a `feed.Fold`)."""
        self.news.add(hall.id)
        self._watches[hall.id].fold(logged)
        self._estimates[hall.id].fold(hall, logged)

    async def keep_watch(self) -> None:
        """Look at every hall every few seconds, as long as the node runs."""
        async for view in self._service.in_turn(LOOK_S):
            try:
                await self.look(view)
            except Unavailable as error:
                LOG.warning("watch-put-off: %s", error)
            except Exception:
                LOG.exception("watch-failed")

    async def look(self, view: View) -> None:
        """Look ahead, if that may say anything new; raise and clear a hall's alerts, once. At a centre that is left to
        the hall's own node."""
        if self._may_say_more(view.hall):
            self.look_ahead(view.hall)
        self.foretell(view)
        if self._service.following is not None:
            return
        await self._read_past(view)
        hall, now_ms = view.hall, self._service.clock.now_ms()
        if hall.is_due(now_ms) or (hall.rules.alerts is None and not hall.alerts):
            return
        tally = self._service.metrics.tally(hall.id)
        expected = await misses_to_come(hall, tally, self.outlooks(hall.id), self._service.clock)
        decided = self._decided(hall)(0, now_ms)
        burning = self.burns(hall, now_ms) if any(one.missed for one in decided) else []
        watch, cells = self._watches[hall.id], self.cells(hall, now_ms)
        holding = conditions(hall, watch, burning, cells, expected, now_ms)
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
            watch.past = await self._service.feed.read(partial(_decided_before, plan=plan, now_ms=now_ms))

    # -- how the promise stands

    async def promise(self, view: View) -> bytes:
        """The answer of `GET …/promise`."""
        await self._read_past(view)
        return await self.promises.answer(view, self.now_ms())

    def now_ms(self) -> int:
        """By the node's clock."""
        return self._service.clock.now_ms()

    def watch(self, hall: Hall) -> Watch:
        """What is known of a hall beside its state."""
        return self._watches[hall.id]

    def cells(self, hall: Hall, now_ms: int) -> Cells:
        """What became of each promise of today."""
        return self._service.metrics.tally(hall.id).cells(hall, now_ms)

    def burns(self, hall: Hall, now_ms: int) -> list[Burn]:
        """How fast misses burn the budget, by each rule of the plan."""
        rules = hall.rules.alerts
        return [] if rules is None else burns(rules, hall.rules.calendar, self._decided(hall), now_ms)

    def _decided(self, hall: Hall) -> Deciding:
        """The promises of today and of the days before."""
        past, tally = self._watches[hall.id].past or NOTHING_DECIDED, self._service.metrics.tally(hall.id)
        return lambda since_ms, until_ms: chain(past.counts(since_ms, until_ms), tally.counts(hall, since_ms, until_ms))

    # -- estimates

    async def keep_estimating(self) -> None:
        """Look ahead anew every second where something has happened, as long as the node runs."""
        while True:
            news, self.news = self.news, set()
            for hall_id in news:
                try:
                    if (view := self._service.feed.views.get(hall_id)) is not None:
                        self.look_ahead(view.hall)
                        self.foretell(view)
                except Exception:
                    LOG.exception("estimating-failed")
                await asyncio.sleep(0)  # of thousands of halls, all at once would hold up every command
            await asyncio.sleep(ESTIMATE_S)

    def _may_say_more(self, hall: Hall) -> bool:
        """Whether anything has happened since the last look ahead, or somebody waits, or that is long ago."""
        old_ms = self._service.clock.now_ms() - self._looked_ms.get(hall.id, 0)
        return hall.id in self.news or any(hall.lanes.values()) or not 0 <= old_ms < STILL_MS

    def estimates_of(self, hall_id: str) -> HallEstimates:
        """What a hall's events have taught so far."""
        return self._estimates[hall_id]

    def outlooks(self, hall_id: str) -> Outlooks:
        """What may be said of a hall's waits now, as of its latest look ahead."""
        return self._outlooks.get(hall_id, {})

    def estimates_by_hall(self) -> dict[str, HallEstimates]:
        """The same of every hall."""
        return dict(self._estimates)

    def look_ahead(self, hall: Hall) -> None:
        """Make the outlooks of a hall anew."""
        if hall.today is not None:
            now_ms = self._service.clock.now_ms()
            self._outlooks[hall.id] = self._estimates[hall.id].outlooks(hall, now_ms)
            self._looked_ms[hall.id] = now_ms
            self.news.discard(hall.id)

    def foretell(self, view: View) -> None:
        """Tell those who watch what to expect: where it has changed, and not more often than every ten seconds."""
        now_ms, outlooks = self._service.clock.now_ms(), self._outlooks.get(view.hall.id)
        told_ms, told = self._told.get(view.hall.id, (0, {}))
        if not view.followers or outlooks is None or 0 <= now_ms - told_ms < TOLD_MS:
            return
        if self._compared.get(view.hall.id) is outlooks:
            return
        self._compared[view.hall.id] = outlooks
        services = self.estimates(view.hall)
        if all(same_estimate(one, told.get(name)) for name, one in services.items()):
            return
        self._told[view.hall.id] = (now_ms, services)
        document = {"type": "estimate", "as_of": rfc3339(now_ms), "services": services}
        view.foretell(Frame(view.hall.seq, view.hall.head, orjson.dumps(document)))

    def estimate(self, hall: Hall, ticket: Ticket, places_ahead: int | None, now_ms: int) -> dict[str, Any] | None:
        """The estimate of a ticket (an `answers.Estimating`, for any thread)."""
        self.asked_ms[hall.id] = now_ms
        return self.estimate_of(hall, ticket, places_ahead, now_ms)

    def estimate_of(self, hall: Hall, ticket: Ticket, places_ahead: int | None, now_ms: int) -> dict[str, Any] | None:
        """The same, asked for by nobody."""
        outlooks = self.outlooks(hall.id)
        document: dict[str, Any] | None = ticket_estimate(hall, ticket, outlooks, places_ahead, now_ms)
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


def _decided_before(connection: Connection, plan: Plan, now_ms: int) -> Decided:
    return Decided(past_outcomes(connection, plan, now_ms))
