"""Staffing advice: how long one run takes for a large, overloaded hall, and what commands feel of it meanwhile.

`python -m bench.staffing` is the worker: it works out one piece of advice after another, niced as the service's own.
"""

import os
import random
import time

from bench import halls, loading
from bench.calling import line
from bench.latency import at_rate
from bench.processes import SERVING, module, node
from bench.results import Part, Row, at_most, invalid
from bench.running import Run, middle
from models.vocabulary import OrderRule
from queue_service.planning.simulation.drawing import Flow, Resampled, Stretch
from queue_service.planning.simulation.scene import Shift, Visitor
from queue_service.planning.staffing.advice import advise
from queue_service.planning.staffing.situation import Promises, Reserve, Situation
from queue_service.planning.staffing.trying import Trials
from queue_service.planning.worker import NICE

_ABOUT = """\
A hall of 100 counters (each able to serve 4 of 20 services), 300 waiting and 400 visitors an hour, 20 clerks in
reserve; 200 runs of three hours. The commands: issue at half of what the service takes, with and without a worker
that works out such advice all the time (the service does so once in five minutes)."""

HOUR_MS = 3_600_000


def measure(run: Run) -> Part:
    """Both."""
    folder = run.new_folder("staffing")
    run.say("staffing: one run")
    rows = [_one_run()]
    with node(folder / "staffing.db") as server:
        with line(server.url) as one:
            halls.make(one)
            halls.open_counters(one)
        rate = loading.issue(server, loading.tickets_path(), run.scale.load_s, loading.CONNECTIONS).per_s / 2
        alone, beside = [], []
        for number in range(max(1, run.scale.rounds // 2)):
            run.say(f"staffing: issue at {rate:,.0f} a second, round {number + 1}")
            alone.append(at_rate(server, loading.tickets_path(), rate, run.scale.paced_s))
            with module("bench.staffing", folder):
                beside.append(at_rate(server, loading.tickets_path(), rate, run.scale.paced_s))
    title = f"issue at {rate:,.0f} a second while advice is worked out"
    if any(one.failed for one in (*alone, *beside)):
        return Part("Staffing", _ABOUT, [*rows, invalid(title, "not every request was answered")])
    without, with_ = (middle(one.p99_ms for one in seen) for seen in (alone, beside))
    rows.append(at_most(title, f"p99 {with_:.2f} ms", f"p99 {without:.2f} ms without", with_ / without, 2.0))
    return Part("Staffing", _ABOUT, rows)


def _one_run() -> Row:
    situation = large_hall()
    begun_s = time.process_time()
    Trials(situation, situation.runs).of(situation.shifts)
    simulated_s = time.process_time() - begun_s
    begun_s = time.process_time()
    advise(situation)
    advised_s = time.process_time() - begun_s
    measured = f"{simulated_s:.1f} s for 200 runs of one schedule, {advised_s:.1f} s for the advice (processor time)"
    return Row("one run, 100 counters, 300 waiting", measured)


def large_hall() -> Situation:
    """Twenty services of equal demand; the counters at work take some 90 % of what comes."""
    rng = random.Random(1)  # noqa: S311 (the same hall in every run)
    services = [f"s{number:02}" for number in range(20)]
    until_ms = 3 * HOUR_MS
    skills = {f"{number:03}": tuple(sorted(rng.sample(services, 4))) for number in range(120)}
    times = Resampled([rng.randrange(200_000, 1_500_000) for _ in range(500)])
    waiting = [
        Visitor(
            services[number % 20], "normal", -number * 1000, -number * 1000, -number * 1000, 0, 600_000, str(number)
        )
        for number in range(300)
    ]
    return Situation(
        now_ms=0,
        until_ms=until_ms,
        order=OrderRule.LARGEST_SHARE,
        max_overtake_ms=HOUR_MS,
        lane_terms={(service, "normal"): (600_000, 0, 0) for service in services},
        promises=Promises(((0, until_ms),), 600_000, 0.9, 600_000, 0.9),
        shifts=tuple(Shift(name, 0, 9 * HOUR_MS, able) for name, able in skills.items() if name < "100"),
        seats=skills,
        taken=frozenset(),
        reserves=(Reserve(frozenset(services), 20, 0, until_ms),),
        flows=tuple(Flow(one, "normal", (Stretch(0, until_ms, 20.0),), times) for one in services),
        durations=dict.fromkeys(services, times),
        waiting=tuple(waiting),
    )


def main() -> None:
    """Work without end."""
    os.nice(NICE)
    situation = large_hall()
    print(f"{SERVING}nothing", flush=True)
    while True:
        advise(situation)


if __name__ == "__main__":
    main()
