"""The auditor: knows what was promised, and nothing of how it is kept.

It hears each answer that a caller gets and each frame that a display gets, and reads the tables with its own
statements, over a connection of its own, so that it sees what is committed and no more.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Protocol

import orjson
import psycopg

ZONE = timezone(timedelta(hours=8))
"""Of the halls."""
TABLES = ("event", "hall", "leg", "receipt", "ticket")
FREE, HELD = "free", ("called", "serving")


class Tables:
    """A database's tables, as anybody may read them."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self._is_sqlite = url.startswith("sqlite")
        self._connection: Any = (
            sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
            if self._is_sqlite
            else psycopg.connect(url, autocommit=True)
        )

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        marked = statement if self._is_sqlite else statement.replace("?", "%s")
        return list(self._connection.execute(marked, values).fetchall())

    def empty(self) -> None:
        """Take every row away."""
        if self._is_sqlite:
            for table in TABLES:
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 (our own names)
        else:
            self._connection.execute(f"TRUNCATE {', '.join(TABLES)}")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Asked(Protocol):
    """What a caller can say about a wish."""

    name: str
    hall: str
    answers: list[list[dict[str, Any]]]
    unknown: int


class Watching(Protocol):
    """What a display can say: whose it is, and where it was before the frame."""

    name: str
    hall: str
    board: Any
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the log, as it is stored."""

    hall: str
    seq: int
    command_seq: int
    at_ms: int
    kind: str
    actor: str
    data: dict[str, Any]
    head: str


class Auditor:
    """Finds what is not as it was promised."""

    def __init__(self, tables: Tables) -> None:
        """Nothing has been seen."""
        self.findings: list[str] = []
        self.frames = 0
        self._tables = tables
        self._committed: dict[tuple[str, int], str] = {}
        self._boards: dict[tuple[str, int], bytes] = {}

    # -- while it happens

    def answered(self, wish: Asked) -> None:
        """A caller has just got the last of its answers: all of it must be durable by now, and the same each time."""
        for one in wish.answers[-1]:
            self._expect(self._head(wish.hall, one["seq"]) == one["head"], f"{wish.name} was told of {one}: not stored")
        told = [one for one in wish.answers if one]
        self._expect(all(one == told[0] for one in told), f"{wish.name} got different answers: {told}")

    def looked(self, wish: Asked, seq: int) -> None:
        """Who was answered has then looked at the hall, and saw it as of an event."""
        told = max((one["seq"] for answer in wish.answers for one in answer), default=0)
        self._expect(seq >= told, f"{wish.name} was told of event {told} and then shown {seq}")

    def seen(self, screen: Watching, frame: dict[str, Any]) -> None:
        """A display has just got a frame, and has its board by it, but has not moved on yet."""
        self.frames += 1
        seq, who = frame["seq"], f"display {screen.name} of {screen.hall} at {screen.seq}"
        if frame["type"] == "event":
            self._expect(seq == screen.seq + 1, f"{who} was shown event {seq} ({frame['kind']})")
        else:
            self._expect(seq >= screen.seq, f"{who} was sent back to {seq}")
        self._expect(self._head(screen.hall, seq) == frame["head"], f"{who} was shown {seq}, which is not stored")
        board = orjson.dumps(screen.board, option=orjson.OPT_SORT_KEYS)
        other = self._boards.setdefault((screen.hall, seq), board)
        self._expect(board == other, f"boards of {screen.hall} at {seq} differ: {board.decode()} {other.decode()}")

    def _head(self, hall: str, seq: int) -> str | None:
        if (hall, seq) not in self._committed:
            found = self._tables.ask("SELECT hash FROM event WHERE hall = ? AND seq = ?", hall, seq)
            if not found:
                return None
            self._committed[hall, seq] = found[0][0]
        return self._committed[hall, seq]

    def _expect(self, holds: bool, finding: str) -> None:
        if not holds:
            self.findings.append(finding)

    # -- at the end

    def close(self, wishes: Iterable[Asked], screens: Iterable[Watching]) -> list[Entry]:
        """Nothing is under way any more: read the tables, and compare; the log."""
        columns = "hall, seq, command_seq, at_ms, kind, actor, data, hash"
        rows = self._tables.ask(f"SELECT {columns} FROM event ORDER BY hall, seq")  # noqa: S608 (our own names)
        log = [Entry(*row[:6], orjson.loads(row[6]), row[7]) for row in rows]  # type: ignore[call-arg]
        self._check_wishes(wishes, log)
        for hall in sorted({one.hall for one in log}):
            own = [one for one in log if one.hall == hall]
            self._expect([one.seq for one in own] == list(range(1, len(own) + 1)), f"the log of {hall} has gaps")
            self._check_days(hall, own)
            self._check_tickets(hall, own)
        ends: dict[str, int] = dict(self._tables.ask("SELECT id, last_seq FROM hall"))
        for screen in screens:
            self._expect(
                screen.seq == ends.get(screen.hall, 0),
                f"display {screen.name} of {screen.hall} is left at {screen.seq}",
            )
            self._check_board(screen)
        return log

    def _check_wishes(self, wishes: Iterable[Asked], log: list[Entry]) -> None:
        """What was acknowledged is in the log as it was told, nothing twice, and nothing that was said not to be."""
        done: dict[str, list[Entry]] = {}
        for one in log:
            done.setdefault(one.actor, []).append(one)
        for wish in wishes:
            own = done.pop(wish.name, [])
            self._expect(len({one.command_seq for one in own}) <= 1, f"{wish.name} was done twice: {own}")
            self._expect(all(one.hall == wish.hall for one in own), f"{wish.name} was done elsewhere: {own}")
            told = next((one for one in wish.answers if one), None)
            if told is not None:
                found = [{"seq": o.seq, "head": o.head, "kind": o.kind, "ticket": o.data.get("ticket")} for o in own]
                self._expect(found == told, f"{wish.name} was told {told}, the log has {found}")
            else:
                self._expect(not own or wish.unknown > 0, f"{wish.name} was done, but nobody was told so: {own}")
        self._expect(set(done) <= {"system"}, f"nobody asked for this: {done}")

    def _check_days(self, hall: str, log: list[Entry]) -> None:
        """Days follow one another, times too, and each day's numbers are dense."""
        today, given = "", Counter[str]()
        numbers: list[tuple[str, str, str]] = []
        for one, before in zip(log, [log[0], *log], strict=False):
            self._expect(one.at_ms >= before.at_ms, f"{hall}: event {one.seq} is before its predecessor")
            if one.kind == "day_opened":
                self._expect(one.data["day"] > today, f"{hall}: {one.data['day']} was opened after {today}")
                today, given = one.data["day"], Counter()
            if one.kind == "ticket_issued":
                prefix = one.data["number"][0]
                given[prefix] += 1
                self._expect(
                    one.data["number"] == f"{prefix}{given[prefix]:03d}",
                    f"{hall}: {one.data['number']} is number {given[prefix]} of {today}",
                )
                self._expect(_day(one.at_ms) == today, f"{hall}: event {one.seq} is on {_day(one.at_ms)}, not {today}")
                numbers.append((one.data["ticket"], today, one.data["number"]))
        rows = self._tables.ask("SELECT id, day, number FROM ticket WHERE hall = ?", hall)
        self._expect(sorted(rows) == sorted(numbers), f"{hall}: tickets {rows}, by the log {numbers}")

    def _check_tickets(self, hall: str, log: list[Entry]) -> None:
        """Nobody is called twice, no counter has two; and the rows say the same."""
        tickets: dict[str, tuple[str, str | None]] = {}
        for one in log:
            if one.kind.startswith("ticket_"):
                self._follow(one, tickets)
        held = sorted((counter, ticket) for ticket, (_, counter) in tickets.items() if counter is not None)
        rows = self._tables.ask("SELECT counter, id FROM ticket WHERE hall = ? AND counter IS NOT NULL", hall)
        self._expect(sorted(rows) == held, f"{hall}: counters have {rows}, by the log {held}")
        states = sorted((ticket, state) for ticket, (state, _) in tickets.items())
        stored = self._tables.ask("SELECT id, state FROM ticket WHERE hall = ?", hall)
        self._expect(sorted(stored) == states, f"{hall}: tickets are {stored}, by the log {states}")

    def _follow(self, one: Entry, tickets: dict[str, tuple[str, str | None]]) -> None:
        ticket, counter = one.data["ticket"], one.data.get("counter")
        state, at = tickets.get(ticket, ("", None))
        before, after = _STATES[one.kind]
        self._expect(state in before, f"{one.hall}: {ticket} was {state} at event {one.seq}, {one.kind}")
        if one.kind in ("ticket_recalled", "ticket_started", "ticket_finished", "ticket_requeued", "ticket_no_show"):
            self._expect(at == counter, f"{one.hall}: {ticket} was at {at}, not {counter}, at event {one.seq}")
        if one.kind == "ticket_handed_over":
            counter = one.data["to_counter"]
        if one.kind in ("ticket_called", "ticket_handed_over"):
            there = [other for other, (_, place) in tickets.items() if place == counter]
            self._expect(not there, f"{one.hall}: counter {counter} had {there} when it got {ticket}, event {one.seq}")
        new = after or state
        tickets[ticket] = (new, (counter or at) if new in HELD else None)

    def _check_board(self, screen: Watching) -> None:
        """The board says what the rows say."""
        if screen.board is None:
            return
        statement = "SELECT service, count(*) FROM ticket WHERE hall = ? AND state = 'waiting' GROUP BY service"
        waiting = dict(self._tables.ask(statement, screen.hall))
        shown = {name: one["waiting"] for name, one in screen.board["services"].items() if one["waiting"]}
        self._expect(shown == waiting, f"the board of {screen.hall} shows {shown} waiting, the rows {waiting}")
        held = dict(self._tables.ask(_AT_COUNTERS, screen.hall))
        called = {name: one["number"] for name, one in screen.board["counters"].items() if "number" in one}
        self._expect(called == held, f"the board of {screen.hall} shows {called}, the rows {held}")


_AT_COUNTERS = "SELECT counter, number FROM ticket WHERE hall = ? AND counter IS NOT NULL"
_STATES: dict[str, tuple[tuple[str, ...], str]] = {
    "ticket_issued": (("",), "waiting"),
    "ticket_called": (("waiting",), "called"),
    "ticket_recalled": (("called",), ""),
    "ticket_started": (("called",), "serving"),
    "ticket_finished": (("serving",), "finished"),
    "ticket_no_show": (("called",), "no_show"),
    "ticket_rejoined": (("no_show",), "waiting"),
    "ticket_requeued": (HELD, "waiting"),
    "ticket_transferred": (("waiting", *HELD), "waiting"),
    "ticket_handed_over": (("serving",), ""),
    "ticket_cancelled": (("waiting", "called"), "cancelled"),
    "ticket_expired": (("waiting", "called", "no_show"), "expired"),
}
"""What a ticket may be before an event, and what it is after it ("": the same)."""


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, ZONE).date().isoformat()
