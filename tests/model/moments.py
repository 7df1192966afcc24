"""Moments at which the answer to a command turns, by the model: to be met to the millisecond."""

from collections.abc import Iterator

from queue_service.domain import commands as c
from tests.model.state import HallModel
from tests.model.tickets import called_for_ms

Moment = tuple[int, c.Command]


def moments(hall: HallModel) -> list[Moment]:
    """What is still to come, and the command to try just then."""
    return [one for one in (*_of_tickets(hall), *_of_counters(hall)) if one[0] > hall.now_ms]


def _of_tickets(hall: HallModel) -> Iterator[Moment]:
    bound = hall.rules["no_show"]
    calling = [c.CallNext(one.id) for one in hall.counters.values() if one.is_open and hall.held(one.id) is None]
    for ticket in hall.open_tickets():
        if ticket.state == "no_show" and ticket.closed_at_ms is not None:
            yield ticket.closed_at_ms + bound["rejoin_grace_s"] * 1000, c.Rejoin(ticket.id)
        if ticket.state == "called":
            yield hall.now_ms + bound["after_s"] * 1000 - called_for_ms(hall, ticket), c.NoShow(ticket.id)
        if ticket.state == "waiting":
            turns = (ticket.leg.waiting_since_ms, ticket.leg.reserved_until_ms)
            yield from ((at_ms, call) for at_ms in turns if at_ms is not None for call in calling)


def _of_counters(hall: HallModel) -> Iterator[Moment]:
    for counter in hall.counters.values():
        if counter.record is not None:
            yield counter.record.at_ms + 15_000, c.Undo(counter.id)
