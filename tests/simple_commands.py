"""The commands of a random day that need no more than a ticket, a counter and a service, by what a step is called."""

from queue_service.domain import commands as c


def simple_commands(ticket: str, counter: str, service: str) -> dict[str, c.Command]:
    """One of each."""
    return {
        "call": c.CallNext(counter),
        "finish and call": c.CallNext(counter, finish_current=True),
        "start": c.Start(ticket),
        "finish": c.Finish(ticket),
        "no-show": c.NoShow(ticket),
        "rejoin": c.Rejoin(ticket),
        "requeue": c.Requeue(ticket),
        "park": c.Park(ticket, "materials"),
        "return": c.Return(ticket),
        "return here": c.Return(ticket, counter),
        "transfer": c.Transfer(ticket, service),
        "check-in": c.CheckIn(ticket),
        "cancel": c.Cancel(ticket),
        "undo": c.Undo(counter),
    }
