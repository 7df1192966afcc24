"""`python -m tests.seeds`: as many seeds of the simulation as one has time for, or one of them once more."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.databases import Kind
from tests.seeds.seeds import Outcome, run

OUT = Console(highlight=False)
APP = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@APP.command()
def seeds(
    database: Annotated[Kind, typer.Option(help="which kind of database; PostgreSQL is started for it")] = Kind.SQLITE,
    first: Annotated[int, typer.Option(help="the first seed")] = 1,
    count: Annotated[int, typer.Option(min=1, help="how many seeds from there on")] = 1_000,
    jobs: Annotated[int, typer.Option(min=1, help="how many processes at once")] = os.cpu_count() or 1,
) -> None:
    """Let several nodes live through crashes, lost answers and midnights, drawn from seeds, and audit them.

    The same seed gives the same steps on every run: a finding comes with the command that repeats it."""
    total = Outcome()
    columns = (BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=OUT) as progress:
        task = progress.add_task("", total=count)
        for one in run(database, first, count, jobs):
            total.add(one)
            for finding in one.findings.values():
                progress.console.print(finding, markup=False)
            done = len(one.digests) + len(one.findings)
            progress.update(task, advance=done, description=f"{len(total.findings)} with findings")
    table = Table("what", "how often", title=f"{count:,} seeds from {first} on {database}", title_justify="left")
    for what, times in sorted(total.counts.items()):
        table.add_row(what, f"{times:,}")
    OUT.print(table)
    if count == 1 and total.digests:
        OUT.print(f"The digest of its steps: {total.digests[first]}")
    if total.findings:
        raise typer.Exit(1)


if __name__ == "__main__":
    APP()
