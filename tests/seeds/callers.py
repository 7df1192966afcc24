"""Those who want something of a hall: what they ask, and what they make of the answers.

Each wish has a name of its own, and is asked in that name: as its actor, its idempotency key, and a ticket's `ref`. So
whoever reads the log can tell whose an event is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

import orjson

from models.vocabulary import Channel
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.hall import Hall
from queue_service.submission import Answer, Keyed
from tests.metrics.driving import plan_document
from tests.seeds.node import Node

COUNTERS = ("1", "2", "3")
SERVICES = ({"id": "tax", "name": "tax", "prefix": "A"}, {"id": "land", "name": "land", "prefix": "B"})
KNOWN = 6
"""A caller speaks of one of so many tickets that were heard of last."""


@cache
def plan(hall: str, name: str) -> dict[str, Any]:
    """Three counters, two services without quotas: nobody is turned away."""
    return plan_document(id=hall, name=name, services=list(SERVICES))


@dataclass
class Wish:
    """What somebody wants done once. `answers`: what came back, each the list of the command's events; the counts say
    how else attempts ended."""

    name: str
    hall: str
    command: c.Command
    is_keyed: bool
    answers: list[list[dict[str, Any]]] = field(default_factory=list)
    refused: int = 0
    undecided: int = 0
    unknown: int = 0
    asked: int = 0
    pending: int = 0

    @property
    def is_over(self) -> bool:
        """Whether its caller asks no more: it was answered or refused, or may not be asked twice."""
        if self.pending:
            return False
        return bool(self.answers or self.refused or (self.unknown and not self.is_keyed))

    def ask(self, node: Node, ended: Callable[["Wish", Node, Any], None]) -> None:
        """Ask once; `ended` is told of an Answer or an error, on the node's event loop."""
        keyed = Keyed(self.name, "POST", f"/{self.name}", self.name) if self.is_keyed else None
        self.asked += 1
        command = self.command
        if isinstance(command, c.IssueTicket):  # the edge makes a new id at each attempt
            command = replace(command, ticket=f"{command.ticket}-{self.asked}")
        with node.loop.entered():
            try:
                future = node.engine.submit(
                    self.hall, command, actor=self.name, channel=Channel.API, answering=answer, keyed=keyed
                )
            except errors.Unavailable:
                self.undecided += 1
                return
        self.pending += 1
        future.add_done_callback(lambda done: ended(self, node, done.exception() or done.result()))

    def take(self, result: Answer | Exception) -> None:
        """An attempt has ended."""
        self.pending -= 1
        if isinstance(result, Answer):
            self.answers.append(orjson.loads(result.body) if result.body else [])
        elif isinstance(result, errors.OutcomeUnknown):
            self.unknown += 1
        elif isinstance(result, errors.Refusal):
            self.refused += 1
        else:  # 503 or 500: not done
            self.undecided += 1

    def lose(self) -> None:
        """An attempt will never end: its node is gone."""
        self.pending -= 1
        self.unknown += 1


def answer(_hall: Hall, events: Sequence[Logged], _now_ms: int) -> Answer:
    """All that the command did, with each event's hash."""
    if not events:
        return Answer(204)
    told = [
        {"seq": one.seq, "head": one.head, "kind": one.event.KIND, "ticket": getattr(one.event, "ticket", None)}
        for one in events
    ]
    return Answer(200, orjson.dumps(told))


def opening(hall: str) -> list[c.Command]:
    """What a hall begins with."""
    return [c.PutPlan(plan(hall, "hall")), *(c.OpenCounter(name, f"clerk-{name}") for name in COUNTERS[:2])]


_OF_TICKETS: tuple[Callable[[str, Random], c.Command], ...] = (
    lambda ticket, _: c.Start(ticket),
    lambda ticket, _: c.Finish(ticket),
    lambda ticket, _: c.Finish(ticket),
    lambda ticket, _: c.Requeue(ticket),
    lambda ticket, _: c.Recall(ticket),
    lambda ticket, _: c.NoShow(ticket),
    lambda ticket, _: c.Rejoin(ticket),
    lambda ticket, _: c.Cancel(ticket),
    lambda ticket, random: c.Transfer(ticket, random.choice(SERVICES)["id"]),
    lambda ticket, random: c.HandOver(ticket, random.choice(COUNTERS)),
)


def drawn(random: Random, hall: str, name: str, known: Sequence[str]) -> c.Command:
    """Something that is often possible."""
    kind, counter = random.random(), random.choice(COUNTERS)
    if kind < 0.4:
        return c.IssueTicket(f"{hall}.{name}", random.choice(SERVICES)["id"], ref=name)
    if kind < 0.65:
        return c.CallNext(counter, finish_current=random.random() < 0.7)
    if kind < 0.9 and known:
        return random.choice(_OF_TICKETS)(random.choice(known[-KNOWN:]), random)
    if kind < 0.97:
        return random.choice((c.OpenCounter(counter, f"clerk-{counter}"), c.CloseCounter(counter), c.CallHelp(counter)))
    return c.PutPlan(plan(hall, f"hall {random.randrange(3)}"))
