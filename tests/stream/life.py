"""A hall's life at random, stored for real: any command at any moment, refused or not; midnights, plans, undo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from models.plan import PlanDocument
from models.vocabulary import AdviceKind, AdviceReply, AlertKind, Channel, TicketState, Voice
from queue_service import schema
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, HandClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.events import Logged
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Counter, Hall
from queue_service.domain.rules.table import CALL, TABLE, VERBS
from queue_service.submission import Answer, Submission

START_MS = 1_772_410_000_000
"""Monday 2026-03-02 in the morning, in Asia/Shanghai."""
DAY_MS = 86_400_000
SERVICES, COUNTERS, PRIORITIES = ("a", "b"), ("1", "2", "3"), ("normal", "elder")


def plan_of(hall: str, variant: int = 0) -> dict[str, Any]:
    """A small plan in one of four variants: with and without zones, and with or without a third counter."""
    zones = [{"id": "z", "name": "区"}] if variant % 2 else []
    zone = {"zone": "z"} if variant % 2 else {}
    counters = COUNTERS if variant // 2 % 2 == 0 else COUNTERS[:2]
    document = {
        "id": hall,
        "name": f"大厅 {variant}",
        "time_zone": "Asia/Shanghai",
        "max_overtake_s": 1800,
        "zones": zones,
        "services": [{"id": name, "name": name, "prefix": name.upper(), **zone} for name in SERVICES],
        "priorities": [{"id": name, "name": name, "order_target_percent": 50} for name in PRIORITIES],
        "counters": [{"id": name, "name": f"{name}号", **zone} for name in counters],
        "no_show": {"recalls": 0, "after_s": 0},
        "check_in_channels": ["web"],
        "emergency_prefix": "P",
    }
    return PlanDocument.model_validate(document).model_dump(mode="json")


Step = tuple[str, int, int]
"""What, of which ticket or counter, and a number to choose details by."""

OFTEN = 4 * ("issue", "call_next", "start") + 2 * ("call_next", "later", "undo")
TICKET_VERBS: dict[str, type[c.TicketCommand]] = {verb.replace("-", "_"): kind for kind, verb in VERBS.items()}
COUNTER_VERBS = ("open", "close", "relieve", "pause", "resume_counter", "help", "call_chosen", "announce")
HALL_VERBS = ("suspend", "resume", "resume", "backfill", "record", "plan", "midnight")
ALERT_VERBS = ("warn", "heed", "calm", "advise", "answer")
STEPS = st.lists(
    st.tuples(
        st.sampled_from((*OFTEN, *TICKET_VERBS, *COUNTER_VERBS, *HALL_VERBS, *ALERT_VERBS)),
        st.integers(0, 5),
        st.integers(0, 7),
    ),
    min_size=30,
    max_size=70,
)
"""Random lives; Hypothesis makes them shorter when something fails."""

_SCRIPT = """
issue issue.6 check_in call_next announce recall undo start hand_over park return call_next.1 no_show rejoin postpone
issue call_next requeue transfer.1 change.3 cancel issue call_next start finish
issue call_next pause.1 resume_counter requeue requeue pause resume_counter suspend issue resume
backfill record plan.1 warn heed calm advise answer relieve help close open issue midnight
"""
EVERYTHING: list[Step] = [
    (what, 0, int(detail or 0)) for what, _, detail in (word.partition(".") for word in _SCRIPT.split())
]
"""A life in which everything happens that can."""


def new_database(folder: Path) -> Database:
    """An empty database. What is not under test here is waiting for the disk."""
    database = Database(f"sqlite:///{folder / 'queue.db'}", synchronous="OFF")
    schema.prepare(database)
    return database


class Life:
    """Carries steps out, each command as a transaction of its own. Where a step can name a ticket or counter that
    allows it, it does; where none does, it is refused."""

    def __init__(self, database: Database, hall: str) -> None:
        """`begin` comes first."""
        self.database = database
        self.clock = HandClock(START_MS)
        self.hall = Hall(hall)
        self._batches = Batches(self.clock, ClockGuard(self.clock))
        self._issued = 0

    def begin(self) -> None:
        """A hall with two counters open."""
        self.do(c.PutPlan(plan_of(self.hall.id)))
        self.do(c.OpenCounter("1", "clerk-1"))
        self.do(c.OpenCounter("2", "clerk-2"))

    def do(self, command: c.Command) -> list[Logged]:
        """The events of a command: none where it is refused."""
        deadline_ms = self.clock.monotonic_ms() + 1
        one = Submission(self.hall.id, command, "test", Channel.API, lambda *_: Answer(200), deadline_ms)
        with self.database.write() as connection:
            events = self._batches.run(connection, [one])
        for logged in events:
            evolve(self.hall, logged)
        self.hall.drain()
        return events

    def step(self, step: Step) -> list[Logged]:
        """The events of a step."""
        what, which, detail = step
        if what == "later":
            self.clock.set_ms(self.clock.now_ms() + (100, 5_000, 61_000, 900_000)[detail % 4])
            return []
        if what == "midnight":
            self.clock.set_ms(self.clock.now_ms() + DAY_MS)
            return self.do(c.OpenDay())
        self.clock.set_ms(self.clock.now_ms() + 1)
        if what in TICKET_VERBS:
            return self.do(self._for_ticket(what, which, detail))
        if what in ALERT_VERBS:
            return self.do(self._about_alert(what, which, detail))
        if what in HALL_VERBS or what == "issue":
            return self.do(self._for_hall(what, detail))
        return self.do(self._for_counter(what, which, detail))

    def _new_ticket(self) -> str:
        self._issued += 1
        return f"{self.hall.id}.{self._issued:026d}"

    def _ticket(self, verb: str, which: int) -> str:
        """One that is in a state which allows the verb, if there is any."""
        open_ones = list(self.hall.tickets.values())
        ready = [one for one in open_ones if (one.state, verb) in TABLE] or open_ones
        return ready[-1 - which % len(ready)].id if ready else "none"

    def _counter(self, wanted: Callable[[Counter], bool], which: int) -> str:
        fitting = [one.id for one in self.hall.counters.values() if wanted(one)] or COUNTERS
        return fitting[which % len(fitting)]

    def _for_ticket(self, what: str, which: int, detail: int) -> c.Command:
        kind, service = TICKET_VERBS[what], SERVICES[detail % 2]
        ticket = self._ticket(VERBS[kind], which)
        reserved = COUNTERS[which % 3] if detail % 3 == 0 else None
        filled: dict[str, c.Command] = {
            "park": c.Park(ticket, "materials"),
            "return": c.Return(ticket, COUNTERS[which % 3] if detail % 2 else None),
            "transfer": c.Transfer(ticket, service, for_counter=reserved),
            "change": c.Change(ticket, "wrong", service, PRIORITIES[detail // 2 % 2]),
            "hand_over": c.HandOver(ticket, self._counter(lambda one: one.is_open and one.ticket is None, which)),
            "postpone": c.Postpone(ticket, 60_000),
        }
        return filled.get(what) or kind(ticket)

    def _for_hall(self, what: str, detail: int) -> c.Command:
        now_ms, service, scope = self.clock.now_ms(), SERVICES[detail % 2], SERVICES[detail % 2] if detail > 3 else None
        if what == "issue":
            channel = Channel.WEB if detail > 5 else Channel.KIOSK
            return c.IssueTicket(self._new_ticket(), service, PRIORITIES[detail // 2 % 2], channel)
        if what == "backfill":
            called_ms = now_ms - 1_000 if detail % 2 else None
            return c.Backfill([c.PaperTicket(self._new_ticket(), service, now_ms - 9_000, called_at_ms=called_ms)], "-")
        if what == "record":
            ticket, at_ms = self._new_ticket(), START_MS - 40 * DAY_MS
            return c.RecordHistory([c.RecordedTicket(ticket, f"R{self._issued}", service, at_ms, at_ms + 1, {})])
        if what == "plan":
            return c.PutPlan(plan_of(self.hall.id, detail))
        if what == "suspend":
            return c.Suspend("alarm", scope, turn_away=detail % 3 == 0)
        suspended = list(self.hall.suspensions)
        return c.Resume(suspended[detail % len(suspended)] if suspended else scope)

    def _about_alert(self, what: str, which: int, detail: int) -> c.Command:
        if what == "advise":
            later_ms = self.clock.now_ms() + 900_000
            return c.GiveAdvice(f"v{self.hall.seq}", AdviceKind.OPEN, SERVICES[0], later_ms, later_ms, {"of": detail})
        if what == "answer":
            return c.AnswerAdvice(next(reversed(self.hall.advice), "none"), AdviceReply.DECLINED, "li", "nobody")
        known = list(self.hall.alerts)
        alert = known[-1 - which % len(known)] if known else "none"
        if what == "warn":
            counter = COUNTERS[which % 3] if detail % 2 else None
            return c.RaiseAlert(f"w{self.hall.seq}", list(AlertKind)[detail % 6], SERVICES[0], counter)
        return c.AcknowledgeAlert(alert, "li") if what == "heed" else c.ClearAlert(alert)

    def _announced(self, which: int) -> c.Command:
        called = [one for one in self.hall.tickets.values() if one.state == TicketState.CALLED]
        if not called:
            return c.AnnounceCall("1", "none", "lobby", Voice.NONE, 0)
        one = called[which % len(called)]
        return c.AnnounceCall(one.counter or "1", one.number, "lobby", Voice.SPEECH, 1_000)

    def _for_counter(self, what: str, which: int, detail: int) -> c.Command:
        is_open = self._counter(lambda one: one.is_open, which)
        free = self._counter(lambda one: one.is_open and one.ticket is None, which)
        paused = self._counter(lambda one: (one.pause_reason or one.pause_after) is not None, which)
        made: dict[str, c.Command] = {
            "call_next": c.CallNext(free if detail < 4 else is_open, finish_current=detail % 3 > 0),
            "call_chosen": c.CallChosen(free, "why", ticket=self._ticket(CALL, which), finish_current=detail % 2 > 0),
            "open": c.OpenCounter(self._counter(lambda one: not one.is_open, which), f"clerk-{detail}"),
            "close": c.CloseCounter(is_open if detail % 2 else free, force="why" if detail % 2 else None),
            "relieve": c.RelieveCounter(is_open, f"relief-{detail}"),
            "pause": c.PauseCounter(is_open if detail % 2 else free, "break", after_current=detail % 2 > 0),
            "resume_counter": c.ResumeCounter(paused),
            "help": c.CallHelp(is_open),
            "announce": self._announced(which),
            "undo": c.Undo(self._counter(lambda one: one.last is not None, which)),
        }
        return made[what]
