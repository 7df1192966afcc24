"""Random days: each step becomes commands that mostly fit the state of the hall, or one of the things that go wrong."""

from collections.abc import Callable
from typing import Any

from hypothesis.stateful import initialize, rule

from models.vocabulary import AdviceKind, AdviceReply, AlertKind, Voice
from queue_service.domain import commands as c
from tests.model import days, plans, steps
from tests.model.asking import Asking
from tests.model.deciding import Asked
from tests.model.moments import moments
from tests.model.state import CLOSED, HELD, HallModel
from tests.model.tales import Tale
from tests.model.tickets import ALLOWED


class Halls(Asking):
    """What may happen in two halls of one database."""

    @initialize(opening=steps.opening)
    def open_doors(self, opening: dict[str, Any]) -> None:
        """Two halls with random plans (the plain one where that contradicts itself), clerks and first visitors."""
        for name, plan in (("hall", opening["plan"]), ("far", opening["far_plan"])):
            self.ask(name, c.PutPlan(plans.drawn(name, plan), if_version=0), now=True)
            if name not in self.side.model.halls:
                self.ask(name, c.PutPlan(plans.document(name)), now=True)
            for counter in opening["staffed"]:
                self.ask(name, c.OpenCounter(counter, f"clerk {counter}"), now=False)
            for service in opening["issued"]:
                self.ask(name, c.IssueTicket(self.new_id(name), service), now=False)
        self.side.flush()

    @rule(step=steps.step)
    def go_on(self, step: steps.Step) -> None:
        """One more step."""
        verb, drawn = step
        getattr(self, verb)(**drawn)

    # -- visitors

    def issue_plainly(self, name: str, now: bool, service: str) -> None:
        """Most visitors just take a number."""
        self.ask(name, c.IssueTicket(self.new_id(name), service), now)

    def issue(self, name: str, now: bool, number: int, odd: bool, group: bool, **more: Any) -> None:
        """A visitor comes, alone or with others."""
        party = self.pick(name, ("waiting", "expected", "no_show", "parked", *HELD), number, odd) if group else None
        ticket = self.new_id(name)
        key, late = more.pop("key"), more.pop("late")
        self.ask(name, c.IssueTicket(ticket, party=party, language="en", ref=f"case {ticket}", **more), now, key, late)

    def act(self, name: str, now: bool, number: int, odd: bool, verb: type[c.TicketCommand]) -> None:
        """Commands that say nothing but what."""
        self.tell(name, verb, now, number, odd)

    def transfer(
        self, name: str, now: bool, number: int, odd: bool, service: str, for_counter: str | None,
        for_clerk: str | None, reserve_ms: int | None,
    ) -> None:  # fmt: skip
        """Into another line, perhaps kept for somebody."""
        self.tell(name, c.Transfer, now, number, odd, service, for_counter, for_clerk, reserve_ms)

    def change(self, name: str, now: bool, number: int, odd: bool, service: str | None, priority: str | None) -> None:
        """Put right."""
        self.tell(name, c.Change, now, number, odd, "wrong service", service, priority)

    def postpone(self, name: str, now: bool, number: int, odd: bool, by_ms: int) -> None:
        """Others go first."""
        self.tell(name, c.Postpone, now, number, odd, by_ms)

    def park(self, name: str, now: bool, number: int, odd: bool, reason: str) -> None:
        """An errand."""
        self.tell(name, c.Park, now, number, odd, reason)

    def come_back(self, name: str, now: bool, number: int, odd: bool, straight: bool, counter: str | None) -> None:
        """From parking, straight or into the line."""
        known = self.hall(name).tickets.get(self.pick(name, ALLOWED[c.Return], number, odd))
        parked_at = known.leg.counter if known and known.legs else None
        self.tell(name, c.Return, now, number, odd, parked_at if straight else counter)

    def hand_over(self, name: str, now: bool, number: int, odd: bool, place: int) -> None:
        """To another counter."""
        self.tell(name, c.HandOver, now, number, odd, self.counter(name, place, odd, idle=True))

    def hand_over_cross(self, name: str, now: bool, number: int, place: int) -> None:
        """Two counters change their tickets by way of a third, in one transaction."""
        serving = self.hall(name).in_state("serving")
        if len(serving) >= 2:
            one, other = (serving[(number + step) % len(serving)] for step in (0, 1))
            third = self.counter(name, place, idle=True)
            for ticket, to in ((one, third), (other, one.counter), (one, other.counter)):
                self.ask(name, c.HandOver(ticket.id, to or ""), now=False)
        if now:
            self.side.flush()

    # -- counters

    def call_next(self, name: str, now: bool, place: int, odd: bool, finish: bool, key: bool, late: bool) -> None:
        """The one button."""
        counter = self.counter(name, place, odd, idle=not finish)
        self.ask(name, c.CallNext(counter, finish), now, key, late)

    def call_chosen(
        self, name: str, now: bool, place: int, odd: bool, number: int, finish: bool, by_number: bool
    ) -> None:
        """A certain visitor, by id or by number."""
        ticket = self.pick(name, ("waiting",), number, odd)
        known = self.hall(name).tickets.get(ticket)
        shown = known.number if known and by_number else None
        counter = self.counter(name, place, odd, idle=not finish)
        self.ask(name, c.CallChosen(counter, "urgent", None if shown else ticket, shown, finish), now)

    def undo(self, name: str, now: bool, place: int, odd: bool) -> None:
        """Take back, often where there is something."""
        recent = [one.id for one in self.hall(name).counters.values() if one.record]
        counter = recent[place % len(recent)] if recent and place % 4 else self.counter(name, place, odd)
        self.ask(name, c.Undo(counter), now)

    def open_counter(self, name: str, now: bool, counter: str, clerk: str, narrowed: tuple[str, ...] | None) -> None:
        """A clerk signs on."""
        self.ask(name, c.OpenCounter(counter, clerk, narrowed), now)

    def at_counter(self, name: str, now: bool, place: int, odd: bool, clerk: str, reason: str, verb: str) -> None:
        """What else a clerk or a supervisor does there."""
        counter = self.counter(name, place, odd)
        paused = [one.id for one in self.hall(name).counters.values() if one.pause or one.pause_after]
        if verb == "resume" and paused:
            counter = paused[place % len(paused)]
        commands: dict[str, c.Command] = {
            "pause": c.PauseCounter(counter, reason),
            "pause after": c.PauseCounter(counter, reason, after_current=True),
            "resume": c.ResumeCounter(counter),
            "relieve": c.RelieveCounter(counter, clerk),
            "help": c.CallHelp(counter),
            "close": c.CloseCounter(counter),
            "force": c.CloseCounter(counter, force="clerk unwell"),
        }
        self.ask(name, commands[verb], now)

    def announce(self, name: str, now: bool, place: int, odd: bool, shown: bool, voice: Voice) -> None:
        """A display tells the lobby; now and then of somebody who is not called there."""
        called = [one for one in self.hall(name).open_tickets() if one.state == "called" and one.counter]
        chosen = called[place % len(called)] if called and not odd else None
        counter = chosen.counter if chosen and chosen.counter else self.counter(name, place, odd)
        number = "A000" if shown or chosen is None else chosen.number
        self.ask(name, c.AnnounceCall(counter, number, "lobby", voice, place * 100), now)

    # -- the hall

    def warn(self, name: str, now: bool, kind: AlertKind, service: str | None, counter: str | None) -> None:
        """Somebody who watches the hall warns of something."""
        self.warned += 1
        self.ask(name, c.RaiseAlert(f"w{self.warned}", kind, service, counter, {"waited_s": self.warned}), now)

    def heed(self, name: str, now: bool, number: int, odd: bool, by: str | None, over: bool) -> None:
        """A warning is seen, or over."""
        known = [] if odd else list(self.hall(name).alerts)
        alert = known[number % len(known)] if known else "none"
        self.ask(name, c.ClearAlert(alert) if over else c.AcknowledgeAlert(alert, by), now)

    def advise(self, name: str, now: bool, kind: AdviceKind, service: str, again: bool, left_ms: int) -> None:
        """Somebody who plans the hall gives advice, or the same once more."""
        self.advised += not again
        given = c.GiveAdvice(f"a{self.advised}", kind, service, 0, self.side.clock.now_ms() + left_ms, {"of": 1})
        self.ask(name, given, now)

    def heed_advice(self, name: str, now: bool, number: int, odd: bool, by: str | None, reply: AdviceReply) -> None:
        """Advice is accepted or declined."""
        known = [] if odd else list(self.hall(name).advice)
        advice = known[number % len(known)] if known else "none"
        self.ask(name, c.AnswerAdvice(advice, reply, by, None if by else "nobody to spare"), now)

    def suspend(self, name: str, now: bool, service: str | None, turn_away: bool) -> None:
        """Fire alarm."""
        self.ask(name, c.Suspend("fire alarm", service, turn_away), now)

    def resume(self, name: str, now: bool, number: int) -> None:
        """All clear; where nothing stood still it is refused."""
        stopped = list(self.hall(name).suspensions) or [None, "a", "z"]
        self.ask(name, c.Resume(stopped[number % len(stopped)]), now)

    def tell_a_tale(
        self, name: str, tale: Callable[[HallModel, int], Tale], number: int, left_out: tuple[int, ...], now: bool
    ) -> None:
        """Commands that matter to each other, without some of them."""
        self.side.flush()
        for place, part in enumerate(tale(self.present(name), number)):
            if place in left_out:
                continue
            if isinstance(part, int):
                self.pass_time(part)
            else:
                self.ask(name, part, now)

    def put_plan(self, name: str, now: bool, plan: int, stale: bool, again: bool) -> None:
        """A new plan, or the same again."""
        hall = self.hall(name)
        document = hall.rules if again else plans.drawn(name, plan)
        self.ask(name, c.PutPlan(document, hall.version - 1 if stale else hall.version), now)

    def backfill(self, name: str, now: bool, number: int, claim: bool, later_ms: tuple[int, ...], **more: Any) -> None:
        """Paper tickets of an outage: one as drawn, and before it one that still waits."""
        hall = self.hall(name)
        series = hall.rules["emergency_prefix"] or "A"
        claimed = f"{series}{max(0, hall.numbers.get(series, 0) - 2 + number % 6):03d}" if claim else None
        arrived_ms = self.side.clock.now_ms() - 3_600_000
        fields = ("called_at_ms", "started_at_ms", "finished_at_ms")
        given: dict[str, Any] = {
            field: arrived_ms + sum(later_ms[: at + 1]) for at, field in enumerate(fields[: len(later_ms)])
        }
        papers = [
            c.PaperTicket(self.new_id(name), "b", arrived_ms),
            c.PaperTicket(self.new_id(name), arrived_at_ms=arrived_ms, number=claimed, ref="paper", **given, **more),
        ]
        self.ask(name, c.Backfill(papers, "power cut"), now)

    def record_history(self, name: str, now: bool, service: str, age: int, called: int | None) -> None:
        """A past day of another system."""
        issued_ms = self.side.clock.now_ms() - age * 86_400_000
        called_ms = None if called is None else issued_ms + called
        ticket = self.new_id(name)
        recorded = c.RecordedTicket(ticket, f"H{self.issued}", service, issued_ms, called_ms, {})
        self.ask(name, c.RecordHistory([recorded]), now)

    def ask_for_a_closed_ticket(self, name: str, now: bool, number: int) -> None:
        """Tickets that are closed, or the other hall's; halls that are not."""
        if name == "nowhere":
            self.ask(name, c.CallNext("1"), now)
            return
        verbs = [c.Finish, c.Cancel, c.Rejoin, c.Recall]
        ticket = self.pick("far" if number % 4 == 0 else name, CLOSED, number)
        known, idle = self.hall(name).tickets.get(ticket), self.counter(name, number, idle=True)
        if known and number % 3 == 1:
            self.ask(name, verbs[number % len(verbs)](ticket), now)
        elif number % 3 == 2:
            self.ask(name, c.IssueTicket(self.new_id(name), "b", party=ticket), now)
        elif known and number % 2:
            self.ask(name, c.CallChosen(idle, "urgent", number=known.number), now)
        else:
            self.ask(name, c.CallChosen(idle, "urgent", ticket), now)

    def repeat(self, now: bool, number: int, other: bool) -> None:
        """The same request again, or another with its key."""
        if self.keyed:
            first = self.keyed[number % len(self.keyed)]
            command = first.command
            if isinstance(command, c.IssueTicket):  # the edge makes a new id for every request
                command = c.IssueTicket(self.new_id(first.hall), command.service)
            body = "other" if other else first.body
            self.send(Asked(first.hall, command, self.side.token(), first.key, body), now)

    # -- time, and what goes wrong

    def pass_time(self, by_ms: int) -> None:
        """Later."""
        self.side.flush()
        self.side.clock.set_ms(self.side.clock.now_ms() + by_ms)

    def wait_for(self, name: str, mark: str, off_ms: int) -> None:
        """An hour that matters, to the millisecond; midnight most of all."""
        self.side.flush()
        hall = self.hall(name)
        at_ms = days.instant(hall.rules, hall.date, mark) + off_ms
        if at_ms > self.side.clock.now_ms():
            self.side.clock.set_ms(at_ms)

    def meet_a_moment(self, name: str, number: int, off_ms: int) -> None:
        """Try what turns at a certain moment just then, or a millisecond beside it."""
        self.side.flush()
        coming = moments(self.present(name))
        if coming:
            at_ms, command = coming[number % len(coming)]
            self.side.clock.set_ms(max(self.side.clock.now_ms(), at_ms + off_ms))
            self.ask(name, command, now=True)

    def step_back(self, by_ms: int) -> None:
        """The clock is corrected; no event is before its predecessor."""
        self.side.flush()
        latest_ms = max((hall.last_at_ms for hall in self.side.model.halls.values()), default=0)
        self.side.clock.jump_ms(max(self.side.clock.now_ms() - by_ms, latest_ms - 60_000))

    def commit(self, writer: int) -> None:
        """One of two processes commits what is pending, and what comes after."""
        self.side.writer = writer
        self.side.flush()

    def roll_back(self, writer: int, forget: bool) -> None:
        """The commit does not come; the copies are dropped, or found to be of another history."""
        self.side.fail(writer, forget)

    def forget(self, writer: int) -> None:
        """A process that starts anew reads the hall from the event that opened its day."""
        self.side.writers[writer].forget(["hall", "far"])
