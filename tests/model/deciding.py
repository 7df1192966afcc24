"""The model's answer to a command, and to a command as it comes to the service: late, repeated, on a new day."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from queue_service import errors
from queue_service.domain import commands as c
from tests.model import advice, alerts, counters, halls, tickets
from tests.model.state import HallModel, Record


def _nothing(_hall: HallModel, _command: c.OpenDay) -> None:
    """A due rollover comes before any command, this one too."""


RULES: dict[type[c.Command], Callable[[HallModel, Any], None]] = {
    c.PutPlan: halls.put_plan,
    c.OpenDay: _nothing,
    c.Suspend: halls.suspend,
    c.Resume: halls.resume,
    c.GiveAdvice: advice.give,
    c.AnswerAdvice: advice.answer,
    c.RaiseAlert: alerts.raise_alert,
    c.AcknowledgeAlert: alerts.acknowledge,
    c.ClearAlert: alerts.clear,
    c.IssueTicket: halls.issue,
    c.Backfill: halls.backfill,
    c.RecordHistory: halls.record_history,
    c.Recall: tickets.recall,
    c.Start: tickets.start,
    c.Finish: tickets.finish,
    c.NoShow: tickets.no_show,
    c.Rejoin: tickets.rejoin,
    c.Requeue: tickets.requeue,
    c.Park: tickets.park,
    c.Return: tickets.return_,
    c.Transfer: tickets.transfer,
    c.Change: tickets.change,
    c.HandOver: tickets.hand_over,
    c.CheckIn: tickets.check_in,
    c.Postpone: tickets.postpone,
    c.Cancel: tickets.cancel,
    c.OpenCounter: counters.open_counter,
    c.PauseCounter: counters.pause,
    c.ResumeCounter: counters.resume,
    c.CloseCounter: counters.close,
    c.RelieveCounter: counters.relieve,
    c.CallHelp: counters.call_help,
    c.AnnounceCall: counters.announce_call,
    c.Undo: counters.undo,
    c.CallNext: counters.call_next,
    c.CallChosen: counters.call_chosen,
}


def do(hall: HallModel, command: c.Command) -> None:
    """Do it, or raise what it is refused with; a counter's command is kept to be taken back."""
    before, happened = hall.twin(), len(hall.happened)
    RULES[type(command)](hall, command)
    name = _at_counter(before, command)
    if name is None or len(hall.happened) == happened or isinstance(command, c.CallHelp | c.AnnounceCall):
        return
    record = None
    if isinstance(command, counters.TAKEN_BACK):
        changed = [one for one in before.tickets.values() if hall.tickets[one.id] is not one]
        record = Record(
            at_ms=hall.now_ms,
            before={one.id: one for one in changed},
            after={one.id: hall.tickets[one.id] for one in changed},
            counter=before.counters[name],
            chosen=hall.chosen - before.chosen,
        )
    hall.set_counter(name, record=record)


def _at_counter(hall: HallModel, command: c.Command) -> str | None:
    """The counter whose business a command is."""
    if isinstance(command, c.CounterCommand):
        return command.counter
    if isinstance(command, c.Return) and command.counter is not None:
        return command.counter
    if isinstance(command, c.TicketCommand):
        return hall.tickets[command.ticket].counter
    return None


@dataclass(frozen=True)
class Asked:
    """A command on its way. `key`: its idempotency key, `body`: the request's; `late`: past its deadline."""

    hall: str
    command: c.Command
    token: str
    key: str | None = None
    body: str = ""
    late: bool = False


@dataclass(frozen=True)
class Expected:
    """What the caller gets: an error's kind, or the answer with a token (an earlier one, if replayed)."""

    refused: type[Exception] | None = None
    token: str = ""
    replayed: bool = False


@dataclass
class ServiceModel:
    """Some halls, and the answers kept for repeats."""

    halls: dict[str, HallModel] = field(default_factory=dict)
    receipts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def twin(self) -> "ServiceModel":
        """A copy that later changes do not reach."""
        return ServiceModel({name: hall.twin() for name, hall in self.halls.items()}, dict(self.receipts))

    def ask(self, asked: Asked, clock_ms: int) -> Expected:
        """Take one command as the service should."""
        if asked.late:
            return Expected(errors.Unavailable)
        kept = self.receipts.get((asked.hall, asked.key or ""))
        if asked.key and kept:
            body, token = kept
            return Expected(token=token, replayed=True) if body == asked.body else Expected(errors.KeyReused)
        hall = self.halls.get(asked.hall) or HallModel(asked.hall)
        if hall.plan is None and not isinstance(asked.command, c.PutPlan):
            return Expected(errors.UnknownHall)
        return self._decide(hall, asked, clock_ms)

    def _decide(self, hall: HallModel, asked: Asked, clock_ms: int) -> Expected:
        hall.now_ms = max(clock_ms, hall.last_at_ms)
        before = len(hall.happened)
        if hall.plan is not None:
            halls.roll_over(hall)
        rolled = len(hall.happened)
        refused: type[Exception] | None = None
        try:
            do(hall, asked.command)
        except errors.QueueServiceError as error:
            refused = type(error)
        if len(hall.happened) > before:
            hall.last_at_ms = hall.now_ms
        if hall.plan is not None:
            self.halls[hall.id] = hall
        if asked.key and refused is None and len(hall.happened) > rolled:
            self.receipts[asked.hall, asked.key] = (asked.body, asked.token)
        return Expected(refused, "" if refused else asked.token)
