"""The answer of `GET …/promise`: made once for all who ask meanwhile. A long line is looked through some at a time, so
that commands need not wait until that is done; who is called meanwhile is left out.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from api.foreseeing import AT_ONCE, chances
from metrics.live.conditions import idle_while_waiting
from metrics.live.promise import Foreseen, expected_misses, promise_document, waiting_document
from models.vocabulary import TicketState
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.order import ahead
from queue_service.view import View

if TYPE_CHECKING:
    from api.live import LiveHalls

IDLE_MS = 30_000
"""What a hall that warns of nothing is shown as idle while waiting."""


@dataclass
class _Made:
    """A hall's latest answer: what it was made of, and how many had asked when that began."""

    key: tuple[Any, ...] = ()
    asked: int = 0
    answer: bytes = b""
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


class Promises:
    """The answers of a node's halls."""

    def __init__(self, live: "LiveHalls") -> None:
        """None was asked for."""
        self._live = live
        self._asked = 0
        self._made: dict[str, _Made] = defaultdict(_Made)

    async def answer(self, view: View, now_ms: int) -> bytes:
        """How the promise stands, made at most once a second while nothing happens."""
        made = self._made[view.hall.id]
        self._asked += 1
        asked, key = self._asked, (view.hall.seq, view.hall.head, now_ms // 1000)
        async with made.making:
            if made.key != key and made.asked < asked:
                begun = self._asked
                made.answer = await self._answer(view)
                made.asked, made.key = begun, key
        return made.answer

    async def _answer(self, view: View) -> bytes:
        rows, soon = list[bytes](), list[float | None]()
        for start, some in enumerate(_some(view.hall)):
            if start:
                await asyncio.sleep(0)
            rows += self._rows(view.hall, some, soon)
        live, hall, now_ms = self._live, view.hall, self._live.now_ms()
        rules = hall.rules.alerts
        document = promise_document(
            hall,
            live.cells(hall, now_ms),
            live.burns(hall, now_ms),
            idle_while_waiting(hall, IDLE_MS if rules is None else rules.idle_ms, now_ms),
            expected_misses(soon),
            orjson.Fragment(b"[%b]" % b",".join(rows)),
            live.watch(hall),
            now_ms,
        )
        return orjson.dumps(document)

    def _rows(self, hall: Hall, some: list[str], soon: list[float | None]) -> Iterator[bytes]:
        now_ms = self._live.now_ms()
        for ticket_id in some:
            ticket = hall.tickets.get(ticket_id)
            if ticket is not None and ticket.state == TicketState.WAITING:
                foreseen = self._foresee(hall, ticket, now_ms)
                soon.append(foreseen.soon)
                yield orjson.dumps(waiting_document(hall, ticket, foreseen, now_ms))

    def _foresee(self, hall: Hall, ticket: Ticket, now_ms: int) -> Foreseen:
        before = ahead(hall, ticket, now_ms)
        chance, soon = chances(hall, ticket, before, self._live.outlooks(hall.id), now_ms)
        return Foreseen(chance, soon, self._live.estimate_of(hall, ticket, before, now_ms))


def _some(hall: Hall) -> Iterator[list[str]]:
    """All who wait, by their places, some at a time."""
    line = merge(*map(list, hall.lanes.values()))
    while some := [place[3] for place in islice(line, AT_ONCE)]:
        yield some
