"""The truth about a ticket's life: from state x command -> states it can lead to. Every other cell is refused."""

from models.vocabulary import TicketState as S
from queue_service.domain import commands as c

CALL = "call"
EXPIRE = "expire"
WITH = "going with it"
"""What is wanted of a companion: of an open one always possible, and no command to it."""

VERBS: dict[type[c.TicketCommand], str] = {
    c.Recall: "recall",
    c.Start: "start",
    c.Finish: "finish",
    c.NoShow: "no-show",
    c.Rejoin: "rejoin",
    c.Requeue: "requeue",
    c.Park: "park",
    c.Return: "return",
    c.Transfer: "transfer",
    c.Change: "change",
    c.HandOver: "hand-over",
    c.CheckIn: "check-in",
    c.Postpone: "postpone",
    c.Cancel: "cancel",
}
"""The ticket commands by their names in the outside contract; `call` and `expire` are the hall's own."""

TABLE: dict[tuple[S, str], tuple[S, ...]] = {
    (S.EXPECTED, "check-in"): (S.WAITING,),
    (S.EXPECTED, "change"): (S.EXPECTED,),
    (S.EXPECTED, "cancel"): (S.CANCELLED,),
    (S.EXPECTED, EXPIRE): (S.EXPIRED,),
    (S.WAITING, CALL): (S.CALLED,),
    (S.WAITING, "transfer"): (S.WAITING,),
    (S.WAITING, "change"): (S.WAITING,),
    (S.WAITING, "postpone"): (S.WAITING,),
    (S.WAITING, "cancel"): (S.CANCELLED,),
    (S.WAITING, EXPIRE): (S.EXPIRED,),
    (S.CALLED, "recall"): (S.CALLED,),
    (S.CALLED, "start"): (S.SERVING,),
    (S.CALLED, "no-show"): (S.NO_SHOW,),
    (S.CALLED, "requeue"): (S.WAITING,),
    (S.CALLED, "transfer"): (S.WAITING,),
    (S.CALLED, "change"): (S.CALLED,),
    (S.CALLED, "cancel"): (S.CANCELLED,),
    (S.CALLED, EXPIRE): (S.EXPIRED,),
    (S.SERVING, "finish"): (S.FINISHED,),
    (S.SERVING, "requeue"): (S.WAITING,),
    (S.SERVING, "park"): (S.PARKED,),
    (S.SERVING, "transfer"): (S.WAITING,),
    (S.SERVING, "hand-over"): (S.SERVING,),
    (S.PARKED, "return"): (S.WAITING, S.SERVING),
    (S.PARKED, "transfer"): (S.WAITING,),
    (S.PARKED, "cancel"): (S.CANCELLED,),
    (S.PARKED, EXPIRE): (S.EXPIRED,),
    (S.NO_SHOW, "rejoin"): (S.WAITING,),
    (S.NO_SHOW, EXPIRE): (S.EXPIRED,),
}
