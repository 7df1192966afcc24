"""A report as text for a terminal: every table, as wide as it needs to be."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unicodedata import east_asian_width

from metrics.catalogue import Words
from metrics.names import Names
from metrics.rendering.tables import Cell, Table, Tables
from metrics.report import Report
from metrics.spelling import duration, longer, percent, points


def as_text(report: Report, names: Names) -> str:
    """The report for reading, in the language of `names`."""
    said = names.words
    days = report.from_day
    if report.from_day != report.to_day:
        days = said("page.subtitle", from_day=report.from_day, to_day=report.to_day)
    judged = said("page.judged_at", at=names.local(report.judged_at), zone=names.zone_key)
    lines = [f"{names.hall} ({report.hall}), {days}", judged]
    for table in Tables(report, names).all():
        if not table.long:
            lines += ["", table.title, *_lines(table, said)]
    return "\n".join(lines) + "\n"


def shown(value: Any, cell: Cell, said: Words) -> str:
    """A value as readers see it."""
    if value is None:
        return "–"
    spelt: Mapping[Cell, Callable[[Any], str]] = {
        Cell.SECONDS: duration,
        Cell.SECONDS_CHANGE: longer,
        Cell.SHARE: percent,
        Cell.SHARE_CHANGE: points,
        Cell.NUMBER: "{:.1f}".format,
        Cell.COUNT: "{:,}".format,
        Cell.YES_NO: lambda yes: said("yes_no.yes" if yes else "yes_no.no"),
    }
    return spelt.get(cell, str)(value)


def _lines(table: Table, said: Words) -> Iterator[str]:
    """A header and the rows, columns aligned: numbers to the right, words to the left."""
    columns = [
        [column.title, *(shown(row[at], column.cell, said) for row in table.rows)]
        for at, column in enumerate(table.columns)
    ]
    widths = [max(map(_width, column)) for column in columns]
    for line in zip(*columns, strict=True):
        cells = zip(line, widths, table.columns, strict=True)
        yield "  ".join(_padded(cell, width, column.cell != Cell.TEXT) for cell, width, column in cells).rstrip()


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if to_the_right else cell + space


def _width(text: str) -> int:
    """How many places of a terminal the text takes: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
