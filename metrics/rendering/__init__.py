"""A report for machines: JSON and CSV under the names of `Report` and `Row`. For readers: `text`, `workbook`, `page`,
which all show the same tables (`tables`)."""

from typing import Any

from pydantic import BaseModel

from metrics.legs import csv_line
from metrics.report import Report, Row


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
