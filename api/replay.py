"""Recorded days played through the real application: HTTP layer, engine, database, under a clock set by the records.

The application is called in this process over ASGI; nothing of it is replaced but the clock. Each service has one
counter. What happened in the same instant is sent together, issues before calls, and all of it is answered before time
moves on.
"""

import asyncio
from bisect import insort
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import uvloop

from api.app import build
from api.asgi_client import Client, running
from api.replay_figures import Line, recorded, reported
from api.service import Service
from queue_service import journal, schema
from queue_service.clock import HandClock
from queue_service.database import Database
from queue_service.domain.calendar import Calendar, day_of
from queue_service.errors import BadInput, QueueServiceError
from queue_service.history import Recorded, RecordedHall
from queue_service.history_plan import plan_of
from queue_service.settings import Auth, Settings

ISSUE, CALL = 0, 1
OUT_OF_ORDER = "as recorded"
"""The reason of a call that passes over somebody who was never called, or was called later."""


Advance = Callable[[int], None]


class Action(NamedTuple):
    """Something recorded; in the order in which it is to happen."""

    day: str
    at_ms: int
    verb: int
    issued_at_ms: int
    row: int
    hall: str
    ticket: Recorded


@dataclass(slots=True)
class Lane:
    """The line of one service, as far as it is known from the answers, and the one counter that serves it."""

    counter: str
    line: list[tuple[int, int, str]] = field(default_factory=list)
    """When issued, seq of that, ticket id."""


def actions_of(halls: Iterable[RecordedHall]) -> list[Action]:
    """Everything recorded, in order."""
    return sorted(action for hall in halls for ticket in hall.tickets for action in _actions(hall.id, ticket))


def _actions(hall: str, ticket: Recorded) -> Iterator[Action]:
    issued_at_ms = ticket.issued_at_ms
    yield Action(ticket.day, issued_at_ms, ISSUE, issued_at_ms, ticket.row, hall, ticket)
    if ticket.called_at_ms is not None:
        yield Action(ticket.day, ticket.called_at_ms, CALL, issued_at_ms, ticket.row, hall, ticket)


def count_actions(halls: Iterable[RecordedHall]) -> int:
    """How many there are."""
    return sum(1 + (ticket.called_at_ms is not None) for hall in halls for ticket in hall.tickets)


def play(halls: Sequence[RecordedHall], database_url: str, advance: Advance) -> list[Line]:
    """Play the halls, which are in one time zone; each hall's days as the service and as the records have them.

    The database must not hold halls yet. `advance` is told how many more actions are done.
    """
    database = Database(database_url)
    schema.prepare(database)
    found = database.read(journal.all_positions)
    database.close()
    if found:
        raise BadInput(f"The database has halls already ({', '.join(sorted(found)[:5])}): a replay begins with none.")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(halls, database_url, advance))


async def _play(halls: Sequence[RecordedHall], url: str, advance: Advance) -> list[Line]:
    actions = actions_of(halls)
    midnights = Midnights(halls[0].zone)
    clock = HandClock(midnights.before(actions[0].day))
    service = Service(Settings(database_url=url, auth=Auth.OPEN, host="127.0.0.1", token=None), clock)
    async with running(build(service)) as client:
        replay = Replay(client, clock, halls, midnights)
        await replay.set_up()
        for day, of_day in groupby(actions, key=lambda action: action.day):
            await replay.play_day(day, of_day, advance)
        return [line for hall in halls for line in await replay.figures_of(hall)]


class Midnights:
    """When the days of a zone begin and end."""

    def __init__(self, zone: ZoneInfo) -> None:
        """`zone`: of every hall that is replayed."""
        self._calendar = Calendar(zone.key)

    def before(self, day: str) -> int:
        """The midnight with which a local date begins."""
        return day_of(self._calendar, day).start_ms

    def after(self, day: str) -> int:
        """The midnight with which it ends."""
        return day_of(self._calendar, day).end_ms


class Replay:
    """Sends what was recorded to the application, moment by moment."""

    def __init__(self, client: Client, clock: HandClock, halls: Sequence[RecordedHall], midnights: Midnights) -> None:
        """Nothing is sent yet; see `set_up`."""
        self._client = client
        self._clock = clock
        self._halls = halls
        self._midnights = midnights
        self._lanes = {
            (hall.id, service): Lane(f"/v1/halls/{hall.id}/counters/{service}")
            for hall in halls
            for service in hall.services
        }
        self._tickets: dict[int, str] = {}

    async def set_up(self) -> None:
        """Create the halls, open every counter."""
        for hall in self._halls:
            await self._client.ask("PUT", f"/v1/halls/{hall.id}", plan_of(hall))
        await _together(
            self._client.ask("POST", f"{lane.counter}/open", {"clerk": f"clerk of {service}"})
            for (_, service), lane in self._lanes.items()
        )

    async def play_day(self, day: str, actions: Iterable[Action], advance: Advance) -> None:
        """Everything of one local date, its midnights included."""
        await self._turn_day(self._midnights.before(day))
        for at_ms, of_moment in groupby(actions, key=lambda action: action.at_ms):
            self._clock.set_ms(at_ms)
            done = list(of_moment)
            await self._play_moment(at_ms, done)
            advance(len(done))
        await self._turn_day(self._midnights.after(day))
        self._tickets.clear()
        for lane in self._lanes.values():
            lane.line.clear()

    async def _play_moment(self, at_ms: int, actions: Sequence[Action]) -> None:
        """One instant: first all issues and the calls of who was there before, then the calls of who came just now."""
        issues = [action for action in actions if action.verb == ISSUE]
        calls = [action for action in actions if action.verb == CALL]
        before = [action for action in calls if action.issued_at_ms < at_ms]
        await _together([*map(self._issue, issues), *self._calls(before)])
        if len(before) < len(calls):
            await _together(self._calls([action for action in calls if action.issued_at_ms == at_ms]))

    async def _turn_day(self, at_ms: int) -> None:
        """Midnight: looking at a board rolls its hall over.

        The node does the same by itself, once a second. The last command (it changes nothing) is decided after
        whatever the node asked for before it saw the new day, so that nothing is on its way when time moves on.
        """
        self._clock.set_ms(at_ms)
        await _together(self._client.ask("GET", f"/v1/halls/{hall.id}/board") for hall in self._halls)
        await self._client.ask("PUT", f"/v1/halls/{self._halls[0].id}", plan_of(self._halls[0]))

    async def _issue(self, action: Action) -> None:
        place, body = (action.hall, action.ticket.service), {"service": action.ticket.service, "channel": "kiosk"}
        answer = await self._client.ask("POST", f"/v1/halls/{action.hall}/tickets", body)
        self._tickets[action.row] = answer["id"]
        insort(self._lanes[place].line, (action.at_ms, answer["seq"], answer["id"]))

    def _calls(self, actions: Sequence[Action]) -> list[Coroutine[Any, Any, None]]:
        """Counters call side by side; what one counter did in the same instant, it did in order."""
        lanes: dict[tuple[str, str], list[str]] = {}
        for action in actions:
            lanes.setdefault((action.hall, action.ticket.service), []).append(self._tickets[action.row])
        return [self._call_each(self._lanes[place], tickets) for place, tickets in lanes.items()]

    async def _call_each(self, lane: Lane, tickets: Sequence[str]) -> None:
        """The next where the record says so, else the recorded one for a reason."""
        for ticket in tickets:
            if lane.line[0][2] == ticket:
                answer = await self._client.ask("POST", f"{lane.counter}/call-next", {"finish_current": True})
            else:
                wanted = {"ticket": ticket, "reason": OUT_OF_ORDER, "finish_current": True}
                answer = await self._client.ask("POST", f"{lane.counter}/call", wanted)
            if answer is None or answer["id"] != ticket:
                called = "nobody" if answer is None else answer["number"]
                raise QueueServiceError(f"{lane.counter} called {called}, and not the ticket that was next.")
            lane.line.remove(next(place for place in lane.line if place[2] == ticket))

    async def figures_of(self, hall: RecordedHall) -> list[Line]:
        """Each day of a hall, twice."""
        lines = []
        for day in hall.days:
            report = await self._client.ask("GET", f"/v1/halls/{hall.id}/promise-report", query=f"day={day}")
            of_day = [ticket for ticket in hall.tickets if ticket.day == day]
            lines.append(Line(hall.id, day, reported(report), recorded(of_day)))
        return lines


async def _together(asked: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """All at once, in this order: what arrives together is stored together."""
    waiting = list(asked)
    if len(waiting) == 1:
        await waiting[0]
    else:
        await asyncio.gather(*waiting)
