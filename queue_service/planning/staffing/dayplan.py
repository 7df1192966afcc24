"""A roster for a whole coming day: counters by quarter of an hour and group of services.

Services that the same counters serve are one group, planned by itself: Erlang C on the offered load to start from,
then the simulated line of the group, one counter more wherever a quarter breaks the promise.
"""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from queue_service.domain.calendar import Day, Span, day_of
from queue_service.domain.plan import Plan
from queue_service.planning.simulation.drawing import Drawn, Flow, draw
from queue_service.planning.simulation.judging import QUARTER_MS, Count, Tally
from queue_service.planning.simulation.running import Simulator
from queue_service.planning.simulation.scene import Scene, Shift
from queue_service.planning.staffing.erlang import counters_for, offered_load
from queue_service.planning.staffing.foreseeing import promises_of
from queue_service.planning.staffing.learning import Learned, flows
from queue_service.planning.staffing.situation import Promises

RUNS = 100
MINUTE_MS = 60_000
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Need:
    """A group of services in a quarter of an hour: who comes, the counters needed, and the share kept with them.

    `is_kept` False: the promise is not kept with all `seats` of the group's counters."""

    at_ms: int
    services: tuple[str, ...]
    visitors: float
    counters: int
    seats: int
    share: float
    target: float

    @property
    def is_kept(self) -> bool:
        """Whether the promise is kept."""
        return self.share >= self.target


def groups_of(plan: Plan) -> list[tuple[tuple[str, ...], int]]:
    """Services by the counters that serve them, and how many counters that are."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for service in plan.services:
        found[frozenset(name for name, one in plan.counters.items() if service in one.services)].append(service)
    return [(tuple(services), len(counters)) for counters, services in found.items()]


def plan_day(plan: Plan, iso_date: str, learned: Learned, seed: int, advance: Advance, runs: int = RUNS) -> list[Need]:
    """The counters needed on a day, by time and group. `advance` is told of each group that is done."""
    day = day_of(plan.calendar, iso_date)
    needs: list[Need] = []
    for services, seats in groups_of(plan):
        for span in day.opening:
            needs += _Group(plan, day, learned, services, seats, span, seed, runs).needs()
        advance(1)
    return sorted(needs, key=lambda one: (one.at_ms, one.services))


class _Group:
    """One group of services during one stretch of opening hours."""

    def __init__(
        self, plan: Plan, day: Day, learned: Learned, services: tuple[str, ...], seats: int, span: Span, seed: int,
        runs: int,
    ) -> None:  # fmt: skip
        self.plan, self.services, self.seats = plan, services, seats
        self.start_ms, self.end_ms = span
        self.promises: Promises = promises_of(plan, day)
        self.quarters = math.ceil((self.end_ms - self.start_ms) / QUARTER_MS)
        every = flows(learned, plan, day.date, self.start_ms, self.end_ms, 1.0)
        self.flows: list[Flow] = [flow for flow in every if flow.service in services]
        self.drawn: list[Drawn] = [draw(self.flows, self.promises.at, seed, run) for run in range(runs)]
        self.runs = runs

    def needs(self) -> list[Need]:
        """Nobody comes: no rows."""
        if not any(one.visitors for one in self.drawn):
            return []
        counters = self._begin()
        tally = self._tried(counters)
        while (quarter := self._to_mend(tally, counters)) is not None:
            counters[quarter] += 1
            tally = self._tried(counters)
        return [
            Need(
                self.start_ms + number * QUARTER_MS,
                self.services,
                tally.total([number]).judged / self.runs,
                counters[number],
                self.seats,
                tally.total([number]).share,
                self._target(number),
            )
            for number in range(self.quarters)
        ]

    def _target(self, quarter: int) -> float:
        return self.promises.share_at(self.start_ms + quarter * QUARTER_MS)

    def _begin(self) -> list[int]:
        """One fewer than Erlang C says for the load of each quarter, so that the simulation decides."""
        visitors = [visitor for one in self.drawn for visitor in one.visitors]
        mean_ms = sum(one.held_ms for one in visitors) / len(visitors)
        came = [0] * self.quarters
        for one in visitors:
            came[(one.waiting_since_ms - self.start_ms) // QUARTER_MS] += 1
        rates = [count / self.runs / QUARTER_MS for count in came]
        found = []
        for number, load in enumerate(offered_load([0.0, *rates], QUARTER_MS, mean_ms)[1:]):
            promise_ms = self.promises.at(self.start_ms + number * QUARTER_MS)
            enough = counters_for(load / mean_ms, mean_ms, promise_ms, self._target(number))
            found.append(min(self.seats, max(enough - 1, 1)))
        return found

    def _tried(self, counters: list[int]) -> Tally:
        longest_ms = max(self.promises.peak_ms, self.promises.off_peak_ms) + 1
        terms = {key: one for key, one in self.plan.lane_terms.items() if key[0] in self.services}
        scene = Scene(
            self.plan.order, self.plan.max_overtake_ms, terms, tuple(self._shifts(counters, longest_ms)),
            self.start_ms, self.end_ms + longest_ms,
        )  # fmt: skip
        simulator, tally = Simulator(scene), Tally(self.start_ms, self.end_ms, self.end_ms + longest_ms)
        for one in self.drawn:
            tally.add(simulator.run(one.visitors))
        return tally

    def _shifts(self, counters: list[int], longest_ms: int) -> list[Shift]:
        """Counter n works in every quarter that needs n or more; those of the last quarter see the rest off."""
        shifts = []
        for number in range(max(counters)):
            begun: int | None = None
            for quarter in range(self.quarters + 1):
                works = quarter < self.quarters and counters[quarter] > number
                if works and begun is None:
                    begun = self.start_ms + quarter * QUARTER_MS
                elif not works and begun is not None:
                    last = quarter == self.quarters
                    until_ms = self.end_ms + longest_ms if last else self.start_ms + quarter * QUARTER_MS
                    shifts.append(Shift(f"{number:03}", begun, until_ms, self.services))
                    begun = None
        return shifts

    def _to_mend(self, tally: Tally, counters: list[int]) -> int | None:
        """The quarter that gets one more: the first that breaks, or the latest before it that has a seat left."""
        for quarter in range(self.quarters):
            count: Count = tally.total([quarter])
            if count.share < self._target(quarter):
                able = [at for at in range(quarter, max(-1, quarter - 5), -1) if counters[at] < self.seats]
                if able:
                    return able[0]
        return None
