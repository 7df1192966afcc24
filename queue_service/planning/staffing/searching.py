"""The fewest counters that keep the promise: the first quarter that breaks is mended, then the next.

Iterative staffing by simulation after Feldman, Mandelbaum, Massey, Whitt (Management Science 54(2), 2008), with the
hall's own order and skills instead of one line. A greedy search: good, not proved to be the best.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from queue_service.planning.simulation.drawing import Stretch
from queue_service.planning.simulation.scene import Shift
from queue_service.planning.staffing.situation import Reserve, Situation
from queue_service.planning.staffing.trying import Trial, Trials

SEARCH_RUNS = 60
SEARCH_VISITORS = 30_000
"""Enough to tell schedules apart on the same visitors; what comes out is tried again with all runs."""
MOST_TRIALS, MOST_MORE_TRIALS = 60, 4
"""So many schedules are tried, and more with all runs; then what was found is what there is."""


def search_runs(situation: Situation) -> int:
    """Fewer runs for a large hall."""
    hours = (stretch.per_hour * (stretch.to_ms - stretch.from_ms) / 3_600_000 for stretch in _stretches(situation))
    return min(situation.runs, SEARCH_RUNS, max(15, int(SEARCH_VISITORS / (1 + len(situation.waiting) + sum(hours)))))


def _stretches(situation: Situation) -> Iterator[Stretch]:
    return (stretch for flow in situation.flows for stretch in flow.stretches)


@dataclass(frozen=True)
class Opening:
    """So many more counters for a service, by an instant. `mends`: the quarter that it is for."""

    service: str
    from_ms: int
    mends: int
    shifts: tuple[Shift, ...]


@dataclass(frozen=True)
class Found:
    """What the search came to: counters to open, in order, and the schedule with all of them."""

    openings: tuple[Opening, ...]
    shifts: tuple[Shift, ...]


def fewest(situation: Situation, trials: Trials, begun: tuple[Opening, ...] = ()) -> Found:
    """Open counters within the reserves until every quarter keeps the promise, or no more can be done about it.

    `begun`: what a search with fewer runs came to; it is only added to."""
    openings, most = list(begun), trials.count + (MOST_MORE_TRIALS if begun else MOST_TRIALS)
    given_up: set[tuple[int, str]] = set()
    trial = trials.of(_with(situation, openings))
    while trials.count < most and (target := _next(trial, given_up)) is not None:
        opening = _mend(situation, trials, trial, *target)
        if opening is None:
            given_up.add(target)
            continue
        openings.append(opening)
        trial = trials.of(_with(situation, openings))
        if not trial.keeps(target[0], [target[1]]):
            given_up.add(target)
    if not begun and not trial.broken():
        openings = _trimmed(trials, trial, openings)
    return Found(tuple(openings), _with(situation, openings))


def _with(situation: Situation, openings: Sequence[Opening]) -> tuple[Shift, ...]:
    return (*situation.shifts, *(shift for one in openings for shift in one.shifts))


def _next(trial: Trial, given_up: set[tuple[int, str]]) -> tuple[int, str] | None:
    """The first quarter that breaks, and the service that misses most in it."""
    for quarter in trial.broken():
        for service in trial.worst_services(quarter):
            if (quarter, service) not in given_up:
                return quarter, service
    return None


def _mend(situation: Situation, trials: Trials, trial: Trial, quarter: int, service: str) -> Opening | None:
    """The fewest additional counters for a service that mend a quarter; all there are where it takes more.

    Opened as late as possible: with the quarter itself, else earlier."""
    best: Opening | None = None
    for start in dict.fromkeys((quarter, max(0, quarter - 1), max(0, quarter - 2), 0)):
        from_ms = trial.start_of(start)
        free = list(_free_shifts(situation, trial.shifts, service, from_ms))
        if not free:
            continue

        def mended(count: int, free: list[Shift] = free) -> bool:
            tried = trials.of((*trial.shifts, *free[:count]))
            return tried.keeps(quarter) or tried.keeps(quarter, [service])

        if mended(len(free)):
            return Opening(service, from_ms, quarter, tuple(free[: _least(mended, len(free))]))
        best = Opening(service, from_ms, quarter, tuple(free))
    return best if best is not None and _helps(trials, trial, best) else None


def _least(enough: Callable[[int], bool], most: int) -> int:
    """The least number for which it is enough, given that `most` is: doubling, then halving."""
    low, high = 0, 1
    while high < most and not enough(high):
        low, high = high, min(most, high * 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _helps(trials: Trials, trial: Trial, opening: Opening) -> bool:
    after = trials.of((*trial.shifts, *opening.shifts)).whole([opening.service]).missed
    return after < trial.whole([opening.service]).missed


def _free_shifts(situation: Situation, shifts: tuple[Shift, ...], service: str, from_ms: int) -> Iterator[Shift]:
    """A shift for each counter that could still be opened for a service: a seat nobody has, a clerk in reserve."""
    seated = {shift.counter for shift in shifts} | situation.taken
    seats = sorted(
        (name for name, able in situation.seats.items() if service in able and name not in seated),
        key=lambda name: (len(situation.seats[name]), name),
    )
    for reserve in situation.reserves:
        if service not in reserve.services:
            continue
        begin_ms, end_ms = max(from_ms, reserve.from_ms), min(situation.end_ms, reserve.to_ms)
        used = sum(shift.services in _asked_of(reserve, situation) for shift in shifts[len(situation.shifts) :])
        for _ in range(max(0, reserve.count - used) if begin_ms < end_ms else 0):
            if not seats:
                return
            name = seats.pop(0)
            services = tuple(one for one in situation.seats[name] if one in reserve.services)
            yield Shift(name, begin_ms, end_ms, services)


def _asked_of(reserve: Reserve, situation: Situation) -> set[tuple[str, ...]]:
    """The service lists that counters opened from a reserve have."""
    return {tuple(one for one in able if one in reserve.services) for able in situation.seats.values()}


def _trimmed(trials: Trials, trial: Trial, openings: list[Opening]) -> list[Opening]:
    """Let the counters that were opened close again as early as the promise allows, each opening as one."""
    broken, kept = trial.broken(), list(openings)
    missed = trial.tally.total(broken).missed
    for place, opening in enumerate(kept):
        for quarter in range(opening.mends + 1, len(trial.quarters)):
            until_ms = trial.start_of(quarter)
            left = [one for one in opening.shifts if one.from_ms < until_ms]
            shifts = tuple(one._replace(to_ms=min(one.to_ms, until_ms)) for one in left)
            if not shifts:
                continue
            shorter = replace(opening, shifts=shifts)
            tried = trials.of(_with(trials.situation, [*kept[:place], shorter, *kept[place + 1 :]]))
            if set(tried.broken()) <= set(broken) and tried.tally.total(broken).missed <= missed:
                kept[place] = shorter
                break
    return kept


def counters_at(shifts: tuple[Shift, ...], at_ms: int) -> int:
    """How many counters work at an instant."""
    return len({shift.counter for shift in shifts if shift.from_ms <= at_ms < shift.to_ms})


@dataclass(frozen=True)
class Move:
    """A counter that serves only `service` from an instant on, until the promise breaks again (None: it does not)."""

    counter: str
    from_services: tuple[str, ...]
    service: str
    from_ms: int
    until_ms: int | None
    trial: Trial


def best_move(trials: Trials, trial: Trial, quarter: int, service: str, most: int = 4) -> Move | None:
    """The counter at work whose move to a service spares most misses in the hall; None where none spares any."""
    able = trials.situation.seats
    missed = {name: trial.whole([name]).missed for name in able_services(trial)}
    movable = [one for one in trial.shifts if service in able.get(one.counter, ()) and one.services != (service,)]
    movable.sort(key=lambda one: (sum(missed.get(name, 0) for name in one.services), one.counter))
    found: list[Move] = []
    for one in movable[:most]:
        tried = trials.of(moved(trial.shifts, one, service, trial.start_of(quarter)))
        if tried.whole().missed < trial.whole().missed:
            again = next((at for at in tried.broken() if at >= quarter), None)
            until_ms = None if again is None else tried.start_of(again)
            found.append(Move(one.counter, one.services, service, trial.start_of(quarter), until_ms, tried))
    return min(found, key=lambda move: move.trial.whole().missed, default=None)


def able_services(trial: Trial) -> set[str]:
    """Every service that a counter at work serves."""
    return {name for shift in trial.shifts for name in shift.services}


def moved(shifts: tuple[Shift, ...], one: Shift, service: str, at_ms: int) -> tuple[Shift, ...]:
    """The schedule with a counter's shift cut at an instant, from which it serves one service only."""
    others = tuple(shift for shift in shifts if shift != one)
    parts = (one._replace(to_ms=at_ms), one._replace(from_ms=max(at_ms, one.from_ms), services=(service,)))
    return (*others, *(part for part in parts if part.from_ms < part.to_ms))


SOON = 4
"""Quarters: what closes later is for a later advice to say."""


@dataclass(frozen=True)
class Closing:
    """A counter that closes for the rest of the time with the beginning of a quarter, and the schedule then."""

    shift: Shift
    quarter: int
    at_ms: int
    shifts: tuple[Shift, ...]


def soonest_close(trials: Trials, trial: Trial, most: int = 4) -> Closing | None:
    """The counter that can close soonest while every quarter keeps the promise; None where none can within the hour.

    A service keeps a counter; those with the least to do are tried first."""
    found: Closing | None = None
    work = {name: trial.whole([name]).judged for name in able_services(trial)}
    spare = [one for one in trial.shifts if _covered(trial.shifts, one)]
    for one in sorted(spare, key=lambda shift: (sum(work[name] for name in shift.services), shift.counter))[:most]:
        limit = min(SOON, len(trial.quarters)) if found is None else found.quarter

        def enough(quarter: int, one: Shift = one) -> bool:
            return not trials.of(_closed(trial, one, quarter)).broken()

        if limit > 0 and enough(limit - 1):
            quarter = 0 if enough(0) else _least(enough, limit - 1)
            found = Closing(one, quarter, trial.start_of(quarter), _closed(trial, one, quarter))
        if found is not None and found.quarter == 0:
            break
    return found


def _closed(trial: Trial, one: Shift, quarter: int) -> tuple[Shift, ...]:
    others = tuple(shift for shift in trial.shifts if shift != one)
    rest = one._replace(to_ms=trial.start_of(quarter))
    return (*others, rest) if rest.from_ms < rest.to_ms else others


def _covered(shifts: tuple[Shift, ...], one: Shift) -> bool:
    """Whether every service of a counter has another one at work."""
    others = {name for shift in shifts if shift.counter != one.counter for name in shift.services}
    return others.issuperset(one.services)
