"""`python -m bench`: measure, show, and write bench/RESULTS.md."""

import shutil
import tempfile
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import (
    durable,
    estimates,
    fanout,
    growth,
    latency,
    machine,
    memory,
    nation,
    one_hall,
    replicas,
    reporting,
    results,
    staffing,
    starting,
)
from bench.results import Part
from bench.running import FULL, QUICK, Run

RESULTS = Path(__file__).with_name("RESULTS.md")
OUT = Console(highlight=False)

MEASURES: dict[str, Callable[[Run], Part]] = {
    "durable": durable.measure,
    "latency": latency.measure,
    "fanout": fanout.measure,
    "growth": growth.measure,
    "replicas": replicas.measure,
    "one_hall": one_hall.measure,
    "nation": nation.measure,
    "starting": starting.measure,
    "memory": memory.measure,
    "reporting": reporting.measure,
    "staffing": staffing.measure,
    "estimates": estimates.measure,
}
Name = StrEnum("Name", list(MEASURES))  # type: ignore[misc]


APP = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@APP.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="about a minute; too short to decide anything")] = False,
    only: Annotated[list[Name] | None, typer.Option(help="just this part; may be given several times")] = None,
    out: Annotated[Path | None, typer.Option(help="write here; a whole full run writes bench/RESULTS.md")] = None,
) -> None:
    """Measure how fast the service is, beside what it is compared with, in one run."""
    if shutil.which("wrk") is None:
        OUT.print("[red]wrk is missing[/red] (Debian: apt-get install wrk).")
        raise typer.Exit(2)
    scale = QUICK if quick else FULL
    wanted = {name: measure for name, measure in MEASURES.items() if not only or name in only}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        described = machine.describe(Path(folder))
        for line in described.lines():
            OUT.print(line)
        parts = _measured(Path(folder), wanted, quick)
    taken_s = time.perf_counter() - begun
    out = out or (RESULTS if scale is FULL and not only else None)
    if out is not None:
        out.write_text(results.page(described, parts, scale.name, taken_s), encoding="utf-8")
        OUT.print(f"Written to {out}.")
    OUT.print(f"{taken_s / 60:.1f} min; {sum(len(part.missed) for part in parts)} bounds missed.")


def _measured(folder: Path, wanted: dict[str, Callable[[Run], Part]], quick: bool) -> list[Part]:
    parts = []
    columns = (SpinnerColumn(), BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=OUT) as progress:
        task = progress.add_task("", total=len(wanted))
        run = Run(folder, QUICK if quick else FULL, lambda text: progress.update(task, description=text))
        for measure in wanted.values():
            part = measure(run)
            parts.append(part)
            progress.console.print(_table(part))
            progress.advance(task)
    return parts


def _table(part: Part) -> Table:
    table = Table("what", "measured", "reference", "ratio", "bound", "met", title=part.title, title_justify="left")
    for row in part.rows:
        table.add_row(*row.cells())
    return table


if __name__ == "__main__":
    APP()
