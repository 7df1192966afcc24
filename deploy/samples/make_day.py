"""Makes `day.csv`, a day of a hall that does not exist: python deploy/samples/make_day.py > deploy/samples/day.csv

Visitors come by a rate that changes with the hour, busiest from nine to eleven. Each service has its own line, first
come first served, and a few counters; who has waited longer than they can bear is gone when their number is due.
Everything is drawn from one seed with `random()` alone, whose sequence does not change between versions of Python.
"""

# ruff: noqa: INP001 (a script on its own; deploy is no package)

import csv
import heapq
import math
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TextIO
from zoneinfo import ZoneInfo

SEED = 20250303
HALL = "Sample_Hall"
DAY = datetime(2025, 3, 3, tzinfo=ZoneInfo("Asia/Shanghai"))
OPENS_S, CLOSES_S = 8 * 3600, 17 * 3600
A_MOMENT_S = 20
"""How long a counter waits for somebody who is gone."""

RATES = {8: 0.8, 9: 1.9, 10: 1.7, 11: 0.9, 12: 0.3, 13: 0.7, 14: 1.0, 15: 0.9, 16: 0.5}
"""Visitors by the hour, as a share of a service's busiest."""

HEADER = (
    "hall", "service", "service_name", "number", "issued_at", "called_at", "issued_uncertainty_s",
    "called_uncertainty_s", "counters_open", "waiting_before",
)  # fmt: skip


class Service(NamedTuple):
    """One matter: visitors an hour, minutes at the counter, how many counters."""

    id: str
    name: str
    prefix: str
    an_hour: float
    minutes: float
    counters: int


SERVICES = (
    Service("registration", "企业登记", "A", 13.0, 6.0, 2),
    Service("property", "不动产登记", "B", 8.0, 8.5, 2),
    Service("social", "社保", "C", 9.0, 4.5, 1),
    Service("certificates", "证照领取", "D", 5.0, 3.0, 1),
)


def drawn(chance: random.Random, mean: float) -> float:
    """An exponential duration."""
    return -mean * math.log(1.0 - chance.random())


def arrivals(chance: random.Random, service: Service) -> Iterator[int]:
    """When visitors come, in seconds after midnight: a steady stream at the busiest rate, thinned by the hour."""
    busiest = max(RATES.values())
    at_s = float(OPENS_S)
    while (at_s := at_s + drawn(chance, 3600 / (service.an_hour * busiest))) < CLOSES_S:
        if chance.random() * busiest < RATES[int(at_s // 3600)]:
            yield int(at_s)


def called(chance: random.Random, service: Service, issued: list[int]) -> Iterator[int | None]:
    """When each is called; None: never, for they had gone."""
    free_s = [OPENS_S + 300] * service.counters
    for issued_s in issued:
        call_s = max(issued_s, heapq.heappop(free_s))
        if call_s - issued_s > 900 + drawn(chance, 9_000):
            heapq.heappush(free_s, call_s + A_MOMENT_S)
            yield None
        else:
            heapq.heappush(free_s, call_s + 30 + int(drawn(chance, service.minutes * 60)))
            yield call_s


def rows() -> list[tuple[object, ...]]:
    """The day's tickets in order of issue."""
    chance = random.Random(SEED)  # noqa: S311 (nothing secret)
    found = []
    for service in SERVICES:
        issued = list(arrivals(chance, service))
        calls = list(called(chance, service, issued))
        for count, (issued_s, call_s) in enumerate(zip(issued, calls, strict=True), 1):
            waiting = sum(1 for call in calls[: count - 1] if call is not None and call > issued_s)
            number = f"{service.prefix}{count:03d}"
            times = (_text(issued_s), "" if call_s is None else _text(call_s))
            found.append((HALL, service.id, service.name, number, *times, -1, -1, service.counters, waiting))
    return sorted(found, key=lambda row: (row[4], row[3]))


def _text(at_s: int) -> str:
    return (DAY + timedelta(seconds=at_s)).isoformat()


def write(target: TextIO) -> None:
    """The file."""
    lines = csv.writer(target, lineterminator="\n")
    lines.writerow(HEADER)
    lines.writerows(rows())


if __name__ == "__main__":
    write(sys.stdout)
