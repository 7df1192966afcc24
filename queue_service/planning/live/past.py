"""The earlier days of a hall that estimates are learned from: which they are, and their part of the log."""

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from models.vocabulary import Channel
from queue_service import journal
from queue_service.domain.calendar import day_of
from queue_service.domain.events import DayOpened, Logged
from queue_service.domain.plan import Plan
from queue_service.journal import TICKET

DAYS_BACK = 28
FEW_DAYS = 7
MOST_TICKETS = 30_000
"""Older days are left out beyond so many tickets, but not the last week of days."""


def past_days(connection: Connection, hall: str, today: str) -> list[str]:
    """The days before today on which the hall itself gave tickets, as many as are looked back on, in order."""
    first = (date.fromisoformat(today) - timedelta(days=DAYS_BACK)).isoformat()
    here = (TICKET.c.hall == hall, TICKET.c.day >= first, TICKET.c.day < today)
    own = TICKET.c.channel != Channel.HISTORY.value
    query = select(TICKET.c.day, func.count()).where(*here, own).group_by(TICKET.c.day).order_by(TICKET.c.day.desc())
    found, tickets = list[str](), 0
    for day, count in connection.execute(query):
        tickets += count
        if len(found) >= FEW_DAYS and tickets > MOST_TICKETS:
            break
        found.append(day)
    return found[::-1]


def events_of(connection: Connection, hall: str, plan: Plan, first_day: str, today: str) -> Iterator[Logged]:
    """The plan that `first_day` began with, and all events from its opening up to that of `today`, not included."""
    position = journal.positions(connection, [hall])[hall]
    seq = journal.first_seq(connection, hall, day_of(plan.calendar, first_day).start_ms, position.seq)
    begun = False
    for logged in journal.events_after(connection, hall, seq - 1):
        event = logged.event
        if isinstance(event, DayOpened):
            if event.day >= today:
                return
            if not begun:
                begun = True
                yield next(journal.events_after(connection, hall, event.plan_seq - 1))
        if begun:
            yield logged
