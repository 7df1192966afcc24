"""A report as a workbook (XLSX): a sheet for each table, the exact values with a format to read them by."""

import io
from typing import Any
from unicodedata import east_asian_width

import xlsxwriter  # type: ignore[import-untyped]

from metrics.names import Names
from metrics.rendering.tables import Cell, Column, Table, Tables
from metrics.report import Report

SHEET_NAME = 31
MOST_WIDE = 44
_FORMATS = {
    Cell.TEXT: "@",
    Cell.COUNT: "#,##0",
    Cell.NUMBER: "0.0",
    Cell.SECONDS: "0.0##",
    Cell.SECONDS_CHANGE: "+0.0##;-0.0##;0",
    Cell.SHARE: "0.0%",
    Cell.SHARE_CHANGE: "+0.0%;-0.0%;0%",
    Cell.YES_NO: "@",
}
_SECONDS = (Cell.SECONDS, Cell.SECONDS_CHANGE)


def as_workbook(report: Report, names: Names) -> bytes:
    """The report as an .xlsx file. Durations are seconds, shares fractions; texts never become formulas."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": f"{names.words('page.title')} – {names.hall}"})
        look = _Look(book)
        tables = Tables(report, names).all()
        _about(book.add_worksheet(names.words("section.about")[:SHEET_NAME]), report, names, tables, look)
        for table in tables:
            _sheet(book.add_worksheet(table.title[:SHEET_NAME]), table, names, look)
    return file.getvalue()


class _Look:
    """The formats of the cells."""

    def __init__(self, book: Any) -> None:
        self.title: Any = book.add_format({"bold": True, "font_size": 16, "font_color": "#0e7c74"})
        self.head: Any = book.add_format(
            {"bold": True, "bg_color": "#e7f1f0", "bottom": 1, "bottom_color": "#0e7c74", "text_wrap": True,
             "valign": "top"}
        )  # fmt: skip
        self.plain: Any = book.add_format({"valign": "top", "text_wrap": True})
        self.cells: dict[Cell, Any] = {cell: book.add_format({"num_format": how}) for cell, how in _FORMATS.items()}


def _about(sheet: Any, report: Report, names: Names, tables: list[Table], look: _Look) -> None:
    said = names.words
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, names.hall, look.title)
    sheet.write_string(1, 0, said("page.subtitle", from_day=report.from_day, to_day=report.to_day))
    sheet.write_string(2, 0, said("page.judged_at", at=names.local(report.judged_at), zone=names.zone_key))
    sheet.write_string(2, 1, said("page.judged_note"), look.plain)
    for line, table in enumerate(tables, start=4):
        sheet.write_string(line, 0, table.title, look.head)
        sheet.write_string(line, 1, table.note, look.plain)


def _sheet(sheet: Any, table: Table, names: Names, look: _Look) -> None:
    unit = names.words("unit.seconds")
    for at, column in enumerate(table.columns):
        title = f"{column.title} ({unit})" if column.cell in _SECONDS else column.title
        sheet.write_string(0, at, title, look.head)
        sheet.set_column(at, at, _width(title, column, [row[at] for row in table.rows]))
    for line, row in enumerate(table.rows, start=1):
        for at, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            _write(sheet, line, at, value, column.cell, names, look)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write(sheet: Any, line: int, at: int, value: Any, cell: Cell, names: Names, look: _Look) -> None:
    """A cell; one without a value stays empty."""
    if value is None:
        return
    if cell == Cell.YES_NO:
        sheet.write_string(line, at, names.words("yes_no.yes" if value else "yes_no.no"), look.cells[cell])
    elif cell == Cell.TEXT:
        sheet.write_string(line, at, str(value), look.cells[cell])
    else:
        sheet.write_number(line, at, value, look.cells[cell])


def _width(title: str, column: Column, values: list[Any]) -> float:
    """Wide enough to read; Chinese characters take two places."""
    texts = [title, *(str(value) for value in values[:200] if column.cell == Cell.TEXT)]
    widest = max(sum(2 if east_asian_width(one) in "WF" else 1 for one in text) for text in texts)
    return min(MOST_WIDE, max(9, widest + 2))
