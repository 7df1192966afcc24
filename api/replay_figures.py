"""The figures of a replayed day, once as the service reports them and once straight from the records.

What is made from the records here shares no code with the service's own figures (`metrics.verdict`): a wait is
called - issued in whole milliseconds; a percentile is the smallest wait that at least that share of the waits do not
exceed (nearest rank); a mean is the exact sum by the count, rounded to the nearest millisecond, halves upward.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from queue_service.history import Recorded
from queue_service.history_plan import PROMISE_S


@dataclass(frozen=True, slots=True)
class Figures:
    """The called tickets of a hall's day: how many, the share called within the promise, their waits in seconds; and
    how many were never called."""

    called: int
    within: int
    share: float | None
    mean_s: float | None
    p50_s: float | None
    p90_s: float | None
    max_s: float | None
    never_called: int


@dataclass(frozen=True, slots=True)
class Line:
    """A hall's day, twice."""

    hall: str
    day: str
    service: Figures
    file: Figures

    @property
    def is_equal(self) -> bool:
        """Whether both say exactly the same."""
        return self.service == self.file

    def as_document(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "equal": self.is_equal}


def reported(report: dict[str, Any]) -> Figures:
    """The service's figures: the total of a promise report about one day."""
    total = next(row for row in report["rows"] if row["scope"] == "total")
    tickets = total["counted"] + total["open"] + total["left"] + total["apart"]
    return Figures(
        called=total["called"],
        within=total["called_within"],
        share=total["called_share"],
        mean_s=total["called_mean_s"],
        p50_s=total["called_p50_s"],
        p90_s=total["called_p90_s"],
        max_s=total["called_max_s"],
        never_called=tickets - total["called"],
    )


def recorded(tickets: Sequence[Recorded]) -> Figures:
    """The same from the records."""
    waits = sorted(one.called_at_ms - one.issued_at_ms for one in tickets if one.called_at_ms is not None)
    never_called = len(tickets) - len(waits)
    if not waits:
        return Figures(0, 0, None, None, None, None, None, never_called)
    within = len([wait for wait in waits if wait <= PROMISE_S * 1000])
    mean_ms = math.floor(Fraction(sum(waits), len(waits)) + Fraction(1, 2))
    return Figures(
        called=len(waits),
        within=within,
        share=within / len(waits),
        mean_s=mean_ms / 1000,
        p50_s=_rank(waits, 50) / 1000,
        p90_s=_rank(waits, 90) / 1000,
        max_s=waits[-1] / 1000,
        never_called=never_called,
    )


def _rank(waits: Sequence[int], percent: int) -> int:
    return waits[math.ceil(Fraction(percent * len(waits), 100)) - 1]


_HEADER = ("called", "within", "share", "mean s", "p50 s", "p90 s", "max s", "never")
_WIDTHS = (6, 6, 7, 10, 10, 10, 10, 5)


def as_text(lines: Sequence[Line]) -> str:
    """A line for each hall and day: the service's figures, the file's, and whether they are equal."""
    names = max([len("hall"), *(len(line.hall) for line in lines)])
    width = sum(_WIDTHS) + len(_WIDTHS) - 1
    out = [f"{'':<{names + 14}}{'as the service reports':<{width}}   straight from the file"]
    out.append(f"{'hall':<{names}}  {'day':<10}  {_cells(_HEADER)}   {_cells(_HEADER)}")
    for line in lines:
        verdict = "equal" if line.is_equal else "DIFFERENT"
        sides = f"{_cells(_shown(line.service))} | {_cells(_shown(line.file))}"
        out.append(f"{line.hall:<{names}}  {line.day}  {sides}  {verdict}")
    return "\n".join([*out, _summary(lines), ""])


def _cells(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def _shown(figures: Figures) -> list[str]:
    share = "-" if figures.share is None else f"{figures.share:.2%}"
    waits = (figures.mean_s, figures.p50_s, figures.p90_s, figures.max_s)
    seconds = ["-" if wait is None else f"{wait:.3f}" for wait in waits]
    return [str(figures.called), str(figures.within), share, *seconds, str(figures.never_called)]


def _summary(lines: Sequence[Line]) -> str:
    days = _counted(len(lines), "hall-day")
    tickets = _counted(sum(line.file.called + line.file.never_called for line in lines), "ticket")
    never = sum(line.file.never_called for line in lines)
    differing = sum(not line.is_equal for line in lines)
    total = f"{_counted(len({line.hall for line in lines}), 'hall')}, {days}, {tickets}, {never} of them never called"
    return f"{total}: " + (f"{_counted(differing, 'hall-day')} DIFFERENT." if differing else "all figures are equal.")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
