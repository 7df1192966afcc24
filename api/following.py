"""A centre: it follows the log of each hall at the hall's own node, and decides nothing itself.

Each answer begins with the last event that is here already: where the node has another one there, or none, its log has
another history than what is here. Then nothing more is taken until an operator accepts it (`queue-service
accept-history`); what was here alone is set aside, not deleted. While a node does not answer, its hall is stale here.
"""

import asyncio
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from models.wire import rfc3339, rfc3339_or_none
from queue_service import journal
from queue_service.errors import NoOtherHistory, QueueServiceError, ReadOnly, Unavailable
from queue_service.following import FollowedHalls
from queue_service.freshness import STALE_MS
from queue_service.log_file import NoEvent, checked

if TYPE_CHECKING:
    from api.service import Service

LOG = logging.getLogger("queue_service.following")

PAGE_EVENTS = 1_000
BEGINNING = 2
"""A hall's first plan and its first day are stored together: a log is not cut between them."""
TIMEOUT = httpx.Timeout(10, connect=5)

Documents = list[dict[str, Any]]


class NoAnswer(Exception):
    """Why nothing could be read from a hall's node."""


@dataclass(frozen=True, slots=True)
class OtherHistory:
    """The node's log and what is here are the same up to the event `common`; `only_here`: how many here come after."""

    common: int
    only_here: int


@dataclass(slots=True)
class Source:
    """One hall, its own node, and how far it was followed. `confirmed_ms`: the monotonic time at which all that the
    node had was here; `confirmed_at_ms`: the same by the wall clock. `follows`: all there was has been here once."""

    hall: str
    node: str
    token: str | None
    seq: int = 0
    head: str = ""
    confirmed_ms: int | None = None
    confirmed_at_ms: int | None = None
    problem: str | None = "has not answered yet"
    other: OtherHistory | None = None
    follows: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Following:
    """All the halls that a centre follows."""

    def __init__(self, service: "Service") -> None:
        """Nothing is asked until `follow`."""
        self._service = service
        self._clock = service.clock
        self._halls = FollowedHalls()
        self._http: httpx.AsyncClient | None = None
        settings = service.settings
        self._sources = {
            hall: Source(hall, node, settings.follow_tokens.get(hall)) for hall, node in sorted(settings.follow.items())
        }

    async def follow(self) -> None:
        """Follow every hall, as long as the node runs."""
        async with httpx.AsyncClient(timeout=TIMEOUT) as self._http:
            await asyncio.gather(*(self._keep_following(source) for source in self._sources.values()))

    async def _keep_following(self, source: Source) -> None:
        is_placed = False
        while True:
            try:
                async with source.lock:
                    if not is_placed:
                        await self._place(source)
                        is_placed = True
                    while await self._step(source):
                        pass
            except (NoAnswer, NoEvent, QueueServiceError) as fault:
                self._note(source, str(fault).rstrip("."))
            except Exception:
                LOG.exception("following-failed: %s", source.hall)
                self._note(source, "a fault of ours, which was logged")
            await asyncio.sleep(self._service.settings.follow_s)

    async def _place(self, source: Source) -> None:
        """Where the log here ends."""
        found = (await self._service.feed.read(partial(journal.positions, halls=[source.hall]))).get(source.hall)
        source.seq, source.head = (0, "") if found is None else (found.seq, found.head)

    async def _step(self, source: Source) -> bool:
        """Take in one page; whether there is more. Nothing is, while the node has another history."""
        asked_ms, asked_at_ms = self._clock.monotonic_ms(), self._clock.now_ms()
        shown = self._service.feed.hall(source.hall)
        if shown is not None and (shown.seq, shown.head) != (source.seq, source.head):
            await self._place(source)  # somebody else has written to the hall here
        page = await self._events(source, max(source.seq - 1, 0), PAGE_EVENTS)
        if source.seq and not _begins_with(page, source.seq, source.head):
            before = source.seq, source.head
            await self._place(source)
            if (source.seq, source.head) != before:
                return True  # another node of this centre was told to accept the other history
            if source.other is None:
                source.other = await self._compare(source)
            raise NoAnswer(_told(source.other))
        source.other = None
        await self._take(source, page)
        if len(page) == PAGE_EVENTS:
            return True
        self._note(source, None)
        source.confirmed_ms, source.confirmed_at_ms, source.follows = asked_ms, asked_at_ms, True
        return False

    async def _take(self, source: Source, page: Documents) -> None:
        if len(page) <= bool(source.seq):
            return
        events = await self._store(partial(self._halls.take, hall_id=source.hall, documents=page))
        if not events:
            await self._place(source)  # another node of this centre took them in, and this one may not show them yet
            self._service.feed.reached({source.hall: source.seq})
            return
        source.seq, source.head = events[-1].seq, events[-1].head
        self._service.feed.published(events)
        if source.follows:  # what happened before this node began is not its work
            self._service.metrics.observe_followed(events)

    async def _store(self, work: Any) -> Any:
        try:
            return await self._service.engine.maintain(work)
        except Unavailable as error:
            raise NoAnswer(f"its events cannot be stored here: {error}") from error

    def _note(self, source: Source, problem: str | None) -> None:
        """Log what changed, once."""
        if problem != source.problem:
            if problem is None:
                LOG.info("following: %s at %s, from event %d on", source.hall, source.node, source.seq)
            else:
                LOG.warning("not-following: %s at %s: %s", source.hall, source.node, problem)
        source.problem = problem

    # -- asking a node

    async def _events(self, source: Source, after: int, limit: int) -> Documents:
        """A stretch of the node's log. Raises NoAnswer."""
        assert self._http is not None, "follow() first"
        headers = {"Authorization": f"Bearer {source.token}"} if source.token else {}
        url = f"{source.node}/v1/halls/{source.hall}/events"
        try:
            answer = await self._http.get(url, params={"after": after, "limit": limit}, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or "cut off"
            raise NoAnswer(f"cannot be reached ({why})") from error
        try:
            document = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            document = None
        if answer.status_code != httpx.codes.OK:
            detail = document.get("detail") if isinstance(document, dict) else None
            raise NoAnswer(f"answers {answer.status_code}: {detail or 'it is no node of this service'}")
        items = document.get("items") if isinstance(document, dict) else None
        if not isinstance(items, list):
            raise NoAnswer("answers what is no stretch of a log")
        return [checked(one) for one in items]

    async def _compare(self, source: Source) -> OtherHistory:
        """How far the node's log is what is here. Hashes are chained: where two are equal, all before them are."""
        same, differs = 0, source.seq + 1
        while differs - same > 1:
            middle = (same + differs) // 2
            here = await self._service.feed.read(partial(journal.head_at, hall=source.hall, seq=middle))
            there = await self._events(source, middle - 1, 1)
            if _begins_with(there, middle, here):
                same = middle
            else:
                differs = middle
        if same < BEGINNING:
            same = 0
        return OtherHistory(same, source.seq - same)

    # -- another history

    async def accept(self, hall: str) -> dict[str, Any]:
        """An operator says that the node's history is the true one: what is here alone is set aside. Raises
        NoOtherHistory, or Unavailable where the node cannot be asked now."""
        source = self._sources.get(hall)
        if source is None or source.other is None:
            raise NoOtherHistory(f"Nothing of {hall} is to be accepted.", hall=hall)
        async with source.lock:
            try:
                await self._place(source)
                other = await self._compare(source)
                if other.only_here == 0:
                    raise NoOtherHistory(f"{source.node} has all that is here of {hall} again.", hall=hall)
                page = await self._events(source, other.common, PAGE_EVENTS)
                at_ms = self._clock.now_ms()
                await self._store(
                    partial(self._halls.replace, hall_id=hall, after=other.common, documents=page, at_ms=at_ms)
                )
            except (NoAnswer, NoEvent) as fault:
                raise Unavailable(f"{source.node} {fault}") from fault
            source.other = None
            await self._place(source)
            await self._service.feed.begin_again(hall)
        LOG.warning("history-accepted: %s: %d events after %d set aside", hall, other.only_here, other.common)
        return {"hall": hall, "common_seq": other.common, "set_aside": other.only_here, "seq": source.seq}

    # -- how it stands

    def refusal(self, hall: str) -> ReadOnly:
        """Why a command for a hall is not taken here, and where it would be."""
        source = self._sources.get(hall)
        if source is None:
            return ReadOnly("This node only follows halls; it takes no commands.", hall=hall)
        return ReadOnly(f"This node only follows {hall}. Send commands to {source.node}.", hall=hall, node=source.node)

    def lag_ms(self, hall: str) -> float:
        """How long ago all that the hall's node had was here; infinite where it never was, or nobody follows it."""
        source = self._sources.get(hall)
        if source is None or source.confirmed_ms is None:
            return math.inf
        return self._clock.monotonic_ms() - source.confirmed_ms

    def why_stale(self, hall: str) -> str | None:
        """Why what is shown here of a hall must not be trusted to be so now; None where it may."""
        source = self._sources.get(hall)
        if source is None:
            return "this node does not follow the hall" if hall in self._service.feed.views else None
        if source.other is not None:
            return "the log of the hall's node has another history"
        return "the hall's node cannot be read" if self.lag_ms(hall) > STALE_MS else None

    def as_of_ms(self, hall: str) -> int:
        """The moment as of which the hall is shown; for one that was not followed yet, its last event's."""
        source, view = self._sources.get(hall), self._service.feed.views.get(hall)
        if source is not None and source.confirmed_at_ms is not None:
            return source.confirmed_at_ms
        return view.hall.last_at_ms if view is not None else 0

    def stale_halls(self) -> list[str]:
        """Each hall that is stale, and why, for people; without its node's address: anybody may ask."""
        found = ((one, self.why_stale(one.hall)) for one in self._sources.values())
        return [f"{one.hall}: {why} ({_since(one)})" for one, why in found if why is not None]

    def measured(self) -> Iterator[tuple[str, float, bool]]:
        """By hall: seconds since all was here, and whether its node has another history."""
        for one in self._sources.values():
            yield one.hall, self.lag_ms(one.hall) / 1000, one.other is not None

    def documents(self) -> list[dict[str, Any]]:
        """Every hall: its node, how far it was followed, as of when, and what is wrong."""
        return [self._document(source) for source in self._sources.values()]

    def _document(self, source: Source) -> dict[str, Any]:
        lag_ms, other = self.lag_ms(source.hall), source.other
        return {
            "hall": source.hall,
            "node": source.node,
            "seq": source.seq,
            "head": source.head,
            "as_of": rfc3339_or_none(source.confirmed_at_ms),
            "lag_s": None if math.isinf(lag_ms) else lag_ms / 1000,
            "stale": self.why_stale(source.hall) is not None,
            "problem": source.problem,
            "other_history": other and {"common_seq": other.common, "only_here": other.only_here},
        }


def _begins_with(page: Documents, seq: int, head: str | None) -> bool:
    return bool(page) and (page[0]["seq"], page[0]["head"]) == (seq, head)


def _told(other: OtherHistory) -> str:
    return (
        f"has another history after event {other.common}: {other.only_here} events here are not in its log; "
        "once that is explained, run `queue-service accept-history`"
    )


def _since(source: Source) -> str:
    return "never read" if source.confirmed_at_ms is None else f"last read at {rfc3339(source.confirmed_at_ms)}"
