"""Recorded days for tests: files written by hand, and their figures worked out from the text of the file alone."""

import csv
import gzip
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HEADER = ("hall", "service", "service_name", "number", "issued_at", "called_at")
GOOD = ("Old_Hall", "tax", "Taxes", "A001", "2025-03-03T09:00:00+01:00", "2025-03-03T09:04:30+01:00")
WARSAW = "Europe/Warsaw"


def row(number: str, issued_at: str, called_at: str = "", **changes: str) -> tuple[str, ...]:
    """A ticket of the old hall; times may be just hours and minutes of 3 March 2025."""
    cells = dict(zip(HEADER, GOOD, strict=True))
    cells.update(number=number, issued_at=_time(issued_at), called_at=_time(called_at), **changes)
    return tuple(cells.values())


def _time(text: str) -> str:
    return f"2025-03-03T{text}:00+01:00" if re.fullmatch(r"\d\d:\d\d", text) else text


def write(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    """A CSV file, packed where its name says so."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header)
        lines.writerows(rows)
    return path


def figures_of(path: Path, zone: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Per hall (its name in the file) and local day what `replay --json` must say, by nothing but csv and decimals."""
    waits: dict[tuple[str, str], list[int]] = {}
    never: dict[tuple[str, str], int] = {}
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            issued = datetime.fromisoformat(cells["issued_at"])
            place = cells["hall"], issued.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")
            of_day = waits.setdefault(place, [])
            if cells["called_at"]:
                called = datetime.fromisoformat(cells["called_at"])
                of_day.append(round((called - issued) / timedelta(milliseconds=1)))
            else:
                never[place] = never.get(place, 0) + 1
    return {place: _figures(sorted(found), never.get(place, 0)) for place, found in waits.items()}


def _figures(waits: list[int], never: int) -> dict[str, Any]:
    count = len(waits)
    if not count:
        nothing = dict.fromkeys(("share", "mean_s", "p50_s", "p90_s", "max_s"))
        return {"called": 0, "within": 0, **nothing, "never_called": never}
    within = sum(wait <= 600_000 for wait in waits)
    mean_ms = (Decimal(sum(waits)) / count).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "called": count,
        "within": within,
        "share": within / count,
        "mean_s": int(mean_ms) / 1000,
        "p50_s": waits[math.ceil(count / 2) - 1] / 1000,
        "p90_s": waits[-(-9 * count // 10) - 1] / 1000,
        "max_s": max(waits) / 1000,
        "never_called": never,
    }
