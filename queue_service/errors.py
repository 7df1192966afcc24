"""The one error hierarchy. A class's docstring is its message; what HTTP makes of it stands in `api.problems`."""

from typing import Any


class QueueServiceError(Exception):
    """Something went wrong in the queue service."""

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        """`detail` says what happened here; `facts` are machine-readable members of the answer."""
        super().__init__(detail or type(self).__doc__)
        self.facts = facts


class Refusal(QueueServiceError):
    """The command cannot be done; nothing was changed."""


class UnknownHall(Refusal):
    """There is no such hall."""


class UnknownService(Refusal):
    """The hall's plan has no such service."""


class UnknownPriority(Refusal):
    """The hall's plan has no such priority class."""


class UnknownCounter(Refusal):
    """The hall's plan has no such counter."""


class UnknownTicket(Refusal):
    """There is no such ticket."""


class UnknownReason(Refusal):
    """The hall's plan does not list this reason."""


class BadValue(Refusal):
    """A value is outside what is allowed."""


class WrongState(Refusal):
    """The present state does not allow this."""


class WrongCounterState(Refusal):
    """The counter's state does not allow this."""


class CounterHoldsTicket(Refusal):
    """The counter still holds a ticket."""


class ClerkElsewhere(Refusal):
    """The clerk is signed on already."""


class TooEarly(Refusal):
    """The plan's recalls and seconds before a no-show have not passed yet."""


class BoundReached(Refusal):
    """The plan's bound is reached."""


class NothingToUndo(Refusal):
    """There is no command of this counter that can still be taken back."""


class TurnedAway(Refusal):
    """No ticket is given now."""


class Suspended(Refusal):
    """The hall or the service is suspended."""


class ReadOnly(Refusal):
    """This node only follows the hall; commands are for the hall's own node."""


class NoOtherHistory(Refusal):
    """The hall's own node has the history that is here; there is nothing to accept."""


class UnknownAlert(Refusal):
    """The hall has no such alert today."""


class AlertStands(Refusal):
    """The hall warns of this already."""


class UnknownAdvice(Refusal):
    """The hall was given no such advice today."""


class AdviceStands(Refusal):
    """The hall was given this advice already."""


class AdviceAnswered(Refusal):
    """The advice was answered already."""


class AdviceExpired(Refusal):
    """It is too late to follow this advice."""


class PlanFaulty(Refusal):
    """The plan contradicts itself."""


class PlanInUse(Refusal):
    """The plan takes away something that is in use now."""


class StaleVersion(Refusal):
    """The plan was changed by someone else since it was read."""


class KeyReused(Refusal):
    """This idempotency key was used before with another request."""


class Unavailable(QueueServiceError):
    """The command was not decided; try again with the same key."""


class Unreadable(Unavailable):
    """What is stored cannot be read now; try again."""


class OutcomeUnknown(Unavailable):
    """The database did not say whether the command was stored; try again with the same key."""


class Overloaded(Unavailable):
    """Too many commands are waiting; try again later."""


class ClockUnconfirmed(Unavailable):
    """The clock jumped; an operator must confirm it (queue-service confirm-clock)."""


class LogCorrupt(QueueServiceError):
    """The log of a hall does not follow from itself."""


class UnknownEventKind(LogCorrupt):
    """The log holds an event that this version does not know."""


class SchemaOutdated(QueueServiceError):
    """The database has an older or newer schema; run `queue-service migrate`."""


class BadInput(QueueServiceError):
    """A file cannot be taken as it is; nothing was stored."""
