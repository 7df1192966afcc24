"""A recorded day and the same day with something changed, side by side: the report's own figures of both.

`Then` is the log's, `now` the changed day's; where chance had a part in it, the mean over several runs with its
standard deviation. Who waits when the day (or what there is of it) ends is judged as the report judges."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from metrics.verdict import Figures, Group, figures
from metrics.waits import WaitRecord, classify, live_record
from models.vocabulary import Verdict
from queue_service.domain.hall import Hall
from queue_service.planning.whatif.recorded import Recorded
from queue_service.planning.whatif.replay import Replayed

EDGES_S = (0, 120, 300, 600, 900, 1200, 1800, 3600)
"""The distribution's classes begin here."""
SHOWN = ("share", "mean_s", "p50_s", "p90_s", "p95_s", "max_s")


def records(hall: Hall, end_ms: int) -> list[WaitRecord]:
    """The waits of a replayed or recorded day's own tickets."""
    tickets = (one for one in hall.touched.values() if one.day == hall.day.date)
    return [live_record(hall, one, end_ms) for one in tickets]


def figures_of(found: Iterable[WaitRecord]) -> Figures:
    """Figures over tickets, each by its own promise."""
    groups: dict[tuple[str, int, int], Group] = defaultdict(Group)
    for one in found:
        groups[one.period or "", one.promise_ms or 0, one.percentile or 0].add(one)
    named = {promise: group for promise, group in groups.items() if promise[0]}
    return figures(named.items())


def distribution(found: Iterable[WaitRecord]) -> list[int]:
    """How many of those counted waited at least so long, and less than the next edge."""
    counts = Counter(
        sum(one.wait_ms >= edge_s * 1000 for edge_s in EDGES_S) - 1
        for one in found
        if classify(one) in (Verdict.KEPT, Verdict.MISSED)
    )
    return [counts[place] for place in range(len(EDGES_S))]


@dataclass(frozen=True)
class Repeated:
    """How much of the record a replay without changes gave again: calls at the same counter and instant."""

    calls: int
    same: int


def repeated(recorded: Recorded, null: Replayed) -> Repeated:
    """Compare the unchanged replay with the log, leg by leg."""
    then, now = (_calls(hall) for hall in (recorded.hall, null.hall))
    return Repeated(len(then), sum(now.get(leg) == call for leg, call in then.items()))


def _calls(hall: Hall) -> dict[tuple[str, int], tuple[int, str | None, int | None]]:
    return {
        (ticket.id, number): (leg.called_at_ms, leg.counter, leg.waited_ms)
        for ticket in hall.touched.values()
        for number, leg in enumerate(ticket.legs)
        if leg.called_at_ms is not None
    }


def what_if_document(recorded: Recorded, null: Replayed, runs: Sequence[Replayed]) -> dict[str, Any]:
    """Then and now as plain values; seconds and shares exact, `sd` None where nothing was drawn."""
    then = records(recorded.hall, recorded.end_ms)
    nows = [records(one.hall, recorded.end_ms) for one in runs]
    again, services = repeated(recorded, null), sorted({one.service for one in then})
    return {
        "hall": recorded.hall.id,
        "day": recorded.hall.day.date,
        "replayed_without_change": {"calls": again.calls, "same": again.same},
        "undone_left_out": recorded.undone,
        "runs": len(runs),
        "drawn": any(one.drawn for one in runs),
        "served_who_were_not": round(fmean(one.imputed for one in runs), 1),
        "not_repeated": round(fmean(one.unrepeated for one in runs), 1),
        **_pair(then, nows),
        "distribution": [
            {"from_s": edge_s, "then": before, "now": round(fmean(counts), 1)}
            for edge_s, before, *counts in zip(EDGES_S, distribution(then), *map(distribution, nows), strict=True)
        ],
        "services": [
            {"service": name, **_pair(_of(then, name), [_of(now, name) for now in nows])} for name in services
        ],
    }


def _of(found: Sequence[WaitRecord], service: str) -> list[WaitRecord]:
    return [one for one in found if one.service == service]


def _pair(then: Sequence[WaitRecord], nows: Sequence[Sequence[WaitRecord]]) -> dict[str, Any]:
    after = [figures_of(now) for now in nows]
    return {"then": _plain(figures_of(then)), "now": _mean(after), "sd": _deviation(after)}


def _plain(found: Figures) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("counted", "kept", "missed", "open", "left", *SHOWN)}


def _mean(found: Sequence[Figures]) -> dict[str, Any]:
    if len(found) == 1:
        return _plain(found[0])
    values = {name: [one[name] for one in map(_plain, found) if one[name] is not None] for name in _plain(found[0])}
    return {name: round(fmean(each), 4) if each else None for name, each in values.items()}


def _deviation(found: Sequence[Figures]) -> dict[str, Any] | None:
    if len(found) == 1:
        return None
    values = {name: [getattr(one, name) for one in found if getattr(one, name) is not None] for name in SHOWN}
    return {name: round(stdev(each), 4) if len(each) > 1 else None for name, each in values.items()}
