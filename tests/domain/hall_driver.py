"""A hall driven by hand: commands through decide and evolve, a clock that stands until it is set, nothing stored."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import pytest

from models.plan import PlanDocument
from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.domain.events import Event, Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Counter, Hall, Leg, Ticket
from queue_service.domain.rules import decide
from queue_service.errors import Refusal

AnyRefusal = TypeVar("AnyRefusal", bound=Refusal)

MIDNIGHT_MS = 1_772_380_800_000
"""Monday 2026-03-02, 00:00 in Asia/Shanghai (UTC+8, no DST)."""
DAY_MS = 86_400_000


def at(hour: int, minute: int = 0, second: int = 0, ms: int = 0) -> int:
    """A moment of that Monday, local time, in milliseconds since 1970 UTC; hour 24 and beyond is Tuesday."""
    return MIDNIGHT_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms


def plan_document(**changes: Any) -> dict[str, Any]:
    """Two services, three counters that serve both, two classes; web tickets check in; peak from 9 to 11."""
    document = {
        "id": "hall",
        "name": "大厅",
        "time_zone": "Asia/Shanghai",
        "max_overtake_s": 1800,
        "calendar": {"peaks": [{"start": "09:00", "end": "11:00"}]},
        "services": [{"id": "a", "name": "税务", "prefix": "A"}, {"id": "b", "name": "社保", "prefix": "B"}],
        "priorities": [{"id": "normal", "name": "普通"}, {"id": "elder", "name": "老年", "order_target_percent": 50}],
        "counters": [{"id": name, "name": name} for name in ("1", "2", "3")],
        "check_in_channels": ["web"],
        "emergency_prefix": "P",
        **changes,
    }
    return PlanDocument.model_validate(document).model_dump(mode="json")


def picture(hall: Hall) -> dict[str, Any]:
    """Everything a hall knows as plain values, so that two moments can be compared."""
    return {
        "place": (hall.seq, hall.head, hall.last_at_ms),
        "plan": (hall.rules.document, hall.plan_version, hall.plan_seq),
        "day": (hall.today, hall.day_seq),
        "tickets": {name: asdict(ticket) for name, ticket in hall.tickets.items()},
        "lanes": {key: list(lane) for key, lane in hall.lanes.items() if lane},
        "counters": {name: asdict(counter) for name, counter in hall.counters.items()},
        "numbers": (
            dict(hall.number_counts),
            {prefix: sorted(gaps) for prefix, gaps in hall.number_gaps.items() if gaps},
        ),
        "quota": dict(hall.quota_used),
        "suspensions": (dict(hall.suspensions), list(hall.suspended_spans)),
        "chosen": hall.chosen_calls,
        "advice": {name: asdict(advised) for name, advised in hall.advice.items()},
        "alerts": {name: asdict(alert) for name, alert in hall.alerts.items()},
    }


class HallDriver:
    """Sends commands as the engine does: a due rollover first, each event applied before the next is drawn."""

    def __init__(self, start_ms: int | None = None, open_counters: Sequence[str] = ("1", "2"), **changes: Any) -> None:
        """A planned hall with some counters open; `changes` replace parts of the plan."""
        self.hall = Hall("hall")
        self.now_ms = at(8) if start_ms is None else start_ms
        self.log: list[Logged] = []
        self._issued = 0
        self.do(c.PutPlan(plan_document(**changes)))
        self.open(*open_counters)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(seconds * 1000)

    def do(self, command: c.Command) -> list[Logged]:
        """Run a command; its events."""
        if self.hall.is_due(self.now_ms) and not isinstance(command, c.OpenDay):
            self._run(c.OpenDay())
        return self._run(command)

    def refused(self, command: c.Command, kind: type[AnyRefusal]) -> AnyRefusal:
        """Run a command that must be refused and change nothing; the refusal."""
        before, length = picture(self.hall), len(self.log)
        with pytest.raises(kind) as caught:
            self._run(command)
        assert picture(self.hall) == before
        assert len(self.log) == length
        return caught.value

    def _run(self, command: c.Command) -> list[Logged]:
        command_seq, length = self.hall.seq + 1, len(self.log)
        for event in decide(self.hall, command, self.now_ms):
            self._append(command_seq, event)
        return self.log[length:]

    def _append(self, command_seq: int, event: Event) -> None:
        seq = self.hall.seq + 1
        head = hashlib.sha256(f"{self.hall.head}{seq}{event}".encode()).hexdigest()
        logged = Logged(self.hall.id, seq, command_seq, self.now_ms, "test", Channel.API, event, head)
        self.log.append(logged)
        evolve(self.hall, logged)

    # -- short forms

    def open(self, *counters: str) -> None:
        """Sign a clerk on at each of the counters."""
        for counter in counters:
            self.do(c.OpenCounter(counter, f"clerk-{counter}"))

    def issue(self, service: str = "a", **fields: Any) -> str:
        """Take a ticket at the kiosk; its id."""
        ticket = self.next_id()
        self.do(c.IssueTicket(ticket, service, **{"channel": Channel.KIOSK, **fields}))
        return ticket

    def next_id(self) -> str:
        """A ticket id that was not used before."""
        self._issued += 1
        return f"t{self._issued}"

    def call(self, counter: str = "1", finish_current: bool = False) -> str | None:
        """Press call-next; the ticket the counter then holds."""
        self.do(c.CallNext(counter, finish_current))
        return self.hall.counters[counter].ticket

    def serve(self, ticket: str, counter: str = "1") -> str:
        """Call a certain ticket to a counter and start it."""
        self.do(c.CallChosen(counter, "test", ticket=ticket))
        self.do(c.Start(ticket))
        return ticket

    def ticket(self, name: str) -> Ticket:
        """A ticket as it is now or, when the hall has forgotten it, as it was at its end."""
        return self.hall.tickets.get(name) or self.hall.touched[name]

    def leg(self, name: str) -> Leg:
        """A ticket's present leg."""
        return self.ticket(name).leg

    def counter(self, name: str) -> Counter:
        """A counter."""
        return self.hall.counters[name]

    def calls(self, counter: str = "1") -> list[str]:
        """Everyone a counter calls, one after another without time passing, until nobody is left."""
        called = []
        while (ticket := self.call(counter, finish_current=True)) is not None:
            called.append(ticket)
        return called
