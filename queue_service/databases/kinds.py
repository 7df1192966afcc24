"""What `queue_service.database` needs of a kind of database."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from queue_service.clock import Clock

Heard = Callable[[Mapping[str, int] | None], None]
"""Told by other nodes where the logs of some halls end now; of no halls ({}) when that begins: anything may have
happened before; None when it ends, until it begins anew."""


class Failure(StrEnum):
    """What an error before COMMIT means for the transaction. In each case it is rolled back."""

    PASSING = "passing"
    """Run it again: a deadlock, a lock not given in time, a connection that was lost."""
    UNAVAILABLE = "unavailable"
    """The database cannot do it now."""
    LASTING = "lasting"
    """It will never do it."""


class Kind(Protocol):
    """One database of some kind."""

    place: str
    """Where it is, for people: without passwords."""
    writer: Engine
    readers: Engine

    def exists(self) -> bool:
        """Whether there is something to read, as far as can be told without asking what it is."""
        ...

    def failure(self, error: Exception) -> Failure:
        """What an error of a statement means."""
        ...

    def scribe(self) -> tuple[str, dict[str, Any]]:
        """What the process that stores batches (see `queue_service.scribe`) has to know to open it: the kind's name,
        and how."""
        ...

    def unhurried(self, connection: Connection) -> None:
        """Let this transaction take its time, alone with the schema."""
        ...

    def clock(self) -> Clock:
        """The clock that events are dated by."""
        ...

    def set_clock(self, clock: Clock) -> None:
        """Set it, where it is not this machine's own."""
        ...

    def changed(self) -> str:
        """A word that changes whenever anyone commits."""
        ...

    def notify(self, ends: Mapping[str, int]) -> None:
        """Tell other nodes where the logs of some halls end now."""
        ...

    async def listen(self, heard: Heard) -> None:
        """Be told of what others say so, until cancelled."""
        ...

    def tidy(self) -> None:
        """What has to be done now and then, off the commit path."""
        ...

    def tidy_between(self) -> None:
        """What the writer has to do between transactions."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
