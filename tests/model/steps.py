"""What can come next in a hall's day, as values: a verb and what it is about. How it is done stands in `machine`.

Verbs are weighted so that most days get somewhere: visitors come, are called and served, and now and then something
happens to them. All that can be drawn for a verb are choices, the first being the simplest: Hypothesis draws from
them, and so does a plain random generator. `number` and `place` say which of those that a command fits.
"""

from random import Random
from typing import Any

from hypothesis import strategies as st

from models.vocabulary import TICKET_CHANNELS, AdviceKind, AdviceReply, AlertKind, Voice
from queue_service.domain import commands as c
from tests.model.tales import TALES

Step = tuple[str, dict[str, Any]]
Choices = tuple[Any, ...]

WHICH = tuple(range(41))
EITHER = (False, True)
RARELY = (*[False] * 15, True)
SERVICES = ("a", "b", "d", "a", "b", "a", "b", "d", "a", "b", "d", "z")
COUNTERS = ("1", "2", "3", "4")
PAUSES = ("break", "break", "break", "lunch")
ERRANDS = ("materials", "materials", "materials", "photo")
PRIORITIES = (None, None, None, None, "elder", "elder", "elder", "served", "normal", "z")
NARROWED = (None, None, None, ("a",), ("b", "d"))
PAUSING = ("pause after",) * 3
CLERKS = ("li", "wang", "zhang", "zhao", "qian", "sun")
SPANS_MS = (1, 60_000, 300_000, 600_000, 999, 5_000, 15_000, 15_001, 60_001, 1_800_000)
MARKS = ("24:00", "08:00", "09:00", "11:00", "11:59", "12:00", "13:00", "20:00")
LEFT_OUT = ((), (), (0,), (1,), (2,), (3,), (2, 3), (1, 2))
PLANS = tuple(range(1000))

ONE: dict[str, Choices] = {"name": ("hall", "hall", "hall", "far"), "now": EITHER}
"""`now`: a command closes a transaction (its own, if nothing is pending), or waits for more."""
TICKET: dict[str, Choices] = {**ONE, "number": WHICH, "odd": RARELY}
COUNTER: dict[str, Choices] = {**ONE, "place": WHICH, "odd": RARELY}
ACTS = (
    c.Start, c.Start, c.Start, c.Finish, c.NoShow, c.NoShow, c.Requeue, c.Recall, c.Rejoin, c.Rejoin, c.CheckIn,
    c.CheckIn, c.Cancel,
)  # fmt: skip

VERBS: dict[str, tuple[int, dict[str, Choices]]] = {
    "issue_plainly": (10, {**ONE, "service": SERVICES}),
    "issue": (
        5,
        {
            **TICKET, "service": SERVICES, "priority": PRIORITIES, "channel": TICKET_CHANNELS, "items": (1, 1, 1, 3),
            "group": EITHER, "key": RARELY, "late": RARELY,
        },
    ),
    "call_next": (16, {**COUNTER, "finish": EITHER, "key": RARELY, "late": RARELY}),
    "call_chosen": (4, {**COUNTER, "number": WHICH, "finish": EITHER, "by_number": EITHER}),
    "act": (16, {**TICKET, "verb": ACTS}),
    "transfer": (
        4,
        {
            **TICKET, "service": SERVICES, "for_counter": (None, None, *COUNTERS),
            "for_clerk": (None,) * 8 + CLERKS, "reserve_ms": (None, 5_000, 0),
        },
    ),
    "change": (3, {**TICKET, "service": (None, None, *SERVICES), "priority": PRIORITIES}),
    "postpone": (2, {**TICKET, "by_ms": SPANS_MS}),
    "park": (5, {**TICKET, "reason": ERRANDS}),
    "come_back": (4, {**TICKET, "straight": EITHER, "counter": (None, None, *COUNTERS)}),
    "hand_over": (3, {**TICKET, "place": WHICH}),
    "hand_over_cross": (2, {**ONE, "number": WHICH, "place": WHICH}),
    "undo": (9, COUNTER),
    "open_counter": (5, {**ONE, "counter": COUNTERS, "clerk": CLERKS, "narrowed": NARROWED}),
    "at_counter": (
        8,
        {
            **COUNTER, "clerk": CLERKS, "reason": PAUSES,
            "verb": (*PAUSING, "pause", "resume", "relieve", "help", "close", "force"),
        },
    ),
    "announce": (4, {**COUNTER, "shown": (False, False, False, True), "voice": tuple(Voice)}),
    "warn": (3, {**ONE, "kind": tuple(AlertKind), "service": (None, None, *SERVICES), "counter": (None, *COUNTERS)}),
    "heed": (3, {**ONE, "number": WHICH, "odd": RARELY, "by": (None, "wang"), "over": EITHER}),
    "advise": (
        2, {**ONE, "kind": tuple(AdviceKind), "service": SERVICES, "again": RARELY, "left_ms": (600_000, 60_000, 0)},
    ),
    "heed_advice": (
        2, {**ONE, "number": WHICH, "odd": RARELY, "by": (None, "wang"), "reply": tuple(AdviceReply)},
    ),
    "suspend": (1, {**ONE, "service": (None, *SERVICES[:3]), "turn_away": (False, False, True)}),
    "resume": (3, {**ONE, "number": WHICH}),
    "tell_a_tale": (9, {"name": ONE["name"], "tale": TALES, "number": WHICH, "left_out": LEFT_OUT, "now": EITHER}),
    "put_plan": (2, {**ONE, "plan": PLANS, "stale": RARELY, "again": RARELY}),
    "backfill": (
        2,
        {
            **ONE, "number": WHICH, "service": SERVICES, "priority": PRIORITIES, "counter": (None, *COUNTERS),
            "claim": EITHER, "later_ms": ((), (0,), (60_000, 1), (0, 60_000, 0), (1, -1), (0, 0, 3_600_000)),
        },
    ),
    "record_history": (1, {**ONE, "service": SERVICES, "age": (1, 3, 0), "called": (None, 0, 5_000, -1)}),
    "ask_for_a_closed_ticket": (2, {"name": ("hall", "far", "nowhere"), "number": WHICH, "now": EITHER}),
    "repeat": (2, {"number": WHICH, "other": RARELY, "now": EITHER}),
    "pass_time": (9, {"by_ms": SPANS_MS}),
    "wait_for": (2, {"name": ONE["name"], "mark": MARKS, "off_ms": (0, -1, 5_000)}),
    "meet_a_moment": (5, {"name": ONE["name"], "number": WHICH, "off_ms": (0, 0, -1, 1)}),
    "step_back": (1, {"by_ms": (1, 1_000, 60_000)}),
    "commit": (3, {"writer": (0, 1)}),
    "roll_back": (1, {"writer": (0, 1), "forget": EITHER}),
    "forget": (1, {"writer": (0, 1)}),
}  # fmt: skip
"""Each verb's weight, and what is drawn for it."""

OPENING: dict[str, Choices] = {
    "plan": PLANS,
    "far_plan": PLANS,
    "staffed": (("1", "2", "3"), ("1",), ("1", "2", "3", "4"), ()),
    "issued": (("a",), ("a", "b", "a", "d", "b", "a", "a", "b"), ()),
}
"""How the first day begins."""

_WEIGHTED = [verb for verb, (weight, _) in VERBS.items() for _ in range(weight)]


def _strategy(choices: dict[str, Choices]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in choices.items()})


opening = _strategy(OPENING)
step: st.SearchStrategy[Step] = st.sampled_from(_WEIGHTED).flatmap(
    lambda verb: st.tuples(st.just(verb), _strategy(VERBS[verb][1]))
)


def random_opening(random: Random) -> dict[str, Any]:
    """The same without Hypothesis."""
    return {name: random.choice(values) for name, values in OPENING.items()}


def random_step(random: Random) -> Step:
    """The same without Hypothesis, which rather repeats itself than go far."""
    verb = random.choice(_WEIGHTED)
    return verb, {name: random.choice(values) for name, values in VERBS[verb][1].items()}
