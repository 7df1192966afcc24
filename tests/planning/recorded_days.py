"""Random but lawful days with everything that a day can bring, through the live hall's rules; no database."""

import random

from models.vocabulary import Channel
from queue_service.domain import commands as c
from queue_service.domain.rules.table import TABLE
from queue_service.errors import Refusal
from tests.domain.hall_driver import HallDriver, at
from tests.simple_commands import simple_commands

VERBS = (
    "issue", "issue", "issue", "issue", "issue", "expect", "elder", "call", "call", "call", "call", "call", "call",
    "finish and call", "finish and call", "finish and call", "finish and call", "start", "start", "finish", "finish",
    "no-show", "rejoin", "requeue", "park", "return", "return here", "transfer", "keep", "change", "postpone",
    "check-in", "cancel", "pause", "pause after", "resume", "resume", "close", "close by force", "open", "open",
    "relieve", "hand-over", "choose", "suspend", "carry on", "carry on", "carry on", "open", "open", "open", "resume",
    "resume", "start", "start", "plan",
)  # fmt: skip
PAUSES_MS = (0, 0, 1, 999, 20_000, 60_000, 180_000)


def random_day(seed: int, steps: int, undo: bool = False) -> HallDriver:
    """A hall after so many steps from nine o'clock; what the rules refuse changes nothing. `undo`: some is undone."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    driver = HallDriver(at(9), ("1", "2", "3"), no_show={"recalls": 0, "after_s": 0}, chosen_calls_per_day=500)
    verbs = (*VERBS, "undo", "undo") if undo else VERBS
    for number in range(steps):
        driver.now_ms += rng.choice(PAUSES_MS)
        command = _command(rng.choice(verbs), rng, driver, number)
        try:
            driver.do(command)
        except Refusal:
            continue
    return driver


def _command(verb: str, rng: random.Random, driver: HallDriver, number: int) -> c.Command:
    counter, other, service = rng.choice("123"), rng.choice("123"), rng.choice("ab")
    wanted = {"keep": "transfer", "choose": "call", "return here": "return"}.get(verb, verb)
    known = [one for one in driver.hall.tickets.values() if (one.state, wanted) in TABLE]
    ticket = rng.choice(known).id if known else "none"
    clerk = f"clerk-{counter}-{number}"
    simple: dict[str, c.Command] = {
        "issue": c.IssueTicket(driver.next_id(), service, channel=Channel.KIOSK),
        "expect": c.IssueTicket(driver.next_id(), service, channel=Channel.WEB),
        "elder": c.IssueTicket(driver.next_id(), service, priority="elder", channel=Channel.KIOSK),
        **simple_commands(ticket, counter, service),
        "keep": c.Transfer(ticket, service, for_counter=other, reserve_ms=90_000),
        "change": c.Change(ticket, "wrong", service=service, priority=rng.choice(["normal", "elder"])),
        "postpone": c.Postpone(ticket, 120_000),
        "pause": c.PauseCounter(counter, "break"),
        "pause after": c.PauseCounter(counter, "break", after_current=True),
        "resume": c.ResumeCounter(counter),
        "close": c.CloseCounter(counter),
        "close by force": c.CloseCounter(counter, force="alarm"),
        "open": c.OpenCounter(counter, clerk, rng.choice([None, ("a",), ("b",)])),
        "relieve": c.RelieveCounter(counter, clerk),
        "hand-over": c.HandOver(ticket, other),
        "choose": c.CallChosen(counter, "urgent", ticket=ticket),
        "suspend": c.Suspend("alarm", service=rng.choice([None, service])),
        "carry on": c.Resume(rng.choice([None, service])),
        "plan": c.PutPlan(_plan(number, driver)),
    }
    return simple[verb]


def _plan(number: int, driver: HallDriver) -> dict[str, object]:
    order = ("largest_share", "fifo")[number % 2]
    return {**driver.hall.rules.document, "order": order}
