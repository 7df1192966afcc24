"""How the random days give their commands: one by one or together, mostly such as fit the state of the hall."""

from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from queue_service.domain import commands as c
from tests.model import days, line
from tests.model.deciding import Asked
from tests.model.driving import Side
from tests.model.state import HallModel
from tests.model.tickets import ALLOWED

START_MS = days.instant({"time_zone": "Asia/Shanghai"}, "2026-03-28", "08:30")
"""A Saturday; in Warsaw the next night loses an hour."""
PENDING = 6


class Asking(RuleBasedStateMachine):
    """Two halls of one database, their model, and what was asked last."""

    def __init__(self) -> None:
        """Nothing is there yet."""
        super().__init__()
        self.side = Side(START_MS)
        self.issued = 0
        self.warned = 0
        self.advised = 0
        self.keyed: list[Asked] = []
        self._last: dict[str, str] = {}

    def teardown(self) -> None:
        """What is still pending is decided, too."""
        try:
            self.side.flush()
            self.side.comparison.check_whole(self.side.model)
        finally:
            self.side.close()

    def hall(self, name: str) -> HallModel:
        """The model of a hall."""
        return self.side.model.halls[name]

    def present(self, name: str) -> HallModel:
        """The same, as of now."""
        hall = self.hall(name)
        hall.now_ms = max(self.side.clock.now_ms(), hall.last_at_ms)
        return hall

    def ask(self, name: str, command: c.Command, now: bool, key: bool = False, late: bool = False) -> None:
        """Give a command, alone or with others."""
        parts = {"ticket": "ticket", "counter": "counter", "to_counter": "counter"}
        self._last |= {part: value for field, part in parts.items() if (value := getattr(command, field, None))}
        token = self.side.token()
        asked = Asked(name, command, token, f"key {token}" if key else None, f"body {token}", late)
        if key:
            self.keyed.append(asked)
        self.send(asked, now)

    def send(self, asked: Asked, now: bool) -> None:
        """Give it to both sides."""
        self.side.ask(asked)
        if now or len(self.side.pending) >= PENDING:
            self.side.flush()

    def new_id(self, name: str) -> str:
        """A ticket's id."""
        self.issued += 1
        return f"{name}.{self.issued:04d}"

    def pick(self, name: str, states: tuple[str, ...], number: int, odd: bool = False) -> str:
        """A ticket in one of the states, or (odd) any that ever was; one that never was where there is none. Half of
        the time it is that of the last command: then things happen to a ticket one upon another."""
        everyone = self.hall(name).tickets.values()
        fitting = [one.id for one in everyone if odd or one.state in states]
        if number % 2 and self._last.get("ticket") in fitting:
            return self._last["ticket"]
        leaving = [one for one in fitting if self._is_last(name, one)]
        if number % 4 == 2 and leaving:
            return leaving[0]
        return fitting[number // 2 % len(fitting)] if fitting else f"{name}.none"

    def _is_last(self, name: str, ticket: str) -> bool:
        """Whether a counter is to pause after this one."""
        hall = self.hall(name)
        counter = hall.tickets[ticket].counter
        return counter is not None and hall.counters[counter].pause_after is not None

    def tell(self, name: str, kind: type[c.TicketCommand], now: bool, number: int, odd: bool, *more: Any) -> None:
        """A command to a ticket that it fits; where there is none, what brings the hall nearer to one."""
        ticket = self.pick(name, ALLOWED[kind], number, odd)
        if ticket.endswith("none") and not odd:
            self.ask(name, self.on_the_way(name, number), now)
        else:
            self.ask(name, kind(ticket, *more), now)

    def on_the_way(self, name: str, number: int) -> c.Command:
        """Start whom a counter has called, open a closed counter, call to an idle one, or take a number."""
        hall = self.hall(name)
        called = hall.in_state("called")
        if called:
            return (c.Start, c.Start, c.Start, c.NoShow)[number % 4](called[0].id)
        closed = [one.id for one in hall.counters.values() if not one.is_open]
        if closed and number % 3 == 0:
            return c.OpenCounter(closed[0], f"clerk {number}")
        if any(line.next_for(hall, one) for one in hall.counters.values() if one.is_open):
            return c.CallNext(self.counter(name, number, idle=True))
        return c.IssueTicket(self.new_id(name), hall.rules["services"][0]["id"])

    def counter(self, name: str, place: int, odd: bool = False, idle: bool = False) -> str:
        """A counter with a clerk (idle, if asked for), or (odd) any of the plan, or one that is not. Half of the time
        it is that of the last command, too."""
        hall = self.hall(name)
        if odd:
            return [*hall.counters, "9"][place % (len(hall.counters) + 1)]
        staffed = [one for one in hall.counters.values() if one.is_open]
        fitting = [one.id for one in staffed if not idle or not (one.pause or hall.held(one.id))]
        if place % 2 and self._last.get("counter") in fitting:
            return self._last["counter"]
        return fitting[place // 2 % len(fitting)] if fitting else next(iter(hall.counters))
