"""The dear predictors of a running node, seen from its event loop: two processes of low priority, of which one learns
from the days that are over and ends again, and the other is asked. Nothing heavy is imported here.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TypeVar

from models.vocabulary import EstimateBasis
from queue_service.domain.hall import Hall
from queue_service.planning.live.curve import Answer, Curve
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.past import past_days
from queue_service.planning.staffing.advisor import Read
from queue_service.planning.worker import Worker, WorkerDied

LOG = logging.getLogger("queue_service.planning")

MOST_HALLS = 50
"""Taught at once: each model takes some 2 MB there and half a megabyte here."""

Result = TypeVar("Result")


class Foreteller:
    """Learned models and simulations of halls. `close` ends its processes."""

    def __init__(self, url: str, read: Read) -> None:
        """Nothing is started before it is needed."""
        self._url, self._read = url, read
        self.studying, self.asked = Worker(), Worker()
        self._packed: dict[str, tuple[bytes, bool]] = {}
        self._taught: set[str] = set()

    def close(self) -> None:
        """End both processes, whatever they are at."""
        self.studying.close()
        self.asked.close()

    def rest(self) -> None:
        """Nothing is to be studied for a while: its process need not stay in memory."""
        self.studying.close()

    # -- studying

    async def study(self, hall: Hall, estimates: HallEstimates) -> bool:
        """Learn from the days before the hall's present one; whether there were any. Takes seconds, elsewhere.

        Estimates that have not read of those days yet take over their scores and bounds. Raises WorkerDied, or
        Unavailable."""
        today = hall.day.date
        if not await self._read(partial(past_days, hall=hall.id, today=today)):
            return False
        await asyncio.to_thread(_load_numpy)
        from queue_service.planning.live.studying import study  # noqa: PLC0415 (numpy; the thread has loaded it)

        has_room = self.knows(hall.id) or not self.is_full
        found = await self.studying.run(study, self._url, hall.id, today, has_room)
        if estimates.estimator.is_cold and estimates.day == today:
            estimates.warm(found.tracker, found.estimator)
        if has_room:
            self._packed[hall.id] = found.packed, found.has_model
            self._taught.discard(hall.id)
        LOG.info("studied: %s, %d days, model: %s", hall.id, found.days, "yes" if found.has_model else "no")
        return True

    @property
    def is_full(self) -> bool:
        """Whether there is no place for another hall."""
        return len(self._packed) >= MOST_HALLS

    def knows(self, hall_id: str) -> bool:
        """Whether a hall was studied and has its place."""
        return hall_id in self._packed

    def halls(self) -> list[str]:
        """All of those."""
        return list(self._packed)

    async def forget(self, hall_id: str) -> None:
        """Make room for another hall."""
        from queue_service.planning.live import answering  # noqa: PLC0415 (as in `study`)

        self._packed.pop(hall_id, None)
        if hall_id in self._taught:
            self._taught.discard(hall_id)
            await self._run(answering.forget, hall_id)

    # -- asking

    async def ask(self, halls: Sequence[tuple[Hall, HallEstimates]], now_ms: int) -> None:
        """Have the learned models say what they think of each line, tell the halls' estimates. Raises WorkerDied."""
        chosen = [(hall, estimates) for hall, estimates in halls if self._packed.get(hall.id, (b"", False))[1]]
        if not chosen:
            return
        from queue_service.planning.live import answering  # noqa: PLC0415 (as in `study`)

        await self._teach([hall.id for hall, _ in chosen])
        questions = [(hall.id, estimates.lines(hall, now_ms)) for hall, estimates in chosen]
        answers = await self._run(answering.ask, questions)
        for hall, estimates in chosen:
            estimates.tell(EstimateBasis.LEARNED, _curves(answers.get(hall.id, {}), now_ms))

    async def simulate(self, hall: Hall, estimates: HallEstimates, now_ms: int) -> float:
        """Have a hall simulated from how it stands, and tell its estimates; the seconds of processor time it took.
        Raises WorkerDied."""
        if not self.knows(hall.id):
            return 0.0
        from queue_service.planning.live import answering  # noqa: PLC0415 (as in `study`)
        from queue_service.planning.live.simulated import standing_of  # noqa: PLC0415 (as in `study`)

        await self._teach([hall.id])
        found = await self._run(answering.simulate, hall.id, standing_of(hall, now_ms))
        if found is None:
            return 0.0
        answer, taken_s = found
        estimates.tell(EstimateBasis.SIMULATION, _curves(answer, now_ms))
        return taken_s

    async def _teach(self, hall_ids: Sequence[str]) -> None:
        """Whatever the process does not know yet, or forgot with its death."""
        from queue_service.planning.live import answering  # noqa: PLC0415 (as in `study`)

        for hall_id in hall_ids:
            if hall_id not in self._taught:
                await self._run(answering.teach, hall_id, self._packed[hall_id][0])
                self._taught.add(hall_id)

    async def _run(self, work: Callable[..., Result], *given: object) -> Result:
        try:
            return await self.asked.run(work, *given)
        except WorkerDied:
            self._taught.clear()
            raise


def _curves(answer: Answer, now_ms: int) -> Mapping[str, Curve]:
    return {service: Curve(now_ms, *points) for service, points in answer.items()}


def _load_numpy() -> None:
    """In a thread, so that the event loop need not wait for it."""
    import_module("queue_service.planning.live.studying")
