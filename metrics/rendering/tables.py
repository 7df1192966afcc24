"""The tables of a report for readers, the same ones in every format: which columns, which rows, what each is called.

The cells are the report's own values; how they are spelt is each format's business (`Cell` says what a value is).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from metrics.breakdown import Row, Scope
from metrics.names import Names
from metrics.report import Report


class Cell(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    SECONDS = "seconds"
    SECONDS_CHANGE = "seconds_change"
    SHARE = "share"
    SHARE_CHANGE = "share_change"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `name` is the field it shows, `title` what a reader sees."""

    name: str
    title: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `name` is its place in the catalogue; `long` ones are for spreadsheets only."""

    name: str
    title: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]] = field(default_factory=list)
    long: bool = False


PROMISE = (
    "counted", "kept", "missed", "open", "left", "apart", "turned_away", "share", "share_low", "share_high",
    "promise_s", "percentile", "met", "mean_s", "p50_s", "p90_s", "p95_s", "max_s",
)  # fmt: skip
MISSES = (
    "missed", "missed_ordinary", "missed_spilled_over", "missed_outside_hours", "missed_suspended", "turned_away",
)  # fmt: skip
CALLED = (
    "called", "called_within", "called_share", "called_mean_s", "called_p50_s", "called_p90_s", "called_max_s",
)  # fmt: skip
COURSE = (
    "at", "peak", "came", "counted", "share", "mean_s", "p50_s", "p90_s", "max_s", "finished", "waiting",
    "counters_open", "counters_serving", "per_counter_hour",
)  # fmt: skip
COUNTERS = (
    "counter", "zone", "calls", "finished", "open_s", "paused_s", "serving_s", "called_s", "utilisation",
    "mean_service_s", "per_hour",
)  # fmt: skip

_CELLS: Mapping[str, Cell] = {
    **dict.fromkeys(("share", "share_low", "share_high", "called_share", "utilisation", "coverage"), Cell.SHARE),
    **dict.fromkeys(("met", "peak", "undone"), Cell.YES_NO),
    **dict.fromkeys(("waiting", "counters_open", "counters_serving", "per_counter_hour", "per_hour"), Cell.NUMBER),
    **dict.fromkeys(
        ("at", "what", "period", "counter", "zone", "earlier", "from_day", "to_day", "by", "name", "finding", "service",
         "reason", "number", "basis"),
        Cell.TEXT,
    ),
    "share_change": Cell.SHARE_CHANGE,
    "p90_change_s": Cell.SECONDS_CHANGE,
    "bias_s": Cell.SECONDS_CHANGE,
}  # fmt: skip


def cell_of(name: str) -> Cell:
    """What the values of a field are: what is not listed is a duration by its suffix, else a count."""
    return _CELLS.get(name) or (Cell.SECONDS if name.endswith("_s") else Cell.COUNT)


class Tables:
    """Makes the tables of one report."""

    def __init__(self, report: Report, names: Names) -> None:
        """`names` says in which language."""
        self.report = report
        self.names = names
        self.words = names.words

    def all(self) -> list[Table]:
        """Every table that has something to say, in the order of reading."""
        made = [*self._verdicts(), *self._sections(), *self._integrity(), *self._lists()]
        return [table for table in made if table.rows]

    # -- rows of the verdict

    def _verdicts(self) -> Iterator[Table]:
        main = [row for row in self.report.rows if row.scope in (Scope.TOTAL, Scope.PERIOD)]
        yield self._of_rows("promise", main, PROMISE)
        yield self._of_rows("misses", main, MISSES)
        yield self._comparison()
        for scope in Scope:
            if scope not in (Scope.TOTAL, Scope.PERIOD):
                here = [row for row in self.report.rows if row.scope == scope]
                yield self._of_rows(scope.value, here, PROMISE)
        yield self._of_rows("called", main, CALLED)

    def _of_rows(self, name: str, rows: Sequence[Row], fields: Iterable[str]) -> Table:
        fields = tuple(fields)
        lines = [[self.place(row), self.period(row), *(getattr(row, one) for one in fields)] for row in rows]
        return self._table(name, ("what", "period", *fields), lines)

    def place(self, row: Row) -> str:
        """What a row is about, the period apart."""
        service = self.names.service(row.service) if row.service else None
        zone = self.names.zone(row.zone) if row.zone else None
        parts = [row.day, row.week, row.month, zone, service, row.department, row.group]
        found = [part for part in parts if part]
        if not found:
            return self.words("place.total" if row.scope in (Scope.TOTAL, Scope.PERIOD) else "place.none")
        return " · ".join(found)

    def period(self, row: Row) -> str:
        """The period of a row's promise."""
        return self.words(f"period.{row.period.value}" if row.period else "period.mixed")

    def _comparison(self) -> Table:
        lines = [
            [self.words(f"earlier.{one.earlier.value}"), one.from_day, one.to_day, self.period(row), row.counted,
             row.share, one.share_change if row.scope == Scope.TOTAL else None, row.p90_s,
             one.p90_change_s if row.scope == Scope.TOTAL else None]
            for one in self.report.comparisons
            for row in one.rows
        ]  # fmt: skip
        fields = ("earlier", "from_day", "to_day", "period", "counted", "share", "share_change", "p90_s")
        return self._table("comparison", (*fields, "p90_change_s"), lines)

    # -- other sections

    def _sections(self) -> Iterator[Table]:
        report, names = self.report, self.names
        yield self._of_models("course", report.course, COURSE)
        yield self._of_models("distribution", report.distribution, ("over_s", "to_s", "kept", "missed", "share"))
        shown: dict[str, Callable[[Any], Any]] = {"counter": names.counter, "zone": names.zone}
        yield self._of_models("counters", report.counters, COUNTERS, shown)
        hours = ("counter", "hour", "finished", "open_s", "serving_s", "per_hour")
        yield self._of_models("counter_hours", report.counter_hours, hours, shown, long=True)
        yield self._legs()
        if report.estimates is not None:
            fields = ("service", "basis", "counted", "mae_s", "bias_s", "coverage")
            made_by = {"basis": lambda value: self.words(f"predictor.{'all' if value is None else value.value}")}
            yield self._of_models("estimates", report.estimates, fields, {"service": names.service, **made_by})

    def _legs(self) -> Table:
        named: dict[str, Callable[[str], str]] = {"service": self.names.service, "counter": self.names.counter}
        fields = ("by", "name", "calls", "mean_s", "p50_s", "p90_s", "max_s", "served", "mean_service_s")
        lines = [
            [self.words(f"by.{leg.by.value}"), named.get(leg.by.value, str)(leg.name),
             *(getattr(leg, one) for one in fields[2:])]
            for leg in self.report.legs
        ]  # fmt: skip
        return self._table("legs", fields, lines)

    def _integrity(self) -> Iterator[Table]:
        found = self.report.integrity
        finding = {"finding": lambda value: self.words(f"finding.{value.value}")}
        yield self._of_models("integrity", found, ("finding", "count", "of", "share", "overtaken", "total_s"), finding)
        lines = [
            [self.words(f"finding.{one.finding.value}"), self.names.counter(at.counter), at.count, at.of, at.share]
            for one in found
            for at in one.counters
        ]
        yield self._table("integrity_counters", ("finding", "counter", "count", "of", "share"), lines)
        shown: dict[str, Callable[[Any], Any]] = {
            "kind": lambda value: self.words(f"advice.{value.value}"),
            "answer": lambda value: self.words(f"answer.{'none' if value is None else value.value}"),
        }
        fields = ("kind", "answer", "given", "of", "misses_without", "misses_with", "counted", "missed", "share")
        yield self._of_models("advice", self.report.advice, fields, shown)

    def _lists(self) -> Iterator[Table]:
        report, names = self.report, self.names
        apart = [[self.words(f"apart.{why.value}"), count] for why, count in report.apart.items()]
        apart.append([self.words("apart.not_checked_in"), report.not_checked_in])
        yield self._table("apart", ("reason", "count"), apart)
        reason: dict[str, Callable[[Any], Any]] = {
            "service": names.service,
            "reason": lambda value: self.words.get(f"reason.{value}", str(value)),
            "counter": names.counter,
        }
        yield self._of_models("turned_away", report.turned_away, ("service", "reason", "count"), reason)
        yield self._of_models("plan_changes", report.plan_changes, ("at", "version"))
        fields = ("at", "number", "service", "counter", "reason", "overtaken", "undone")
        yield self._of_models("chosen_calls", report.chosen_calls, fields, {**reason, "reason": str})

    # -- how a table is made

    def _of_models(
        self,
        name: str,
        models: Sequence[BaseModel],
        fields: Sequence[str],
        shown: Mapping[str, Callable[[Any], Any]] | None = None,
        long: bool = False,
    ) -> Table:
        shown = shown or {}
        lines = [[shown.get(one, _same)(getattr(model, one)) for one in fields] for model in models]
        return self._table(name, fields, lines, long)

    def _table(self, name: str, fields: Sequence[str], lines: Sequence[Sequence[Any]], long: bool = False) -> Table:
        columns = [Column(one, self.words(f"column.{one}"), cell_of(one)) for one in fields]
        return Table(name, self.words(f"section.{name}"), self.words.get(f"note.{name}", ""), columns, lines, long)


def _same(value: Any) -> Any:
    return value
