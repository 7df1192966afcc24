"""`queue-service`: the command line. One module a group of commands; errors are one clear line, never a traceback."""

import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from queue_service.errors import QueueServiceError

APP = typer.Typer(
    name="queue-service",
    help="Tickets, counters, boards and the wait promise of service halls.\n\n"
    "Start with: queue-service serve --hall deploy/halls/fengxian.toml",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
OUT = Console(soft_wrap=True, highlight=False)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)


def main() -> None:
    """The entry point: what goes wrong is said in a line, with exit code 2."""
    from api.cli import demo, history, plans, report, serve, verify  # noqa: F401, PLC0415 (each registers its commands)

    try:
        APP()
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            ERR.print(f"[red]{place or 'settings'}[/red]: {fault['msg']}")
        sys.exit(2)
    except QueueServiceError as error:
        ERR.print(f"[red]{error}[/red]")
        for fault in error.facts.get("faults", [])[:20]:
            ERR.print(f"  {fault['place']}: {fault['message']}")
        sys.exit(2)
