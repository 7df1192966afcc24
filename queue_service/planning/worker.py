"""A process of low priority beside the service, for what takes long: it starts with the first work, and anew after it
died."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

NICE = 15

Result = TypeVar("Result")


class WorkerDied(Exception):
    """The process was killed at its work, perhaps for its memory. What it held is gone; the next work starts one."""


class Worker:
    """One process that does one thing after another."""

    def __init__(self) -> None:
        """No process yet."""
        self._pool: ProcessPoolExecutor | None = None

    @property
    def pids(self) -> list[int]:
        """The process, while there is one."""
        return [] if self._pool is None else list(self._pool._processes or {})  # noqa: SLF001 (see `close`)

    async def run(self, work: Callable[..., Result], *given: object) -> Result:
        """Have a function of a module run with values that can be pickled. Raises what it raises, or WorkerDied."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, initializer=os.nice, initargs=(NICE,))
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *given)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = None
            raise WorkerDied("its process died") from error

    def close(self) -> None:
        """End the process, whatever it is at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 (`terminate_workers` comes with 3.14)
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
