"""Recorded history into a database: which halls and days a file may bring, and storing them through the rules."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from api import answers
from api.ids import new_ticket_id
from models.vocabulary import Channel
from queue_service import journal, schema
from queue_service.batch import Batches
from queue_service.clock import ClockGuard
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.plan import Plan
from queue_service.errors import BadInput, QueueServiceError
from queue_service.history import Recorded, RecordedHall, read_history
from queue_service.history_plan import plan_of
from queue_service.submission import Answer, Submission

BATCH_TICKETS = 2_000
"""A transaction takes whole days until it has so many tickets: a running server waits for it, but not for long."""
DEADLINE_MS = 60_000


class Import:
    """A file that was read and checked against the database, which may be none yet; nothing is made before `store`."""

    def __init__(
        self, database: Database, path: Path, zone: ZoneInfo | None, only: list[str], skip_recorded: bool
    ) -> None:
        """Read and check everything. `zone` is for new halls. Raises BadInput with every fault that was found."""
        self._database = database
        self._is_new = not schema.is_made(database)
        if not self._is_new:
            schema.prepare(database)
        self._clock = database.clock()
        database.set_clock(self._clock)
        self._zone = zone
        self._plans: dict[str, Plan | None] = {}
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        self.halls = read_history(path, self._zone_of, only, before=now)
        self._check_services(path)
        self._leave_out_recorded(path, skip_recorded)
        self.created = [hall.id for hall in self.halls if self._plans[hall.id] is None]
        self.tickets = sum(len(hall.tickets) for hall in self.halls)

    def _zone_of(self, hall_id: str) -> ZoneInfo:
        plan = self._plans[hall_id] = self._plan(hall_id)
        if plan is None:
            if self._zone is None:
                raise BadInput(f"The hall {hall_id!r} is new: name its time zone, such as --zone Europe/Warsaw.")
            return self._zone
        if self._zone is not None and self._zone.key != plan.calendar.time_zone:
            raise BadInput(f"The hall {hall_id!r} is in the zone {plan.calendar.time_zone}, not {self._zone.key}.")
        return ZoneInfo(plan.calendar.time_zone)

    def _plan(self, hall_id: str) -> Plan | None:
        if self._is_new:
            return None
        position = self._database.read(lambda one: journal.positions(one, [hall_id])).get(hall_id)
        if position is None:
            return None
        return self._database.read(lambda one: journal.load(one, hall_id, position)).rules

    def _check_services(self, path: Path) -> None:
        faults = []
        for hall in self.halls:
            plan = self._plans[hall.id]
            unknown = [] if plan is None else [service for service in hall.services if service not in plan.services]
            faults += [{"place": hall.id, "message": f"its plan has no service {service!r}"} for service in unknown]
        if faults:
            raise BadInput(f"{path}: services that the halls do not have; nothing was stored.", faults=faults)

    def _leave_out_recorded(self, path: Path, skip: bool) -> None:
        """No day twice: one that has tickets already is refused, or left out where that was asked for."""
        faults = []
        for hall in self.halls:
            recorded = {day for day in hall.days if self._has_tickets(hall.id, day)}
            if skip:
                hall.tickets[:] = [ticket for ticket in hall.tickets if ticket.day not in recorded]
            elif recorded:
                days = ", ".join(sorted(recorded)[:5]) + (f" and {len(recorded) - 5} more" if len(recorded) > 5 else "")
                faults.append({"place": hall.id, "message": f"{days}"})
        if faults:
            raise BadInput(
                f"{path}: days that have tickets already; nothing was stored. "
                "--skip-recorded leaves them out and takes the rest:",
                faults=faults,
            )

    def _has_tickets(self, hall_id: str, day: str) -> bool:
        if self._is_new:
            return False
        return bool(self._database.read(lambda one: journal.ticket_rows(one, hall_id, {"day": day}, "", 1)))

    def store(self, advance: Callable[[int], None]) -> None:
        """Create the new halls and store the tickets, some whole days in a transaction."""
        schema.prepare(self._database)
        batches = Batches(self._clock, ClockGuard(self._clock))
        for hall in self.halls:
            if self._plans[hall.id] is None:
                self._run(batches, hall.id, c.PutPlan(plan_of(hall), 0))
            for tickets in _batches(hall):
                self._run(batches, hall.id, c.RecordHistory([_command_of(hall.id, ticket) for ticket in tickets]))
                self._database.restart_log()
                advance(len(tickets))

    def _run(self, batches: Batches, hall_id: str, command: c.Command) -> None:
        deadline_ms = self._clock.monotonic_ms() + DEADLINE_MS
        one = Submission(hall_id, command, "command-line", Channel.CLI, answers.nothing, deadline_ms)
        with self._database.write_unhurried() as connection:
            batches.run(connection, [one])
            if not isinstance(one.result, Answer):
                raise one.result or QueueServiceError()


def _batches(hall: RecordedHall) -> Iterator[list[Recorded]]:
    """The hall's tickets in whole days."""
    batch: list[Recorded] = []
    for _, tickets in groupby(hall.tickets, key=lambda ticket: ticket.day):
        batch += tickets
        if len(batch) >= BATCH_TICKETS:
            yield batch
            batch = []
    if batch:
        yield batch


def _command_of(hall_id: str, ticket: Recorded) -> c.RecordedTicket:
    return c.RecordedTicket(
        ticket=new_ticket_id(hall_id, ticket.issued_at_ms),
        number=ticket.number,
        service=ticket.service,
        issued_at_ms=ticket.issued_at_ms,
        called_at_ms=ticket.called_at_ms,
        extra=ticket.extra,
    )
