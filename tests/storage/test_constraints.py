"""The constraints, each tried by raw SQL: they keep the invariants even where a rule would be wrong."""

from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Table
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import models.tables  # noqa: F401 (declares the tables)
from models.vocabulary import HELD_STATES, Apart, Channel, EstimateBasis, LegOutcome, Period, TicketState
from queue_service.database import Database
from tests.storage.rows import GOOD, insert

TABLES: dict[str, Table] = dict(SQLModel.metadata.tables)
HELD = {"state": "called", "counter": "1"}

Row = dict[str, Any]

BROKEN_CHECKS: dict[tuple[str, str], list[Row]] = {
    ("event", "seq_positive"): [{"seq": 0}, {"seq": -1}],
    ("event", "channel_known"): [{"channel": "fax"}],
    ("ticket", "state_known"): [{"state": "lost"}, {"state": "Waiting"}, {"state": ""}],
    ("ticket", "channel_known"): [{"channel": "fax"}],
    ("ticket", "period_known"): [{"period": "night"}],
    ("ticket", "apart_known"): [{"apart": "other"}],
    ("ticket", "counter_iff_held"): [{"state": "called"}, {"state": "serving"}, {"counter": "1"},
                                     {"state": "finished", "counter": "1"}, {"state": "parked", "counter": "1"}],
    ("leg", "outcome_known"): [{"outcome": "left"}],
    ("leg", "waited_not_negative"): [{"waited_ms": -1}],
    ("leg", "called_has_waited"): [{"called_at_ms": 5}],
    ("estimate_error", "basis_known"): [{"basis": "guess"}],
    ("estimate_error", "covered_of_scored"): [{"covered": 10}, {"covered": -1}],
}  # fmt: skip
"""Per CHECK the rows that only it refuses."""

TWICE: dict[tuple[str, str], tuple[Row, Row]] = {
    ("hall", "primary key"): ({}, {"name": "other"}),
    ("event", "primary key"): ({}, {"kind": "day_opened"}),
    ("displaced", "primary key"): ({}, {"kind": "day_opened"}),
    ("ticket", "primary key"): ({}, {"number": "A002"}),
    ("leg", "primary key"): ({}, {"service": "b"}),
    ("receipt", "primary key"): ({}, {"path": "/other"}),
    ("estimate_error", "primary key"): ({}, {"scored": 10}),
    ("ticket", "ticket_number_once_a_day"): ({}, {"id": "hall.2"}),
    ("ticket", "ticket_one_per_counter"): (HELD, {**HELD, "id": "hall.2", "number": "A002", "state": "serving"}),
}
"""Per unique key two rows that cannot both be."""

BOTH: dict[str, tuple[str, Row, Row]] = {
    "the number of another day": ("ticket", {}, {"id": "hall.2", "day": "2026-03-03"}),
    "the number of another hall": ("ticket", {}, {"id": "far.1", "hall": "far"}),
    "another counter": ("ticket", HELD, {**HELD, "id": "hall.2", "number": "A002", "counter": "2"}),
    "the same counter of another hall": ("ticket", HELD, {**HELD, "id": "far.1", "hall": "far"}),
    "no counter, twice": ("ticket", {}, {"id": "hall.2", "number": "A002"}),
    "the same seq of another hall": ("event", {}, {"hall": "far"}),
    "the same key of another caller": ("receipt", {}, {"actor": "you"}),
    "the same key in another hall": ("receipt", {}, {"hall": "far"}),
    "the next leg": ("leg", {}, {"leg": 2}),
    "the error of another predictor": ("estimate_error", {}, {"basis": "queue_length"}),
}
"""What must not be mistaken for one of these."""

WORDS: dict[tuple[str, str], type[StrEnum]] = {
    ("ticket", "state"): TicketState,
    ("ticket", "channel"): Channel,
    ("ticket", "period"): Period,
    ("ticket", "apart"): Apart,
    ("leg", "outcome"): LegOutcome,
    ("event", "channel"): Channel,
    ("estimate_error", "basis"): EstimateBasis,
}


def store(database: Database, table: str, *rows: Row) -> None:
    """Insert good rows with these changes, in one transaction."""
    with database.write() as connection:
        for row in rows:
            insert(connection, table, **row)


def count(database: Database, table: str) -> int:
    """How many rows there are."""
    return int(database.read(lambda one: one.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()))  # noqa: S608


@pytest.mark.parametrize("table", GOOD)
def test_a_good_row_is_taken(database: Database, table: str) -> None:
    """The rows of these tests are refused for what was changed in them and nothing else."""
    store(database, table, {})
    assert count(database, table) == 1


@pytest.mark.parametrize(("table", "name"), BROKEN_CHECKS)
def test_a_check_refuses(database: Database, table: str, name: str) -> None:
    """Each CHECK refuses by its own name what it is there for, and the transaction leaves nothing."""
    for row in BROKEN_CHECKS[table, name]:
        with pytest.raises(IntegrityError, match=f'CHECK constraint failed: {name}|violates check constraint "{name}"'):
            store(database, table, row)
    assert count(database, table) == 0


@pytest.mark.parametrize(("table", "name"), TWICE)
def test_what_is_unique_is_there_once(database: Database, table: str, name: str) -> None:
    """The second row is refused, and with it the first of the same transaction."""
    with pytest.raises(IntegrityError, match=r"UNIQUE constraint failed|violates unique constraint"):
        store(database, table, *TWICE[table, name])
    assert count(database, table) == 0


@pytest.mark.parametrize("name", BOTH)
def test_what_only_looks_the_same_is_taken(database: Database, name: str) -> None:
    """A key reaches as far as it should and no further."""
    table, *rows = BOTH[name]
    store(database, table, *rows)
    assert count(database, table) == 2


@pytest.mark.parametrize(
    ("table", "column"),
    [(table.name, column.name) for table in TABLES.values() for column in table.columns if not column.nullable],
)
def test_what_must_be_said_cannot_be_left_out(database: Database, table: str, column: str) -> None:
    """No NULL where a value is needed."""
    with pytest.raises(
        IntegrityError,
        match=f'NOT NULL constraint failed: {table}.{column}|null value in column "{column}" of relation "{table}"',
    ):
        store(database, table, {column: None})


@pytest.mark.parametrize(("table", "column"), WORDS)
def test_every_word_of_a_closed_set_is_taken(database: Database, table: str, column: str) -> None:
    """The CHECK lists all of the vocabulary."""
    for number, word in enumerate(WORDS[table, column]):
        ids: dict[str, Row] = {
            "ticket": {"id": f"hall.{number}", "number": f"A{number}"},
            "leg": {"leg": number},
            "estimate_error": {},
        }
        counter = {"counter": f"{number}"} if word in HELD_STATES else {}
        row = {**ids.get(table, {"seq": number + 1}), **counter, column: word.value}
        store(database, table, row)
    assert count(database, table) == len(WORDS[table, column])


def test_every_constraint_is_tried() -> None:
    """A constraint that is added to the tables needs its row here."""
    checks, unique = set(), set()
    for table in TABLES.values():
        checks |= {(table.name, one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        unique |= {(table.name, one.name) for one in table.indexes if one.unique} | {(table.name, "primary key")}
    assert checks == set(BROKEN_CHECKS)
    assert unique == set(TWICE)
