"""Finding what a command names, or refusing it with what is allowed."""

from models.vocabulary import Period
from queue_service import errors
from queue_service.domain import commands as c
from queue_service.domain.hall import Counter, Hall, Ticket
from queue_service.domain.plan import PeriodPromise, Service
from queue_service.domain.rules.table import TABLE, VERBS


def service_of(hall: Hall, service_id: str) -> Service:
    """The plan's service, or UnknownService."""
    service = hall.rules.services.get(service_id)
    if service is None:
        raise errors.UnknownService(
            f"This hall has no service {service_id!r}.", service=service_id, allowed=sorted(hall.rules.services)[:50]
        )
    return service


def priority_of(hall: Hall, priority_id: str | None) -> str:
    """A priority class of the plan (the default one for None), or UnknownPriority."""
    if priority_id is None:
        return hall.rules.default_priority
    if priority_id not in hall.rules.priorities:
        raise errors.UnknownPriority(
            f"This hall has no priority class {priority_id!r}.",
            priority=priority_id,
            allowed=list(hall.rules.priorities),
        )
    return priority_id


def counter_of(hall: Hall, counter_id: str) -> Counter:
    """The hall's counter, or UnknownCounter."""
    counter = hall.counters.get(counter_id)
    if counter is None:
        raise errors.UnknownCounter(f"This hall has no counter {counter_id!r}.", counter=counter_id)
    return counter


def open_counter_of(hall: Hall, counter_id: str) -> Counter:
    """A counter with a clerk, or WrongCounterState."""
    counter = counter_of(hall, counter_id)
    if not counter.is_open:
        raise wrong_counter_state(hall, counter, "open the counter first")
    return counter


def idle_counter_of(hall: Hall, counter_id: str) -> Counter:
    """A counter that is open, not paused and holds nothing."""
    counter = open_counter_of(hall, counter_id)
    if counter.ticket is not None:
        raise holds_ticket(hall, counter)
    if counter.pause_reason is not None:
        raise wrong_counter_state(hall, counter, "resume first")
    return counter


def wrong_counter_state(hall: Hall, counter: Counter, advice: str) -> errors.WrongCounterState:
    """The refusal that says in which state the counter is and what to do."""
    state = hall.counter_state(counter)
    return errors.WrongCounterState(f"Counter {counter.id} is {state}: {advice}.", counter=counter.id, state=state)


def holds_ticket(hall: Hall, counter: Counter) -> errors.CounterHoldsTicket:
    """The refusal that names the ticket the counter holds."""
    assert counter.ticket is not None, "only asked of a counter that holds a ticket"
    ticket = hall.tickets[counter.ticket]
    return errors.CounterHoldsTicket(
        f"Counter {counter.id} holds {ticket.number} ({ticket.state}): finish or requeue it first.",
        counter=counter.id,
        ticket=ticket.id,
        number=ticket.number,
        state=ticket.state,
    )


def ticket_for(hall: Hall, command: c.TicketCommand) -> Ticket:
    """The open ticket a command is about, in a state that the table allows it in."""
    ticket = hall.tickets.get(command.ticket)
    if ticket is None:
        raise errors.UnknownTicket(f"This hall has no ticket {command.ticket!r}.", ticket=command.ticket)
    check_state(ticket.state, VERBS[type(command)], ticket.number)
    return ticket


def check_state(state: str, verb: str, number: str) -> None:
    """Refuse a cell that the table does not have."""
    if (state, verb) not in TABLE:
        allowed = [known for from_state, known in TABLE if from_state == state and known != "expire"]
        raise errors.WrongState(
            f"{number} is {state}: {verb} is not possible" + (f", only {', '.join(allowed)}." if allowed else "."),
            state=str(state),
            allowed=allowed,
        )


def held_at(hall: Hall, ticket: Ticket) -> Counter:
    """The counter that holds a called or serving ticket."""
    assert ticket.counter is not None, "the table lets only held tickets here"
    return hall.counters[ticket.counter]


def promise_at(hall: Hall, at_ms: int) -> tuple[Period, PeriodPromise]:
    """The period and promise of a wait that begins now."""
    period = Period.PEAK if hall.day.is_peak(at_ms) else Period.OFF_PEAK
    return period, hall.rules.promises[period]
