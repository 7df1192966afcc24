"""What is to be expected of the promises made to those who wait: the chance that each is missed, and how many will be
in the next half hour. Of a long line only those are looked at whose promise ends in that time, some at once.
"""

import asyncio
from itertools import islice

from metrics.decided import after_ms
from metrics.live.promise import expected_misses
from metrics.tally import DayTally
from models.vocabulary import TicketState
from queue_service.clock import Clock
from queue_service.domain.hall import Hall, Ticket
from queue_service.domain.order import ahead
from queue_service.planning.live.outlook import NONE_YET, SOON_S, Outlooks, chance_of_missing

AT_ONCE = 128
"""Of those who wait: what a command may have to wait for."""
SOON_MS = round(SOON_S * 1000)


def chances(
    hall: Hall, ticket: Ticket, before: int, outlooks: Outlooks, now_ms: int
) -> tuple[float | None, float | None]:
    """The chance that a waiting ticket's wait passes the promise, and that it does so soon."""
    if ticket.promise_ms is None or ticket.apart is not None:
        return None, None
    waited_ms = ticket.waited_so_far_ms() + hall.waited_ms(ticket.leg, now_ms)
    left_s = (ticket.promise_ms - waited_ms) / 1000
    if left_s < 0:
        return 1.0, 0.0
    chance = chance_of_missing(outlooks.get(ticket.leg.service, NONE_YET), before, waited_ms / 1000, left_s)
    later_s = max(0, ticket.leg.waiting_since_ms - now_ms) / 1000
    return chance, chance if chance is None or later_s + left_s <= SOON_S else 0.0


async def misses_to_come(hall: Hall, tally: DayTally, outlooks: Outlooks, clock: Clock) -> float | None:
    """How many who wait are expected to pass their promise in the next half hour; None where nothing can be said. Who
    is called meanwhile is left out."""
    now_ms = clock.now_ms()
    can_say = any(outlooks.get(service, NONE_YET).because is None for service in tally.waited_for(hall))
    has_passed = any(tally.passing(hall, 0, now_ms))
    if not can_say:
        return 0.0 if has_passed else None
    soon: list[float | None] = [0.0]
    in_danger = iter(list(tally.passing(hall, now_ms, after_ms(hall, now_ms, SOON_MS) + 1)))
    while some := list(islice(in_danger, AT_ONCE)):
        now_ms = clock.now_ms()
        waiting = (one for name in some if (one := hall.tickets.get(name)) and one.state == TicketState.WAITING)
        soon += [chances(hall, one, ahead(hall, one, now_ms), outlooks, now_ms)[1] for one in waiting]
        await asyncio.sleep(0)
    return expected_misses(soon)
