"""What the database tells of commits: when it begins, when it ends, and behind what the event loop has to do anyway."""

import asyncio
from collections.abc import Mapping
from contextlib import closing, suppress

import psycopg

from queue_service.database import Database
from queue_service.databases.postgresql import CHANNEL
from tests.databases import new_postgres_url
from tests.running import WAIT_S

Told = tuple[Mapping[str, int] | None, bool]
ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = %s"


async def test_the_loop_comes_first_to_what_it_was_given_before() -> None:
    """A process hears of its own commits, too: they must not overtake what its writer has told the loop of them, or the
    log is read for what is about to be shown. Nothing ({}) is said at the beginning, None at the end."""
    url, told = new_postgres_url(), asyncio.Queue[Told]()

    def heard(ends: Mapping[str, int] | None) -> None:
        told.put_nowait((ends, asyncio.current_task() is None))

    with closing(Database(url)) as database, closing(psycopg.connect(url, autocommit=True)) as beside:
        listening = asyncio.create_task(database.listen(heard))
        async with asyncio.timeout(WAIT_S):
            assert (await told.get())[0] == {}
            database.notify({"hall": 7})
            assert await told.get() == ({"hall": 7}, True)
            beside.execute(ENDED, (f"LISTEN {CHANNEL}",))
            assert (await told.get())[0] is None
            assert (await told.get())[0] == {}
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
