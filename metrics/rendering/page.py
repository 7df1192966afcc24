"""A report as one self-contained HTML page: the verdict, charts with the figures behind them, every table, and the
integrity page. It loads nothing and runs nothing; its content policy says so to the browser.
"""

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

from metrics.breakdown import Row, Scope
from metrics.charts import Chart, draw
from metrics.integrity import IntegrityFigure
from metrics.names import Names
from metrics.rendering.tables import Cell, Table, Tables
from metrics.rendering.text import shown
from metrics.report import Report
from metrics.spelling import duration, percent, points

BEHIND = {
    Chart.WAIT: "course",
    Chart.DISTRIBUTION: "distribution",
    Chart.SERVICES: "service_overall",
    Chart.COUNTERS: "counters",
    Chart.DAYS: "day",
}
"""The table that stands behind each chart."""
PARTS = ("promise", "misses", "comparison", "service", "zone", "department", "group", "week", "month", "cross")
FURTHER = ("called", "legs", "estimates", "apart", "turned_away", "plan_changes")
MANY_COLUMNS = 12
INTEGRITY = ("integrity", "integrity_counters", "chosen_calls", "advice")


@lru_cache(maxsize=1)
def _style() -> str:
    return files("metrics").joinpath("rendering", "page.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def content_policy() -> str:
    """What a browser may do with the page: show it in its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def as_page(report: Report, names: Names) -> str:
    """The report as an HTML document, in the language of `names`; it should be broken down by service."""
    said, page = names.words, _Page(report, names)
    title = f"{said('page.title')} · {names.hall} · {report.from_day}"
    return "".join(
        [
            f'<!DOCTYPE html>\n<html lang="{said.language.value}"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(content_policy())}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_style()}</style></head>",
            f'<body><div class="sheet">{page.head()}<main>{page.verdict()}{page.charts()}{page.parts()}',
            f"{page.integrity()}{page.further()}</main>",
            f"<footer>{escape(said('page.made_by'))}</footer></div></body></html>\n",
        ]
    )


class _Page:
    """The parts of the page."""

    def __init__(self, report: Report, names: Names) -> None:
        self.report = report
        self.names = names
        self.said = names.words
        self.tables = {table.name: table for table in Tables(report, names).all()}

    def head(self) -> str:
        report, said = self.report, self.said
        days = report.from_day
        if report.from_day != report.to_day:
            days = said("page.subtitle", from_day=report.from_day, to_day=report.to_day)
        links = [("charts", "section.course"), ("parts", "section.promise"), ("integrity", "section.integrity"),
                 ("further", "section.called")]  # fmt: skip
        listed = "".join(f'<li><a href="#{place}">{escape(said(text))}</a></li>' for place, text in links)
        judged = said("page.judged_at", at=self.names.local(report.judged_at), zone=self.names.zone_key)
        return (
            f'<header><p class="eyebrow">{escape(said("page.title"))}</p><h1>{escape(self.names.hall)}</h1>'
            f'<p class="when">{escape(days)}</p>'
            f'<p class="judged"><time datetime="{report.judged_at}">{escape(judged)}</time> · '
            f"{escape(said('page.judged_note'))}</p></header>"
            f'<nav aria-label="{escape(said("page.contents"))}"><ul>{listed}</ul></nav>'
        )

    # -- the verdict at a glance

    def verdict(self) -> str:
        total = self.report.rows[0]
        periods = "".join(self._period(row) for row in self.report.rows if row.scope == Scope.PERIOD)
        return (
            f'<section class="verdict">{self._hero(total)}<div class="periods">{periods}</div></section>{self._strip()}'
        )

    def _hero(self, total: Row) -> str:
        said = self.said
        if total.share is None:
            return f'<div class="hero card"><p class="of">{escape(said("page.nobody"))}</p></div>'
        low, high = total.share_low or 0, total.share_high or 0
        kept = said("page.kept_of", kept=f"{total.kept:,}", counted=f"{total.counted:,}")
        interval = said("page.interval", low=percent(low), high=percent(high))
        number = percent(total.share).removesuffix(" %")
        return (
            f'<div class="hero card"><p class="share">{number}<small>%</small></p><p class="of">{escape(kept)}</p>'
            f'{_interval(total.share, low, high)}<p class="interval">{escape(interval)}</p></div>'
        )

    def _period(self, row: Row) -> str:
        said = self.said
        promised = said("page.promised", share=f"{row.percentile} %", wait=duration(row.promise_s or 0))
        name, badge = {
            True: ("yes", "page.met"), False: ("no", "page.not_met"), None: ("none", "page.undecided"),
        }[row.met]  # fmt: skip
        figures = [
            ("column.share", "–" if row.share is None else percent(row.share)),
            ("page.p90", shown(row.p90_s, Cell.SECONDS, said)),
            ("page.median", shown(row.p50_s, Cell.SECONDS, said)),
            ("page.visitors", f"{row.counted:,}"),
        ]
        period = said(f"period.{row.period.value}") if row.period else ""
        return (
            f'<section class="period card"><h2>{escape(period)}</h2><span class="badge {name}">'
            f'{escape(said(badge))}</span><p class="promised">{escape(promised)}</p>'
            f'<dl class="figures">{_pairs((said(text), escape(value)) for text, value in figures)}</dl></section>'
        )

    def _strip(self) -> str:
        """What else one wants to know at once, and the comparison."""
        total, said = self.report.rows[0], self.said
        pairs = [
            (said("page.visitors"), f"{total.counted:,}"),
            (said("page.missed"), f"{total.missed:,}"),
            (said("page.turned_away"), f"{total.turned_away:,}"),
        ]
        for one, text in zip(self.report.comparisons, ("page.before", "page.year_before"), strict=False):
            if one.share_change is None:
                pairs.append((said(text), f'<span class="aside">{escape(said("page.no_earlier"))}</span>'))
            else:
                unit = f'<span class="aside">{escape(said("page.points"))}</span>'
                pairs.append((said(text), f"{points(one.share_change)} {unit}"))
        return f'<dl class="strip card">{_pairs(pairs)}</dl>'

    # -- charts and tables

    def charts(self) -> str:
        several = self.report.from_day != self.report.to_day
        charts = "".join(self._figure(chart) for chart in Chart if several or chart != Chart.DAYS)
        return f'<section id="charts"><h2>{escape(self.said("section.course"))}</h2>{charts}</section>'

    def _figure(self, chart: Chart) -> str:
        drawn = draw(chart, self.report, self.names, standalone=False)
        table = self.tables.get(BEHIND[chart])
        return (
            f'<figure class="card"><figcaption>{escape(self.said(f"chart.{chart.value}"))}</figcaption>{drawn}'
            f"{'' if table is None else self._behind(table)}</figure>"
        )

    def _behind(self, table: Table) -> str:
        note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
        title = escape(self.said("page.table_behind"))
        return f"<details><summary>{title}</summary>{note}{self._table(table)}</details>"

    def parts(self) -> str:
        """The verdict part by part."""
        return f'<div id="parts">{self._sections(PARTS, "h2")}</div>'

    def further(self) -> str:
        return f'<div id="further">{self._sections(FURTHER, "h2")}</div>'

    def _sections(self, wanted: Iterable[str], heading: str) -> str:
        return "".join(self._section(self.tables[name], heading) for name in wanted if name in self.tables)

    def _section(self, table: Table, heading: str) -> str:
        note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
        return f"<section><{heading}>{escape(table.title)}</{heading}>{note}{self._table(table)}</section>"

    def _table(self, table: Table) -> str:
        head = "".join(f'<th scope="col"{_class(column.cell)}>{escape(column.title)}</th>' for column in table.columns)
        body = "".join(f"<tr>{self._row(table, row)}</tr>" for row in table.rows)
        wide = ' class="wide"' if len(table.columns) >= MANY_COLUMNS else ""
        return (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
            f'<table{wide} data-table="{table.name}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def _row(self, table: Table, row: Any) -> str:
        cells = []
        for at, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            text = escape(shown(value, column.cell, self.said))
            if at == 0:
                cells.append(f'<th scope="row"{_class(column.cell)}>{text}</th>')
            elif value is None:
                cells.append('<td class="nothing">–</td>')
            elif column.cell == Cell.YES_NO:
                kind = f' class="{"yes" if value else "no"}"' if column.name == "met" else ""
                cells.append(f"<td{kind}>{text}</td>")
            elif column.cell == Cell.TEXT:
                cells.append(f'<td class="text">{text}</td>')
            else:
                cells.append(f'<td><data value="{value}">{text}</data></td>')
        return "".join(cells)

    # -- integrity

    def integrity(self) -> str:
        said = self.said
        cards = "".join(self._finding(one) for one in self.report.integrity)
        return (
            f'<section id="integrity"><h2>{escape(said("section.integrity"))}</h2>'
            f'<p class="note">{escape(said("page.integrity_lead"))}</p><ul class="findings">{cards}</ul>'
            f"{self._sections(INTEGRITY, 'h3')}</section>"
        )

    def _finding(self, one: IntegrityFigure) -> str:
        said, aside = self.said, []
        if one.share is not None:
            aside.append(percent(one.share))
        if one.overtaken:
            aside.append(f"{said('column.overtaken')}: {one.overtaken:,}")
        if one.total_s:
            aside.append(duration(one.total_s))
        zero = "" if one.count else " zero"
        return (
            f'<li class="card"><p class="count{zero}">{one.count:,}<small>{escape(" · ".join(aside))}</small></p>'
            f"<h3>{escape(said(f'finding.{one.finding.value}'))}</h3>"
            f"<p>{escape(said(f'why.{one.finding.value}'))}</p></li>"
        )


def _class(cell: Cell) -> str:
    return ' class="text"' if cell == Cell.TEXT else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Terms and their values; the values are markup already."""
    return "".join(f"<div><dt>{escape(term)}</dt><dd>{value}</dd></div>" for term, value in pairs)


def _interval(share: float, low: float, high: float) -> str:
    """The share on a line from nothing to all, with its interval. For the eye; the words beside it say the same."""
    return (
        '<svg viewBox="0 0 400 22" aria-hidden="true"><rect x="0" y="8" width="400" height="6" rx="3" fill="#e3e7e6"/>'
        f'<rect x="0" y="8" width="{400 * share:.1f}" height="6" rx="3" fill="#0e7c74"/>'
        f'<rect x="{400 * low:.1f}" y="3" width="{max(2.0, 400 * (high - low)):.1f}" height="16" rx="3" fill="#0e7c74"'
        f' fill-opacity=".28"/><circle cx="{400 * share:.1f}" cy="11" r="5" fill="#0e7c74" stroke="#ffffff"'
        ' stroke-width="2"/></svg>'
    )
