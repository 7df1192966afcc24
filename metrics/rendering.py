"""A promise report as text and as CSV. The fields are those of `Report` and `Row`, under the same names everywhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unicodedata import east_asian_width

from pydantic import BaseModel

from metrics.legs import LegFigures, csv_line
from metrics.report import ChosenCall, PlanChange, Report, Row, TurnedAwayCount

_SAYS_WHERE = ("scope", "day", "service")


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values, ready for a JSON encoder."""
    return report.model_dump(mode="json")


def as_csv(report: Report) -> str:
    """The report's rows under the names of `Row`, spelt as in JSON; empty where a row says nothing."""
    names = ("hall", "from_day", "to_day", *Row.model_fields)
    place = (report.hall, report.from_day, report.to_day)
    return csv_line(names) + "".join(csv_line((*place, *_values(row))) for row in report.rows)


def _values(row: BaseModel) -> list[Any]:
    values = row.model_dump(mode="json").values()
    return [str(value).lower() if isinstance(value, bool) else value for value in values]


def as_text(report: Report) -> str:
    """The report for reading: every field of it, in tables as wide as they need to be."""
    days = report.from_day if report.from_day == report.to_day else f"{report.from_day} to {report.to_day}"
    apart = ", ".join(f"{why.value} {count}" for why, count in report.apart.items())
    return "\n".join(
        [
            f"{report.name} ({report.hall}), {days}, judged at {report.judged_at}",
            "",
            "The promise, per ticket",
            *_table([name for name in Row.model_fields if not name.startswith("called")], report.rows),
            "",
            "Tickets whose wait ended in a call",
            *_table([*_SAYS_WHERE, "period", *_called_names()], report.rows),
            "",
            "Per leg",
            *_table(LegFigures.model_fields, report.legs),
            "",
            f"Apart: {apart}. Not checked in: {report.not_checked_in}.",
            *_section("Turned away", TurnedAwayCount, report.turned_away),
            *_section("Plan changes", PlanChange, report.plan_changes),
            *_section("Chosen calls", ChosenCall, report.chosen_calls),
            "",
        ]
    )


def _called_names() -> list[str]:
    return [name for name in Row.model_fields if name.startswith("called")]


def _section(title: str, shape: type[BaseModel], rows: Sequence[BaseModel]) -> Iterator[str]:
    if rows:
        yield from ("", title, *_table(shape.model_fields, rows))


def _table(names: Iterable[str], rows: Sequence[BaseModel]) -> Iterator[str]:
    """A header and the rows, columns aligned: numbers to the right, words to the left."""
    header = list(names)
    values = [[getattr(row, name) for name in header] for row in rows]
    columns = [[name, *(_shown(line[at]) for line in values)] for at, name in enumerate(header)]
    widths = [max(map(_width, column)) for column in columns]
    rights = [any(isinstance(line[at], int | float) for line in values) for at in range(len(header))]
    for line in zip(*columns, strict=True):
        padded = (_padded(cell, width, right) for cell, width, right in zip(line, widths, rights, strict=True))
        yield "  ".join(padded).rstrip()


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if to_the_right else cell + space


def _width(text: str) -> int:
    """How many places of a terminal the text takes: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
