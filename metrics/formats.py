"""The forms in which a report is handed out, and what each needs: the one list for the API and the command line.

Loading a form loads what draws and writes it, on first use.
"""

from collections.abc import Sequence
from enum import StrEnum

import orjson

from metrics.breakdown import Breakdown, parse_by
from metrics.legs import BYTE_ORDER_MARK
from metrics.names import Names
from metrics.rendering import as_csv, as_json
from metrics.report import Report


class Format(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    HTML = "html"


MEDIA_TYPES = {
    Format.TEXT: "text/plain; charset=utf-8",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
    Format.HTML: "text/html; charset=utf-8",
}
_FOR_READERS = "service,zone,department,group"
_LONGER_DAYS = 13


def breakdowns(form: Format, by: str | None, days: int) -> Sequence[Breakdown]:
    """What a report is broken down by: what was asked for; where nothing was, the page and the workbook show every
    part of the hall, and weeks and months of longer times."""
    if by is None and form in (Format.HTML, Format.XLSX):
        by = _FOR_READERS + (",week,month" if days > _LONGER_DAYS else "")
    found = parse_by(by)
    return [*found, *parse_by("service")] if form == Format.HTML else found


def rendered(report: Report, names: Names, form: Format) -> bytes:
    """A report in a form, as the bytes of a file. Some tenths of a second for pages and workbooks."""
    if form == Format.JSON:
        return orjson.dumps(as_json(report))
    if form == Format.CSV:
        return (BYTE_ORDER_MARK + as_csv(report)).encode()  # so that spreadsheets read it as UTF-8
    if form == Format.TEXT:
        from metrics.rendering.text import as_text  # noqa: PLC0415 (loaded where it is used)

        return as_text(report, names).encode()
    if form == Format.XLSX:
        from metrics.rendering.workbook import as_workbook  # noqa: PLC0415 (it brings the writer along)

        return as_workbook(report, names)
    from metrics.rendering.page import as_page  # noqa: PLC0415 (it brings the charts along)

    return as_page(report, names).encode()
