"""One run of a scene: who is called when, at which counter. Deterministic; all chance is in the visitors."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from queue_service.domain.heads import KEYS, Head, Terms, first_of, free_key
from queue_service.planning.simulation.scene import Scene, Shift, Visitor

Place = tuple[int, int, str, int]
"""line_since_ms, issued_at_ms, number, index of the visitor"""
Lane = list[Place]
CLOSED = -1
SHIFT, FREE, LEAVE, WAKE = range(4)
"""Kinds of happening, in their order at the same instant; visitors come after all of them."""


@dataclass(slots=True)
class Course:
    """How a run went, visitor by visitor; None: never called (`left_at_ms`: gave up)."""

    visitors: Sequence[Visitor]
    called_at_ms: list[int | None]
    counters: list[str | None]
    left_at_ms: list[int | None]

    def waits_ms(self) -> list[int | None]:
        """The wait of each who was called."""
        pairs = zip(self.visitors, self.called_at_ms, strict=True)
        return [None if called is None else called - one.waiting_since_ms for one, called in pairs]


class Simulator:
    """A scene made ready, so that many runs share the work."""

    def __init__(self, scene: Scene) -> None:
        """Counters with the same services form a group; only groups are compared for a free counter."""
        self.scene = scene
        self.key = KEYS[scene.order]
        self.counters = sorted({shift.counter for shift in scene.shifts})
        self.index = {name: number for number, name in enumerate(self.counters)}
        self.skills = sorted({shift.services for shift in scene.shifts})
        self.groups_of: dict[str, list[int]] = {}
        for group, services in enumerate(self.skills):
            for service in services:
                self.groups_of.setdefault(service, []).append(group)
        self.boundaries = sorted(self._boundaries(scene.shifts))

    def _boundaries(self, shifts: Sequence[Shift]) -> Iterator[tuple[int, int, int, int]]:
        for shift in shifts:
            begins_ms = max(shift.from_ms, self.scene.start_ms)
            if begins_ms < min(shift.to_ms, self.scene.end_ms):
                counter, group = self.index[shift.counter], self.skills.index(shift.services)
                yield (begins_ms, SHIFT, counter, group)
                yield (shift.to_ms, SHIFT, counter, CLOSED)

    def run(
        self,
        visitors: Sequence[Visitor],
        busy_until_ms: Mapping[str, int] | None = None,
        idle_since_ms: Mapping[str, int] | None = None,
    ) -> Course:
        """Let the visitors come.

        `busy_until_ms`: counters that hold a ticket at the start; `idle_since_ms`: since when the others are idle
        (default: the start; it only decides which of several free counters is first)."""
        return _Run(self, visitors, busy_until_ms or {}, idle_since_ms or {}).go()


class _Run:
    """The state of one run."""

    def __init__(
        self, made: Simulator, visitors: Sequence[Visitor], busy: Mapping[str, int], idle: Mapping[str, int]
    ) -> None:
        self.made, self.visitors = made, visitors
        self.end_ms, self.bound_ms = made.scene.end_ms, made.scene.max_overtake_ms
        self.lanes: dict[tuple[str, str], Lane] = {key: [] for key in made.scene.lane_terms}
        self.reach = [self._lanes_of(services) for services in made.skills]
        self.group = [CLOSED] * len(made.counters)
        self.held = [False] * len(made.counters)
        self.idle_since: list[int | None] = [None] * len(made.counters)
        self.idle: list[list[tuple[int, str, int]]] = [[] for _ in made.skills]
        self.began_idle = {made.index[name]: since for name, since in idle.items() if name in made.index}
        self.reserved = 0
        self.course = Course(visitors, [None] * len(visitors), [None] * len(visitors), [None] * len(visitors))
        self.heap: list[tuple[int, int, int, int]] = list(made.boundaries)
        for name, until_ms in busy.items():
            if name in made.index:
                self.held[made.index[name]] = True
                self.heap.append((max(until_ms, made.scene.start_ms), FREE, made.index[name], 0))
        heapify(self.heap)

    def _lanes_of(self, services: tuple[str, ...]) -> list[list[tuple[Lane, Terms]]]:
        """By service, the lanes of its classes."""
        scene = self.made.scene
        wanted = [service for service in services if service not in scene.suspended]
        return [
            [(self.lanes[key], terms) for key, terms in scene.lane_terms.items() if key[0] == service]
            for service in wanted
        ]

    def go(self) -> Course:
        """Merge the visitors, in the order in which they begin to wait, with what happens at the counters."""
        order = sorted(range(len(self.visitors)), key=lambda one: self.visitors[one].waiting_since_ms)
        start_ms = self.made.scene.start_ms
        early = bisect_left(order, start_ms, key=lambda one: self.visitors[one].waiting_since_ms)
        for index in order[:early]:
            self._line_up(index, start_ms)
        for index in order[early:]:
            at_ms = self.visitors[index].waiting_since_ms
            if at_ms >= self.end_ms:
                break
            self._until(at_ms)
            self._line_up(index, at_ms)
            self._offer(self.visitors[index].service, at_ms)
        self._until(self.end_ms - 1)
        return self.course

    def _until(self, at_ms: int) -> None:
        """Everything at the counters up to an instant, included."""
        heap = self.heap
        while heap and heap[0][0] <= at_ms:
            now_ms, kind, index, value = heappop(heap)
            if kind == FREE:
                self.held[index] = False
                self._call_next(index, now_ms)
            elif kind == SHIFT:
                self._change_shift(index, value, now_ms)
            elif kind == LEAVE:
                self._give_up(index, now_ms)
            else:
                self.reserved -= 1
                self._offer(self.visitors[index].service, now_ms)

    # -- counters

    def _change_shift(self, counter: int, group: int, now_ms: int) -> None:
        before = self.idle_since[counter]
        self.group[counter], self.idle_since[counter] = group, None
        if group != CLOSED and not self.held[counter]:
            self._call_next(counter, now_ms, self.began_idle.pop(counter, now_ms) if before is None else before)

    def _call_next(self, counter: int, now_ms: int, since_ms: int | None = None) -> bool:
        """Call by the rule, or be idle (`since_ms`: since earlier); whether somebody was called."""
        group = self.group[counter]
        if group == CLOSED:
            return False
        place = first_of(self._heads(group, counter, now_ms), self.made.key, self.bound_ms, now_ms)
        if place is None:
            since_ms = now_ms if since_ms is None else since_ms
            if self.idle_since[counter] != since_ms:
                self.idle_since[counter] = since_ms
                heappush(self.idle[group], (since_ms, self.made.counters[counter], counter))
            return False
        index = place[3]
        self._leave_lane(index)
        self.held[counter], self.idle_since[counter] = True, None
        self.course.called_at_ms[index] = now_ms
        self.course.counters[index] = self.made.counters[counter]
        heappush(self.heap, (now_ms + self.visitors[index].held_ms, FREE, counter, 0))
        return True

    def _heads(self, group: int, counter: int, now_ms: int) -> list[list[Head]]:
        if self.reserved:
            return self._free_heads(group, counter, now_ms)
        found = []
        for classes in self.reach[group]:
            heads: list[Head] = [(lane[0], terms) for lane, terms in classes if lane]
            if heads:
                found.append(heads)
        return found

    def _free_heads(self, group: int, counter: int, now_ms: int) -> list[list[Head]]:
        """The same, those left out who are reserved for another counter."""
        found = []
        for classes in self.reach[group]:
            firsts = [(self._eligible(lane, counter, now_ms), terms) for lane, terms in classes]
            heads: list[Head] = [(place, terms) for place, terms in firsts if place is not None]
            if heads:
                found.append(heads)
        return found

    def _eligible(self, lane: Lane, counter: int, now_ms: int) -> Place | None:
        for place in lane:
            one = self.visitors[place[3]]
            free = one.reserved_until_ms is None or one.reserved_until_ms <= now_ms
            if free or one.for_counter == self.made.counters[counter]:
                return place
        return None

    def _offer(self, service: str, now_ms: int) -> None:
        """Somebody may be called now: the free counter that is first calls; with reservations, the first that can."""
        if self.reserved:
            self._offer_each(service, now_ms)
        elif (counter := self._free_counter(service)) is not None:
            self._call_next(counter, now_ms, self.idle_since[counter])

    def _offer_each(self, service: str, now_ms: int) -> None:
        ranked = [
            (free_key(len(self.made.skills[group]), since_ms, name), counter)
            for group in self.made.groups_of.get(service, ())
            for since_ms, name, counter in self.idle[group]
            if self.idle_since[counter] == since_ms and self.group[counter] == group
        ]
        for _, counter in sorted(ranked):
            if self._call_next(counter, now_ms, self.idle_since[counter]):
                return

    def _free_counter(self, service: str) -> int | None:
        best: tuple[Any, ...] | None = None
        found = None
        for group in self.made.groups_of.get(service, ()):
            idle = self.idle[group]
            while idle and (self.idle_since[idle[0][2]] != idle[0][0] or self.group[idle[0][2]] != group):
                heappop(idle)
            if idle:
                rank = free_key(len(self.made.skills[group]), idle[0][0], idle[0][1])
                if best is None or rank < best:
                    best, found = rank, idle[0][2]
        return found

    # -- visitors

    def _place(self, index: int) -> Place:
        one = self.visitors[index]
        return (one.line_since_ms, one.issued_at_ms, one.number, index)

    def _line_up(self, index: int, now_ms: int) -> None:
        one = self.visitors[index]
        lane, place = self.lanes[one.service, one.priority], self._place(index)
        if not lane or lane[-1] < place:
            lane.append(place)
        else:
            insort(lane, place)
        if one.patience_ms is not None:
            heappush(self.heap, (max(now_ms, one.waiting_since_ms + one.patience_ms), LEAVE, index, 0))
        if one.reserved_until_ms is not None and one.reserved_until_ms > now_ms:
            self.reserved += 1
            heappush(self.heap, (one.reserved_until_ms, WAKE, index, 0))

    def _leave_lane(self, index: int) -> None:
        one = self.visitors[index]
        lane = self.lanes[one.service, one.priority]
        del lane[bisect_left(lane, self._place(index))]

    def _give_up(self, index: int, now_ms: int) -> None:
        if self.course.called_at_ms[index] is None:
            self._leave_lane(index)
            self.course.left_at_ms[index] = now_ms
