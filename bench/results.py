"""What a run found, as rows of a table: what was measured, against what, the bound, and whether it is met."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.machine import Machine

HEAD = "| what | measured | reference | ratio | bound | met |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `met` is None where nothing was promised."""

    what: str
    measured: str
    reference: str = "–"
    ratio: float | None = None
    bound: str = "–"
    met: bool | None = None

    def cells(self) -> list[str]:
        """The row as text."""
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        met = "–" if self.met is None else "yes" if self.met else "**no**"
        return [self.what, self.measured, self.reference, ratio, self.bound, met]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one question, what it asks and how."""

    title: str
    about: str
    rows: Sequence[Row] = field(default_factory=list)

    @property
    def missed(self) -> list[Row]:
        """Rows whose bound is not met."""
        return [row for row in self.rows if row.met is False]


def at_least(what: str, measured: str, reference: str, ratio: float, bound: float, goal: float | None = None) -> Row:
    """A row whose ratio should be `bound` or more."""
    asked = f"≥ {bound:.2f}" if goal is None else f"≥ {bound:.2f}, goal {goal:.2f}"
    return Row(what, measured, reference, ratio, asked, ratio >= bound)


def at_most(what: str, measured: str, reference: str, ratio: float, bound: float) -> Row:
    """A row whose ratio should be `bound` or less."""
    return Row(what, measured, reference, ratio, f"≤ {bound:.2f}", ratio <= bound)


def invalid(what: str, why: str) -> Row:
    """A row whose measurement proves nothing."""
    return Row(what, f"invalid: {why}", met=False)


def page(machine: Machine, parts: Iterable[Part], scale: str, taken_s: float) -> str:
    """The results as a page for readers."""
    lines = [
        "# Speed",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d} ({scale} run, {taken_s / 60:.1f} min).",
        "Ratios compare what was measured side by side in this run; figures of different machines do not compare.",
        "The load tools shared the machine with the servers.",
        "",
        *(f"- {line}" for line in machine.lines()),
    ]
    for part in parts:
        lines += ["", f"## {part.title}", "", part.about, "", HEAD]
        lines += ["| " + " | ".join(row.cells()) + " |" for row in part.rows]
    return "\n".join(lines) + "\n"
