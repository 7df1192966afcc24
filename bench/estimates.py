"""Wait estimates: what they add to a command, what is worked out beside the node, the backtest of a long history."""

import csv
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.ids import new_ticket_id
from bench import halls, loading
from bench.calling import line
from bench.processes import node
from bench.results import Part, Row, at_most
from bench.running import Run, middle
from bench.staffing import large_hall
from models.plan import PlanDocument
from models.vocabulary import Channel, EstimateBasis
from queue_service.domain import commands as c
from queue_service.domain.events import Logged, TicketCalled, TicketIssued
from queue_service.domain.evolve import evolve
from queue_service.domain.hall import Hall
from queue_service.domain.rules import decide
from queue_service.planning.live.answering import learned
from queue_service.planning.live.curve import Curve
from queue_service.planning.live.estimates import HallEstimates
from queue_service.planning.live.outlook import Outlook, ticket_estimate
from queue_service.planning.predictors.features import features
from queue_service.planning.predictors.known import Known
from queue_service.planning.predictors.learning import train
from queue_service.planning.staffing.trying import Trials

_ABOUT = """\
`Per issue`: the processor time of taking an issue into a hall's estimates and of the estimate in its answer, by the
predictors of the node itself and with figures of a learned model and of a simulation at hand; beside the server's whole
processor time for an issue under load (64 counters, 16 services). Scoring happens with the call. Learning, asking the
models and simulating go on in processes of low priority beside the node: each figure is processor time there.
`backtest` is a process of its own, start-up and training included; `memory` is the most that was resident."""

TICKETS = 4_000
ROUNDS = 5
RECORDED_HALLS, RECORDED_A_DAY = 10, 500


def measure(run: Run) -> Part:
    """All of it."""
    folder = run.new_folder("estimates")
    return Part("Wait estimates", _ABOUT, [*_per_command(run, folder), *_beside(run), _backtest(run, folder)])


# -- what a command costs more


def _per_command(run: Run, folder: Path) -> Iterator[Row]:
    run.say("estimates: issue under load")
    with node(folder / "issue.db") as server:
        with line(server.url) as one:
            halls.make(one)
            halls.open_counters(one)
        path = loading.tickets_path()
        loads = [loading.issue(server, path, run.scale.load_s) for _ in range(max(1, run.scale.rounds // 2))]
    command_us = middle(load.cpu_us for load in loads)
    run.say("estimates: the cost of an issue")
    log = _log()
    for what, dear in (("per issue", False), ("per issue, with dear predictors at hand", True)):
        issue_us, call_us = _costs_us(log, dear)
        text = f"{issue_us:.1f} µs ({call_us:.1f} µs per call)"
        yield at_most(what, text, f"{command_us:.0f} µs for an issue", issue_us / command_us, 0.05)


def _log() -> list[Logged]:
    """A day of the measured hall: somebody comes every two seconds, as many are served; some forty wait."""
    chance, now_ms = random.Random(1), time.time_ns() // 1_000_000  # noqa: S311 (the same day in every run)
    hall, log = Hall(halls.HALL), list[Logged]()

    def run(command: c.Command) -> None:
        command_seq = hall.seq + 1
        for event in decide(hall, command, now_ms):
            log.append(Logged(hall.id, hall.seq + 1, command_seq, now_ms, "bench", Channel.API, event, str(hall.seq)))
            evolve(hall, log[-1])

    run(c.PutPlan(PlanDocument.model_validate(halls.plan()).model_dump(mode="json")))
    counters = [name for zone in range(halls.ZONES) for name in halls.counter_ids(zone)]
    for counter in counters:
        run(c.OpenCounter(counter, f"clerk-{counter}"))
    services = [name for zone in range(halls.ZONES) for name in halls.service_ids(zone)]
    for number in range(TICKETS):
        now_ms += 2_000
        run(c.IssueTicket(new_ticket_id(hall.id, now_ms), chance.choice(services), channel=Channel.KIOSK))
        if number >= 40:
            run(c.CallNext(counters[number % len(counters)], finish_current=True))
        hall.drain()
    return log


def _costs_us(log: list[Logged], dear: bool) -> tuple[float, float]:
    """Microseconds of an issue, its answer included, and of a call; the least of the rounds."""
    rounds = [_once_us(log, dear) for _ in range(ROUNDS)]
    return min(issue for issue, _ in rounds), min(call for _, call in rounds)


def _once_us(log: list[Logged], dear: bool) -> tuple[float, float]:
    hall, estimates = Hall(halls.HALL), HallEstimates()
    spent, counts = Counter[type](), Counter[type]()
    outlooks: dict[str, Outlook] = {}
    for place, logged in enumerate(log):
        evolve(hall, logged)
        if place % 50 == 0 and hall.today is not None:
            outlooks = estimates.outlooks(hall, logged.at_ms)
            if dear:
                _tell(estimates, hall, logged.at_ms)
        kind = type(logged.event)
        begun = time.perf_counter()
        estimates.fold(hall, logged)
        if isinstance(logged.event, TicketIssued):
            ticket_estimate(hall, hall.tickets[logged.event.ticket], outlooks, 3, logged.at_ms)
        spent[kind] += time.perf_counter() - begun  # type: ignore[assignment]
        counts[kind] += 1
        hall.drain()
    return tuple(spent[kind] / counts[kind] * 1e6 for kind in (TicketIssued, TicketCalled))  # type: ignore[return-value]


def _tell(estimates: HallEstimates, hall: Hall, now_ms: int) -> None:
    minutes = tuple(60.0 * number for number in range(40))
    curve = Curve(now_ms, minutes, tuple(2 * one for one in minutes))
    for basis in (EstimateBasis.LEARNED, EstimateBasis.SIMULATION):
        estimates.tell(basis, dict.fromkeys(hall.rules.services, curve))


# -- what is worked out beside the node


def _beside(run: Run) -> Iterator[Row]:
    run.say("estimates: learning and asking")
    chance = random.Random(2)  # noqa: S311 (the same past in every run)
    past = [_known(f"s{number % 20}", chance) for number in range(10_000)]
    waits_s = [one.ahead * 40 * chance.uniform(0.5, 1.5) for one in past]
    begun_s = time.process_time()
    model = train([features(one) for one in past], waits_s, 20, None)
    yield Row("learning from 10,000 tickets", f"{time.process_time() - begun_s:.1f} s")
    assert model is not None, "there are days enough"
    begun_s = time.process_time()
    for _ in range(10):
        learned(model, past[:20])
    yield Row("asking about a hall of 20 services", f"{(time.process_time() - begun_s) * 100:.0f} ms")
    situation = large_hall()
    begun_s = time.process_time()
    Trials(situation, 30).of(situation.shifts)
    yield Row("30 runs of a hall, 100 counters, 300 waiting", f"{time.process_time() - begun_s:.1f} s")


def _known(service: str, chance: random.Random) -> Known:
    """Somebody who joins a line."""
    ahead, pace_s = chance.randrange(40), chance.uniform(20, 60)
    line_s = ahead * pace_s
    return Known(
        service, 0, chance.randrange(5), chance.uniform(30_000, 60_000), ahead, chance.randrange(1, 6), None, line_s,
        line_s, pace_s, line_s, 10, pace_s, pace_s * 3, pace_s, pace_s, 50, 40, 30, 30, 20.0, 100, 200, 300.0,
    )  # fmt: skip


# -- backtest


def _backtest(run: Run, folder: Path) -> Row:
    run.say("estimates: backtest")
    file = folder / "recorded.csv"
    count, days = _record(file, run.scale.issued)
    last = (datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=days // 2)).date().isoformat()
    command = [
        *(sys.executable, "-c", "from api.cli import main; main()", "backtest", str(file)),
        *("--zone", "UTC", "--test-from", last, "--json"),
    ]
    started = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_WRONLY, 0) for one in (1, 2)]
    child = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"the backtest ended with {status}")
    taken_s = time.perf_counter() - started
    cpu_s = used.ru_utime + used.ru_stime
    what = f"backtest of {count:,} tickets, {days} days, the later half foretold"
    return Row(what, f"{taken_s:.0f} s ({cpu_s:.0f} s of processor time)", f"memory {used.ru_maxrss / 1024:.0f} MiB")


def _record(file: Path, tickets: int) -> tuple[int, int]:
    """Recorded history of ten halls; how many tickets on how many days."""
    chance = random.Random(3)  # noqa: S311 (the same history in every run)
    days = max(6, tickets // (RECORDED_HALLS * RECORDED_A_DAY))
    a_day = max(1, tickets // (RECORDED_HALLS * days))
    with file.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["hall", "service", "service_name", "number", "issued_at", "called_at", "counters_open"])
        for hall in range(RECORDED_HALLS):
            for day in range(days):
                rows.writerows(_recorded_day(f"hall-{hall}", day, a_day, chance))
    return RECORDED_HALLS * days * a_day, days


def _recorded_day(hall: str, day: int, tickets: int, chance: random.Random) -> Iterator[list[str]]:
    """Four services of two counters each, busier or quieter from day to day."""
    opens = datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(days=day)
    free_s, pace_s = [[0.0, 0.0] for _ in range(4)], chance.uniform(0.7, 1.05)
    for number in range(tickets):
        service, at_s = chance.randrange(4), 8 * 3600 * number / tickets
        first = min(range(2), key=lambda one: free_s[service][one])
        called_s = max(at_s, free_s[service][first])
        free_s[service][first] = called_s + chance.expovariate(1 / (8 * 8 * 3600 / tickets * pace_s))
        issued, called = (
            (opens + timedelta(seconds=round(one))).isoformat() for one in (at_s, min(called_s, 15 * 3600))
        )
        yield [hall, f"s{service}", f"s{service}", f"{number:04}", issued, called, "2"]
