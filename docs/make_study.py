"""Makes the figures of `docs/study.md`: python docs/make_study.py FOLDER [--halls 2] [--seed 1]

FOLDER has `tickets.csv.gz` and `polls.csv.xz` of recorded halls, in the import format and as polls. Nothing of it is
kept. Each hall and day is simulated by `queue_service.planning.simulation` with the counters that the polls saw open,
by quarter of an hour and service; then with the same counter-hours divided otherwise.
"""

# ruff: noqa: INP001, T201 (a script on its own; docs is no package)

import argparse
import csv
import gzip
import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from models.vocabulary import OrderRule
from queue_service.planning.simulation.running import Simulator
from queue_service.planning.simulation.scene import Scene, Shift, Visitor

ZONE = ZoneInfo("Europe/Warsaw")
HOLIDAYS = ("2020-01-01", "2020-01-06")
QUARTER_MS, PROMISE_MS, MINUTE_MS = 900_000, 600_000, 60_000
NEEDED_GAPS, LONGEST_GAP_MS, DEFAULT_MS = 20, 3_600_000, 8 * 60_000
CV = 0.75
"""How much service times scatter: standard deviation over mean, of a gamma distribution."""


@dataclass(frozen=True)
class Ticket:
    """One row that was called."""

    service: str
    issued_ms: int
    called_ms: int


@dataclass
class Day:
    """A hall's day: tickets called, and counters by (service, quarter of the epoch)."""

    hall: str
    day: str
    tickets: list[Ticket]
    counters: dict[tuple[str, int], int]


# -- reading


def read(folder: Path, most_halls: int | None) -> list[Day]:
    """Every hall and working day on which tickets were called."""
    tickets: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
    with gzip.open(folder / "tickets.csv.gz", "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            day = row["issued_at"][:10]
            if row["called_at"] and day not in HOLIDAYS:
                issued, called = (_ms(row[name]) for name in ("issued_at", "called_at"))
                tickets[row["hall"], day].append(Ticket(row["service"], issued, called))
    halls = sorted({hall for hall, _ in tickets})[:most_halls]
    polled = _polls(folder, frozenset(halls))
    days = [Day(hall, day, found, {}) for (hall, day), found in sorted(tickets.items()) if hall in halls]
    for one in days:
        one.counters = _counters(one, polled[one.hall, one.day])
    return days


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _polls(folder: Path, halls: frozenset[str]) -> dict[tuple[str, str], dict[tuple[str, int], list[int]]]:
    found: dict[tuple[str, str], dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    with lzma.open(folder / "polls.csv.xz", "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["hall"] in halls and row["counters_open"]:
                at = datetime.fromisoformat(f"{row['date']}T{row['time']}").replace(tzinfo=ZONE)
                quarter = round(at.timestamp() * 1000) // QUARTER_MS
                found[row["hall"], row["date"]][row["service"], quarter].append(int(float(row["counters_open"])))
    return found


def _counters(day: Day, polled: dict[tuple[str, int], list[int]]) -> dict[tuple[str, int], int]:
    """The polls' mean, rounded; where somebody was called at least one counter was open."""
    found = {cell: round(sum(counts) / len(counts)) for cell, counts in polled.items()}
    for one in day.tickets:
        cell = (one.service, one.called_ms // QUARTER_MS)
        found[cell] = max(1, found.get(cell, 0))
    return {cell: count for cell, count in found.items() if count > 0}


# -- service times


Times = dict[tuple[str, str], float]


def inferred(days: list[Day]) -> Times:
    """The mean time at a counter by hall and service: the gaps between calls while somebody waits, times counters."""
    gaps: dict[tuple[str, str], list[float]] = defaultdict(list)
    for day in days:
        for service in {one.service for one in day.tickets}:
            called = sorted((one.called_ms, one.issued_ms) for one in day.tickets if one.service == service)
            for (before, _), (after, issued) in pairwise(called):
                counters = day.counters.get((service, before // QUARTER_MS), 1)
                if issued <= before and 0 <= after - before <= LONGEST_GAP_MS / counters:
                    gaps[day.hall, service].append((after - before) * counters)
    every = [gap for found in gaps.values() for gap in found]
    return {key: float(np.mean(found if len(found) >= NEEDED_GAPS else every)) for key, found in gaps.items()}


def calibrated(days: list[Day], times: Times, cv: float, seed: int) -> Times:
    """The same, scaled by hall and service so that the simulated share within ten minutes is the recorded one."""
    low, high = dict.fromkeys(times, 0.3), dict.fromkeys(times, 2.5)
    recorded = _shares(days, [[one.called_ms - one.issued_ms for one in day.tickets] for day in days])
    for _ in range(7):
        middle = {key: (low[key] + high[key]) / 2 for key in times}
        now = {key: times[key] * middle[key] for key in times}
        shares = _shares(days, [run(day, now, cv, seed, as_recorded) for day in days])
        for key in times:
            if shares.get(key, 1.0) > recorded.get(key, 1.0):
                low[key] = middle[key]
            else:
                high[key] = middle[key]
    return {key: times[key] * (low[key] + high[key]) / 2 for key in times}


def _shares(days: list[Day], waits: list[list[int]]) -> dict[tuple[str, str], float]:
    counts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for day, found in zip(days, waits, strict=True):
        for one, wait_ms in zip(day.tickets, found, strict=True):
            counts[day.hall, one.service].append(wait_ms <= PROMISE_MS)
    return {key: float(np.mean(found)) for key, found in counts.items()}


# -- schedules, all with the counter-hours of the first


Division = Callable[[Day, Times], dict[tuple[tuple[str, ...], int], int]]
"""How many counters for which services, by quarter."""


def as_recorded(day: Day, times: Times) -> dict[tuple[tuple[str, ...], int], int]:
    """Each service by itself."""
    return {((service,), quarter): count for (service, quarter), count in day.counters.items()}


def pooled(day: Day, times: Times) -> dict[tuple[tuple[str, ...], int], int]:
    """Every counter for everything."""
    everything = tuple(sorted({one.service for one in day.tickets} | {service for service, _ in day.counters}))
    return {(everything, quarter): count for quarter, count in _totals(day).items()}


def one_in_five(day: Day, times: Times) -> dict[tuple[tuple[str, ...], int], int]:
    """Of each quarter's counters every fifth serves everything (taken where most are), the others stay."""
    everything = tuple(sorted({one.service for one in day.tickets}))
    found = dict(as_recorded(day, times))
    for quarter, total in _totals(day).items():
        for _ in range(total // 5):
            most = max((cell for cell in found if cell[1] == quarter and cell[0] != everything), key=lambda c: found[c])
            found[most] -= 1
            found[everything, quarter] = found.get((everything, quarter), 0) + 1
    return {cell: count for cell, count in found.items() if count}


def moved(day: Day, times: Times) -> dict[tuple[tuple[str, ...], int], int]:
    """Each quarter's counters divided anew by the work that waits or came in the last quarter: known at that time.

    One counter at least where somebody waits, the rest by largest remainder; no counter serves two services at once."""
    work: Counter[str] = Counter()
    found: dict[tuple[tuple[str, ...], int], int] = {}
    arrivals: dict[int, Counter[str]] = defaultdict(Counter)
    for one in day.tickets:
        arrivals[one.issued_ms // QUARTER_MS][one.service] += times.get((day.hall, one.service), DEFAULT_MS)  # type: ignore[assignment]
    for quarter, total in sorted(_totals(day).items()):
        work.update(arrivals[quarter - 1])
        for service, count in _divided(work, total).items():
            found[(service,), quarter] = count
            work[service] = max(0, work[service] - count * QUARTER_MS)
    return found


def _divided(work: Counter[str], total: int) -> dict[str, int]:
    loads = {service: load / QUARTER_MS for service, load in work.items() if load > 0}
    if not loads:
        return {}
    scale = total / sum(loads.values())
    shares = {service: load * scale for service, load in loads.items()}
    found = {service: int(share) for service, share in shares.items()}
    for service in sorted(shares, key=lambda one: found[one] - shares[one])[: total - sum(found.values())]:
        found[service] += 1
    return {service: count for service, count in found.items() if count}


def _totals(day: Day) -> Counter[int]:
    totals: Counter[int] = Counter()
    for (_, quarter), count in day.counters.items():
        totals[quarter] += count
    return totals


# -- simulating


def run(day: Day, times: Times, cv: float, seed: int, division: Division, slower: float = 1.0) -> list[int]:
    """The simulated wait of each ticket of the day, ms; who is not called waits to the end.

    Service times by ticket are the same for every division (common random numbers). `slower`: a factor for all."""
    number = int(np.frombuffer(f"{day.hall}{day.day}".encode(), dtype=np.uint8).astype(np.int64).cumsum().sum())
    rng = np.random.default_rng([seed, number])
    draws = rng.gamma(1 / cv**2, cv**2, len(day.tickets)) if cv else np.ones(len(day.tickets))
    visitors = [
        Visitor(
            one.service,
            "all",
            one.issued_ms,
            one.issued_ms,
            one.issued_ms,
            round(times.get((day.hall, one.service), DEFAULT_MS) * slower * float(draw)),
        )
        for one, draw in zip(day.tickets, draws, strict=True)
    ]
    shifts = tuple(_shifts(division(day, times)))
    start_ms = min(one.from_ms for one in shifts)
    end_ms = max(one.to_ms for one in shifts) + 2 * 3_600_000
    services = {one.service for one in day.tickets} | {name for shift in shifts for name in shift.services}
    terms = {(service, "all"): (PROMISE_MS, 0, 0) for service in services}
    course = Simulator(Scene(OrderRule.FIFO, 86_400_000, terms, shifts, start_ms, end_ms)).run(visitors)
    return [
        end_ms - one.issued_ms if wait is None else wait
        for wait, one in zip(course.waits_ms(), day.tickets, strict=True)
    ]


def _shifts(counts: dict[tuple[tuple[str, ...], int], int]) -> Iterator[Shift]:
    """Counter n of a set of services works in the quarters with at least n; the last quarter of a day goes on."""
    last = max(quarter for _, quarter in counts)
    for (services, quarter), count in sorted(counts.items()):
        for number in range(count):
            until = (quarter + 1) * QUARTER_MS + (4 * 3_600_000 if quarter == last else 0)
            yield Shift(f"{'/'.join(services)} {number}", quarter * QUARTER_MS, until, services)


def share(
    days: list[Day], times: Times, division: Division, cv: float, seeds: list[int], slower: float = 1.0
) -> list[float]:
    """The share within ten minutes over all days, seed by seed."""
    found = []
    for seed in seeds:
        waits = [wait for day in days for wait in run(day, times, cv, seed, division, slower)]
        found.append(float(np.mean(np.asarray(waits) <= PROMISE_MS)))
    return found


def study(folder: Path, most_halls: int | None, seed: int, runs: int, quick: bool) -> dict[str, object]:
    """Everything that the page says; `quick`: its headline only."""
    days = read(folder, most_halls)
    seeds = list(range(seed, seed + runs))
    plain = inferred(days)
    times = calibrated(days, plain, CV, seed)
    rows = {"cv 0.75": _row(days, times, CV, seeds)}
    if not quick:
        rows.update(_sensitivity(days, plain, times, seeds))
    spread = {one.__name__: np.std(share(days, times, one, CV, seeds)) for one in (as_recorded, pooled)}
    return {
        "halls": len({day.hall for day in days}),
        "days": len(days),
        "tickets": sum(len(day.tickets) for day in days),
        "first": min(day.day for day in days),
        "recorded": round(
            _mean([one.called_ms - one.issued_ms <= PROMISE_MS for day in days for one in day.tickets]), 4
        ),
        "noise": {name: round(float(one), 4) for name, one in spread.items()},
        "rows": {name: {one: round(value, 4) for one, value in row.items()} for name, row in rows.items()},
    }


def _sensitivity(days: list[Day], plain: Times, times: Times, seeds: list[int]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for cv in (0.4, 1.0):
        rows[f"cv {cv}"] = _row(days, calibrated(days, plain, cv, seeds[0]), cv, seeds)
    for factor in (0.9, 1.1):
        scaled = {key: one * factor for key, one in times.items()}
        rows[f"cv 0.75, times x {factor}"] = _row(days, scaled, CV, seeds)
    rows["cv 0.75, times not calibrated"] = _row(days, plain, CV, seeds)
    rows["cv 0.75, 10 % slower at unusual work"] = {"pooled": _mean(share(days, times, pooled, CV, seeds, 1.1))}
    return rows


def _row(days: list[Day], times: Times, cv: float, seeds: list[int]) -> dict[str, float]:
    divisions = {"as recorded": as_recorded, "one_in_five": one_in_five, "moved": moved, "pooled": pooled}
    return {name: _mean(share(days, times, division, cv, seeds)) for name, division in divisions.items()}


def _mean(found: Sequence[float]) -> float:
    return float(np.mean(found))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--halls", type=int, help="only the first so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the headline without its sensitivity")
    asked = parser.parse_args()
    print(json.dumps(study(asked.folder, asked.halls, asked.seed, asked.runs, asked.quick), indent=1))


if __name__ == "__main__":
    main()
