"""Things that happen one upon another at the same counters: commands that matter to each other, some of them left out.

Drawn one by one they would hardly ever meet. A number of the result is a time to pass, in milliseconds.
"""

from collections.abc import Callable

from queue_service.domain import commands as c
from tests.model.state import HallModel
from tests.model.tickets import called_for_ms

Tale = list[c.Command | int]


def leaving(hall: HallModel, number: int) -> Tale:
    """A counter is to pause after its ticket, which then goes in one of many ways."""
    held = hall.in_state("called", "serving")
    if not held:
        return []
    ticket = held[number % len(held)]
    counter, service = ticket.counter or "", ticket.service
    ways: list[c.Command] = [
        c.Cancel(ticket.id), c.NoShow(ticket.id), c.Requeue(ticket.id), c.Transfer(ticket.id, service),
        c.CallNext(counter, finish_current=True), c.Park(ticket.id, "materials"), c.Cancel(ticket.id),
    ]  # fmt: skip
    return [c.PauseCounter(counter, "break", after_current=True), ways[number % len(ways)], c.Undo(counter)]


def to_and_fro(hall: HallModel, number: int) -> Tale:
    """A ticket is handed over, the other counter does something, and the first takes it back."""
    serving = hall.in_state("serving")
    idle = [one.id for one in hall.counters.values() if one.is_open and not one.pause and not hall.held(one.id)]
    if not serving or not idle:
        return []
    ticket, other = serving[number % len(serving)], idle[number % len(idle)]
    pause, resume = c.PauseCounter(other, "break", after_current=True), c.ResumeCounter(other)
    return [c.HandOver(ticket.id, other), pause, resume, pause, c.Undo(ticket.counter or ""), c.Undo(other)]


def meanwhile(hall: HallModel, number: int) -> Tale:
    """A call is taken back after everything stood still for a moment."""
    staffed = [one.id for one in hall.counters.values() if one.is_open]
    if not staffed:
        return []
    counter, scope = staffed[number % len(staffed)], (None, "a", "b")[number % 3]
    still: Tale = [c.Suspend("fire alarm", scope), 1, c.Resume(scope)]
    return [c.CallNext(counter, finish_current=True), *still, 1_000, c.Undo(counter)]


def still(hall: HallModel, number: int) -> Tale:
    """Suspensions overlap while somebody is called, who is passed over as soon as that is allowed."""
    called = hall.in_state("called")
    if not called:
        return []
    first, second = ((None, called[0].service), (called[0].service, None))[number % 2]
    suspend, resume = [c.Suspend("power cut", one) for one in (first, second)], [c.Resume(first), c.Resume(second)]
    ends = resume if number % 3 else resume[::-1]
    rest_ms = hall.rules["no_show"]["after_s"] * 1000 - called_for_ms(hall, called[0]) - 1_000
    tale: Tale = [1_000, suspend[0], 2_000, suspend[1], 3_000, ends[0], 1_000, ends[1]]
    return [*tale, max(0, rest_ms), c.NoShow(called[0].id)]


TALES: tuple[Callable[[HallModel, int], Tale], ...] = (leaving, to_and_fro, meanwhile, still)
