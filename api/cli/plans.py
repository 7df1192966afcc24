"""Plans from files, and the schema: `apply`, `migrate`."""

import tomllib
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api import answers
from api.cli import APP, OUT
from api.faults import message_of, place_of
from models.plan import PlanDocument
from models.vocabulary import Channel
from queue_service import journal, schema
from queue_service.batch import Batches
from queue_service.clock import Clock, ClockGuard
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.errors import BadInput, PlanFaulty, StaleVersion
from queue_service.settings import Settings
from queue_service.submission import Answer, Submission

DatabaseUrl = Annotated[
    str | None, typer.Option(help="sqlite:///FILE or postgresql://… [default: QUEUE_DATABASE_URL]", show_default=False)
]


def open_database(url: str | None) -> Database:
    """The database of the settings or the option, its schema checked (made, where it is empty)."""
    database = Database(url or Settings().database_url)
    try:
        schema.prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def read_plan(path: Path) -> PlanDocument:
    """The plan of a TOML file, or a QueueServiceError naming each fault and its place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not TOML: {error}.") from error
    try:
        return PlanDocument.model_validate(document)
    except ValidationError as error:
        faults = [
            {"place": place_of(("body", *fault["loc"])), "message": message_of(fault)} for fault in error.errors()
        ]
        raise PlanFaulty(f"{path} is no plan:", faults=faults) from error


def run_command(
    database: Database, hall: str, command: c.Command, answering: Any, clock: Clock | None = None
) -> Answer:
    """One command as one transaction in this process; a server on the same database sees it within a second."""
    clock = clock or database.clock()
    database.set_clock(clock)
    deadline_ms = clock.monotonic_ms() + 60_000
    submission = Submission(hall, command, "command-line", Channel.CLI, answering, deadline_ms)
    batches = Batches(clock, ClockGuard(clock))
    while submission.result is None:  # another process made the hall between two looks: once more
        with database.write() as connection:
            events = batches.run(connection, [submission])
        database.notify({one.hall: one.seq for one in events})
    if isinstance(submission.result, Answer):
        return submission.result
    raise submission.result


def apply_plan(database: Database, plan: PlanDocument, only_new: bool = False) -> str:
    """Put a plan; what became of it: `created`, `changed`, `unchanged` or (only_new) `kept`."""
    document = plan.model_dump(mode="json")
    before = database.read(journal.all_positions).get(plan.id)
    try:
        answer = run_command(database, plan.id, c.PutPlan(document, 0 if only_new else None), answers.planned)
    except StaleVersion:
        return "kept"
    after = database.read(journal.all_positions)[plan.id]
    return "created" if answer.status == 201 else "unchanged" if before == after else "changed"


@APP.command()
def apply(
    file: Annotated[Path, typer.Argument(help="the hall's plan, a TOML file such as deploy/halls/fengxian.toml")],
    database_url: DatabaseUrl = None,
) -> None:
    """Create or change a hall from its plan. A running server on the same database shows it within a second."""
    plan = read_plan(file)
    with closing(open_database(database_url)) as database:
        OUT.print(f"{plan.id}: {apply_plan(database, plan)}")


@APP.command()
def migrate(database_url: DatabaseUrl = None) -> None:
    """Create the database's schema, or bring it up to this version. Stop the servers and make a backup first."""
    with closing(Database(database_url or Settings().database_url)) as database:
        before, after = schema.migrate(database)
    OUT.print(f"schema {after}" + (" (nothing to do)" if before == after else f", was {before or 'empty'}"))
