"""What the counters did: how long each was open, paused and serving, how many it served, and how many an hour.

Open time comes from the counters' own events in the log, serving time from the legs. `reading` feeds both.
"""

from array import array
from collections import Counter as Count_
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from metrics.course import QUARTER_MS, half_hour, pieces
from metrics.verdict import Count, Seconds, mean_ms, share_of
from models.vocabulary import LegOutcome
from models.wire import seconds_or_none
from queue_service.domain import events as ev
from queue_service.domain.plan import Plan

PerHour = Annotated[float | None, Field(ge=0)]

Tell = Callable[[int, int], None]
"""Told of a stretch of time: from_ms, to_ms."""


class CounterFigures(BaseModel):
    """One counter over the days reported. An implied start counts as serving from the call on: nobody said when the
    visitor came. Null where no event tells of the counter's hours (recorded history)."""

    model_config = ConfigDict(extra="forbid")

    counter: str
    name: str | None
    zone: str | None
    calls: Count
    finished: Count
    open_s: Annotated[Seconds, Field(description="signed on and not paused")]
    paused_s: Seconds
    serving_s: Seconds
    called_s: Annotated[Seconds, Field(description="from a call to its start, no-show or other end")]
    utilisation: Annotated[float | None, Field(ge=0, description="serving_s / open_s")]
    mean_service_s: Annotated[Seconds, Field(description="of services that were finished, implied starts left out")]
    per_hour: Annotated[PerHour, Field(description="finished per hour open")]


class CounterHour(BaseModel):
    """One counter in one hour of the local day, all days together."""

    model_config = ConfigDict(extra="forbid")

    counter: str
    hour: Annotated[int, Field(ge=0, le=23)]
    finished: Count
    open_s: Seconds
    serving_s: Seconds
    per_hour: PerHour


@dataclass(slots=True)
class _Duty:
    """Whether a counter is open and paused now, since when, and how it was before its last command."""

    is_open: bool = False
    paused: bool = False
    since_ms: int = 0
    before: tuple[int, bool] = (0, False)


class Duties:
    """Follows the counters' hours through the log. Which stretches were open and which paused, it tells `found`."""

    def __init__(self, from_ms: int, to_ms: int, found: Callable[[str, bool, int, int], None]) -> None:
        """Only what lies in `[from_ms, to_ms)` is told: counter, whether paused, beginning, end."""
        self._from_ms, self._to_ms = from_ms, to_ms
        self._found = found
        self._duties: dict[str, _Duty] = {}

    def begin(self, carried: list[dict[str, Any]], at_ms: int) -> None:
        """The counters as the event that opened a day carries them."""
        for one in carried:
            self._duties[one["id"]] = _Duty(is_open=True, paused=one["pause_reason"] is not None, since_ms=at_ms)

    def fold(self, logged: ev.Logged) -> None:
        """One event of a counter, in order."""
        event = logged.event
        assert isinstance(event, ev.CounterEvent), "only counters have hours"
        duty = self._duties.setdefault(event.counter, _Duty())
        if isinstance(event, ev.CommandUndone):
            command_seq, paused = duty.before
            if command_seq == event.command_seq:
                self._turn(event.counter, duty, logged.at_ms, duty.is_open, paused)
            return
        if duty.before[0] != logged.command_seq:
            duty.before = (logged.command_seq, duty.paused)
        if isinstance(event, ev.CounterOpened | ev.CounterClosed):
            self._turn(event.counter, duty, logged.at_ms, isinstance(event, ev.CounterOpened), paused=False)
        elif isinstance(event, ev.CounterPaused | ev.CounterResumed):
            self._turn(event.counter, duty, logged.at_ms, duty.is_open, isinstance(event, ev.CounterPaused))

    def end(self) -> None:
        """Tell what still goes on."""
        for counter, duty in self._duties.items():
            self._turn(counter, duty, self._to_ms, duty.is_open, duty.paused)

    def _turn(self, counter: str, duty: _Duty, at_ms: int, is_open: bool, paused: bool) -> None:
        from_ms, to_ms = max(duty.since_ms, self._from_ms), min(at_ms, self._to_ms)
        if duty.is_open and from_ms < to_ms:
            self._found(counter, duty.paused, from_ms, to_ms)
        duty.is_open, duty.paused, duty.since_ms = is_open, paused, at_ms


Moves = dict[str, list[tuple[int, str]]]
"""Hand-overs by ticket, in order: when, and from which counter."""


@dataclass(slots=True)
class _Totals:
    calls: int = 0
    finished: int = 0
    open_ms: int = 0
    paused_ms: int = 0
    serving_ms: int = 0
    called_ms: int = 0
    services_ms: "array[int]" = field(default_factory=lambda: array("q"))
    open_by_hour: Count_[int] = field(default_factory=Count_)
    serving_by_hour: Count_[int] = field(default_factory=Count_)
    finished_by_hour: Count_[int] = field(default_factory=Count_)


class CounterTimes:
    """Collects the hours and the services of every counter."""

    def __init__(self, plan: Plan, zone: ZoneInfo) -> None:
        """`zone`: the hall's, by whose wall clock hours are told."""
        self._plan = plan
        self._zone = zone
        self._totals: dict[str, _Totals] = defaultdict(_Totals)
        self._hours_known = False

    def open(self, counter: str, paused: bool, from_ms: int, to_ms: int) -> None:
        """A counter was open, or paused."""
        self._hours_known = True
        totals = self._totals[counter]
        if paused:
            totals.paused_ms += to_ms - from_ms
            return
        totals.open_ms += to_ms - from_ms
        for at, duration_ms in pieces(from_ms, to_ms, self._zone):
            totals.open_by_hour[at // 2] += duration_ms

    def serve(
        self, leg: Any, until_ms: int, now_ms: int, moves: Sequence[tuple[int, str]]
    ) -> Sequence[tuple[int, int]]:
        """A leg that was called: counts it, hand-overs (`moves`, of all the ticket's legs) divided; its serving in
        `pieces`.

        A call lasts no longer than its day (`until_ms`), serving goes on over midnight."""
        totals = self._totals[leg.counter]
        totals.calls += 1
        running_ms = until_ms if leg.started_at_ms is None else now_ms
        end_ms = running_ms if leg.ended_at_ms is None else leg.ended_at_ms
        began_ms = leg.called_at_ms if leg.start_implied else leg.started_at_ms
        if moves:
            moves = [move for move in moves if began_ms is not None and began_ms <= move[0] <= end_ms]
        first = self._totals[moves[0][1]] if moves else totals
        first.called_ms += (end_ms if began_ms is None else began_ms) - leg.called_at_ms
        if leg.outcome == LegOutcome.FINISHED:
            self._finish(totals, leg)
        if began_ms is None or began_ms >= end_ms:
            return ()
        if moves:
            return self._divided(leg.counter, began_ms, end_ms, moves)
        return self._serving(totals, began_ms, end_ms)

    def _serving(self, totals: _Totals, from_ms: int, to_ms: int) -> Sequence[tuple[int, int]]:
        totals.serving_ms += to_ms - from_ms
        stretch = pieces(from_ms, to_ms, self._zone)
        for at, duration_ms in stretch:
            totals.serving_by_hour[at // 2] += duration_ms
        return stretch

    def _divided(
        self, last: str, began_ms: int, end_ms: int, moves: Sequence[tuple[int, str]]
    ) -> Sequence[tuple[int, int]]:
        """Each move ends the stay at the counter it came from."""
        found: list[tuple[int, int]] = []
        for at_ms, counter in moves:
            if began_ms < at_ms < end_ms:
                found += self._serving(self._totals[counter], began_ms, at_ms)
                began_ms = at_ms
        return [*found, *self._serving(self._totals[last], began_ms, end_ms)]

    def _finish(self, totals: _Totals, leg: Any) -> None:
        totals.finished += 1
        totals.finished_by_hour[half_hour(leg.ended_at_ms // QUARTER_MS, self._zone) // 2] += 1
        if not leg.start_implied and leg.started_at_ms is not None:
            totals.services_ms.append(leg.ended_at_ms - leg.started_at_ms)

    def figures(self) -> list[CounterFigures]:
        """Each counter that was open or called somebody, as the plan lists them; those of former plans last."""
        return [self._figures(counter, self._totals[counter]) for counter in self._ordered()]

    def _ordered(self) -> list[str]:
        places = {name: place for place, name in enumerate(self._plan.counters)}
        return sorted(self._totals, key=lambda name: (places.get(name, len(places)), name))

    def _figures(self, counter: str, totals: _Totals) -> CounterFigures:
        planned = self._plan.counters.get(counter)
        return CounterFigures(
            counter=counter,
            name=planned and planned.name,
            zone=planned and planned.zone,
            calls=totals.calls,
            finished=totals.finished,
            open_s=seconds_or_none(totals.open_ms if self._hours_known else None),
            paused_s=seconds_or_none(totals.paused_ms if self._hours_known else None),
            serving_s=seconds_or_none(totals.serving_ms),
            called_s=seconds_or_none(totals.called_ms),
            utilisation=share_of(totals.serving_ms, totals.open_ms),
            mean_service_s=seconds_or_none(mean_ms(totals.services_ms)),
            per_hour=_per_hour(totals.finished, totals.open_ms),
        )

    def by_hour(self) -> list[CounterHour]:
        """Each counter in each hour in which it was open or served."""
        return [hour for counter in self._ordered() for hour in self._hours(counter, self._totals[counter])]

    def _hours(self, counter: str, totals: _Totals) -> Iterator[CounterHour]:
        for hour in sorted({*totals.open_by_hour, *totals.serving_by_hour, *totals.finished_by_hour}):
            open_ms = totals.open_by_hour[hour]
            yield CounterHour(
                counter=counter,
                hour=hour,
                finished=totals.finished_by_hour[hour],
                open_s=seconds_or_none(open_ms if self._hours_known else None),
                serving_s=seconds_or_none(totals.serving_by_hour[hour]),
                per_hour=_per_hour(totals.finished_by_hour[hour], open_ms),
            )


def _per_hour(count: int, open_ms: int) -> float | None:
    return count * 3_600_000 / open_ms if open_ms else None
