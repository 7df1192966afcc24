"""Trying schedules on the same simulated visitors, and reading off which quarter of an hour breaks the promise."""

from collections.abc import Iterable
from dataclasses import dataclass

from queue_service.planning.simulation.drawing import Drawn, draw
from queue_service.planning.simulation.judging import QUARTER_MS, Count, Tally
from queue_service.planning.simulation.running import Simulator
from queue_service.planning.simulation.scene import Shift
from queue_service.planning.staffing.situation import Situation


@dataclass(frozen=True)
class Trial:
    """How a schedule fares."""

    situation: Situation
    shifts: tuple[Shift, ...]
    tally: Tally

    @property
    def quarters(self) -> range:
        """The quarters whose visitors are judged."""
        return range(-(-(self.situation.until_ms - self.situation.now_ms) // QUARTER_MS))

    def start_of(self, quarter: int) -> int:
        """When a quarter begins."""
        return self.situation.now_ms + quarter * QUARTER_MS

    def target(self, quarter: int) -> float:
        """The share promised in a quarter."""
        return self.situation.promises.share_at(self.start_of(quarter))

    def keeps(self, quarter: int, services: Iterable[str] | None = None) -> bool:
        """Whether the promise is kept in a quarter (of nobody it is)."""
        return self.tally.total([quarter], services).share >= self.target(quarter)

    def broken(self) -> list[int]:
        """The quarters that break it."""
        return [quarter for quarter in self.quarters if not self.keeps(quarter)]

    def worst_services(self, quarter: int) -> list[str]:
        """Those that miss in a quarter, most misses first."""
        missed = {service: count.missed for (at, service), count in self.tally.cells.items() if at == quarter}
        return [service for service in sorted(missed, key=lambda one: (-missed[one], one)) if missed[service]]

    def whole(self, services: Iterable[str] | None = None, first: int = 0, last: int | None = None) -> Count:
        """Counts over some quarters, summed over the runs."""
        return self.tally.total(range(first, len(self.quarters) if last is None else last), services)


class Trials:
    """The visitors of some runs, drawn once: every schedule is tried on the same (common random numbers)."""

    def __init__(self, situation: Situation, runs: int) -> None:
        """`runs` of them."""
        self.situation = situation
        self.count = 0
        self._drawn: list[Drawn] = [
            draw(
                situation.flows,
                situation.promises.at,
                situation.seed,
                run,
                situation.waiting,
                situation.held,
                situation.durations,
                situation.now_ms,
            )
            for run in range(runs)
        ]

    def of(self, shifts: tuple[Shift, ...]) -> Trial:
        """Try a schedule."""
        situation = self.situation
        simulator = Simulator(situation.scene(shifts))
        tally = Tally(situation.now_ms, situation.until_ms, situation.end_ms)
        for one in self._drawn:
            tally.add(simulator.run(one.visitors, one.busy_until_ms, situation.idle_since_ms))
        self.count += 1
        return Trial(situation, shifts, tally)
