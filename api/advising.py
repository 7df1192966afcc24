"""Advice to live halls: worked out by `planning.staffing`, given and answered in the hall's log, its effect told.

Advice that is shown is advice that was given: the node writes it into the log as it writes its alerts, so that it can
be answered, and so that the report can say what came of it."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from api.answers import nothing
from metrics.advised import Effect, concerns, given_document
from metrics.reading import read_days
from metrics.waits import WaitRecord
from models.vocabulary import AdviceKind, Channel
from models.wire import from_rfc3339
from queue_service.domain import commands as c
from queue_service.domain.advice import Advised
from queue_service.domain.hall import Hall
from queue_service.domain.plan import Plan
from queue_service.errors import AdviceStands, UnknownService
from queue_service.view import View

if TYPE_CHECKING:
    from api.service import Service

LOG = logging.getLogger("queue_service")
EFFECT_MS = 60_000
"""So old the effect may be that is shown."""
VALUES = ("count", "counters", "from_services", "misses_without", "misses_with", "of")

Records = list[tuple[WaitRecord, int]]


class Advising:
    """Gives the advice of a node's halls, and says what became of it."""

    def __init__(self, service: "Service") -> None:
        """Of this node."""
        self._service = service
        self._read: dict[str, tuple[int, Records]] = {}

    async def staffing(self, view: View, most_ms: int | None = None) -> dict[str, Any]:
        """The advice for a hall, not older than `most_ms`, given by now; and all that was given today."""
        service, now_ms = self._service, self._service.clock.now_ms()
        found = await service.advisor.advice(view.hall, now_ms, *([] if most_ms is None else [most_ms]))
        if service.following is not None:  # only the hall's own node gives advice
            return {**found, "advice": [], "given": await self._given(view.hall)}
        for item in found["advice"]:
            for one in (item, *item["alternatives"]):
                await self._give(view.hall, one)
        return {**found, "given": await self._given(view.hall)}

    async def _give(self, hall: Hall, item: dict[str, Any]) -> None:
        expires_at_ms = from_rfc3339(item["expires_at"])
        if item["id"] in hall.advice or self._service.clock.now_ms() >= expires_at_ms:
            return
        span = {"from_ms": from_rfc3339(item["from"]), "to_ms": from_rfc3339(item["to"])}
        values = {**{name: item[name] for name in VALUES}, **span}
        command = c.GiveAdvice(
            item["id"], AdviceKind(item["kind"]), item["service"], from_rfc3339(item["by"]), expires_at_ms, values
        )
        try:
            await self._service.engine.submit(
                hall.id, command, actor="system", channel=Channel.SYSTEM, answering=nothing
            )
        except (AdviceStands, UnknownService):
            LOG.info("advice-known: %s", hall.id)  # another node was first, or the plan was changed meanwhile

    async def _given(self, hall: Hall) -> list[dict[str, Any]]:
        now_ms, given = self._service.clock.now_ms(), list(hall.advice.values())
        begun = [one for one in given if one.values["from_ms"] <= now_ms]
        records = await self._records(hall, now_ms) if begun else []
        return [given_document(one, _effect(one, records) if one in begun else None) for one in given]

    async def _records(self, hall: Hall, now_ms: int) -> Records:
        known = self._read.get(hall.id)
        if known is None or not 0 <= now_ms - known[0] < EFFECT_MS:
            read = partial(_today, plan=hall.rules, day=hall.day.date, now_ms=now_ms)
            known = self._read[hall.id] = (now_ms, await self._service.feed.read(read))
        return known[1]


def _effect(advised: Advised, records: Records) -> Effect:
    effect = Effect()
    for record, since_ms in records:
        if concerns(advised, record, since_ms):
            effect.add(record)
    return effect


def _today(connection: Connection, plan: Plan, day: str, now_ms: int) -> Records:
    return [
        (one.record, one.legs[0].waiting_since_ms)
        for read in read_days(connection, plan, day, day, now_ms)
        for one in read.tickets
        if one.legs
    ]
