"""What can be done with one counter, in the model: clerks, pauses, calls, and taking back."""

from dataclasses import replace

from queue_service import errors
from queue_service.domain import commands as c
from tests.model import days, line
from tests.model.state import CLOSED, Counter, HallModel, Ticket
from tests.model.tickets import begin, done, leg_ends, mark, pause_if_asked, refuse, waits

TAKEN_BACK: tuple[type[c.Command], ...] = (
    c.Recall, c.Start, c.Finish, c.NoShow, c.Requeue, c.Park, c.Return, c.Transfer, c.HandOver,
    c.CallNext, c.CallChosen, c.PauseCounter, c.ResumeCounter,
)  # fmt: skip
"""A counter's commands that can be taken back. All others that concern it end the chance, but for ringing."""


def known(hall: HallModel, name: str) -> Counter:
    """A counter of the plan."""
    counter = hall.counters.get(name)
    if counter is None:
        raise errors.UnknownCounter
    return counter


def staffed(hall: HallModel, name: str) -> Counter:
    """A counter with a clerk."""
    counter = known(hall, name)
    refuse(not counter.is_open, errors.WrongCounterState)
    return counter


def _free_clerk(hall: HallModel, clerk: str) -> None:
    refuse(any(counter.clerk == clerk for counter in hall.counters.values()), errors.ClerkElsewhere)


def open_counter(hall: HallModel, command: c.OpenCounter) -> None:
    """One clerk a counter, one counter a clerk; for no more than the plan gives the counter."""
    counter = known(hall, command.counter)
    refuse(counter.is_open, errors.WrongCounterState)
    _free_clerk(hall, command.clerk)
    for service in command.services or ():
        refuse(hall.service(service) is None, errors.UnknownService)
        refuse(service not in hall.planned_services(counter.id), errors.BadValue)
    hall.counters[counter.id] = Counter(counter.id, hall.now_ms, command.clerk, command.services)
    hall.tell("counter_opened")


def close(hall: HallModel, command: c.CloseCounter) -> None:
    """Not with a ticket, unless a supervisor forces it: then the ticket goes back in line."""
    counter = staffed(hall, command.counter)
    ticket = hall.held(counter.id)
    refuse(ticket is not None and command.force is None, errors.CounterHoldsTicket)
    if ticket is not None:
        hall.tell("ticket_requeued")
        waits(hall, leg_ends(ticket, "requeued", hall.now_ms), hall.now_ms)
    hall.counters[counter.id] = Counter(counter.id, hall.now_ms)
    hall.tell("counter_closed")


def pause(hall: HallModel, command: c.PauseCounter) -> None:
    """Now, or after this one."""
    counter = staffed(hall, command.counter)
    refuse(command.reason not in hall.rules["pause_reasons"], errors.UnknownReason)
    refuse(counter.pause is not None, errors.WrongCounterState)
    if hall.held(counter.id) is None:
        hall.set_counter(counter.id, pause=command.reason, since_ms=hall.now_ms)
        hall.tell("counter_paused")
        return
    refuse(not command.after_current, errors.CounterHoldsTicket)
    hall.set_counter(counter.id, pause_after=command.reason)
    hall.tell("counter_pause_requested")


def resume(hall: HallModel, command: c.ResumeCounter) -> None:
    """The end of a pause, or of the wish for one."""
    counter = staffed(hall, command.counter)
    refuse(counter.pause is None and counter.pause_after is None, errors.WrongCounterState)
    since_ms = counter.since_ms if counter.pause is None else hall.now_ms
    hall.set_counter(counter.id, pause=None, pause_after=None, since_ms=since_ms)
    hall.tell("counter_resumed")


def relieve(hall: HallModel, command: c.RelieveCounter) -> None:
    """Another clerk in one step; a ticket held goes on with the new one."""
    counter = staffed(hall, command.counter)
    _free_clerk(hall, command.clerk)
    hall.set_counter(counter.id, clerk=command.clerk)
    ticket = hall.held(counter.id)
    if ticket is not None:
        hall.put(ticket.with_leg(clerk=command.clerk))
    hall.tell("counter_relieved")


def call_help(hall: HallModel, command: c.CallHelp) -> None:
    """A bell."""
    staffed(hall, command.counter)
    hall.tell("help_called")


def announce_call(hall: HallModel, command: c.AnnounceCall) -> None:
    """The lobby was told of whom the counter calls; the first time counts."""
    refuse(command.counter not in hall.counters, errors.UnknownCounter)
    held = hall.held(command.counter)
    if held is None or (held.number, held.state) != (command.number, "called"):
        raise errors.WrongCounterState
    hall.announced.setdefault(held.id, hall.now_ms)
    hall.tell("call_announced")


def call_next(hall: HallModel, command: c.CallNext) -> None:
    """The one button."""
    counter = _ready(hall, command.counter, command.finish_current)
    held = hall.held(counter.id)
    refuse(held is None and None in hall.suspensions, errors.Suspended)
    if held is not None:
        _finish_held(hall, held)
    if hall.counters[counter.id].pause is not None:
        return
    ticket = line.next_for(hall, counter)
    if ticket is not None:
        _call(hall, counter, ticket)


def _ready(hall: HallModel, name: str, finish_current: bool) -> Counter:
    counter = staffed(hall, name)
    holds = hall.held(name) is not None
    refuse(holds and not finish_current, errors.CounterHoldsTicket)
    refuse(not holds and counter.pause is not None, errors.WrongCounterState)
    return counter


def _finish_held(hall: HallModel, held: Ticket) -> None:
    if held.state == "called":
        held = begin(hall, held, implied=True)
    done(hall, held)


def _call(hall: HallModel, counter: Counter, ticket: Ticket) -> None:
    waited_ms = days.waited_ms(hall.rules, hall.date, ticket.leg.waiting_since_ms, hall.now_ms)
    called = ticket.with_leg(counter=counter.id, clerk=counter.clerk, called_at_ms=hall.now_ms, waited_ms=waited_ms)
    hall.announced.pop(called.id, None)
    hall.put(called, state="called", counter=counter.id)
    hall.set_counter(counter.id, since_ms=hall.now_ms)
    hall.tell("ticket_called")


def call_chosen(hall: HallModel, command: c.CallChosen) -> None:
    """Out of order, for a reason, so many times a day."""
    counter = _ready(hall, command.counter, command.finish_current)
    ticket = _chosen(hall, command)
    refuse(ticket.state != "waiting", errors.WrongState)
    refuse(ticket.service not in hall.served(counter), errors.BadValue)
    refuse(hall.stands_still(ticket.service), errors.Suspended)
    refuse(hall.chosen >= hall.rules["chosen_calls_per_day"], errors.BoundReached)
    refuse(counter.pause_after is not None, errors.WrongCounterState)
    held = hall.held(counter.id)
    if held is not None:
        _finish_held(hall, held)
    hall.details.append(line.overtaken(hall, counter, ticket))
    _call(hall, counter, ticket)
    hall.chosen += 1


def _chosen(hall: HallModel, command: c.CallChosen) -> Ticket:
    """By id, or by number: today's, and among those still open also an earlier day's."""
    refuse((command.ticket is None) == (command.number is None), errors.BadValue)
    if command.ticket is not None:
        ticket = hall.tickets.get(command.ticket)
    else:
        named = [one for one in hall.tickets.values() if one.number == command.number]
        known = [one for one in named if one.state not in CLOSED or one.day == hall.date]
        ticket = max(known, key=lambda one: (one.state not in CLOSED, one.day), default=None)
    if ticket is None:
        raise errors.UnknownTicket
    return ticket


def restored(hall: HallModel, counter: Counter) -> dict[str, str] | None:
    """To which states an undo would bring back which tickets; None: there is nothing to undo."""
    record = counter.record
    if record is None or hall.now_ms - record.at_ms > 15_000:
        return None
    if any(hall.tickets[name].changes != one.changes for name, one in record.after.items()):
        return None
    return {name: one.state for name, one in record.before.items()}


def undo(hall: HallModel, command: c.Undo) -> None:
    """Everything that the counter's last command changed is as it was; only nobody waits the less for it."""
    counter = staffed(hall, command.counter)
    record = counter.record
    if record is None or restored(hall, counter) is None:
        raise errors.NothingToUndo
    hall.tell("command_undone")
    taken_from = {hall.tickets[name].counter for name in record.before} - {None, counter.id}
    for ticket in record.before.values():
        back = hall.put(ticket)
        if back.state == "waiting":
            hall.tickets[ticket.id] = _marked_since(hall, back, record.at_ms)
    before = record.counter
    hall.set_counter(counter.id, pause=before.pause, pause_after=before.pause_after, since_ms=hall.now_ms, record=None)
    hall.set_counters(taken_from, since_ms=hall.now_ms, record=None)
    hall.chosen -= record.chosen
    for other in taken_from:
        assert other is not None
        pause_if_asked(hall, other)


def _marked_since(hall: HallModel, ticket: Ticket, since_ms: int) -> Ticket:
    """Back in line as if never gone, a ticket also waited through a suspension of the meantime."""
    service = ticket.leg.service
    stood = any(end > since_ms for scope, _, end in hall.stood_still if scope in (None, service))
    if stood and ticket.apart is None and ticket.day == hall.date:
        return replace(ticket, apart="suspended")
    return mark(hall, ticket, service)
