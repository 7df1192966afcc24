"""Writes down now and then how far a node's estimates were off, so that reports of past days can tell. What is lost
with a crash is worked out again from the log, by the simple predictors."""

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from queue_service import estimate_errors
from queue_service.errors import Unavailable
from queue_service.estimate_errors import Scored

if TYPE_CHECKING:
    from api.service import Service

LOG = logging.getLogger("queue_service.own_error")
EVERY_S = 60.0
HALLS_AT_ONCE = 100
"""Written by one transaction: of thousands of halls, one each would take the writer from the commands."""
LAST_S = 2.0
"""How long a node that stops waits for its last writing."""


class OwnErrors:
    """Of all halls of a node."""

    def __init__(self, service: "Service") -> None:
        """Nothing was scored."""
        self._service = service

    async def keep(self) -> None:
        """Write what was scored, once a minute, as long as the node runs."""
        while True:
            await asyncio.sleep(EVERY_S)
            await asyncio.shield(self.write())  # a writing that has begun is seen to its end

    async def write(self) -> None:
        """Write what was scored since the last time; what cannot be written now is kept for the next."""
        by_hall = self._service.live.estimates_by_hall()
        waiting = [(hall, by_hall[hall]) for hall in sorted(by_hall) if by_hall[hall].scored]
        for start in range(0, len(waiting), HALLS_AT_ONCE):
            some = waiting[start : start + HALLS_AT_ONCE]
            scored = [(hall, list(estimates.scored)) for hall, estimates in some]
            try:
                await self._service.engine.maintain(partial(_write, scored=scored))
            except Unavailable as error:
                LOG.warning("own-error-put-off: %s", error)
                return
            except Exception:
                LOG.exception("own-error-failed")
                return
            for (_, estimates), (_, written) in zip(some, scored, strict=True):
                for _ in written:
                    estimates.scored.popleft()

    async def write_last(self) -> None:
        """The same for a node that stops; it does not wait for a database that is not there."""
        _, still_writing = await asyncio.wait([asyncio.create_task(self.write())], timeout=LAST_S)
        if still_writing:
            LOG.warning("own-error-given-up: the database does not answer")


def _write(connection: Connection, scored: list[tuple[str, list[Scored]]]) -> None:
    for hall, of_hall in scored:  # in the order of their names, by every node: none waits for another in a circle
        estimate_errors.add(connection, hall, of_hall)
