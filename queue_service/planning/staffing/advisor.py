"""Advice for live halls: learned from the database in a thread, worked out in a process of low priority, kept.

Nothing heavy is imported here: numpy comes with the first advice, in the thread and in the worker.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection

from models.wire import rfc3339, rfc3339_or_none, seconds
from queue_service.domain.hall import Hall
from queue_service.planning.worker import Worker, WorkerDied

if TYPE_CHECKING:
    from queue_service.planning.staffing.advice import Advice, Item
    from queue_service.planning.staffing.learning import Learned
    from queue_service.planning.staffing.situation import Situation
    from queue_service.planning.staffing.words import Names

Document = dict[str, Any]
EVERY_MS = 300_000
PATIENCE_S = 30.0


class Read(Protocol):
    """Reads beside the event loop (`Feed.read`)."""

    def __call__(self, work: Callable[[Connection], Any]) -> Awaitable[Any]:
        """The result of a read."""
        ...


class Advisor:
    """Keeps the latest advice of each hall. `close` ends the worker."""

    def __init__(self, read: Read) -> None:
        """No worker yet: it starts with the first advice."""
        self._read = read
        self._worker = Worker()
        self._learned: dict[str, tuple[tuple[str, int], Learned]] = {}
        self._kept: dict[str, tuple[int, Document]] = {}
        self._working: dict[str, asyncio.Task[Document]] = {}

    def close(self) -> None:
        """End the worker, whatever it is at."""
        for task in self._working.values():
            task.cancel()
        self._worker.close()

    async def advice(self, hall: Hall, now_ms: int, most_ms: int = EVERY_MS) -> Document:
        """The advice for a hall (its published view), not older than `most_ms`; an honest absence where there is none.

        Whoever asks while it is worked out waits for the same run, up to half a minute."""
        known = self._kept.get(hall.id)
        if known is not None and 0 <= now_ms - known[0] <= most_ms and known[1]["day"] == hall.day.date:
            return known[1]
        task = self._working.get(hall.id)
        if task is None:
            task = self._working[hall.id] = asyncio.create_task(self._work_out(hall, now_ms), name=f"advise-{hall.id}")
            task.add_done_callback(lambda _: self._working.pop(hall.id, None))
        try:
            async with asyncio.timeout(PATIENCE_S):  # `wait_for` may swallow being cancelled
                return await asyncio.shield(task)
        except TimeoutError:
            return _refused(hall, now_ms, "busy", {})

    async def _work_out(self, hall: Hall, now_ms: int) -> Document:
        learned = await self._learn(hall)
        from queue_service.planning.staffing.foreseeing import (  # noqa: PLC0415 (numpy; the thread has loaded it)
            situation_of,
            today_ratio,
            why_not,
        )
        from queue_service.planning.staffing.learning import NEEDED_DAYS  # noqa: PLC0415 (as above)

        because = why_not(hall, learned, now_ms)
        if because is not None:
            return _refused(hall, now_ms, because, {"days": learned.days, "needed": NEEDED_DAYS})
        busy = today_ratio(hall, learned, now_ms)
        situation = situation_of(hall, learned, now_ms)
        day = hall.day.date
        found = await self._in_worker(situation)
        document = told(hall, day, learned, busy, situation, found)
        self._kept[hall.id] = (now_ms, document)
        return document

    async def _learn(self, hall: Hall) -> "Learned":
        """Once a day, and anew after a change of plan."""
        plan, day, version = hall.rules, hall.day.date, (hall.day.date, hall.plan_version)
        known = self._learned.get(hall.id)
        if known is not None and known[0] == version:
            return known[1]

        def learn(connection: Connection) -> "Learned":
            from queue_service.planning.staffing import learning  # noqa: PLC0415 (numpy, in the thread)

            return learning.learn(connection, plan, day)

        learned: Learned = await self._read(learn)
        self._learned[hall.id] = (version, learned)
        return learned

    async def _in_worker(self, situation: "Situation") -> "Advice":
        try:
            return await self._worker.run(_advise, situation)
        except WorkerDied:
            return await self._worker.run(_advise, situation)  # once more with a new one


def _advise(situation: "Situation") -> "Advice":
    from queue_service.planning.staffing.advice import advise  # noqa: PLC0415 (numpy, in the worker)

    return advise(situation)


# -- as documents


def _refused(hall: Hall, now_ms: int, because: str, facts: dict[str, int]) -> Document:
    from queue_service.planning.staffing.words import refusal  # noqa: PLC0415 (only when asked)

    return {
        "hall": hall.id,
        "day": hall.day.date,
        "as_of": rfc3339(now_ms),
        "because": because,
        "basis": None,
        "share_if_nothing_changes": None,
        "reachable_share": None,
        "text": refusal(because, **facts),
        "advice": [],
        "quarters": [],
    }


def told(hall: Hall, day: str, learned: "Learned", busy: float, situation: "Situation", found: "Advice") -> Document:
    """Advice as it is shown; shares are rounded to a thousandth."""
    from queue_service.planning.staffing.words import Names, summary  # noqa: PLC0415 (only when asked)

    plan = hall.rules
    names = Names(
        {one.id: one.name for one in plan.services.values()},
        {one.id: one.name for one in plan.counters.values()},
        plan.calendar.time_zone,
    )
    return {
        "hall": hall.id,
        "day": day,
        "as_of": rfc3339(situation.now_ms),
        "because": None,
        "basis": {
            "arrivals": learned.arrival_basis,
            "days": learned.days,
            "today_ratio": round(busy, 3),
            "service_times": dict(learned.service_basis),
            "runs": found.runs,
            "until": rfc3339(situation.until_ms),
        },
        "share_if_nothing_changes": round(found.share_if_nothing_changes, 3),
        "reachable_share": round(found.reachable_share, 3),
        "text": summary(found, names, situation.until_ms),
        "advice": [_item(hall.id, day, one, names) for one in found.items],
        "quarters": [
            {
                "at": rfc3339(one.at_ms),
                "counters_now": one.counters_now,
                "counters_needed": one.counters_needed,
                "share_now": round(one.share_now, 3),
                "share_needed": round(one.share_needed, 3),
            }
            for one in found.quarters
        ],
    }


def _expires_ms(item: "Item") -> int:
    """Until when it makes sense to say yes: a quarter of an hour after it should have been done."""
    return item.by_ms + 3 * EVERY_MS


def _item(hall: str, day: str, item: "Item", names: "Names") -> Document:
    from queue_service.planning.staffing.words import sentence  # noqa: PLC0415 (only when asked)

    what = (hall, day, item.kind.value, item.service, *item.counters, str(item.by_ms // EVERY_MS))
    return {
        "id": hashlib.sha256(" ".join(what).encode()).hexdigest()[:16],
        "kind": item.kind,
        "reason": item.reason,
        "service": item.service,
        "count": item.count,
        "counters": list(item.counters),
        "from_services": list(item.from_services),
        "by": rfc3339(item.by_ms),
        "until": rfc3339_or_none(item.until_ms),
        "promise_s": seconds(item.promise_ms),
        "misses_without": item.misses_without,
        "misses_with": item.misses_with,
        "of": item.of,
        "from": rfc3339(item.from_ms),
        "to": rfc3339(item.to_ms),
        "expires_at": rfc3339(_expires_ms(item)),
        "text": sentence(item, names),
        "alternatives": [_item(hall, day, one, names) for one in item.alternatives],
    }
