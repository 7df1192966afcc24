"""`queue-service`: the command line. One module a group of commands; errors are one clear line, never a traceback."""

import gc
import sys
from importlib import import_module
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from api.faults import message_of
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


COMMANDS = {
    "archive": ("archive", "verify-archive"),
    "backtest": ("backtest",),
    "backup": ("backup",),
    "demo": ("demo",),
    "history": ("import", "export", "replay"),
    "node": ("confirm-clock", "accept-history"),
    "plan_day": ("plan-day",),
    "plans": ("apply", "migrate"),
    "report": ("report",),
    "serve": ("serve",),
    "verify": ("verify",),
    "what_if": ("what-if",),
}
"""The modules of this package, and the commands that each registers."""


@APP.callback()
def _group() -> None:
    """Where one command alone is registered, it still is called by its name."""


def application(asked: str | None = None) -> typer.Typer:
    """The command line with every command registered, or with that one and its module's others: starting is importing
    for the most part."""
    for module in [module for module, names in COMMANDS.items() if asked in names] or COMMANDS:
        import_module(f"api.cli.{module}")
    return APP


def _loaded(asked: str | None) -> typer.Typer:
    """The same, without looking for garbage in what is loaded, now or ever after: it stays until the process ends. At
    the start, and at the end of a short command, the search was a quarter of all the work."""
    gc.disable()
    app = application(asked)
    if not gc.get_freeze_count():  # a test runs many commands in one process, which leave real garbage
        gc.freeze()
    gc.enable()
    return app


def main() -> None:
    """The entry point: what goes wrong is said in a line, with exit code 2."""
    try:
        _loaded(sys.argv[1] if len(sys.argv) > 1 else None)()
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            ERR.print(f"[red]{escape(place) or 'settings'}[/red]: {escape(message_of(fault))}")
        sys.exit(2)
    except QueueServiceError as error:
        _complain(str(error), *(f"  {one['place']}: {one['message']}" for one in error.facts.get("faults", [])[:20]))
    except SQLAlchemyError as error:
        _complain(f"The database cannot be used: {getattr(error, 'orig', error)}.")
    except OSError as error:
        _complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part) + ".")


def _complain(message: str, *details: str) -> NoReturn:
    """Say it as it is (brackets in a message are no markup) and end."""
    ERR.print(message, style="red", markup=False)
    for detail in details:
        ERR.print(detail, markup=False)
    sys.exit(2)
