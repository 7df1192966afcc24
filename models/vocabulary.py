"""Every closed set of words, once. Stored by value with a CHECK; standard library only, so the rules may use it."""

from enum import StrEnum


class TicketState(StrEnum):
    """Where a ticket stands. `expected` is a remote ticket whose visitor has not checked in yet."""

    EXPECTED = "expected"
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    PARKED = "parked"
    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


HELD_STATES = frozenset({TicketState.CALLED, TicketState.SERVING})
TERMINAL_STATES = frozenset({TicketState.FINISHED, TicketState.CANCELLED, TicketState.EXPIRED})


class CounterState(StrEnum):
    """What a counter does. idle, called and serving are the three ways of being open."""

    CLOSED = "closed"
    IDLE = "idle"
    CALLED = "called"
    SERVING = "serving"
    PAUSED = "paused"


class Channel(StrEnum):
    """The way a command came in; for tickets, where the visitor took the number."""

    KIOSK = "kiosk"
    DESK = "desk"
    PHONE = "phone"
    WEB = "web"
    API = "api"
    PAPER = "paper"
    HISTORY = "history"
    CLI = "cli"
    SYSTEM = "system"


TICKET_CHANNELS = (Channel.KIOSK, Channel.DESK, Channel.PHONE, Channel.WEB, Channel.API)
REMOTE_CHANNELS = frozenset({Channel.PHONE, Channel.WEB})


class Period(StrEnum):
    """Which promise a wait is held against: the one of the period in which the first wait began."""

    PEAK = "peak"
    OFF_PEAK = "off_peak"


class OrderRule(StrEnum):
    """How the next ticket is chosen (DESIGN: who is next)."""

    LARGEST_SHARE = "largest_share"
    FIFO = "fifo"
    EARLIEST_DUE = "earliest_due"
    STRICT = "strict"


class LegOutcome(StrEnum):
    """How a leg (one wait and one service) ended."""

    FINISHED = "finished"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PARKED = "parked"
    TRANSFERRED = "transferred"
    REQUEUED = "requeued"
    POSTPONED = "postponed"


class TurnedAwayReason(StrEnum):
    """Why a visitor got no ticket."""

    QUOTA = "quota"
    CLOSED = "closed"
    NOT_NOW = "not_now"
    SUSPENDED = "suspended"


class Apart(StrEnum):
    """Why a ticket is shown apart from the verdict."""

    BACKFILLED = "backfilled"
    SUSPENDED = "suspended"
    TRAINING = "training"


class WaitClock(StrEnum):
    """When a wait's clock runs: always, or only inside opening hours."""

    ALWAYS = "always"
    OPENING = "opening"


class AlertKind(StrEnum):
    """What a hall warns of."""

    BURNING_FAST = "burning_fast"
    BURNING_SLOWLY = "burning_slowly"
    BREACH_FORESEEN = "breach_foreseen"
    IDLE_WHILE_WAITING = "idle_while_waiting"
    SILENT_HALL = "silent_hall"
    HELP_UNANSWERED = "help_unanswered"


class AdviceKind(StrEnum):
    """What the staff is advised to do with counters."""

    OPEN = "open"
    MOVE = "move"
    CLOSE = "close"


class AdviceReply(StrEnum):
    """What the staff makes of advice."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


BURNS = (AlertKind.BURNING_FAST, AlertKind.BURNING_SLOWLY)


class Voice(StrEnum):
    """With what a display speaks its calls."""

    SPEECH = "speech"
    CLIPS = "clips"
    NONE = "none"


class EstimateBasis(StrEnum):
    """What an estimate was made with."""

    MOVING_AVERAGE = "moving_average"
    LAST_TO_ENTER = "last_to_enter"
    HEAD_OF_LINE = "head_of_line"
    QUEUE_LENGTH = "queue_length"
    SIMULATION = "simulation"
    LEARNED = "learned"


class NoEstimate(StrEnum):
    """Why there is no estimate."""

    HALL_CLOSED = "hall_closed"
    SUSPENDED = "suspended"
    NO_COUNTER_OPEN = "no_counter_open"
    SERVICE_NEVER_SEEN = "service_never_seen"
    TOO_LITTLE_HISTORY = "too_little_history"


class Verdict(StrEnum):
    """What became of the promise to one ticket."""

    KEPT = "kept"
    MISSED = "missed"
    OPEN = "open"
    LEFT = "left"
    APART = "apart"
