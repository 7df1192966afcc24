"""A command on its way, and the answer that it gets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.domain.value import value
from queue_service.receipts import ReceiptKey


@value(frozen=True, slots=True)
class Answer:
    """What the caller gets and the receipt keeps: an HTTP-like status, headers, a body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


@value(frozen=True, slots=True)
class Keyed:
    """An idempotency key and the request it came with."""

    key: str
    method: str
    path: str
    body_hash: str


Answering = Callable[[Hall, Sequence[Logged], int], Answer]
"""Makes the answer from the hall after the command, the command's events and the time; runs in the transaction."""


@dataclass(slots=True)
class Submission:
    """One command on its way: who asks, how to answer, until when (monotonic ms) it may be decided. `skips`: how many
    batches went by without it, because another node held its hall."""

    hall: str
    command: c.Command
    actor: str
    channel: str
    answering: Answering
    deadline_ms: int
    keyed: Keyed | None = None
    result: Answer | Exception | None = None
    events: list[Logged] = field(default_factory=list)
    skips: int = 0

    @property
    def receipt_key(self) -> ReceiptKey | None:
        """The receipt's key, if the request had one."""
        return None if self.keyed is None else (self.actor, self.hall, self.keyed.key)
