"""The simulator and the live hall call the same ticket at the same counter, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import OrderRule
from queue_service.domain import commands as c
from queue_service.domain.order import free_counter, next_ticket
from queue_service.planning.simulation.running import CLOSED, Simulator, _Run
from queue_service.planning.simulation.scene import Shift, Visitor, scene_of
from tests.domain.hall_driver import HallDriver, at

START_MS = at(9)


@dataclass(frozen=True)
class Sketch:
    """A hall and its visitors as drawn; `crowd` came together before the counters open."""

    rule: OrderRule
    max_overtake_s: int
    targets_s: tuple[int, ...]
    classes: tuple[tuple[int, int], ...]
    skills: tuple[frozenset[int], ...]
    breaks: tuple[int, ...]
    crowd: tuple[tuple[int, int, int], ...]
    comers: tuple[tuple[int, int, int, int], ...]

    def driver(self) -> HallDriver:
        """The live hall, its counters closed."""
        return HallDriver(
            start_ms=START_MS - 600_000,
            open_counters=(),
            order=self.rule,
            max_overtake_s=self.max_overtake_s,
            services=[
                {"id": f"s{one}", "name": "-", "prefix": "ABC"[one], "order_target_s": target}
                for one, target in enumerate(self.targets_s)
            ],
            priorities=[
                {"id": f"p{one}", "name": "-", "order_target_percent": percent, "head_start_s": head_start}
                for one, (percent, head_start) in enumerate(self.classes)
            ],
            counters=[{"id": str(one), "name": "-"} for one in range(len(self.skills))],
        )

    def shifts(self) -> Iterator[Shift]:
        """Each counter works, has a break (of nothing: it only changes what it serves), and works on."""
        last_ms = START_MS + 3_600_000
        for one, (skills, rest_s) in enumerate(zip(self.skills, self.breaks, strict=True)):
            services = tuple(sorted({f"s{skill % len(self.targets_s)}" for skill in skills}))
            half_ms = START_MS + 60_000
            yield Shift(str(one), START_MS, half_ms, services)
            yield Shift(str(one), half_ms + rest_s * 1000, last_ms, services[:1])

    def visitors(self) -> list[Visitor]:
        """In the order in which they come."""
        rows = [(START_MS - 300_000 + wait_ms, *one) for wait_ms, one in self._early()]
        at_ms = START_MS
        for service, priority, held_s, gap_ms in self.comers:
            at_ms += gap_ms
            rows.append((at_ms, service, priority, held_s))
        counts: dict[str, int] = {}
        found = []
        for arrived_ms, service, priority, held_s in rows:
            name = f"s{service % len(self.targets_s)}"
            counts[name] = counts.get(name, 0) + 1
            number = f"{'ABC'[int(name[1])]}{counts[name]:03}".rjust(12)
            klass = f"p{priority % len(self.classes)}"
            found.append(Visitor(name, klass, arrived_ms, arrived_ms, arrived_ms, held_s * 1000, None, number))
        return found

    def _early(self) -> list[tuple[int, tuple[int, int, int]]]:
        return [(index // 3 * 10_000, one) for index, one in enumerate(self.crowd)]


small = st.integers(0, 2)
sketches = st.builds(
    Sketch,
    rule=st.sampled_from(OrderRule),
    max_overtake_s=st.sampled_from([1, 20, 60, 900]),
    targets_s=st.lists(st.sampled_from([60, 300, 600]), min_size=1, max_size=3).map(tuple),
    classes=st.lists(st.tuples(st.sampled_from([25, 50, 100]), st.sampled_from([0, 30])), min_size=1, max_size=3).map(
        tuple
    ),
    skills=st.lists(st.frozensets(small, min_size=1), min_size=3, max_size=3).map(tuple),
    breaks=st.tuples(*[st.sampled_from([0, 30, 90])] * 3),
    crowd=st.lists(st.tuples(small, small, st.integers(1, 60)), max_size=9).map(tuple),
    comers=st.lists(
        st.tuples(small, small, st.integers(1, 60), st.sampled_from([1, 500, 7_000, 20_000])), max_size=25
    ).map(tuple),
)


class Beside(_Run):
    """A run that does everything in a live hall, too, and compares before each call."""

    def __init__(self, made: Simulator, visitors: Sequence[Visitor], driver: HallDriver) -> None:
        """`driver`: a hall with the same plan, its counters closed."""
        super().__init__(made, visitors, {}, {})
        self.driver = driver
        self.ids: dict[int, str] = {}
        self.calls = 0

    def _line_up(self, index: int, now_ms: int) -> None:
        one = self.visitors[index]
        self.driver.now_ms = one.issued_at_ms
        self.ids[index] = self.driver.issue(one.service, priority=one.priority)
        super()._line_up(index, now_ms)

    def _change_shift(self, counter: int, group: int, now_ms: int) -> None:
        self.driver.now_ms = now_ms
        name = self.made.counters[counter]
        live = self.driver.counter(name)
        if live.is_open and group == CLOSED:
            held = live.ticket is not None
            self.driver.do(c.PauseCounter(name, "break", after_current=True) if held else c.CloseCounter(name))
        super()._change_shift(counter, group, now_ms)

    def _call_next(self, counter: int, now_ms: int, since_ms: int | None = None) -> bool:
        self.driver.now_ms = now_ms
        name = self.made.counters[counter]
        self._settle(name, self.group[counter])
        before = set(self._called())
        expected = next_ticket(self.driver.hall, self.driver.counter(name), now_ms)
        called = super()._call_next(counter, now_ms, since_ms)
        chosen = [self.ids[index] for index in self._called() if index not in before]
        if self.group[counter] == CLOSED:
            assert not called
            return called
        assert chosen == ([] if expected is None else [expected.id])
        assert self.driver.call(name) == (chosen[0] if chosen else None)
        self.calls += called
        return called

    def _called(self) -> list[int]:
        return [index for index, at_ms in enumerate(self.course.called_at_ms) if at_ms is not None]

    def _settle(self, name: str, group: int) -> None:
        """Finish what the counter holds; sign on for what its shift serves, or off."""
        live = self.driver.counter(name)
        if live.ticket is not None:
            self.driver.do(c.Start(live.ticket))
            self.driver.do(c.Finish(live.ticket))
            live = self.driver.counter(name)
        services = None if group == CLOSED else self.made.skills[group]
        if live.is_open and (services is None or live.services != services or live.pause_reason):
            self.driver.do(c.CloseCounter(name))
        if services is not None and not self.driver.counter(name).is_open:
            self.driver.do(c.OpenCounter(name, f"clerk-{name}", services))

    def _offer(self, service: str, now_ms: int) -> None:
        self.driver.now_ms = now_ms
        expected = free_counter(self.driver.hall, service)
        found = self._free_counter(service)
        assert (expected and expected.id) == (None if found is None else self.made.counters[found])
        super()._offer(service, now_ms)


@given(sketch=sketches)
def test_the_simulator_calls_whom_the_live_hall_calls(sketch: Sketch) -> None:
    """Under every rule, with classes, bounds, breaks and counters that change what they serve: each call, each idle
    counter and each choice among free counters is that of `next_ticket` and `free_counter`."""
    driver = sketch.driver()
    scene = scene_of(driver.hall.rules, tuple(sketch.shifts()), START_MS, START_MS + 3_600_000)
    visitors = sketch.visitors()
    beside = Beside(Simulator(scene), visitors, driver)
    course = beside.go()
    assert beside.calls == sum(at_ms is not None for at_ms in course.called_at_ms)
