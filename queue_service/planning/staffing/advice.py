"""Advice for a situation: values and numbers; the words are in `words`. Pure, slow (seconds), for a worker process."""

from dataclasses import dataclass, replace
from enum import StrEnum

from models.vocabulary import AdviceKind
from queue_service.planning.staffing.searching import (
    Found,
    Move,
    Opening,
    able_services,
    best_move,
    counters_at,
    fewest,
    search_runs,
    soonest_close,
)
from queue_service.planning.staffing.situation import Situation
from queue_service.planning.staffing.trying import Trial, Trials

HOUR_QUARTERS = 4


class AdviceReason(StrEnum):
    """Why."""

    KEPT = "kept"
    WOULD_BREAK = "would_break"
    CANNOT_BE_KEPT = "cannot_be_kept"
    FEWER_KEEP = "fewer_keep"


@dataclass(frozen=True)
class Item:
    """One thing to do by `by_ms`. Misses and `of` are visitors of `service` (of the hall, where a counter may close)
    who begin to wait during `[from_ms, to_ms)`, the hour after it, on average over the runs. `until_ms`: as long as it
    helps, or is needed; None: to the end of what was simulated.

    `promise_ms`: the promise that holds then."""

    kind: AdviceKind
    reason: AdviceReason
    service: str
    by_ms: int
    until_ms: int | None
    counters: tuple[str, ...]
    from_services: tuple[str, ...]
    misses_without: int
    misses_with: int
    of: int
    promise_ms: int
    from_ms: int
    to_ms: int
    alternatives: tuple["Item", ...] = ()

    @property
    def count(self) -> int:
        """How many counters."""
        return len(self.counters)


@dataclass(frozen=True)
class Quarter:
    """Counters at work as it is, and as advised, in a quarter of an hour; and the share that is kept then."""

    at_ms: int
    counters_now: int
    counters_needed: int
    share_now: float
    share_needed: float


@dataclass(frozen=True)
class Advice:
    """What to do, and what comes of doing it or not. `short_of`: the share promised where it cannot be kept."""

    items: tuple[Item, ...]
    reason: AdviceReason
    share_if_nothing_changes: float
    reachable_share: float
    quarters: tuple[Quarter, ...]
    runs: int


def advise(situation: Situation) -> Advice:
    """The advice for a situation: searched with fewer runs, then told from all of them."""
    search = Trials(situation, search_runs(situation))
    found = fewest(situation, search)
    every = Trials(situation, situation.runs)
    if found.openings:
        found = fewest(situation, every, found.openings)
    before = every.of(situation.shifts)
    after = every.of(found.shifts) if found.openings else before
    items = _openings(search, before, after, found)
    fewer: Trial | None = None
    if not items and before.broken():
        moves = _moves(search, every, before)
        items = tuple(item for item, _ in moves)
        after = moves[-1][1] if moves else before
    elif not items:
        items, fewer = _closings(search, every, before)
    kept = not after.broken()
    reason = AdviceReason.KEPT if not before.broken() else AdviceReason.WOULD_BREAK
    return Advice(
        items=items,
        reason=reason if kept else AdviceReason.CANNOT_BE_KEPT,
        share_if_nothing_changes=before.whole().share,
        reachable_share=after.whole().share,
        quarters=tuple(_quarter(before, fewer or after, number) for number in before.quarters),
        runs=situation.runs,
    )


def _quarter(before: Trial, after: Trial, number: int) -> Quarter:
    at_ms = before.start_of(number)
    return Quarter(
        at_ms,
        counters_at(before.shifts, at_ms),
        counters_at(after.shifts, at_ms),
        before.tally.total([number]).share,
        after.tally.total([number]).share,
    )


def _item(kind: AdviceKind, service: str, quarter: int, by_ms: int, before: Trial, after: Trial) -> Item:
    """The item without its counters."""
    last = min(quarter + HOUR_QUARTERS, len(before.quarters))
    services = None if kind == AdviceKind.CLOSE else [service]
    without, with_ = before.whole(services, quarter, last), after.whole(services, quarter, last)
    runs = before.tally.runs
    return Item(
        kind=kind,
        reason=AdviceReason.CANNOT_BE_KEPT if after.broken() else AdviceReason.WOULD_BREAK,
        service=service,
        by_ms=by_ms,
        until_ms=None,
        counters=(),
        from_services=(),
        misses_without=round(without.missed / runs),
        misses_with=round(with_.missed / after.tally.runs),
        of=round(without.judged / runs),
        promise_ms=before.situation.promises.at(before.start_of(quarter)),
        from_ms=before.start_of(quarter),
        to_ms=min(before.start_of(last), before.situation.until_ms),
    )


def _openings(search: Trials, before: Trial, after: Trial, found: Found) -> tuple[Item, ...]:
    items = [_opening(before, after, one) for one in found.openings]
    if not items:
        return ()
    first = found.openings[0]
    plain = search.of(search.situation.shifts)
    move = best_move(search, plain, first.mends, first.service)
    if move is not None and (move.until_ms is None or move.until_ms > before.start_of(first.mends)):
        items[0] = replace(items[0], alternatives=(_move(plain, move, first.mends),))
    return tuple(items)


def _opening(before: Trial, after: Trial, opening: Opening) -> Item:
    by_ms = min(shift.from_ms for shift in opening.shifts)
    item = _item(AdviceKind.OPEN, opening.service, opening.mends, by_ms, before, after)
    until_ms = max(shift.to_ms for shift in opening.shifts)
    return replace(
        item,
        until_ms=until_ms if until_ms < before.situation.until_ms else None,
        counters=tuple(shift.counter for shift in opening.shifts),
    )


def _move(before: Trial, move: Move, quarter: int) -> Item:
    item = _item(AdviceKind.MOVE, move.service, quarter, move.from_ms, before, move.trial)
    return replace(item, until_ms=move.until_ms, counters=(move.counter,), from_services=move.from_services)


def _closings(search: Trials, every: Trials, before: Trial) -> tuple[tuple[Item, ...], Trial | None]:
    """With a promise that is kept: the counter that may close soonest without breaking it, told from all runs."""
    closing = soonest_close(search, before)
    if closing is None:
        return (), None
    after = every.of(closing.shifts)
    if after.broken():
        return (), None
    shift = closing.shift
    item = _item(AdviceKind.CLOSE, shift.services[0], closing.quarter, closing.at_ms, before, after)
    told = replace(item, reason=AdviceReason.FEWER_KEEP, counters=(shift.counter,), from_services=shift.services)
    return (told,), after


def _moves(search: Trials, every: Trials, before: Trial) -> list[tuple[Item, Trial]]:
    """With nobody to call in: counters at work that help more elsewhere, one after another; told from all runs."""
    found: list[tuple[Item, Trial]] = []
    trial, most = search.of(before.shifts), len(able_services(before))
    told = before
    while trial.broken() and len(found) < most:
        quarter = trial.broken()[0]
        worst = trial.worst_services(quarter)
        move = best_move(search, trial, quarter, worst[0]) if worst else None
        if move is None:
            break
        shifts = move.trial.shifts
        after = every.of(shifts)
        if after.whole().missed >= told.whole().missed:
            break
        found.append((_move(told, replace(move, trial=after), quarter), after))
        trial, told = search.of(shifts), after
    return found
