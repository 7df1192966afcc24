"""A load of keyed commands from clerks and visitors that remember what was answered, and what was not.

Every command here appends exactly one event, so that the log and the answers can be held against each other one to one.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

KINDS = {
    "tickets": "ticket_issued",
    "check-in": "ticket_checked_in",
    "call-next": "ticket_called",
    "recall": "ticket_recalled",
    "start": "ticket_started",
    "finish": "ticket_finished",
    "park": "ticket_parked",
    "return": "ticket_returned",
    "transfer": "ticket_transferred",
    "requeue": "ticket_requeued",
    "cancel": "ticket_cancelled",
}


@dataclass
class Asked:
    """One command: what was sent under which key."""

    key: str
    path: str
    body: dict[str, Any] | None

    @property
    def kind(self) -> str:
        """The kind of the event it appends."""
        return KINDS[self.path.rpartition("/")[2]]


@dataclass
class Memory:
    """What all clients together know. `answered`: the event each answer says it made, by its seq."""

    answered: dict[int, tuple[str, str]] = field(default_factory=dict)
    answers: int = 0

    def note(self, asked: Asked, answer: httpx.Response) -> None:
        """An answer came: a 204 changed nothing, any other made one event."""
        self.answers += 1
        assert answer.status_code in (200, 201, 204), f"{asked}: {answer.status_code} {answer.text}"
        if answer.status_code != 204:
            document = answer.json()
            assert document["seq"] not in self.answered, f"{asked} and another command made event {document['seq']}"
            self.answered[document["seq"]] = (asked.kind, document["id"])


Steps = Callable[["Client"], Iterator[tuple[str, Any]]]
"""Path and body of one command after the other."""


class Client:
    """A clerk or a visitor; asks one thing at a time and repeats, with its key, what was not answered."""

    def __init__(self, name: str, memory: Memory, choose: Steps) -> None:
        """`choose` yields path and body of the next command; the answer is then in `last`."""
        self._name = name
        self._memory = memory
        self._keys = count(1)
        self._steps = choose(self)
        self._pending: Asked | None = None
        self.last: dict[str, Any] | None = None

    async def settle(self, http: httpx.AsyncClient) -> None:
        """Repeat, with its key, the command that got no answer."""
        if self._pending is not None:
            await self._send(http, self._pending)

    async def run(self, http: httpx.AsyncClient) -> None:
        """Go on until the node is gone."""
        try:
            while True:
                if self._pending is None:
                    path, body = next(self._steps)
                    self._pending = Asked(f"{self._name}-{next(self._keys)}", path, body)
                await self._send(http, self._pending)
        except httpx.TransportError:
            return

    async def _send(self, http: httpx.AsyncClient, asked: Asked) -> None:
        self._note(asked, await http.post(asked.path, json=asked.body, headers={"Idempotency-Key": asked.key}))

    def _note(self, asked: Asked, answer: httpx.Response) -> None:
        self._memory.note(asked, answer)
        self._pending = None
        self.last = answer.json() if answer.content else None

    @property
    def is_waiting(self) -> bool:
        """Whether a command of its own has no answer yet."""
        return self._pending is not None


def visitor(hall: str, chance: random.Random) -> Steps:
    """Takes tickets at the kiosk, and some on the web that it then checks in or gives up."""

    def steps(client: Client) -> Iterator[tuple[str, Any]]:
        while True:
            channel = chance.choice(["kiosk", "kiosk", "kiosk", "web"])
            yield f"/v1/halls/{hall}/tickets", {"service": chance.choice(["tax", "land"]), "channel": channel}
            if channel == "web" and client.last is not None:
                yield f"/v1/tickets/{client.last['id']}/{chance.choice(['check-in', 'cancel'])}", None

    return steps


def clerk(hall: str, counter: str, chance: random.Random) -> Steps:
    """Calls, serves, and now and then recalls, parks, transfers or puts back."""

    def steps(client: Client) -> Iterator[tuple[str, Any]]:
        while True:
            yield f"/v1/halls/{hall}/counters/{counter}/call-next", None
            if client.last is None:
                continue
            ticket = f"/v1/tickets/{client.last['id']}"
            if chance.random() < 0.2:
                yield f"{ticket}/recall", None
            yield f"{ticket}/start", None
            yield from _end(ticket, counter, chance)

    return steps


def _end(ticket: str, counter: str, chance: random.Random) -> Iterator[tuple[str, Any]]:
    end = chance.choice(["finish", "finish", "finish", "park", "transfer", "requeue"])
    if end == "park":
        yield f"{ticket}/park", {"reason": "materials"}
        yield f"{ticket}/return", {"counter": counter}
        yield f"{ticket}/finish", None
    elif end == "transfer":
        yield f"{ticket}/transfer", {"service": chance.choice(["tax", "land"])}
    else:
        yield f"{ticket}/{end}", None
