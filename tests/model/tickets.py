"""What can be done with one ticket, in the model."""

from dataclasses import replace
from itertools import pairwise
from math import ceil

from queue_service import errors
from queue_service.domain import commands as c
from tests.model import days
from tests.model.state import HELD, Counter, HallModel, Leg, Ticket

ALLOWED: dict[type[c.TicketCommand], tuple[str, ...]] = {
    c.Recall: ("called",),
    c.Start: ("called",),
    c.Finish: ("serving",),
    c.NoShow: ("called",),
    c.Rejoin: ("no_show",),
    c.Requeue: ("called", "serving"),
    c.Park: ("serving",),
    c.Return: ("parked",),
    c.Transfer: ("waiting", "called", "serving", "parked"),
    c.Change: ("expected", "waiting", "called"),
    c.HandOver: ("serving",),
    c.CheckIn: ("expected",),
    c.Postpone: ("waiting",),
    c.Cancel: ("expected", "waiting", "called", "parked"),
}


def refuse(condition: bool, kind: type[errors.QueueServiceError]) -> None:
    """Refuse if."""
    if condition:
        raise kind


def find(hall: HallModel, command: c.TicketCommand) -> Ticket:
    """The ticket a command names, in a state that allows it; a closed ticket is known and allows nothing."""
    ticket = hall.tickets.get(command.ticket)
    if ticket is None:
        raise errors.UnknownTicket
    refuse(ticket.state not in ALLOWED[type(command)], errors.WrongState)
    return ticket


def wait_ends(hall: HallModel, ticket: Ticket) -> Ticket:
    """The ticket with its running wait, if any, measured."""
    if ticket.state != "waiting":
        return ticket
    waited = days.waited_ms(hall.rules, hall.date, ticket.leg.waiting_since_ms, hall.now_ms)
    return ticket.with_leg(waited_ms=waited)


def leg_ends(ticket: Ticket, outcome: str, at_ms: int) -> Ticket:
    """The ticket with its leg closed, unless it was (parked, no-show) or there is none yet."""
    if not ticket.legs or ticket.leg.outcome is not None:
        return ticket
    return ticket.with_leg(outcome=outcome, ended_at_ms=at_ms)


def waits(hall: HallModel, ticket: Ticket, from_ms: int, service: str | None = None) -> Ticket:
    """A new leg that keeps number, arrival and wait; in a line that stands still it is reported apart."""
    service = service or ticket.service
    leg = Leg(service, ticket.priority, from_ms, from_ms - ticket.waited_ms)
    marked = mark(hall, ticket, service)
    return hall.put(marked, service=service, state="waiting", counter=None, closed_at_ms=None, legs=(*ticket.legs, leg))


def mark(hall: HallModel, ticket: Ticket, service: str) -> Ticket:
    """The ticket, marked if its line stands still; what comes back on a later day was judged on its own."""
    if ticket.apart is None and ticket.day == hall.date and hall.stands_still(service):
        return replace(ticket, apart="suspended")
    return ticket


def freed(hall: HallModel, counter: str | None) -> None:
    """A counter lost its ticket; if it asked to, it pauses now."""
    if counter is None:
        return
    hall.set_counter(counter, since_ms=hall.now_ms)
    pause_if_asked(hall, counter)


def pause_if_asked(hall: HallModel, counter: str) -> None:
    """The pause after this one, now that this one is done."""
    asked = hall.counters[counter]
    if asked.pause_after is not None and hall.held(counter) is None:
        hall.set_counter(counter, pause=asked.pause_after, pause_after=None, since_ms=hall.now_ms)
        hall.tell("counter_paused")


def idle(hall: HallModel, counter_id: str) -> Counter:
    """A counter that could take a ticket now."""
    counter = hall.counters.get(counter_id)
    if counter is None:
        raise errors.UnknownCounter
    refuse(not counter.is_open, errors.WrongCounterState)
    refuse(hall.held(counter_id) is not None, errors.CounterHoldsTicket)
    refuse(counter.pause is not None, errors.WrongCounterState)
    return counter


# -- the commands


def recall(hall: HallModel, command: c.Recall) -> None:
    """Repeated and counted."""
    ticket = find(hall, command)
    hall.put(ticket.with_leg(recalls=ticket.leg.recalls + 1))
    hall.tell("ticket_recalled")


def start(hall: HallModel, command: c.Start) -> None:
    """The visitor came."""
    ticket = find(hall, command)
    begin(hall, ticket, implied=False)


def begin(hall: HallModel, ticket: Ticket, implied: bool) -> Ticket:
    """Service begins."""
    assert ticket.counter is not None
    hall.set_counter(ticket.counter, since_ms=hall.now_ms)
    hall.tell("ticket_started")
    return hall.put(ticket.with_leg(started_at_ms=hall.now_ms, start_implied=implied), state="serving")


def finish(hall: HallModel, command: c.Finish) -> None:
    """Served."""
    done(hall, find(hall, command))


def done(hall: HallModel, ticket: Ticket) -> None:
    """Service ends."""
    hall.tell("ticket_finished")
    hall.put(leg_ends(ticket, "finished", hall.now_ms), state="finished", counter=None, closed_at_ms=hall.now_ms)
    freed(hall, ticket.counter)


def no_show(hall: HallModel, command: c.NoShow) -> None:
    """After the plan's recalls and seconds; those in which the line stood still do not count."""
    ticket = find(hall, command)
    bound = hall.rules["no_show"]
    refuse(ticket.leg.recalls < bound["recalls"], errors.TooEarly)
    refuse(called_for_ms(hall, ticket) < bound["after_s"] * 1000, errors.TooEarly)
    hall.tell("ticket_no_show")
    hall.put(leg_ends(ticket, "no_show", hall.now_ms), state="no_show", counter=None, closed_at_ms=hall.now_ms)
    freed(hall, ticket.counter)


def called_for_ms(hall: HallModel, ticket: Ticket) -> int:
    """Time since the lobby was told of the call, or else since the call: cut into pieces at every beginning and end of
    a suspension; those within one left out."""
    assert ticket.leg.called_at_ms is not None
    still = [one for one in hall.stood_still if one[0] in (None, ticket.service)]
    still += [
        (one.service, one.since_ms, hall.now_ms)
        for one in hall.suspensions.values()
        if one.service in (None, ticket.service)
    ]
    begun_ms = hall.announced.get(ticket.id, ticket.leg.called_at_ms)
    cuts = {begun_ms, hall.now_ms}
    cuts |= {at for _, begin, end in still for at in (begin, end) if begun_ms < at < hall.now_ms}
    moments = sorted(cuts)
    pieces = pairwise(moments)
    return sum(end - begin for begin, end in pieces if not any(one[1] <= begin and end <= one[2] for one in still))


def rejoin(hall: HallModel, command: c.Rejoin) -> None:
    """Within the grace, as often as the plan says."""
    ticket = find(hall, command)
    bound = hall.rules["no_show"]
    refuse(ticket.rejoins >= bound["rejoins"], errors.BoundReached)
    assert ticket.closed_at_ms is not None
    refuse(hall.now_ms - ticket.closed_at_ms > bound["rejoin_grace_s"] * 1000, errors.BoundReached)
    hall.tell("ticket_rejoined")
    waits(hall, replace(ticket, rejoins=ticket.rejoins + 1), hall.now_ms)


def requeue(hall: HallModel, command: c.Requeue) -> None:
    """Back in line."""
    back_in_line(hall, find(hall, command))


def back_in_line(hall: HallModel, ticket: Ticket) -> None:
    """From a counter into the line."""
    hall.tell("ticket_requeued")
    waits(hall, leg_ends(ticket, "requeued", hall.now_ms), hall.now_ms)
    freed(hall, ticket.counter)


def park(hall: HallModel, command: c.Park) -> None:
    """For an errand of the visitor's."""
    ticket = find(hall, command)
    refuse(command.reason not in hall.rules["park_reasons"], errors.UnknownReason)
    hall.tell("ticket_parked")
    hall.put(leg_ends(ticket, "parked", hall.now_ms), state="parked", counter=None)
    freed(hall, ticket.counter)


def return_(hall: HallModel, command: c.Return) -> None:
    """Into the line, or straight to the counter that parked it."""
    ticket = find(hall, command)
    if command.counter is None:
        hall.tell("ticket_returned")
        waits(hall, ticket, hall.now_ms)
        return
    counter = idle(hall, command.counter)
    refuse(ticket.leg.counter != counter.id, errors.BadValue)
    hall.tell("ticket_returned")
    now_ms = hall.now_ms
    leg = Leg(
        ticket.service, ticket.priority, now_ms, now_ms - ticket.waited_ms, counter=counter.id, clerk=counter.clerk,
        called_at_ms=now_ms, waited_ms=0, started_at_ms=now_ms,
    )  # fmt: skip
    hall.put(ticket, state="serving", counter=counter.id, legs=(*ticket.legs, leg))
    hall.set_counter(counter.id, since_ms=now_ms)


def transfer(hall: HallModel, command: c.Transfer) -> None:
    """Into another line with the wait it had; perhaps kept for somebody for a while."""
    ticket = find(hall, command)
    refuse(hall.service(command.service) is None, errors.UnknownService)
    if command.for_counter is not None:
        refuse(command.for_counter not in hall.counters, errors.UnknownCounter)
        refuse(command.service not in hall.planned_services(command.for_counter), errors.BadValue)
    hall.tell("ticket_transferred")
    moved = waits(
        hall, leg_ends(wait_ends(hall, ticket), "transferred", hall.now_ms), hall.now_ms, service=command.service
    )
    if command.for_counter is not None or command.for_clerk is not None:
        kept_ms = 600_000 if command.reserve_ms is None else command.reserve_ms
        kept = {"for_counter": command.for_counter, "for_clerk": command.for_clerk}
        hall.tickets[ticket.id] = moved.with_leg(**kept, reserved_until_ms=hall.now_ms + kept_ms)
    freed(hall, ticket.counter)


def change(hall: HallModel, command: c.Change) -> None:
    """A wrong service or class put right; arrival and place stay."""
    ticket = find(hall, command)
    refuse(command.service is None and command.priority is None, errors.BadValue)
    refuse(command.service is not None and hall.service(command.service) is None, errors.UnknownService)
    refuse(command.priority is not None and command.priority not in hall.priorities, errors.UnknownPriority)
    service, priority = command.service or ticket.service, command.priority or ticket.priority
    if ticket.legs:
        ticket = ticket.with_leg(service=service, priority=priority)
    if ticket.state == "waiting":
        ticket = mark(hall, ticket, service)
    hall.put(ticket, service=service, priority=priority)
    hall.tell("ticket_changed")


def hand_over(hall: HallModel, command: c.HandOver) -> None:
    """Another counter goes on with it; the service clock runs on."""
    ticket = find(hall, command)
    target = idle(hall, command.to_counter)
    hall.tell("ticket_handed_over")
    hall.put(ticket.with_leg(counter=target.id, clerk=target.clerk), counter=target.id)
    hall.set_counter(target.id, since_ms=hall.now_ms, record=None)
    freed(hall, ticket.counter)


def check_in(hall: HallModel, command: c.CheckIn) -> None:
    """Waiting begins, under the promise of this hour."""
    ticket = find(hall, command)
    hall.tell("ticket_checked_in")
    period, promise_ms, percentile = promise_at(hall, hall.date, hall.now_ms)
    promised = replace(ticket, period=period, promise_ms=promise_ms, percentile=percentile)
    waits(hall, promised, hall.now_ms)


def promise_at(hall: HallModel, day: str, at_ms: int) -> tuple[str, int, int]:
    """The promise made to who begins to wait then: period, milliseconds, percentile."""
    period = "peak" if days.is_peak(hall.rules, day, at_ms) else "off_peak"
    promise = hall.rules["promise"][period]
    return period, promise["promise_s"] * 1000, promise["percentile"]


def postpone(hall: HallModel, command: c.Postpone) -> None:
    """Let others go first; that time is no wait. Never for less than was asked before, nor into tomorrow."""
    ticket = find(hall, command)
    bound = hall.rules["postpone"]
    refuse(ticket.postpones >= bound["times"], errors.BoundReached)
    running_ms = max(ticket.leg.waiting_since_ms - hall.now_ms, 1)
    left_ms = min(bound["max_s"] * 1000, days.end_ms(hall.rules, hall.date) - hall.now_ms - 1)
    refuse(ceil(running_ms / 1000) > left_ms // 1000, errors.BoundReached)
    refuse(not running_ms <= command.by_ms <= left_ms, errors.BadValue)
    hall.tell("ticket_postponed")
    rested = leg_ends(wait_ends(hall, ticket), "postponed", hall.now_ms)
    waits(hall, replace(rested, postpones=ticket.postpones + 1), hall.now_ms + command.by_ms)


def cancel(hall: HallModel, command: c.Cancel) -> None:
    """Given up."""
    ticket = find(hall, command)
    hall.tell("ticket_cancelled")
    ended = leg_ends(wait_ends(hall, ticket), "cancelled", hall.now_ms)
    hall.put(ended, state="cancelled", counter=None, closed_at_ms=hall.now_ms)
    if ticket.state in HELD:
        freed(hall, ticket.counter)
