"""Makes the dashboards of `deploy/grafana/dashboards`: python deploy/grafana/make_dashboards.py [FOLDER]

Needs the development dependencies (grafana-foundation-sdk). What a panel shows and asks is `panels.py`'s; here is how
it becomes Grafana's JSON. A test makes them again and compares, so change the lists and run this, never the JSON.
"""

# ruff: noqa: INP001 (a script on its own; deploy is no package)

import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, VariableRefresh, VariableSort
from panels import DASHBOARDS, HALL_TODAY, Board, Kind, Panel

SOURCE = DataSourceRef(type_val="prometheus", uid="queue-prometheus")
"""The uid that provisioning/datasources/prometheus.yml gives."""
FULL_WIDTH = 24


def board_json(board: Board) -> str:
    """One dashboard as Grafana imports it."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags(["queue"])
        .refresh("15s")
        .time("now-12h" if board is HALL_TODAY else "now-6h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    if board is HALL_TODAY:
        made = made.with_variable(_hall_variable())
    for title, panels in board.rows:
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(_panel(panel, FULL_WIDTH // len(panels)))
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(made.build()) + "\n"


def _hall_variable() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("hall")
        .label("Hall")
        .datasource(SOURCE)
        .query("label_values(queue_hall_open, hall)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def _panel(panel: Panel, width: int) -> Any:
    made = _figures(panel) if panel.kind is Kind.FIGURE else _curves(panel)
    made = made.title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    made = made.span(width).height(5 if panel.kind is Kind.FIGURE else 8)
    if panel.unit == "percentunit":
        made = made.min(0).max(1)
    for position, (legend, query) in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + position))
        made = made.with_target(target.instant() if panel.kind is Kind.FIGURE else target.range())
    return made


def _figures(panel: Panel) -> stat.Panel:
    made = stat.Panel().no_value(panel.nothing)
    return made.decimals(1) if panel.unit == "percentunit" else made


def _curves(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    made = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .show_points(VisibilityMode.NEVER)
    )
    if panel.kind is Kind.STACK:
        made = made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(40)
    return made


def main(folder: Path) -> None:
    """Write all of them."""
    for board in DASHBOARDS:
        (folder / f"{board.uid}.json").write_text(board_json(board), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dashboards")
