"""In which time zone a hall's days were recorded: a plan that moves the hall later leaves past days as they were.

A day's zone is that of the plan in force when its first number was last heard of. A hall does not move while a ticket
is open, nor once the day has given a number: any ticket of a day tells the same, and of recorded history that of its
import. A day without tickets has that of the next day that has any; from the present business day on it is the plan's.
"""

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, select

from queue_service.domain.events import DayOpened, PlanChanged
from queue_service.domain.plan import Plan
from queue_service.journal import EVENT, TICKET, positions


class Zones:
    """The zones of one hall's days, each looked up when it is asked for."""

    def __init__(self, connection: Connection, plan: Plan) -> None:
        """`plan`: the hall's present one."""
        self._connection, self._plan = connection, plan
        self._position = positions(connection, [plan.id]).get(plan.id)
        self._found: list[tuple[int, str]] = []
        """The plans found so far, the newest first: where each stands in the log, and its zone."""

    def plan_on(self, day: str) -> Plan:
        """The present plan, by the clock that the hall went by on a day."""
        zone = self._zone_on(day)
        calendar = self._plan.calendar
        return (
            self._plan
            if zone == calendar.time_zone
            else replace(self._plan, calendar=replace(calendar, time_zone=zone))
        )

    def _zone_on(self, day: str) -> str:
        present = self._plan.calendar.time_zone
        if self._position is None or day >= self._position.day:
            return present
        first = (
            select(TICKET.c.last_seq)
            .where(TICKET.c.hall == self._plan.id, TICKET.c.day >= day)
            .order_by(TICKET.c.day, TICKET.c.number)
            .limit(1)
        )
        seq = self._connection.execute(first).scalar_one_or_none()
        return present if seq is None else self._zone_at(seq, self._position.seq) or present

    def _zone_at(self, seq: int, last: int) -> str | None:
        """The zone of the plan in force at a place in the log; plans are few, and are gone through backwards."""
        while not self._found or self._found[-1][0] > seq:
            older = self._plan_before(self._found[-1][0] if self._found else last + 1)
            if older is None:
                break
            self._found.append(older)
        return next((zone for plan_seq, zone in self._found if plan_seq <= seq), None)

    def _plan_before(self, seq: int) -> tuple[int, str] | None:
        """The last plan before a place in the log; each day's opening tells where it stands, so no more is read."""
        told = EVENT.c.kind.in_((PlanChanged.KIND, DayOpened.KIND))
        latest = (
            select(EVENT.c.seq, EVENT.c.kind, EVENT.c.data)
            .where(EVENT.c.hall == self._plan.id, EVENT.c.seq < seq, told)
            .order_by(EVENT.c.seq.desc())
            .limit(1)
        )
        row: Any = self._connection.execute(latest).one_or_none()
        if row is None:
            return None
        if row.kind == PlanChanged.KIND:
            return row.seq, orjson.loads(row.data)["document"]["time_zone"]
        plan_seq = orjson.loads(row.data)["plan_seq"]
        opened_with = select(EVENT.c.data).where(EVENT.c.hall == self._plan.id, EVENT.c.seq == plan_seq)
        return plan_seq, orjson.loads(self._connection.execute(opened_with).scalar_one())["document"]["time_zone"]
