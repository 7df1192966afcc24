"""What each chart shows of a report. The figures are the report's own; nothing is worked out anew."""

from collections.abc import Callable, Sequence
from itertools import groupby

from matplotlib.axes import Axes

from metrics.breakdown import Row, Scope
from metrics.charts.canvas import (
    ACCENT,
    GRID,
    INK,
    KEPT,
    KEPT_LIGHT,
    MISSED,
    MUTED,
    PEAK,
    SMALL_PT,
    WIDTH_IN,
    Canvas,
    shortened,
)
from metrics.course import HalfHour
from metrics.names import Names
from metrics.report import Report
from metrics.spelling import duration, percent

LEFT, RIGHT, BOTTOM, TOP = 0.62, 0.3, 0.52, 0.62
KEY_IN = 0.24
MOST_SERVICES = 40
LABEL_EM = 17.0
MOST_DAY_LABELS = 10


def _empty(name: str, title: str, names: Names) -> Canvas:
    nothing = names.words("chart.nothing")
    canvas = Canvas(name, title, nothing, 1.2)
    canvas.write(WIDTH_IN / 2, 0.6, nothing, MUTED, ha="center")
    return canvas


def _promise_s(report: Report, peak: bool) -> float | None:
    """The promise of a period; where it changed within the days, the last one listed."""
    found = [row.promise_s for row in report.rows if row.scope == Scope.PERIOD and (row.period == "peak") == peak]
    return found[-1] if found else None


def _hours(canvas: Canvas, axes: Axes, course: Sequence[HalfHour], labelled: bool = True) -> None:
    """The x axis of a day: a mark each full hour, every second one named where there are many."""
    axes.set_xlim(0, len(course))
    full = [at for at, one in enumerate(course) if one.at.endswith(":00")]
    named = full[:: 1 if len(full) <= 12 else 2]
    axes.set_xticks(named, [canvas.text(course[at].at) if labelled else "" for at in named])


def _shade_peaks(axes: Axes, course: Sequence[HalfHour]) -> None:
    for peak, run in groupby(enumerate(course), key=lambda numbered: numbered[1].peak):
        places = [at for at, _ in run]
        if peak:
            axes.axvspan(places[0], places[-1] + 1, color=PEAK, linewidth=0, zorder=0)


def wait(report: Report, names: Names) -> Canvas:
    """Median and 90th percentile of the wait by half-hour, against the promise."""
    said, course = names.words, report.course
    waits = [one for one in course if one.p90_s is not None]
    if not waits:
        return _empty("wait", said("chart.wait"), names)
    highest = max(waits, key=lambda one: one.p90_s or 0)
    description = said(
        "chart.wait_description",
        from_at=course[0].at, to_at=course[-1].at, max=duration(highest.p90_s or 0), max_at=highest.at,
    )  # fmt: skip
    canvas = Canvas("wait", said("chart.wait"), description, 3.1)
    axes = canvas.axes(LEFT, BOTTOM, RIGHT, TOP)
    _shade_peaks(axes, course)
    _hours(canvas, axes, course)
    _lines(axes, course, [_promise_s(report, one.peak) for one in course])
    axes.grid(axis="y")
    axes.set_ylim(bottom=0)
    axes.set_yticks(ticks := _minute_ticks(axes.get_ylim()[1]), [f"{tick:g}" for tick in ticks])
    entries = [(KEPT, "p90"), (KEPT_LIGHT, "p50"), (MISSED, "promise"), (PEAK, "peak")]
    canvas.key(0.1, KEY_IN, [(color, said(f"chart.{name}")) for color, name in entries])
    canvas.write(WIDTH_IN - RIGHT, KEY_IN, said("chart.minutes"), ha="right")
    return canvas


def _minute_ticks(top: float) -> list[float]:
    step = next((step for step in (1, 2, 5, 10, 20, 30, 60, 120, 240) if top / step <= 6), 240)
    return [float(tick) for tick in range(0, int(top) + 1, step)]


def _lines(axes: Axes, course: Sequence[HalfHour], promises_s: Sequence[float | None]) -> None:
    middles = [at + 0.5 for at in range(len(course))]
    nan = float("nan")
    for percentile, color, width in (("p50_s", KEPT_LIGHT, 2.0), ("p90_s", KEPT, 2.4)):
        values = [getattr(one, percentile) for one in course]
        minutes = [nan if value is None else value / 60 for value in values]
        axes.plot(middles, minutes, color=color, linewidth=width, marker="o", markersize=3.2, solid_capstyle="round")
    heights = [nan if promise is None else promise / 60 for promise in promises_s]
    axes.stairs(heights, range(len(course) + 1), baseline=None, color=MISSED, linewidth=1.3, linestyle=(0, (4, 2.5)))


def distribution(report: Report, names: Names) -> Canvas:
    """How many waited how long, kept and missed promises apart."""
    said, bins, total = names.words, report.distribution, report.rows[0]
    if not bins:
        return _empty("distribution", said("chart.distribution"), names)
    description = said("chart.distribution_description", kept=total.kept, counted=total.counted)
    canvas = Canvas("distribution", said("chart.distribution"), description, 3.0)
    axes = canvas.axes(LEFT, BOTTOM, RIGHT, TOP)
    kept = [100 * one.kept / total.counted for one in bins]
    missed = [100 * one.missed / total.counted for one in bins]
    places = range(len(bins))
    axes.bar(places, kept, width=0.78, color=KEPT)
    axes.bar(places, missed, width=0.78, bottom=kept, color=MISSED)
    for at, (one, other) in enumerate(zip(kept, missed, strict=True)):
        label = canvas.text(f"{one + other:.1f}" if one + other < 10 else f"{one + other:.0f}")
        axes.annotate(label, (at, one + other), (0, 3), textcoords="offset points", ha="center", fontsize=SMALL_PT)
    axes.set_xticks(places, [canvas.text(_bin(one.over_s / 60, one.to_s and one.to_s / 60)) for one in bins])
    axes.set_xlim(-0.6, len(bins) - 0.4)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    canvas.key(0.1, KEY_IN, [(KEPT, said("chart.kept")), (MISSED, said("chart.missed"))])
    canvas.write(WIDTH_IN - RIGHT, KEY_IN, said("chart.share_of_visitors"), ha="right")
    canvas.write(WIDTH_IN / 2, canvas.height_in - 0.13, said("chart.waited_minutes"), ha="center")
    return canvas


def _bin(over_min: float, to_min: float | None) -> str:
    if to_min is None:
        return f"> {over_min:g}"
    return f"≤ {to_min:g}" if not over_min else f"{over_min:g}–{to_min:g}"


def services(report: Report, names: Names) -> Canvas:
    """The share kept of each service with its interval, lowest first, against the promised share."""
    said = names.words
    rows = [row for row in report.rows if row.scope == Scope.SERVICE_OVERALL and row.share is not None]
    rows = sorted(rows, key=lambda row: (row.share or 0, row.service or ""))[:MOST_SERVICES]
    if not rows:
        return _empty("services", said("chart.services"), names)
    description = said("chart.services_description", count=len(rows))
    canvas = Canvas("services", said("chart.services"), description, TOP + BOTTOM + 0.27 * len(rows))
    left = 0.3 + LABEL_EM * SMALL_PT / 72
    axes = canvas.axes(left, BOTTOM, 1.1, TOP - 0.1)
    promised = _promised(report)
    _dots(axes, rows, promised)
    labels = [canvas.text(shortened(names.service(row.service), LABEL_EM)) for row in rows]
    axes.set_yticks(range(len(rows)), labels, color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    for at, row in enumerate(rows):
        told = canvas.text(f"{percent(row.share or 0)} · {row.counted}")
        axes.annotate(told, (1, at), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center", color=INK, fontsize=SMALL_PT)  # fmt: skip
    axes.set_xlim(0, 101)
    axes.set_xticks(range(0, 101, 20), [str(tick) for tick in range(0, 101, 20)])
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    canvas.key(0.1, KEY_IN, [(KEPT, said("chart.met")), (MISSED, said("chart.below"))])
    if promised is not None:
        canvas.write(WIDTH_IN - 0.3, KEY_IN, said("chart.promised", share=f"{promised} %"), ha="right")
    return canvas


def _promised(report: Report) -> int | None:
    """The share that is promised; the highest where periods differ."""
    return max((row.percentile for row in report.rows if row.percentile is not None), default=None)


def _dots(axes: Axes, rows: Sequence[Row], promised: int | None) -> None:
    if promised is not None:
        axes.axvline(promised, color=INK, linewidth=1, linestyle=(0, (3, 3)), alpha=0.6)
    for at, row in enumerate(rows):
        color = KEPT if promised is None or 100 * (row.share or 0) >= promised else MISSED
        low, high = 100 * (row.share_low or 0), 100 * (row.share_high or 0)
        axes.plot((low, high), (at, at), color=color, linewidth=3.2, alpha=0.35, solid_capstyle="round")
        axes.plot((100 * (row.share or 0),), (at,), marker="o", markersize=6.2, color=color)


def counters(report: Report, names: Names) -> Canvas:
    """People waiting above, counters open and serving below, by half-hour."""
    said, course = names.words, report.course
    if not course:
        return _empty("counters", said("chart.counters"), names)
    most_waiting = max(one.waiting or 0 for one in course)
    most_open = max(max(one.counters_open or 0, one.counters_serving or 0) for one in course)
    description = said("chart.counters_description", waiting=f"{most_waiting:.0f}", open=f"{most_open:.0f}")
    canvas = Canvas("counters", said("chart.counters"), description, 3.9)
    above = canvas.axes(LEFT, 2.02, RIGHT, TOP)
    below = canvas.axes(LEFT, BOTTOM, RIGHT, 2.4)
    edges = range(len(course) + 1)
    for axes in (above, below):
        _shade_peaks(axes, course)
        axes.grid(axis="y")
    above.stairs([one.waiting or 0 for one in course], edges, fill=True, color=ACCENT, alpha=0.85)
    below.stairs([one.counters_serving or 0 for one in course], edges, fill=True, color=KEPT_LIGHT)
    below.stairs([one.counters_open or 0 for one in course], edges, baseline=None, color=INK, linewidth=1.8)
    for axes, most, labelled in ((above, most_waiting, False), (below, most_open, True)):
        _hours(canvas, axes, course, labelled)
        axes.set_ylim(0, most * 1.12 or 1)
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 10**9) if most / step <= 4)
        axes.set_yticks(range(0, int(most * 1.12) + 1, step))
    canvas.key(0.1, KEY_IN, [(ACCENT, said("chart.people_waiting")), (INK, said("chart.counters_open")),
                              (KEPT_LIGHT, said("chart.counters_serving")), (PEAK, said("chart.peak"))])  # fmt: skip
    return canvas


def days(report: Report, names: Names) -> Canvas:
    """The share kept on each day with its interval, against the promised share."""
    said = names.words
    rows = [row for row in report.rows if row.scope == Scope.DAY and row.share is not None]
    if not rows:
        return _empty("days", said("chart.days"), names)
    canvas = Canvas("days", said("chart.days"), said("chart.days_description", count=len(rows)), 2.9)
    axes = canvas.axes(LEFT, BOTTOM, RIGHT, TOP)
    places, shares = range(len(rows)), [100 * (row.share or 0) for row in rows]
    lows, highs = ([100 * (getattr(row, name) or 0) for row in rows] for name in ("share_low", "share_high"))
    axes.fill_between(places, lows, highs, color=KEPT_LIGHT, alpha=0.5, linewidth=0)
    marker = "o" if len(rows) <= 62 else None
    axes.plot(places, shares, color=KEPT, linewidth=1.8, marker=marker, markersize=3.4)
    promised = _promised(report)
    if promised is not None:
        axes.axhline(promised, color=MISSED, linewidth=1.3, linestyle=(0, (4, 2.5)))
        canvas.write(WIDTH_IN - RIGHT, KEY_IN, said("chart.promised", share=f"{promised} %"), MISSED, ha="right")
    axes.set_ylim(max(0.0, min(lows) - 5), 101)
    axes.grid(axis="y", color=GRID)
    every = -(-len(rows) // MOST_DAY_LABELS)
    axes.set_xticks(list(places)[::every], [canvas.text((row.day or "")[5:]) for row in rows[::every]])
    axes.set_xlim(-0.5, len(rows) - 0.5)
    canvas.write(0.1, KEY_IN, said("chart.share_kept"))
    return canvas


PLOTS: dict[str, Callable[[Report, Names], Canvas]] = {
    "wait": wait,
    "distribution": distribution,
    "services": services,
    "counters": counters,
    "days": days,
}
"""By the values of `charts.Chart`."""
