"""`queue-service`: the command line. One module a group of commands; errors are one clear line, never a traceback."""

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

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


def application() -> typer.Typer:
    """The command line with every command registered."""
    from api.cli import (  # noqa: PLC0415 (each registers its own)
        archive,  # noqa: F401
        backtest,  # noqa: F401
        backup,  # noqa: F401
        demo,  # noqa: F401
        history,  # noqa: F401
        node,  # noqa: F401
        plan_day,  # noqa: F401
        plans,  # noqa: F401
        report,  # noqa: F401
        serve,  # noqa: F401
        verify,  # noqa: F401
        what_if,  # noqa: F401
    )

    return APP


def main() -> None:
    """The entry point: what goes wrong is said in a line, with exit code 2."""
    try:
        application()()
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            ERR.print(f"[red]{escape(place) or 'settings'}[/red]: {escape(fault['msg'])}")
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
