"""Random but lawful days: commands drawn by Hypothesis and sent through the real rules."""

from typing import Any

from hypothesis import strategies as st

from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.domain.rules.table import TABLE
from tests.metrics.driving import Drive, plan_document
from tests.simple_commands import simple_commands

STEPS = (
    "issue", "issue", "issue", "issue", "expect", "call", "call", "call", "call", "finish and call", "start", "start",
    "finish", "no-show", "rejoin", "requeue", "park", "return", "return here", "transfer", "change", "postpone",
    "check-in", "check-in", "cancel", "undo", "undo", "suspend", "resume", "resume", "resume", "backfill", "plan",
)  # fmt: skip

step = st.tuples(
    st.sampled_from(STEPS),
    st.integers(0, 50),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["tax", "land"]),
    st.sampled_from([0, 0, 1, 999, 20_000, 60_000, 120_000, 300_000]),
)
steps = st.lists(step, min_size=30, max_size=70)
"""What, to which of the open tickets, at which counter, for which service, after how many milliseconds."""


def follow(drive: Drive, taken: list[tuple[str, int, str, str, int]]) -> None:
    """Send each step, to a ticket it fits where there is one; the rules refuse what does not fit."""
    for number, (verb, which, counter, service, later_ms) in enumerate(taken):
        drive.clock.set_ms(drive.clock.now_ms() + later_ms)
        if verb in ("issue", "expect"):
            drive.issue(service, channel=Channel.WEB if verb == "expect" else Channel.KIOSK)
            continue
        tickets = [one.id for one in drive.view.tickets.values() if (one.state, verb.split()[0]) in TABLE]
        ticket = tickets[which % len(tickets)] if tickets else "hall.none"
        drive.send(command_of(verb, ticket, counter, service, number, drive))


def command_of(verb: str, ticket: str, counter: str, service: str, number: int, drive: Drive) -> c.Command:
    """The command of a step."""
    now_ms = drive.clock.now_ms()
    simple: dict[str, c.Command] = {
        **simple_commands(ticket, counter, service),
        "change": c.Change(ticket, "wrong", service=service),
        "postpone": c.Postpone(ticket, 300_000),
        "suspend": c.Suspend("fire alarm", service=service, turn_away=bool(number % 2)),
        "resume": c.Resume(service),
    }
    if verb == "backfill":
        called_ms = now_ms if number % 2 else None
        paper = c.PaperTicket(f"hall.paper-{number}", service, drive.view.day.start_ms, called_at_ms=called_ms)
        return c.Backfill([paper], "outage")
    if verb == "plan":
        return c.PutPlan(_other_plan(number))
    return simple[verb]


def _other_plan(number: int) -> dict[str, Any]:
    seconds = (600, 300)[number % 2]
    return plan_document(promise={"peak": {"promise_s": seconds}, "off_peak": {"promise_s": 120, "percentile": 80}})
