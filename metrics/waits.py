"""What one ticket's wait is, and what became of the promise made to it: the one piece of code for both, which reports,
gauges and pages all read. Counting many records is `metrics.verdict`'s, reading rows `metrics.report`'s.

A record is as of now on the ticket's own business day, and as of that day's end ever after: what a ticket carried over
midnight lives through later changes nothing. The cells, for tickets that are not flagged:

| state, as of then                 | wait within the promise (equal included)         | wait passed it |
|-----------------------------------|--------------------------------------------------|----------------|
| expected (no wait began)          | left: there is no promise yet                    | -              |
| waiting                           | open                                             | missed         |
| called, serving, parked, finished | kept                                             | missed         |
| no_show, cancelled                | left                                             | missed         |
| expired                           | kept if its last wait ended in a call, else left | missed         |

A flagged ticket (backfilled, suspended, training) is apart in every cell. A no-show that expires stays a no-show.
A ticket back in line (transferred, requeued, returned, rejoined) is waiting, and its waits add up.
"""

from collections.abc import Sequence
from typing import NamedTuple

from models.vocabulary import LegOutcome, TicketState, Verdict
from queue_service.domain.calendar import day_of
from queue_service.domain.hall import Hall, Leg, Ticket

_STATES = {state.value: state for state in TicketState}
"""By a state or its name: rows have names."""


class WaitRecord(NamedTuple):
    """One ticket's wait at the instant judged. `service`: what its first wait was for. `called`: its last wait ended in
    a call. `waiting`: a wait is running. (A tuple: a scrape makes one for every open ticket, and it is five times
    cheaper to make than a frozen dataclass.)"""

    ticket: str
    number: str
    service: str
    priority: str
    channel: str
    day: str
    issued_at_ms: int
    period: str | None
    promise_ms: int | None
    percentile: int | None
    wait_ms: int
    called: bool
    waiting: bool
    state: TicketState
    apart: str | None


def classify(record: WaitRecord) -> Verdict:
    """What became of the promise, cell by cell as the module's table has it."""
    if record.apart is not None:
        return Verdict.APART
    if record.promise_ms is None:
        return Verdict.LEFT
    if record.wait_ms > record.promise_ms:
        return Verdict.MISSED
    if record.waiting:
        return Verdict.OPEN
    if record.state in (TicketState.NO_SHOW, TicketState.CANCELLED):
        return Verdict.LEFT
    return Verdict.KEPT if record.called else Verdict.LEFT


def live_record(hall: Hall, ticket: Ticket, now_ms: int) -> WaitRecord:
    """The record of a ticket the hall holds, or has just let go of."""
    day = hall.day if ticket.day == hall.day.date else day_of(hall.rules.calendar, ticket.day)
    return wait_record(hall, ticket, ticket.legs, day.end_ms, now_ms)


def wait_record(hall: Hall, ticket: Ticket, legs: Sequence[Leg], day_end_ms: int, now_ms: int) -> WaitRecord:
    """The record of a ticket of the day that ends at `day_end_ms`, and its legs in order.

    Rows of the ticket and leg tables bear the same names and pass as well. `hall` only says how long a running wait
    has lasted by its plan's wait clock."""
    state = _STATES[ticket.state]
    if now_ms >= day_end_ms:
        legs = begun_by(legs, day_end_ms)
        state = _state_at_end(ticket, legs[-1] if legs else None, day_end_ms)
        now_ms = day_end_ms
    return WaitRecord(
        ticket.id,
        ticket.number,
        legs[0].service if legs else ticket.service,
        ticket.priority,
        ticket.channel,
        ticket.day,
        ticket.issued_at_ms,
        ticket.period,
        ticket.promise_ms,
        ticket.percentile,
        _sum_ms(hall, legs, now_ms),
        bool(legs) and legs[-1].called_at_ms is not None,
        state == TicketState.WAITING,
        state,
        ticket.apart,
    )


def _sum_ms(hall: Hall, legs: Sequence[Leg], until_ms: int) -> int:
    total_ms = 0
    for leg in legs:
        over_ms = leg.waited_ms
        total_ms += hall.waited_ms(leg, until_ms) if over_ms is None else over_ms
    return total_ms


def begun_by(legs: Sequence[Leg], day_end_ms: int) -> Sequence[Leg]:
    """The legs of the ticket's own day: a carried ticket may have been put back in line on the next one.

    The first is of that day wherever the day ends: logs of old have days whose zone was changed while they ran."""
    return [leg for number, leg in enumerate(legs) if number == 0 or leg.waiting_since_ms < day_end_ms]


def _state_at_end(ticket: Ticket, last: Leg | None, day_end_ms: int) -> TicketState:
    """The state in which the day's end found the ticket, whether the rollover has been logged yet or not.

    What happened in the very millisecond of the end happened after the rollover, expiry apart."""
    if last is not None and _crosses(last, day_end_ms):
        return TicketState.SERVING
    if last is not None and last.outcome == LegOutcome.NO_SHOW:
        return TicketState.NO_SHOW
    closed_before = ticket.closed_at_ms is not None and ticket.closed_at_ms < day_end_ms
    return _STATES[ticket.state] if closed_before else TicketState.EXPIRED


def _crosses(leg: Leg, day_end_ms: int) -> bool:
    """Whether the leg's service went on over the day's end."""
    if leg.called_at_ms is None or leg.outcome == LegOutcome.EXPIRED:
        return False
    return leg.ended_at_ms is None or leg.ended_at_ms >= day_end_ms
