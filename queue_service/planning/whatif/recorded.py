"""What a recorded day brought from outside, what became of its tickets, and how its counters called.

A command that was undone is left out with its undo, as if neither had been; while it stood, others may have called
differently, which a replay then shows as a difference. Recalls, help, alerts and those turned away change no wait.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.vocabulary import HELD_STATES
from queue_service.domain import events as ev
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.errors import BadInput
from queue_service.planning.whatif.stage import TICKS, Stage

OUTSIDE = (
    ev.PlanChanged, ev.TicketIssued, ev.TicketBackfilled, ev.Suspended, ev.Resumed, ev.CounterOpened, ev.CounterPaused,
    ev.CounterPauseRequested, ev.CounterResumed, ev.CounterClosed, ev.CounterRelieved,
)  # fmt: skip
"""What the clock of the wall brings, whatever the line does."""
NOTHING = (
    ev.TurnedAway, ev.HelpCalled, ev.AlertEvent, ev.AdviceEvent, ev.TicketRecorded, ev.TicketRecalled, ev.CommandUndone,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, and when. `by_force`: part of a forced close, so no pause follows that was asked for."""

    tick: int
    event: ev.Event
    by_force: bool = False


@dataclass(frozen=True, slots=True)
class Chance:
    """A counter could call for `ticks`; then it called (`taken`), or somebody else had, or it stopped."""

    ticks: int
    taken: bool


@dataclass
class Life:
    """A ticket's own story: what happened to it after it came in at `begins`. `held_at_end`: still at a counter."""

    begins: int
    steps: list[Step] = field(default_factory=list)
    held_at_end: bool = False


@dataclass
class Recorded:
    """A day of a hall. `hall`: as the log left it, its tickets of the day in `hall.touched`."""

    opening: tuple[ev.Logged, ...]
    hall: Hall
    end_ms: int
    outside: list[Step] = field(default_factory=list)
    lives: dict[str, Life] = field(default_factory=dict)
    chances: dict[str, list[Chance]] = field(default_factory=lambda: defaultdict(list))
    held_ticks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    undone: int = 0


def record(log: Sequence[ev.Logged]) -> Recorded:
    """The day that a stretch of a log tells: plan, opening, and what came after (perhaps up to the next opening).

    Raises BadInput for days of which only calls are known, and for days on which nobody came."""
    opening, rest, is_over = _cut(log)
    hall = Hall(opening[0].hall)
    for one in (*opening, *rest):
        if not isinstance(one.event, ev.TicketRecorded):
            hall.seq = one.seq - 1
            evolve(hall, one)
    end_ms = hall.day.end_ms if is_over else max(one.at_ms for one in (*opening, *rest)) + 1
    found = Recorded(opening, hall, end_ms)
    kept = _kept(rest, found)
    if not any(isinstance(one.event, ev.TicketIssued | ev.TicketBackfilled) for one in kept):
        raise BadInput(f"Nobody took a ticket in {hall.id} on {hall.day.date}: there is nothing to replay.")
    _observe(found, kept)
    return found


def _cut(log: Sequence[ev.Logged]) -> tuple[tuple[ev.Logged, ...], list[ev.Logged], bool]:
    opened = next(place for place, one in enumerate(log) if isinstance(one.event, ev.DayOpened))
    rest = list(log[opened + 1 :])
    ends = next((one for one in rest if isinstance(one.event, ev.DayOpened)), None)
    if ends is not None:
        rest = [one for one in rest if one.command_seq < ends.command_seq]
    return tuple(log[: opened + 1]), rest, ends is not None


def _kept(rest: Sequence[ev.Logged], found: Recorded) -> list[ev.Logged]:
    undone = {one.event.command_seq for one in rest if isinstance(one.event, ev.CommandUndone)}
    undoing = {one.command_seq for one in rest if isinstance(one.event, ev.CommandUndone)}
    found.undone = len(undone)
    return [
        one
        for one in rest
        if one.command_seq not in undone and one.command_seq not in undoing and not isinstance(one.event, NOTHING)
    ]


def _observe(found: Recorded, kept: Sequence[ev.Logged]) -> None:
    """Go through the day, and note whose chance to call came and what became of it."""
    stage = Stage(found.opening)
    tick = stage.hall.last_at_ms * TICKS
    found.lives = {ticket: Life(tick) for ticket in stage.hall.tickets}
    _look(found, stage, tick)
    forced = {one.command_seq for one in kept if isinstance(one.event, ev.CounterClosed) and one.event.forced}
    for one, echoes in _with_echoes(kept):
        tick = max(one.at_ms * TICKS, tick) + 1
        while (wake := stage.woken(tick)) is not None:
            _look(found, stage, wake)
        _note(found, stage, Step(tick, one.event, one.command_seq in forced))
        for event in (one.event, *echoes):
            stage.apply(event, tick)
        _look(found, stage, tick)
    for name, began in stage.since.items():
        found.chances[name].append(Chance(found.end_ms * TICKS - began, taken=False))
    for ticket in stage.hall.tickets.values():
        if ticket.id in found.lives:
            found.lives[ticket.id].held_at_end = ticket.state in HELD_STATES


def _with_echoes(kept: Sequence[ev.Logged]) -> list[tuple[ev.Logged, list[ev.Event]]]:
    """Pauses that were asked for before come with what frees the counter, not by themselves."""
    found: list[tuple[ev.Logged, list[ev.Event]]] = []
    for one in kept:
        if isinstance(one.event, ev.CounterPaused) and one.seq != one.command_seq and found:
            found[-1][1].append(one.event)
        else:
            found.append((one, []))
    return found


def _look(found: Recorded, stage: Stage, tick: int) -> None:
    for name, began in stage.look(tick)[1].items():
        found.chances[name].append(Chance(tick - began, taken=False))


def _note(found: Recorded, stage: Stage, step: Step) -> None:
    event = step.event
    if isinstance(event, OUTSIDE):
        found.outside.append(step)
        if isinstance(event, ev.TicketIssued | ev.TicketBackfilled):
            found.lives[event.ticket] = Life(step.tick)
        return
    assert isinstance(event, ev.TicketEvent), event
    life = found.lives[event.ticket]
    if isinstance(event, ev.TicketCalled):
        began = stage.since.pop(event.counter, None)
        if began is not None:
            found.chances[event.counter].append(Chance(step.tick - began, taken=event.chosen is None))
        if event.chosen is not None:
            found.outside.append(step)
    elif isinstance(event, ev.TicketFinished):
        called = [one.tick for one in life.steps if isinstance(one.event, ev.TicketCalled)]
        if called:
            found.held_ticks[event.service].append(step.tick - called[-1])
    life.steps.append(step)
