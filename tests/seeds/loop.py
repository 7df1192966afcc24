"""An event loop that is turned by hand: its time is given, and what it hands to threads waits to be run one by one.

It is asyncio's own loop in all else, so the service's coroutines run as they are. Nothing happens in it by itself, and
it can be let go of at any moment, as by a crash.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class NotYet(Exception):
    """A job that would have to wait now; it stays to be done."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a thread would do, and who waits for it."""

    work: Callable[[], Any]
    future: "asyncio.Future[Any]"


class _NoFiles:
    """There is nothing to wait for outside."""

    def select(self, _timeout: float | None) -> list[Any]:
        return []


class HandLoop(asyncio.BaseEventLoop):
    """One node's event loop."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s` is the loop's time."""
        super().__init__()
        self._now_s = now_s
        self._selector = _NoFiles()
        self.jobs: list[Job] = []

    def time(self) -> float:
        """As it was given."""
        return self._now_s()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        """Keep it to be run by hand."""
        future: asyncio.Future[Any] = self.create_future()
        self.jobs.append(Job(lambda: func(*args), future))
        return future

    def _process_events(self, _events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who could be woken."""

    @property
    def next_s(self) -> float | None:
        """When something is due here; None: nothing is."""
        if self._ready:  # type: ignore[attr-defined]
            return self.time()
        waiting = [one.when() for one in self._scheduled if not one.cancelled()]  # type: ignore[attr-defined]
        return min(waiting, default=None)

    @property
    def is_ready(self) -> bool:
        """Whether a turn would do something."""
        return self.next_s is not None and self.next_s <= self.time()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is done within is done as on this loop."""
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def turn(self) -> None:
        """Do all that is ready now."""
        with self.entered():
            self._run_once()  # type: ignore[attr-defined]

    def do(self, index: int) -> None:
        """Do one of the jobs. Only what is no Exception passes through."""
        job = self.jobs.pop(index)
        if job.future.cancelled():
            return
        try:
            result = job.work()
        except NotYet:
            self.jobs.append(job)
        except Exception as error:  # noqa: BLE001 (whoever asked gets it)
            self.call_soon(_end, job.future, None, error)
        else:
            self.call_soon(_end, job.future, result, None)


def _end(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
