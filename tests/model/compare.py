"""All that can be seen of the real halls, held against the model after each transaction."""

import hashlib
import json
from collections import Counter as Count
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection

from queue_service import appending, journal
from queue_service.batch import Batches
from queue_service.copies import Copy
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.events import CommandUndone, Event, Logged, TicketCalled, TurnedAway
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.domain.order import ahead, free_counter, next_ticket
from queue_service.domain.rules import decide
from queue_service.errors import NothingToUndo
from tests.model import counters, line
from tests.model.deciding import ServiceModel
from tests.model.state import HELD, Advised, Alert, HallModel, Leg, Ticket

LEG_FIELDS = tuple(one.name for one in fields(Leg))
TICKET_FIELDS = tuple(one.name for one in fields(Ticket) if one.name not in ("legs", "changes"))
COPIED = (
    "id", "seq", "head", "last_at_ms", "plan_version", "plan_seq", "today", "day_seq", "tickets", "counters",
    "number_counts", "number_gaps", "quota_used", "suspensions", "suspended_spans", "chosen_calls",
    "alerts", "advice", "busy", "announced_ms",
)  # fmt: skip
"""What a hall knows, lanes (empty ones are no difference) and plan (the document is) apart."""


def same(what: str, real: dict[Any, Any], model: dict[Any, Any]) -> None:
    """Both are equal, or it is said where they are not."""
    differing = {
        name: (real.get(name, "-"), model.get(name, "-"))
        for name in {**real, **model}
        if real.get(name, "-") != model.get(name, "-")
    }
    assert not differing, f"{what}, (service, model): {differing}"


class Comparison:
    """Remembers how far each log was checked, so that each event is hashed once."""

    def __init__(self, database: Database) -> None:
        """Nothing checked yet."""
        self._database = database
        self._checked: dict[str, tuple[int, str, int]] = {}
        self._left: dict[str, tuple[Hall, str]] = {}

    def check(self, model: ServiceModel, events: list[Logged], now_ms: int, writer: Batches, halls: set[str]) -> None:
        """Compare the halls that a batch was for, and the receipts."""
        for name in sorted(halls & set(model.halls)):
            hall = model.halls[name]
            mine = [one for one in events if one.hall == name]
            assert [one.event.KIND for one in mine] == hall.happened
            assert [detail for one in mine if (detail := _detail(one.event)) is not None] == hall.details
            hall.happened, hall.details = [], []
            hall.now_ms = max(now_ms, hall.last_at_ms)
            self._database.read(lambda connection, hall=hall: self._compare(connection, hall, writer))  # type: ignore[misc]
        receipts = self._database.read(lambda one: _rows(one, "SELECT hall, key, body_hash, body FROM receipt"))
        assert {(row[0], row[1]): (row[2], row[3]) for row in receipts} == model.receipts

    def check_whole(self, model: ServiceModel) -> None:
        """Read each log from its very first event: the tables say what it says, down to who touched a row last."""
        for name in model.halls:
            self._database.read(lambda connection, name=name: _check_fold(connection, name))  # type: ignore[misc]

    def _compare(self, connection: Connection, hall: HallModel, writer: Batches) -> None:
        position = journal.positions(connection, [hall.id])[hall.id]
        copy = writer._copies[hall.id]
        assert (copy.hall.seq, copy.hall.head) == (position.seq, position.head)
        assert (position.day, position.name) == (hall.date, hall.rules["name"])
        self._check_log(connection, hall, position)
        _check_hall(copy.hall, hall)
        _check_lines(copy.hall, hall)
        _check_tables(connection, hall)
        same("read again", _known(journal.load(connection, hall.id, position)), _known(copy.hall))
        assert copy.stored == {ticket.id: ticket.counter for ticket in hall.in_state(*HELD)}
        self._go_on_with_another(copy, writer)

    def _go_on_with_another(self, copy: Copy, writer: Batches) -> None:
        """From now on the writer goes by a copy of its copy: that knows the same, and what becomes of it does not reach
        what it was taken of."""
        name, known = copy.hall.id, repr(_known(copy.hall))
        left, said = self._left.get(name, (copy.hall, known))
        assert repr(_known(left)) == said
        writer.adopt(copy.hall)
        another = writer._copies[name]
        same("copied", _known(another.hall), _known(copy.hall))
        assert vars(another.hall).keys() == vars(copy.hall).keys()
        assert another.stored == copy.stored
        self._left[name] = (copy.hall, known)

    def _check_log(self, connection: Connection, hall: HallModel, position: journal.Position) -> None:
        """Gapless, chained as the documentation says, times never before the last."""
        seq, head, at_ms = self._checked.get(hall.id, (0, "", 0))
        for row in journal.event_rows(connection, hall.id, seq, 100_000):
            assert row.seq == seq + 1
            assert row.at_ms >= at_ms
            assert seq < row.command_seq + 100
            assert row.command_seq <= row.seq
            seq, head, at_ms = row.seq, next_head(head, row), row.at_ms
            assert row.hash == head
        assert (position.seq, position.head) == (seq, head)
        assert hall.last_at_ms == at_ms
        self._checked[hall.id] = (seq, head, at_ms)


def next_head(head: str, row: Any) -> str:
    """The hash of a row as documented: SHA-256 of the last one and of canonical JSON, by the standard library."""
    names = ("actor", "at_ms", "channel", "command_seq", "hall", "kind", "seq", "version")
    envelope = {**{name: getattr(row, name) for name in names}, "data": json.loads(row.data)}
    canonical = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((head + canonical).encode()).hexdigest()


def _detail(event: Event) -> int | str | None:
    if isinstance(event, TurnedAway):
        return event.reason
    return event.overtaken if isinstance(event, TicketCalled) and event.chosen else None


def _check_fold(connection: Connection, name: str) -> None:
    hall = Hall(name)
    tickets: dict[str, tuple[Any, ...]] = {}
    for logged in journal.events_after(connection, name, 0):
        evolve(hall, logged)
        for ticket in hall.drain()[0].values():
            tickets[ticket.id] = tuple(appending._ticket_values(ticket))
    rows = _rows(connection, "SELECT * FROM ticket WHERE hall = ?", name)
    assert {row[0]: row for row in rows} == tickets


def _known(real: Hall) -> dict[str, Any]:
    lanes = {key: lane for key, lane in real.lanes.items() if lane}
    return {**{name: getattr(real, name) for name in COPIED}, "lanes": lanes, "plan": real.rules.document}


def _plain(ticket: Any) -> dict[str, Any]:
    legs = [{name: getattr(leg, name) for name in LEG_FIELDS} for leg in ticket.legs]
    return {**{name: getattr(ticket, name) for name in TICKET_FIELDS}, "legs": legs}


def _check_hall(real: Hall, hall: HallModel) -> None:
    """What the hall holds: the open tickets and no others, counters, and the day's counts."""
    same("tickets", {one.id: one.id for one in real.tickets.values()}, {one.id: one.id for one in hall.open_tickets()})
    for one in hall.open_tickets():
        same(one.id, _plain(real.tickets[one.id]), _plain(one))
    for name in {**real.counters, **hall.counters}:
        same(f"counter {name}", _counter(real, name), _state(hall, name))
    assert (real.plan_version, real.day.date, real.rules.document) == (hall.version, hall.date, hall.plan)
    assert real.number_counts == hall.numbers
    assert _passed_over(real) == hall.passed_over()
    used: Count[tuple[str, str, str]] = Count()
    for service, half, channel, items in hall.issued:
        used[service, half, channel] += items
    assert real.quota_used == used
    assert real.busy == Count(one.group for one in hall.in_state(*HELD))
    assert {scope: asdict(one) for scope, one in real.suspensions.items()} == {
        scope: asdict(one) for scope, one in hall.suspensions.items()
    }
    assert real.chosen_calls == hall.chosen
    same("alerts", {name: _alert(one) for name, one in real.alerts.items()}, hall.alerts)
    assert list(real.alerts) == list(hall.alerts)
    same("advice", {name: _advised(one) for name, one in real.advice.items()}, hall.advice)
    assert list(real.advice) == list(hall.advice)


def _passed_over(real: Hall) -> set[str]:
    """The numbers below a count that can still be claimed."""
    gaps = [(prefix, *gap) for prefix, found in real.number_gaps.items() for gap in found]
    return {f"{prefix}{count:03d}" for prefix, first, last in gaps for count in range(first, last + 1)}


def _alert(real: Any) -> Alert:
    seen = None if real.acknowledged_at_ms is None else (real.acknowledged_at_ms, real.acknowledged_by)
    return Alert((real.kind, real.service, real.counter), real.since_ms, seen, real.cleared_at_ms)


def _advised(real: Any) -> Advised:
    said = (real.answered_at_ms, real.answer, real.answered_by, real.reason)
    return Advised((real.kind, real.service), real.given_at_ms, real.expires_at_ms, said if real.answer else None)


def _counter(real: Hall, name: str) -> dict[str, Any]:
    counter = real.counters[name]
    return {
        "state": real.counter_state(counter),
        "clerk": counter.clerk,
        "services": counter.services,
        "able": list(real.able(counter)),
        "ticket": counter.ticket,
        "pause": counter.pause_reason,
        "pause_after": counter.pause_after,
        "since_ms": counter.since_ms,
    }


def _state(hall: HallModel, name: str) -> dict[str, Any]:
    counter, ticket = hall.counters[name], hall.held(name)
    state = "closed" if not counter.is_open else ticket.state if ticket else "paused" if counter.pause else "idle"
    assert state != "idle" or counter.pause_after is None
    return {
        "state": state,
        "clerk": counter.clerk,
        "services": counter.services,
        "able": hall.served(counter),
        "ticket": ticket and ticket.id,
        "pause": counter.pause,
        "pause_after": counter.pause_after,
        "since_ms": counter.since_ms,
    }


def _check_lines(real: Hall, hall: HallModel) -> None:
    """Everyone waiting is in exactly one lane, in order; who would be called next; how many are ahead."""
    lanes = {key: [place[3] for place in lane] for key, lane in real.lanes.items() if lane}
    assert lanes == line.lanes(hall)
    standing = [name for lane in lanes.values() for name in lane]
    assert sorted(standing) == sorted(one.id for one in real.tickets.values() if one.state == "waiting")
    for counter in hall.counters.values():
        if counter.is_open:
            called, expected = next_ticket(real, real.counters[counter.id], hall.now_ms), line.next_for(hall, counter)
            assert (called and called.id) == (expected and expected.id), counter.id
            assert _taken_back(real, counter.id, hall.now_ms) == counters.restored(hall, counter), counter.id
    for service in real.rules.services:
        free = free_counter(real, service)
        assert (free and free.id) == line.free_counter(hall, service), service
    for ticket in hall.in_state("waiting"):
        assert ahead(real, real.tickets[ticket.id], hall.now_ms) == line.ahead(hall, ticket), ticket.id


def _taken_back(real: Hall, counter: str, now_ms: int) -> dict[str, str] | None:
    """What an undo would bring back now; it is asked for and not done."""
    try:
        event = next(decide(real, c.Undo(counter), now_ms))
    except NothingToUndo:
        return None
    assert isinstance(event, CommandUndone)
    return dict(event.tickets)


TICKET_COLUMNS = (
    "id", "day", "number", "service", "priority", "channel", "language", "items", "party", "ref", "state", "counter",
    "issued_at_ms", "period", "promise_ms", "percentile", "apart", "closed_at_ms",
)  # fmt: skip
LEG_COLUMNS = (
    "service", "priority", "waiting_since_ms", "called_at_ms", "waited_ms", "counter", "clerk", "recalls",
    "started_at_ms", "start_implied", "ended_at_ms", "outcome",
)  # fmt: skip
TICKETS = f"SELECT {', '.join(TICKET_COLUMNS)} FROM ticket WHERE hall = ? ORDER BY id"  # noqa: S608 (our own names)
LEGS = f"SELECT ticket, leg, day, {', '.join(LEG_COLUMNS)} FROM leg WHERE hall = ? ORDER BY ticket, leg"  # noqa: S608


def _rows(connection: Connection, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(statement, values)]


def _check_tables(connection: Connection, hall: HallModel) -> None:
    """The tables say of every ticket that ever was what the model says; and what must never be is not."""
    everyone = sorted(hall.tickets.values(), key=lambda one: one.id)
    rows = _rows(connection, TICKETS, hall.id)
    assert rows == [tuple(getattr(one, name) for name in TICKET_COLUMNS) for one in everyone]
    legs = _rows(connection, LEGS, hall.id)
    assert legs == [row for one in everyone for row in _leg_rows(one)]
    held = [row[TICKET_COLUMNS.index("counter")] for row in rows if row[TICKET_COLUMNS.index("state")] in HELD]
    assert len(held) == len(set(held))
    _check_numbers(everyone)


def _leg_rows(ticket: Ticket) -> list[tuple[Any, ...]]:
    return [
        (ticket.id, number, ticket.day, *(getattr(leg, name) for name in LEG_COLUMNS))
        for number, leg in enumerate(ticket.legs, start=1)
    ]


def _check_numbers(tickets: list[Ticket]) -> None:
    """Dense per prefix and day. (Where paper numbers were claimed there may be gaps; recorded history has its own.)"""
    series: dict[tuple[str, str], list[int]] = {}
    for one in tickets:
        prefix = one.number.rstrip("0123456789")
        series.setdefault((one.day, prefix), []).append(int(one.number.removeprefix(prefix)))
    other = {(one.day, one.number.rstrip("0123456789")) for one in tickets if one.channel in ("paper", "history")}
    for name, numbers in series.items():
        assert len(set(numbers)) == len(numbers)
        assert name in other or sorted(numbers) == list(range(1, len(numbers) + 1))
