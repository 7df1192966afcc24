"""Reading beside the event loop, in two kinds of threads: what a node needs to stay true waits for nobody's reports."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from queue_service.database import Database
from queue_service.errors import Unreadable

OWN_THREADS = 3

Result = TypeVar("Result")


class Reading:
    """Reads of one database. Where it cannot, all raise Unreadable: what it says is not for those who ask."""

    def __init__(self, database: Database) -> None:
        """Threads come with the work."""
        self._database = database
        self._errors = (SQLAlchemyError, database.engine.dialect.loaded_dbapi.Error)
        self._own = ThreadPoolExecutor(OWN_THREADS, "reading")

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """For somebody who asks, with all others who do."""
        return await self._done(partial(self._database.read, work), None)

    async def own(self, work: Callable[[Connection], Result]) -> Result:
        """For the node itself."""
        return await self.ask(partial(self._database.read, work))

    async def ask(self, question: Callable[[], Result]) -> Result:
        """Anything that is asked of the database for the node itself."""
        return await self._done(question, self._own)

    async def _done(self, question: Callable[[], Result], threads: ThreadPoolExecutor | None) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, question)
        except self._errors as error:
            raise Unreadable from error

    def close(self) -> None:
        """What is under way is not waited for."""
        self._own.shutdown(wait=False)
