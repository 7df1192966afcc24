"""The progress bar of long work: on standard error, and only on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli import ERR

Advance = Callable[[int], None]
"""Told how much more is done."""


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Advance]:
    """Show how far `what` has come of `total` (None: nobody knows); the bar goes away when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)
