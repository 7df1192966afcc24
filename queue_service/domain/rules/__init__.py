"""decide(hall, command, now) -> events, or a Refusal. Pure: rules read the hall and never change it.

A rule is a generator: each event it yields is applied (`evolve`) before the next is drawn, so a rule of two steps
sees the first one done. It refuses before its first event; only what DESIGN names (turned away) stands with a refusal.
"""

from collections.abc import Callable, Iterator
from typing import Any

from queue_service.domain import commands as c
from queue_service.domain.events import Event
from queue_service.domain.hall import Hall
from queue_service.domain.rules import advice, alerts, calls, counters, hall_rules, issue, paper, tickets, undo

Rule = Callable[[Hall, Any, int], Iterator[Event]]

RULES: dict[type[c.Command], Rule] = {
    c.PutPlan: hall_rules.put_plan,
    c.OpenDay: hall_rules.open_day,
    c.Suspend: hall_rules.suspend,
    c.Resume: hall_rules.resume,
    c.RaiseAlert: alerts.raise_alert,
    c.AcknowledgeAlert: alerts.acknowledge_alert,
    c.ClearAlert: alerts.clear_alert,
    c.GiveAdvice: advice.give_advice,
    c.AnswerAdvice: advice.answer_advice,
    c.IssueTicket: issue.issue,
    c.Backfill: paper.backfill,
    c.RecordHistory: paper.record_history,
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
    c.Undo: undo.undo,
    c.CallNext: calls.call_next,
    c.CallChosen: calls.call_chosen,
}


def decide(hall: Hall, command: c.Command, now_ms: int) -> Iterator[Event]:
    """The events of a command, to be applied as they are drawn. Raises `Refusal`."""
    return RULES[type(command)](hall, command, now_ms)
