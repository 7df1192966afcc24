"""A recorded day run once more through the live hall's own rules, with something changed.

From outside come, at their recorded instants: visitors, clerks signing on and off and pausing, suspensions, plans.
What happens to a ticket at a counter takes as long as it took; an errand and the patience of who gives up, too. Who is
called is for the rules to say; how long a counter takes to call once it could is its own recorded series of such
delays. Drawn at random (`drawn`) is only what was never seen: the delays of counters beyond their series, and the
service of visitors who were never served.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count

from models.vocabulary import HELD_STATES, CounterState, TicketState
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Counter, Hall, Ticket
from queue_service.domain.rules import decide
from queue_service.domain.rules.tickets import pause_if_asked
from queue_service.planning.whatif.again import again
from queue_service.planning.whatif.changes import Changes, Narrowed
from queue_service.planning.whatif.recorded import Recorded, Step
from queue_service.planning.whatif.stage import TICKS, Stage, ms_of

DEFAULT_HELD = 8 * 60_000 * TICKS
DEFAULT_DELAY = 5_000 * TICKS
CLERK = "what-if"
Work = Callable[[int], None]


@dataclass(frozen=True)
class Replayed:
    """How the day went. `drawn`: whether chance had a part; `imputed`: visitors served who never were in fact;
    `unrepeated`: happenings that had no place in the changed day (a chosen call, a hand-over, a cancelled wait)."""

    hall: Hall
    drawn: bool
    imputed: int
    unrepeated: int


def replay(recorded: Recorded, changes: Changes | None = None, seed: int = 1) -> Replayed:
    """Run the day; `seed` decides what is drawn, if anything."""
    return _Run(recorded, changes or Changes(), random.Random(seed)).go()  # noqa: S311 (no secret)


class _Run:
    def __init__(self, recorded: Recorded, changes: Changes, chance: random.Random) -> None:
        self.recorded, self.changes, self.chance = recorded, changes, chance
        self.stage = Stage(recorded.opening)
        self.hall, self.plan = self.stage.hall, self.stage.hall.rules
        self.heap: list[tuple[int, int, Work]] = []
        self.order = count()
        self.place = dict.fromkeys(recorded.lives, 0)
        self.version = dict.fromkeys(recorded.lives, 0)
        self.used = dict.fromkeys(self.plan.counters, 0)
        self.closing: set[str] = set()
        self.narrowed = Narrowed()
        self.drawn, self.imputed, self.unrepeated = False, 0, 0
        self.delays = [one.ticks for chances in recorded.chances.values() for one in chances if one.taken]

    def go(self) -> Replayed:
        """Everything in the order of its ticks."""
        begins = self.hall.last_at_ms * TICKS
        for name, counter in self.hall.counters.items():
            self.narrowed.note(name, counter.services)
        self._change_plan(begins)
        for ticket in list(self.hall.tickets):
            self._follow(ticket, begins)
        for step in self.recorded.outside:
            self._at(step.tick, partial(self._outside, step))
        self._schedule_changes()
        self._look(begins)
        end = self.recorded.end_ms * TICKS
        while self.heap and self.heap[0][0] < end:
            tick, _, work = heappop(self.heap)
            while (wake := self.stage.woken(tick)) is not None:
                self._look(wake)
                heappush(self.heap, (tick, next(self.order), work))
                tick, _, work = heappop(self.heap)
            work(tick)
            self._look(tick)
        return Replayed(self.hall, self.drawn, self.imputed, self.unrepeated)

    def _at(self, tick: int, work: Work) -> None:
        heappush(self.heap, (tick, next(self.order), work))

    def _do(self, events: Iterable[ev.Event], tick: int) -> None:
        for event in events:
            self.stage.apply(event, tick)

    # -- what is changed

    def _schedule_changes(self) -> None:
        for at_ms in self.changes.instants_ms():
            self._at(at_ms * TICKS, self._change_plan)
        for name, more in self.changes.extras().items():
            opened = ev.CounterOpened(counter=name, clerk=f"{CLERK}{name}", services=None)
            self._at(more.from_ms * TICKS, partial(self._outside, Step(0, opened)))
            self._at(more.to_ms * TICKS, partial(self._outside, Step(0, ev.CounterClosed(counter=name, forced=None))))
        for more in self.changes.more:
            if more.count < 0:
                withheld: set[str] = set()
                self._at(more.from_ms * TICKS, partial(self._withhold, -more.count, withheld))
                self._at(more.to_ms * TICKS, partial(self._give_back, withheld))

    def _withhold(self, number: int, names: set[str], tick: int) -> None:
        """Of the counters open now, the last of the plan call nobody."""
        free = [one.id for one in self.hall.counters.values() if one.is_open and one.id not in self.stage.withheld]
        names.update(free[-number:])
        self.stage.withheld |= names

    def _give_back(self, names: set[str], tick: int) -> None:
        self.stage.withheld -= names

    def _change_plan(self, tick: int) -> None:
        if not self.changes.anything:
            return
        now_ms, hall = ms_of(tick), self.hall
        hall.plan = self.changes.plan(self.plan, now_ms)
        for name in hall.plan.counters:
            if name not in hall.counters:
                hall.counters[name] = Counter(name, since_ms=now_ms)
        for name, services in self.narrowed.served(self.changes, now_ms).items():
            if name in hall.counters and hall.counters[name].is_open:
                hall.counters[name].services = services

    # -- what comes from outside

    def _outside(self, step: Step, tick: int) -> None:
        event = step.event
        if isinstance(event, ev.PlanChanged):
            self._put_plan(event, tick)
        elif isinstance(event, ev.TicketCalled):
            self._call_chosen(event, tick)
        elif isinstance(event, ev.CounterEvent):
            self._do(self._at_counter(event, ms_of(tick)), tick)
        else:
            self.stage.apply(event, tick)
            if isinstance(event, ev.TicketIssued | ev.TicketBackfilled):
                self._follow(event.ticket, tick)

    def _put_plan(self, event: ev.PlanChanged, tick: int) -> None:
        added = {name: self.hall.counters[name] for name in self.changes.extras()}
        self.stage.apply(event, tick)
        self.plan = self.hall.rules
        self.hall.counters.update(added)
        self.used = {**dict.fromkeys(self.plan.counters, 0), **self.used}
        self._change_plan(tick)

    def _at_counter(self, event: ev.CounterEvent, now_ms: int) -> Iterable[ev.Event]:
        """As recorded where the counter is in the state for it; what frees it is waited for, as clerks do."""
        counter = self.hall.counters[event.counter]
        if isinstance(event, ev.CounterOpened):
            self.narrowed.note(counter.id, event.services)
            self.closing.discard(counter.id)
            if counter.is_open:
                return [ev.CounterRelieved(counter=counter.id, clerk=event.clerk)]
            services = event.services and self.changes.served(counter.id, tuple(event.services), now_ms)
            return [replace(event, services=services)]
        held = counter.ticket is not None
        if isinstance(event, ev.CounterClosed) and held and counter.is_open:
            self.closing.add(counter.id)
        elif counter.is_open:
            return [_paused(event, held)]
        return []

    def _call_chosen(self, event: ev.TicketCalled, tick: int) -> None:
        ticket, counter = self.hall.tickets.get(event.ticket), self.hall.counters[event.counter]
        idle = self.hall.counter_state(counter) == CounterState.IDLE
        if ticket is None or ticket.state != TicketState.WAITING or not idle:
            self.unrepeated += 1
            return
        self.stage.since.pop(counter.id, None)
        waited_ms = self.hall.waited_ms(ticket.leg, ms_of(tick))
        self.stage.apply(replace(event, clerk=counter.clerk or "", service=ticket.service, waited_ms=waited_ms), tick)
        self._called(ticket.id, tick)

    # -- a ticket's own story

    def _follow(self, ticket_id: str, tick: int) -> None:
        """Wait for the next step of a ticket, as long after the last as it was recorded."""
        ticket, life = self.hall.tickets.get(ticket_id), self.recorded.lives[ticket_id]
        self.version[ticket_id] += 1
        if ticket is None:
            return
        held = ticket.state in HELD_STATES
        place = self.place[ticket_id]
        while held and place < len(life.steps) and isinstance(life.steps[place].event, ev.TicketCalled):
            place += 1
        self.place[ticket_id] = place
        if place == len(life.steps):
            if held:
                self._serve_unseen(ticket, tick)
            return
        step = life.steps[place]
        if not isinstance(step.event, ev.TicketCalled):
            before = life.steps[place - 1].tick if place else life.begins
            self._at(tick + step.tick - before, partial(self._step, ticket_id, self.version[ticket_id]))

    def _step(self, ticket_id: str, version: int, tick: int) -> None:
        ticket = self.hall.tickets.get(ticket_id)
        if ticket is None or version != self.version[ticket_id]:
            return
        place = self.place[ticket_id]
        self.place[ticket_id] = place + 1
        step = self.recorded.lives[ticket_id].steps[place]
        event = again(self.hall, step.event, ticket, ms_of(tick), ms_of(step.tick))
        if event is None:
            self.unrepeated += 1
        else:
            counter = ticket.counter
            self.stage.apply(event, tick)
            self._do(() if step.by_force else pause_if_asked(self.hall, counter), tick)
        self._follow(ticket_id, tick)

    def _serve_unseen(self, ticket: Ticket, tick: int) -> None:
        """Serve somebody of whom it is not known how long that takes, or only that it took longer than to the end."""
        life = self.recorded.lives[ticket.id]
        if life.held_at_end:
            last = life.steps[-1].tick if life.steps else life.begins
            still = self.recorded.end_ms * TICKS - last
            self._at(tick + still, partial(self._impute, ticket, self.version[ticket.id]))
        else:
            self._impute(ticket, self.version[ticket.id], tick)

    def _impute(self, ticket: Ticket, version: int, tick: int) -> None:
        if version != self.version[ticket.id]:
            return
        self.drawn, self.imputed = True, self.imputed + 1
        every = [one for held in self.recorded.held_ticks.values() for one in held]
        sample = self.recorded.held_ticks.get(ticket.service) or every or [DEFAULT_HELD]
        self._at(tick + self.chance.choice(sample), partial(self._finish, ticket.id, version))

    def _finish(self, ticket_id: str, version: int, tick: int) -> None:
        ticket = self.hall.tickets.get(ticket_id)
        if ticket is None or version != self.version[ticket_id] or ticket.counter is None:
            return
        said = (ticket.id, ticket.number, ticket.service, ticket.counter)
        if ticket.state == TicketState.CALLED:
            self.stage.apply(ev.TicketStarted(*said, implied=True), tick)
        self.stage.apply(ev.TicketFinished(*said), tick)
        self._do(pause_if_asked(self.hall, said[3]), tick)

    def _called(self, ticket_id: str, tick: int) -> None:
        """Somebody was called: what was recorded of the wait is passed over, unless it leads to another line."""
        steps = self.recorded.lives[ticket_id].steps
        place = self.place[ticket_id]
        while place < len(steps) and isinstance(steps[place].event, ev.TicketPostponed | ev.TicketCancelled):
            self.unrepeated += 1
            place += 1
        self.place[ticket_id] = place
        if place < len(steps) and isinstance(steps[place].event, ev.TicketTransferred | ev.TicketChanged):
            self.version[ticket_id] += 1
            self._at(tick + 1, partial(self._step, ticket_id, self.version[ticket_id]))
            return
        self._follow(ticket_id, tick)

    # -- who calls when

    def _look(self, tick: int) -> None:
        for name in sorted(self.closing):
            if self.hall.counters[name].ticket is None:
                self.closing.discard(name)
                self.stage.apply(ev.CounterClosed(counter=name, forced=None), tick)
        began, _ = self.stage.look(tick)
        for name in began:
            number = self.used.get(name, 0)
            self.used[name] = number + 1
            chances = self.recorded.chances.get(name, ())
            if number >= len(chances):
                self._late(name, tick, tick)
            elif chances[number].taken:
                self._at(tick + chances[number].ticks, partial(self._press, name, tick))
            else:
                self._at(tick + chances[number].ticks + 1, partial(self._late, name, tick))

    def _late(self, name: str, began: int, tick: int) -> None:
        """Nothing is recorded of how long the counter would have taken (or gone on taking): a delay of the day's."""
        if self.stage.since.get(name) == began:
            self.drawn = True
            delay = self.chance.choice(self.delays) if self.delays else DEFAULT_DELAY
            self._at(tick + delay, partial(self._press, name, began))

    def _press(self, name: str, began: int, tick: int) -> None:
        if self.stage.since.get(name) != began:
            return
        del self.stage.since[name]
        for event in decide(self.hall, c.CallNext(name), ms_of(tick)):
            self.stage.apply(event, tick)
            if isinstance(event, ev.TicketCalled):
                self._called(event.ticket, tick)


def _paused(event: ev.CounterEvent, held: bool) -> ev.CounterEvent:
    """A pause as the counter can have it: now, or after the ticket that it holds."""
    if isinstance(event, ev.CounterPaused) and held:
        return ev.CounterPauseRequested(counter=event.counter, reason=event.reason)
    if isinstance(event, ev.CounterPauseRequested) and not held:
        return ev.CounterPaused(counter=event.counter, reason=event.reason)
    return event
