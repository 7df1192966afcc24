"""The report's charts as SVG. `draw` loads the drawing library on first use: nothing of it is loaded at start-up.

What each shows stands in `plots`, what they look like and how they become safe SVG in `canvas`.
"""

from enum import StrEnum

from metrics.names import Names
from metrics.report import Report


class Chart(StrEnum):
    """The charts there are."""

    WAIT = "wait"
    DISTRIBUTION = "distribution"
    SERVICES = "services"
    COUNTERS = "counters"
    DAYS = "days"


def draw(chart: Chart, report: Report, names: Names, standalone: bool = True) -> str:
    """One chart of a report as an SVG document, or as an `<svg>` element to stand inside a page.

    It holds no script, no style and no reference to anything outside; text is text, in the reader's fonts. For SERVICES
    the report should be broken down by service (`by=service`). Takes tenths of a second: not for an event loop."""
    from metrics.charts.plots import PLOTS  # noqa: PLC0415 (the drawing library takes a second to load)

    return PLOTS[chart](report, names).svg(standalone)
