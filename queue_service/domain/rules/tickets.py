"""What can be done with one ticket. The table has already said that its state allows it."""

from collections.abc import Iterator

from models.vocabulary import LegOutcome, TicketState
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain import events as ev
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.rules.lookup import (
    counter_of,
    held_at,
    idle_counter_of,
    priority_of,
    promise_at,
    service_of,
    ticket_for,
)

RESERVE_MS = 600_000
"""How long a transfer keeps a ticket for a counter or clerk when the caller does not say."""


def pause_if_asked(hall: Hall, counter_id: str | None) -> Iterator[ev.Event]:
    """A counter that asked to pause after its ticket does so once it is free."""
    counter = hall.counters.get(counter_id or "")
    if counter is not None and counter.ticket is None and counter.pause_after is not None:
        yield ev.CounterPaused(counter=counter.id, reason=counter.pause_after)


def recall(hall: Hall, command: c.Recall, now_ms: int) -> Iterator[ev.Event]:
    """Repeat the call."""
    ticket = ticket_for(hall, command)
    yield ev.TicketRecalled(ticket.id, ticket.number, ticket.service, held_at(hall, ticket).id)


def start(hall: Hall, command: c.Start, now_ms: int) -> Iterator[ev.Event]:
    """The visitor came."""
    ticket = ticket_for(hall, command)
    yield ev.TicketStarted(ticket.id, ticket.number, ticket.service, held_at(hall, ticket).id, implied=False)


def finish(hall: Hall, command: c.Finish, now_ms: int) -> Iterator[ev.Event]:
    """Served."""
    ticket = ticket_for(hall, command)
    counter = held_at(hall, ticket)
    yield ev.TicketFinished(ticket.id, ticket.number, ticket.service, counter.id)
    yield from pause_if_asked(hall, counter.id)


def no_show(hall: Hall, command: c.NoShow, now_ms: int) -> Iterator[ev.Event]:
    """Nobody came, after the plan's recalls and seconds; suspended time does not count."""
    ticket = ticket_for(hall, command)
    counter, plan = held_at(hall, ticket), hall.rules
    missing_recalls = max(0, plan.no_show_recalls - ticket.leg.recalls)
    missing_ms = max(0, plan.no_show_after_ms - _called_for_ms(hall, ticket, now_ms))
    if missing_recalls or missing_ms:
        raise errors.TooEarly(
            f"{ticket.number} can be passed over after {missing_recalls} more recalls and {-(-missing_ms // 1000)} s.",
            recalls_missing=missing_recalls,
            wait_s=missing_ms / 1000,
        )
    yield ev.TicketNoShow(ticket.id, ticket.number, ticket.service, counter.id)
    yield from pause_if_asked(hall, counter.id)


def _called_for_ms(hall: Hall, ticket: Ticket, now_ms: int) -> int:
    """How long the lobby has known of the call, suspensions of its hall or service left out."""
    called_at_ms = hall.called_since_ms(ticket)
    spans = [span[1:] for span in hall.suspended_spans if span[0] in (None, ticket.service)]
    spans += [(one.since_ms, now_ms) for one in hall.suspensions.values() if one.service in (None, ticket.service)]
    stopped_ms, reached = 0, called_at_ms
    for start_ms, end_ms in sorted(spans):
        stopped_ms += max(0, end_ms - max(start_ms, reached))
        reached = max(reached, end_ms)
    return now_ms - called_at_ms - stopped_ms


def rejoin(hall: Hall, command: c.Rejoin, now_ms: int) -> Iterator[ev.Event]:
    """A no-show came back within the grace, as often as the plan allows."""
    ticket = ticket_for(hall, command)
    plan = hall.rules
    if ticket.rejoins >= plan.rejoins:
        raise errors.BoundReached(f"{ticket.number} has rejoined {ticket.rejoins} times already.", allowed=plan.rejoins)
    if now_ms - (ticket.closed_at_ms or now_ms) > plan.rejoin_grace_ms:
        raise errors.BoundReached(
            f"The {plan.rejoin_grace_ms // 1000} s to rejoin are over.", allowed_s=plan.rejoin_grace_ms / 1000
        )
    yield ev.TicketRejoined(ticket.id, ticket.number, ticket.service)


def requeue(hall: Hall, command: c.Requeue, now_ms: int) -> Iterator[ev.Event]:
    """Back in line with the wait it had; frees the counter."""
    ticket = ticket_for(hall, command)
    counter = held_at(hall, ticket)
    yield ev.TicketRequeued(ticket.id, ticket.number, ticket.service, counter.id, ticket.state, command.reason)
    yield from pause_if_asked(hall, counter.id)


def park(hall: Hall, command: c.Park, now_ms: int) -> Iterator[ev.Event]:
    """Interrupt for the visitor's errand, with a reason of the plan."""
    ticket = ticket_for(hall, command)
    check_reason(command.reason, hall.rules.park_reasons)
    counter = held_at(hall, ticket)
    yield ev.TicketParked(ticket.id, ticket.number, ticket.service, counter.id, command.reason)
    yield from pause_if_asked(hall, counter.id)


def check_reason(reason: str, allowed: frozenset[str]) -> None:
    """Refuse a reason that the plan does not list."""
    if reason not in allowed:
        raise errors.UnknownReason(f"The plan does not list {reason!r}.", reason=reason, allowed=sorted(allowed))


def return_(hall: Hall, command: c.Return, now_ms: int) -> Iterator[ev.Event]:
    """Back from parking: into the line, or straight to the counter that parked it."""
    ticket = ticket_for(hall, command)
    if command.counter is None:
        yield ev.TicketReturned(ticket.id, ticket.number, ticket.service, None, None)
        return
    parked = [leg.counter for leg in ticket.legs if leg.outcome == LegOutcome.PARKED]
    counter = idle_counter_of(hall, command.counter)
    if counter.id != parked[-1]:
        raise errors.BadValue(
            f"{ticket.number} was parked by counter {parked[-1]}: only that counter takes it back directly.",
            counter=parked[-1],
        )
    yield ev.TicketReturned(ticket.id, ticket.number, ticket.service, counter.id, counter.clerk)


def transfer(hall: Hall, command: c.Transfer, now_ms: int) -> Iterator[ev.Event]:
    """Into another line with the wait it had, perhaps kept for a counter or clerk for a while."""
    ticket = ticket_for(hall, command)
    service = service_of(hall, command.service)
    if command.for_counter is not None:
        counter_of(hall, command.for_counter)
        if service.id not in hall.rules.counters[command.for_counter].services:
            raise errors.BadValue(f"Counter {command.for_counter} does not serve {service.id}.", place="/for_counter")
    reserved = command.for_counter is not None or command.for_clerk is not None
    reserve_ms = RESERVE_MS if command.reserve_ms is None else command.reserve_ms
    counter_id = ticket.counter
    yield ev.TicketTransferred(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        counter=counter_id,
        from_state=ticket.state,
        to_service=service.id,
        waited_ms=_running_wait_ms(hall, ticket, now_ms),
        for_counter=command.for_counter,
        for_clerk=command.for_clerk,
        reserved_until_ms=now_ms + reserve_ms if reserved else None,
    )
    yield from pause_if_asked(hall, counter_id)


def _running_wait_ms(hall: Hall, ticket: Ticket, now_ms: int) -> int | None:
    """The wait that ends now, if one is running."""
    return hall.waited_ms(ticket.leg, now_ms) if ticket.state == TicketState.WAITING else None


def change(hall: Hall, command: c.Change, now_ms: int) -> Iterator[ev.Event]:
    """Put a wrong service or class right; arrival and number stay."""
    ticket = ticket_for(hall, command)
    if command.service is None and command.priority is None:
        raise errors.BadValue("Say which service or which priority class it should be.", place="/service")
    yield ev.TicketChanged(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        counter=ticket.counter,
        from_state=ticket.state,
        to_service=ticket.service if command.service is None else service_of(hall, command.service).id,
        to_priority=ticket.priority if command.priority is None else priority_of(hall, command.priority),
        reason=command.reason,
    )


def hand_over(hall: Hall, command: c.HandOver, now_ms: int) -> Iterator[ev.Event]:
    """Move the ticket being served to an idle counter; the service clock runs on."""
    ticket = ticket_for(hall, command)
    counter = held_at(hall, ticket)
    target = idle_counter_of(hall, command.to_counter)
    yield ev.TicketHandedOver(
        ticket.id, ticket.number, ticket.service, counter.id, to_counter=target.id, clerk=target.clerk or ""
    )
    yield from pause_if_asked(hall, counter.id)


def check_in(hall: Hall, command: c.CheckIn, now_ms: int) -> Iterator[ev.Event]:
    """The remote visitor arrived: waiting begins, under the promise of this hour."""
    ticket = ticket_for(hall, command)
    period, promise = promise_at(hall, now_ms)
    yield ev.TicketCheckedIn(ticket.id, ticket.number, ticket.service, period, promise.promise_ms, promise.percentile)


def postpone(hall: Hall, command: c.Postpone, now_ms: int) -> Iterator[ev.Event]:
    """Let others go first for a while, within the plan's bound and the day; one that runs is not cut short."""
    ticket = ticket_for(hall, command)
    times = hall.rules.postpone_times
    if ticket.postpones >= times:
        raise errors.BoundReached(
            f"{ticket.number} has been postponed {ticket.postpones} times already.", allowed=times
        )
    _check_span(hall, ticket, command.by_ms, now_ms)
    yield ev.TicketPostponed(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        until_ms=now_ms + command.by_ms,
        waited_ms=hall.waited_ms(ticket.leg, now_ms),
    )


def _check_span(hall: Hall, ticket: Ticket, by_ms: int, now_ms: int) -> None:
    least_ms = max(1, ticket.leg.waiting_since_ms - now_ms)  # in the future: until when it is postponed already
    most_ms = min(hall.rules.postpone_max_ms, hall.day.end_ms - 1 - now_ms)  # it expires with the day
    min_s, max_s = -(-least_ms // 1000), most_ms // 1000
    if min_s > max_s:
        raise errors.BoundReached(f"{ticket.number} cannot be postponed any further today.", allowed_s=max_s)
    if not least_ms <= by_ms <= most_ms:
        raise errors.BadValue(f"by_s must be between {min_s} and {max_s}.", place="/by_s", min_s=min_s, max_s=max_s)


def cancel(hall: Hall, command: c.Cancel, now_ms: int) -> Iterator[ev.Event]:
    """Give the ticket up."""
    ticket = ticket_for(hall, command)
    counter_id = ticket.counter
    yield ev.TicketCancelled(
        ticket=ticket.id,
        number=ticket.number,
        service=ticket.service,
        counter=counter_id,
        from_state=ticket.state,
        waited_ms=_running_wait_ms(hall, ticket, now_ms),
    )
    yield from pause_if_asked(hall, counter_id)
