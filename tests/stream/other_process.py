"""Someone else at the same database: another process than the node, which hears of it from the log alone."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Delete, Update, delete, select, update

from models.plan import PlanDocument
from models.vocabulary import Channel
from queue_service.batch import Batches
from queue_service.clock import ClockGuard, SystemClock
from queue_service.database import Database
from queue_service.domain import commands as c
from queue_service.journal import EVENT, HALL, LEG, TICKET
from queue_service.submission import Answer, Submission
from tests.halls import plan
from tests.running import database_url


def put_plans(hall: str, folder: Path, names: Sequence[str]) -> None:
    """Change the hall's name several times, each time in a transaction."""
    database = Database(database_url(folder))
    for name in names:
        with database.write() as connection:
            _put(connection, hall, [name])
    database.close()


def rewrite(hall: str, folder: Path, drop: int, names: Sequence[str]) -> None:
    """In one transaction: take the last events out of the hall's log, and put changes of the plan in their place. So a
    database looks that never heard of what it had not stored when it took over."""
    database = Database(database_url(folder))
    with database.write() as connection:
        take_back(connection, hall, drop)
        _put(connection, hall, names)
    database.close()


def take_back(connection: Connection, hall: str, drop: int) -> None:
    """Take the last events out of the hall's log, and what the tables have by them."""
    last: int = connection.execute(select(HALL.c.last_seq).where(HALL.c.id == hall)).scalar_one() - drop
    gone = select(TICKET.c.id).where(TICKET.c.hall == hall, TICKET.c.last_seq > last)
    head = select(EVENT.c.hash).where(EVENT.c.hall == hall, EVENT.c.seq == last).scalar_subquery()
    for statement in (
        delete(LEG).where(LEG.c.ticket.in_(gone)),
        delete(TICKET).where(TICKET.c.id.in_(gone)),
        delete(EVENT).where(EVENT.c.hall == hall, EVENT.c.seq > last),
        update(HALL).where(HALL.c.id == hall).values(last_seq=last, last_hash=head),
    ):
        connection.execute(statement)


def forget(hall: str, folder: Path) -> None:
    """Take a hall away, as if the database had never heard of it."""
    _execute(folder, *(delete(table).where(table.c.hall == hall) for table in (LEG, TICKET, EVENT)))
    _execute(folder, delete(HALL).where(HALL.c.id == hall))


def lose_event(hall: str, folder: Path, seq: int) -> None:
    """Make a hole in a hall's log."""
    _execute(folder, delete(EVENT).where(EVENT.c.hall == hall, EVENT.c.seq == seq))


def spoil_event(hall: str, folder: Path, seq: int) -> None:
    """Make nonsense of an event's data."""
    _execute(folder, update(EVENT).where(EVENT.c.hall == hall, EVENT.c.seq == seq).values(data='["'))


def run(folder: Path, hall: str, *commands: c.Command) -> None:
    """Give commands, all in one transaction."""
    database = Database(database_url(folder))
    with database.write() as connection:
        _run(connection, hall, commands)
    database.close()


def _execute(folder: Path, *statements: Delete | Update) -> None:
    database = Database(database_url(folder))
    with database.write() as connection:
        for statement in statements:
            connection.execute(statement)
    database.close()


def _put(connection: Connection, hall: str, names: Sequence[str]) -> None:
    documents = [PlanDocument.model_validate(plan(hall, name=name)).model_dump(mode="json") for name in names]
    _run(connection, hall, [c.PutPlan(document) for document in documents])


def _run(connection: Connection, hall: str, commands: Sequence[c.Command]) -> None:
    clock = SystemClock()
    deadline_ms = clock.monotonic_ms() + 60_000
    batch = [
        Submission(hall, command, "elsewhere", Channel.CLI, lambda *_: Answer(200), deadline_ms) for command in commands
    ]
    Batches(clock, ClockGuard(clock)).run(connection, batch)
    assert all(isinstance(one.result, Answer) for one in batch), batch
