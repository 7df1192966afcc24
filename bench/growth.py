"""What a command costs while few or many wait."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench import halls, history
from bench.calling import Line, line
from bench.loading import tickets_path
from bench.processes import Child, node
from bench.results import Part, Row, at_most
from bench.running import Run, middle

BOUND = 1.5

_ABOUT = """\
Halls on one node, each with a number of people waiting that stays. Issues and one-button calls (`call-next` with
`finish_current`) over one connection, the halls taking turns command by command; then blocks of them, hall after hall,
for the server's processor time. Medians of the times, and processor time over all rounds, are compared with the hall
that has the fewest waiting."""


@dataclass(slots=True)
class Cost:
    """Times of single commands with a certain number waiting, in ms; processor time of so many more."""

    issue_ms: list[float] = field(default_factory=list)
    call_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    commands: int = 0


Costs = dict[int, Cost]


def measure(run: Run) -> Part:
    """All halls in turn, several rounds."""
    database, sizes = run.new_folder("growth") / "growth.db", run.scale.waiting
    run.say(f"growth: halls with {', '.join(f'{size:,}' for size in sizes)} waiting")
    history.waiting_today(database, {_hall(size): size for size in sizes})
    costs = {size: Cost() for size in sizes}
    with node(database) as server, line(server.url) as one:
        _take_turns(one, {size: Cost() for size in sizes}, run.scale.pairs)  # every hall loaded, every path taken once
        for number in range(run.scale.rounds):
            run.say(f"growth: round {number + 1} of {run.scale.rounds}")
            _take_turns(one, costs, run.scale.pairs)
            for size in sizes:
                _use_processor(server, one, size, run.scale.pairs, costs[size])
    return Part("Growth with the line", _ABOUT, list(_rows(costs)))


def _hall(size: int) -> str:
    return f"waiting-{size}"


def _take_turns(one: Line, costs: Costs, count: int) -> None:
    """So many issues a hall, then as many calls."""
    for index in range(count):
        for size, cost in costs.items():
            cost.issue_ms.append(_timed(one, *_issue(size, index)))
    for index in range(count):
        for size, cost in costs.items():
            cost.call_ms.append(_timed(one, *_call(size, index)))


def _use_processor(server: Child, one: Line, size: int, count: int, cost: Cost) -> None:
    """The same in one hall, timed by the server's processor clock: the disk is not in it."""
    before_s = server.cpu_s()
    for ask in (_issue, _call):
        for index in range(count):
            one.want("POST", *ask(size, index))
    cost.cpu_s += server.cpu_s() - before_s
    cost.commands += 2 * count


def _issue(size: int, index: int) -> tuple[str, Mapping[str, object]]:
    return tickets_path(_hall(size)), {"service": halls.service_ids(0)[index % 2], "channel": "kiosk"}


def _call(size: int, index: int) -> tuple[str, Mapping[str, object]]:
    counter = halls.counter_ids(0)[index % halls.COUNTERS_PER_ZONE]
    return f"/v1/halls/{_hall(size)}/counters/{counter}/call-next", {"finish_current": True}


def _timed(one: Line, path: str, body: Mapping[str, object]) -> float:
    started = time.perf_counter()
    one.want("POST", path, body)
    return (time.perf_counter() - started) * 1000


def _rows(costs: Costs) -> Iterator[Row]:
    (few, least), *more = costs.items()
    for size, cost in more:
        pairs = {
            "issue": (middle(cost.issue_ms), middle(least.issue_ms)),
            "call-next": (middle(cost.call_ms), middle(least.call_ms)),
            "CPU of a command": (cost.cpu_s * 1000 / cost.commands, least.cpu_s * 1000 / least.commands),
        }
        for what, (ours, theirs) in pairs.items():
            told = f"{ours:.2f} ms", f"{theirs:.2f} ms ({few} waiting)"
            yield at_most(f"{what}, {size:,} waiting", *told, ours / theirs, BOUND)
