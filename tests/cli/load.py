"""A random load of a hall through the real batches: every kind of command, midnights, recorded history, one seed."""

import random
from pathlib import Path
from typing import Any

from models.vocabulary import Channel
from queue_service import schema
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.domain.rules.table import TABLE
from tests.metrics.driving import MIDNIGHT_MS, Drive
from tests.metrics.histories import STEPS, command_of

SEEDS = (20261124, 7, 31337)
DAYS = 3
DAY_MS = 86_400_000
STEPS_A_DAY = 220
LATER_MS = (0, 0, 1, 999, 20_000, 60_000, 120_000, 300_000)
COUNTERS = ("1", "2", "3")


def driven(path: Path, seed: int) -> None:
    """Make a database and load its hall; everything is closed again at the end."""
    print(f"seed {seed}")
    database = Database(f"sqlite:///{path}", synchronous="OFF")  # how fast it reaches the disk is not the question
    schema.prepare(database)
    drive = Drive(database)
    chance = random.Random(seed)  # noqa: S311 (a load, not a secret)
    drive.plan()
    for day in range(DAYS):
        drive.clock.set_ms(MIDNIGHT_MS + day * DAY_MS + 8 * 3_600_000)
        drive.send(_history(chance, day))
        drive.open(*COUNTERS)
        for number in range(day * STEPS_A_DAY, (day + 1) * STEPS_A_DAY):
            _take_step(chance, drive, number)
            if number % 5 == 0:
                drive.send(*_several(chance, drive))
    drive.clock.set_ms(MIDNIGHT_MS + DAYS * DAY_MS + 8 * 3_600_000)
    drive.send(c.OpenDay())
    for number in range(DAYS * STEPS_A_DAY, DAYS * STEPS_A_DAY + 40):
        _take_step(chance, drive, number)
    database.close()


def _take_step(chance: random.Random, drive: Drive, number: int) -> None:
    """One command after a while, to a ticket it fits where there is one."""
    verb, service = chance.choice(STEPS), chance.choice(["tax", "land"])
    drive.clock.set_ms(drive.clock.now_ms() + chance.choice(LATER_MS))
    if verb in ("issue", "expect"):
        drive.issue(service, channel=Channel.WEB if verb == "expect" else Channel.KIOSK)
        return
    fitting = [one.id for one in drive.view.tickets.values() if (one.state, verb.split()[0]) in TABLE]
    ticket = chance.choice(fitting) if fitting else "hall.none"
    drive.send(command_of(verb, ticket, chance.choice(COUNTERS), service, number, drive))


def _several(chance: random.Random, drive: Drive) -> list[c.Command]:
    """Some commands that arrive together; the rules refuse what does not fit."""
    held = [counter.ticket for counter in drive.view.counters.values() if counter.ticket is not None]
    waiting = [ticket.id for ticket in drive.view.waiting()]
    counter, other = chance.sample(COUNTERS, 2)
    found: list[c.Command] = [
        c.CallNext(counter, finish_current=True),
        c.CallNext(other),
        c.PauseCounter(counter, "break", after_current=True),
        c.ResumeCounter(counter),
        c.RelieveCounter(other, f"relief {chance.randrange(1000)}"),
        c.CallHelp(counter),
        c.CloseCounter(counter, "fire"),
        c.OpenCounter(counter, f"clerk-{counter}"),
        c.Undo(other),
    ]
    if held:
        found += [c.Start(chance.choice(held)), c.HandOver(chance.choice(held), counter)]
    if waiting:
        found += [
            c.CallChosen(counter, "urgent", ticket=chance.choice(waiting), finish_current=True),
            c.Transfer(chance.choice(waiting), "land", for_counter=other, reserve_ms=60_000),
        ]
    return chance.sample(found, 4)


def _history(chance: random.Random, day: int) -> c.RecordHistory:
    """Tickets of a day long past."""
    start_ms = MIDNIGHT_MS - (30 - day) * DAY_MS + 9 * 3_600_000
    tickets = []
    for number in range(12):
        issued_ms = start_ms + number * 60_000
        called_ms = None if number % 4 == 3 else issued_ms + chance.randrange(1_200_000)
        extra: dict[str, Any] = {"counters_open": number % 3}
        name = f"hall.history-{day:04d}{number:014d}"
        tickets.append(c.RecordedTicket(name, f"R{number:03d}", "tax", issued_ms, called_ms, extra))
    return c.RecordHistory(tickets)
