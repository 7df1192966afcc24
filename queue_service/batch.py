"""One batch of commands as one transaction: the plain synchronous function behind the engine.

Lock and read where each hall's log ends, catch the copies up, decide each command in order, append everything.
Or the other way round (see `near`): decide by the copies alone, and store later, once it is sure that they were right.
Only one thread at a time uses the copies, so they need no lock. Nobody is answered before the commit.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from models.vocabulary import Channel
from queue_service import appending, errors, journal
from queue_service.clock import Clock, ClockGuard, DatabaseClock
from queue_service.codec import chain, encode
from queue_service.copies import Copy, copy_at, copy_of
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.domain.rules import decide
from queue_service.domain.rules.lookup import check_state
from queue_service.domain.rules.table import CALL, VERBS, WITH
from queue_service.receipts import Receipt, ReceiptKey
from queue_service.submission import Answer, Keyed, Submission

BACK_MS = 300_000
"""A clock this far behind the log's last event is not believed."""
RECENT_KEYS = 5_000
"""So many keys at least are remembered."""


class NotAtOnce(Exception):
    """The database must be asked first."""


class Batches:
    """Runs batches against one database; owns the writer's copies of the halls."""

    def __init__(self, clock: Clock, guard: ClockGuard) -> None:
        """Nothing is loaded until a command needs it."""
        self._clock = clock
        self._guard = guard
        self._copies: dict[str, Copy] = {}
        self._recent_keys: set[ReceiptKey] = set()
        self._older_keys: set[ReceiptKey] = set()
        self.learned: list[Logged] = []
        """What the latest batch read of others' commits to catch its copies up, in order per hall."""
        self.ends: dict[str, int] = {}
        """Where the logs end of the halls that the latest batch looked at without writing to them."""

    def forget(self, halls: Sequence[str]) -> None:
        """Drop copies that may be ahead of the log; the next command reads them afresh."""
        for hall in halls:
            self._copies.pop(hall, None)

    def adopt(self, shown: Hall) -> None:
        """Go by a hall as it is shown. Whether the log ends there is found out before anything is stored."""
        self._copies[shown.id] = copy_of(shown)

    def lacking(self, batch: Sequence[Submission]) -> set[str]:
        """The halls of a batch of which there is no copy."""
        return {one.hall for one in batch} - self._copies.keys()

    def read(self, connection: Connection, halls: Iterable[str]) -> None:
        """Take copies of these halls as they stand, without a lock: however long a day's log is, others are not held up
        by the reading of it, and what is committed meanwhile is all that is left to be read under the lock."""
        for hall_id, position in journal.positions(connection, list(halls)).items():
            self._copies[hall_id] = copy_at(connection, hall_id, position)

    def run(self, connection: Connection, batch: Sequence[Submission], wait: bool = True) -> list[Logged]:
        """Decide and store a batch inside an open write transaction. The submissions carry their results.

        Unless told to `wait` for them, halls that others hold now are skipped: their commands carry none."""
        held = self._hold(connection, batch, wait)
        work = Work(self._clock.now_ms(), self._guard.check(), connection)
        work.known = held.receipts
        mine = [one for one in batch if one.hall not in held.skipped]
        copies = {
            hall: self._copy(work, hall, held.positions.get(hall)) for hall in dict.fromkeys(o.hall for o in mine)
        }
        for one in mine:
            self._conclude(work, one, copies[one.hall])
        rows = self.close(work)
        if work.writes:
            appending.store(connection, rows)
        self._copies.update((name, copy) for name, copy in copies.items() if copy.hall.seq > 0)
        self.learned = work.learned
        self.ends = {name: copy.hall.seq for name, copy in copies.items() if name not in work.writes and copy.hall.seq}
        return work.events

    # -- ahead of the transaction

    def reaches(self, hall: str) -> int | None:
        """Up to which seq the copy of a hall goes; None: there is none."""
        copy = self._copies.get(hall)
        return None if copy is None else copy.hall.seq

    def follow(self, events: Sequence[Logged]) -> None:
        """What others committed to a hall, in order: if its copy ends just before, it need not be read again under the
        lock, while all who want the hall wait."""
        copy, first = self._copies.get(events[0].hall), events[0]
        if copy is None or (copy.hall.seq, copy.hall.head) != (first.seq - 1, first.previous):
            return
        copy.take_in(events)

    def open(self) -> "Work":
        """Begin a batch that is decided by the copies alone."""
        return Work(self._clock.now_ms(), self._guard.check(), None)

    def decide_ahead(self, work: "Work", one: Submission) -> None:
        """Decide one more command; the submission carries its result. Raises NotAtOnce, having done nothing, where the
        database must be asked."""
        key = one.receipt_key
        if key is not None and key not in work.known and (key in self._recent_keys or key in self._older_keys):
            raise NotAtOnce  # the database has the answer, or is about to; to be refused by it would cost the copy
        copy = self._copies[one.hall]
        work.now_ms = self._clock.now_ms()
        work.stood_on.setdefault(one.hall, (copy.hall.seq, copy.hall.head))
        self._conclude(work, one, copy)

    def close(self, work: "Work") -> appending.Rows:
        """What a batch has to store."""
        self._distrust_if_behind(work)
        return appending.rows(list(work.writes.values()), work.receipt_rows)

    def undo(self, submissions: Sequence[Submission]) -> None:
        """As if these had not been tried."""
        self.forget([one.hall for one in submissions])
        for one in submissions:
            one.result, one.events = None, []

    def _conclude(self, work: "Work", one: Submission, copy: Copy) -> None:
        """Decide a command, or refuse it."""
        try:
            if one.deadline_ms < self._clock.monotonic_ms():
                raise errors.Unavailable
            one.result = self._decide(work, one, copy)
        except errors.QueueServiceError as refusal:
            one.result = refusal

    def _hold(self, connection: Connection, batch: Sequence[Submission], wait: bool) -> journal.Held:
        """Lock the batch's halls; from then on the time is what the database says, where it says it."""
        halls = sorted({one.hall for one in batch})
        new = {one.hall for one in batch if isinstance(one.command, c.PutPlan)}
        keys = [key for one in batch if (key := one.receipt_key) is not None]
        held = journal.hold(connection, halls, new, keys, wait)
        if held.at_ms is not None and isinstance(self._clock, DatabaseClock):
            self._clock.tell(held.at_ms)
        return held

    def _copy(self, work: "Work", hall_id: str, position: journal.Position | None) -> Copy:
        """The copy as of the end of the log: kept, caught up, or read afresh; empty where there is no such hall."""
        if position is None:
            self._copies.pop(hall_id, None)  # a database that took over may never have heard of it
            return Copy(Hall(hall_id))
        copy, connection = self._copies.get(hall_id), work.connection
        assert connection is not None, "within a transaction"
        if copy is not None and _is_behind(connection, copy.hall, position):
            learned = list(journal.events_after(connection, hall_id, copy.hall.seq, copy.hall.head))
            copy.take_in(learned)
            work.learned += learned
        return copy_at(connection, hall_id, position, copy)

    def _decide(self, work: "Work", one: Submission, copy: Copy) -> Answer:
        hall, keyed, key = copy.hall, one.keyed, one.receipt_key
        if keyed is not None and key in work.known:
            return _replay(keyed, work.known[key])
        if hall.plan is None and not isinstance(one.command, c.PutPlan):
            raise errors.UnknownHall(f"There is no hall {one.hall!r}.", hall=one.hall)
        now_ms = max(work.now_ms, hall.last_at_ms)
        if hall.is_due(now_ms):
            self._open_day(work, copy, now_ms)
        command_seq, events = hall.seq + 1, one.events
        try:
            for event in decide(hall, one.command, now_ms):
                events.append(work.log(copy, command_seq, now_ms, one.actor, one.channel, event))
        except errors.UnknownTicket:
            _refuse_closed(work.connection, hall, one.command)
            raise
        answer = one.answering(hall, events, now_ms)
        if keyed is not None and key is not None and events:
            work.keep(key, keyed, answer)
            self._remember(key)
        return answer

    def _remember(self, key: ReceiptKey) -> None:
        """A repeat is mostly asked of the node that had the command before, and soon."""
        if len(self._recent_keys) == RECENT_KEYS:
            self._older_keys, self._recent_keys = self._recent_keys, set()
        self._recent_keys.add(key)

    def _open_day(self, work: "Work", copy: Copy, now_ms: int) -> None:
        """Rollover comes before any later command and stands even if that command is refused."""
        if work.connection is None:
            raise NotAtOnce  # it would stand even though the command itself has to wait for the database
        if not work.trusted:
            raise errors.ClockUnconfirmed
        command_seq = copy.hall.seq + 1
        for event in decide(copy.hall, c.OpenDay(), now_ms):
            work.log(copy, command_seq, now_ms, "system", Channel.SYSTEM, event)

    def _distrust_if_behind(self, work: "Work") -> None:
        behind_ms = max((write.hall.last_at_ms - work.now_ms for write in work.writes.values()), default=0)
        if behind_ms > BACK_MS:
            self._guard.distrust(-behind_ms)


class Work:
    """What one batch has read and gathered. `stood_on`: where each hall's log ended before the batch. Without a
    connection it is decided ahead of its transaction."""

    def __init__(self, now_ms: int, trusted: bool, connection: Connection | None) -> None:
        """Nothing is gathered yet."""
        self.now_ms = now_ms
        self.trusted = trusted
        self.connection = connection
        self.known: dict[ReceiptKey, Receipt] = {}
        self.stood_on: dict[str, tuple[int, str]] = {}
        self.writes: dict[str, appending.HallWrite] = {}
        self.receipt_rows: list[tuple[Any, ...]] = []
        self.events: list[Logged] = []
        self.learned: list[Logged] = []

    def unkept(self, submissions: Sequence[Submission]) -> list[ReceiptKey]:
        """The keys that were taken to be new and get no answer stored: nothing else would notice that they have one."""
        keys = (one.receipt_key for one in submissions)
        return [key for key in keys if key is not None and key not in self.known]

    def log(self, copy: Copy, command_seq: int, now_ms: int, actor: str, channel: str, event: Any) -> Logged:
        """Give an event its place in the log and apply it to the copy."""
        hall = copy.hall
        hall_id, before, seq, data = hall.id, hall.head, hall.seq + 1, encode(event)
        head = chain(before, hall_id, seq, command_seq, now_ms, actor, channel, event, data)
        logged = Logged(hall_id, seq, command_seq, now_ms, actor, channel, event, head, before)
        evolve(hall, logged)
        write = self.writes.get(hall_id)
        if write is None:
            write = self.writes[hall_id] = appending.HallWrite(hall, [], copy.stored)
        write.events.append((logged, data))
        self.events.append(logged)
        return logged

    def keep(self, key: ReceiptKey, keyed: Keyed, answer: Answer) -> None:
        """Keep the answer for repeats, those later in this batch included."""
        headers, body = orjson.dumps(dict(answer.headers)).decode(), answer.body.decode()
        self.known[key] = Receipt(keyed.method, keyed.path, keyed.body_hash, answer.status, headers, body)
        self.receipt_rows.append(
            (*key, keyed.method, keyed.path, keyed.body_hash, answer.status, headers, body, self.now_ms)
        )


def _is_behind(connection: Connection, hall: Hall, position: journal.Position) -> bool:
    """Whether the copy stands in this log, before its end. A copy of another history that others have outrun meanwhile
    would look so too, were its own last hash not compared."""
    return hall.seq < position.seq and journal.head_at(connection, hall.id, hall.seq) == hall.head


def _replay(keyed: Keyed, receipt: Receipt) -> Answer:
    if (receipt.method, receipt.path, receipt.body_hash) != (keyed.method, keyed.path, keyed.body_hash):
        raise errors.KeyReused(key=keyed.key)
    return Answer(receipt.status, receipt.body.encode(), orjson.loads(receipt.headers), replayed=True)


def _refuse_closed(connection: Connection | None, hall: Hall, command: c.Command) -> None:
    """A ticket the hall has forgotten may be closed, in this very batch even: its state is what forbids the command."""
    verb, ticket_id, number = _named(command)
    if number is None and (ticket_id or "").rpartition(".")[0] != hall.id:
        return
    named = {"id": ticket_id or ""} if number is None else {"number": number, "day": hall.day.date}
    touched = (one for one in hall.touched.values() if all(getattr(one, name) == named[name] for name in named))
    closed: Any = next(touched, None)
    if closed is None:
        if connection is None:
            raise NotAtOnce
        closed = next(iter(journal.ticket_rows(connection, hall.id, named, "", 1)), None)
    if closed is not None:
        check_state(closed.state, verb, closed.number)


def _named(command: c.Command) -> tuple[str, str | None, str | None]:
    """What a command wants to do with a ticket, and the ticket's id or today's number."""
    if isinstance(command, c.TicketCommand):
        return VERBS[type(command)], command.ticket, None
    if isinstance(command, c.CallChosen):
        return CALL, command.ticket, command.number
    assert isinstance(command, c.IssueTicket), "no other command names a ticket"
    return WITH, command.party, None
