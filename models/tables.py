"""The tables, with the constraints that keep the invariants even if a rule were wrong.

Times are integers, milliseconds since 1970 UTC: exact on every database, no time zone to lose. The log (`event`)
is the truth; `ticket` and `leg` say the same in rows that can be queried, and `queue-service verify` proves it.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Text, text
from sqlmodel import Field, SQLModel

from models.vocabulary import Apart, Channel, EstimateBasis, LegOutcome, Period, TicketState


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A CHECK that `column` holds a word of the vocabulary (or NULL, where the column allows it)."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _text(length: int) -> Any:
    """Text of a kind that is never longer. PostgreSQL compares it byte by byte, as SQLite does: no order that depends
    on the server's language, and none that changes under an index when its operating system is upgraded."""
    return String(length).with_variant(Text(collation="C"), "postgresql")


def _ms(nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class HallRow(SQLModel, table=True):
    """One row a hall: the lock every command takes, and where its log ends."""

    __tablename__ = "hall"
    id: str = Field(sa_column=Column(_text(40), primary_key=True))
    name: str = Field(sa_column=Column(_text(120), nullable=False))
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_hash: str = Field(sa_column=Column(_text(64), nullable=False))
    day: str = Field(sa_column=Column(_text(10), nullable=False))
    day_seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class EventRow(SQLModel, table=True):
    """The log. `hash` is the SHA-256 over the predecessor's hash and this event's canonical bytes."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq_positive"),
        _one_of("channel", Channel),
    )
    hall: str = Field(sa_column=Column(_text(40), primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    command_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    at_ms: int = Field(sa_column=_ms())
    kind: str = Field(sa_column=Column(_text(40), nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    actor: str = Field(sa_column=Column(_text(80), nullable=False))
    channel: str = Field(sa_column=Column(_text(20), nullable=False))
    data: str = Field(sa_column=Column(Text, nullable=False))
    hash: str = Field(sa_column=Column(_text(64), nullable=False))


class TicketRow(SQLModel, table=True):
    """A ticket as it stands now."""

    __tablename__ = "ticket"
    __table_args__ = (
        _one_of("state", TicketState),
        _one_of("channel", Channel),
        _one_of("period", Period),
        _one_of("apart", Apart),
        CheckConstraint("(counter IS NOT NULL) = (state IN ('called', 'serving'))", name="counter_iff_held"),
        Index("ticket_number_once_a_day", "hall", "day", "number", unique=True),
        Index(
            "ticket_one_per_counter",
            "hall",
            "counter",
            unique=True,
            sqlite_where=text("counter IS NOT NULL"),
            postgresql_where=text("counter IS NOT NULL"),
        ),
        Index(
            "ticket_by_ref",
            "hall",
            "ref",
            sqlite_where=text("ref IS NOT NULL"),
            postgresql_where=text("ref IS NOT NULL"),
        ),
    )
    id: str = Field(sa_column=Column(_text(70), primary_key=True))
    hall: str = Field(sa_column=Column(_text(40), nullable=False))
    day: str = Field(sa_column=Column(_text(10), nullable=False))
    number: str = Field(sa_column=Column(_text(100), nullable=False))
    service: str = Field(sa_column=Column(_text(40), nullable=False))
    priority: str = Field(sa_column=Column(_text(40), nullable=False))
    channel: str = Field(sa_column=Column(_text(20), nullable=False))
    language: str | None = Field(default=None, sa_column=Column(_text(40)))
    items: int = Field(sa_column=Column(Integer, nullable=False))
    party: str | None = Field(default=None, sa_column=Column(_text(70)))
    ref: str | None = Field(default=None, sa_column=Column(_text(64)))
    state: str = Field(sa_column=Column(_text(20), nullable=False))
    counter: str | None = Field(default=None, sa_column=Column(_text(40)))
    issued_at_ms: int = Field(sa_column=_ms())
    period: str | None = Field(default=None, sa_column=Column(_text(20)))
    promise_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    percentile: int | None = Field(default=None, sa_column=Column(Integer))
    apart: str | None = Field(default=None, sa_column=Column(_text(20)))
    closed_at_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class LegRow(SQLModel, table=True):
    """One wait and one service of a ticket. `waited_ms` is set when the wait ended: first call, cancel, expiry."""

    __tablename__ = "leg"
    __table_args__ = (
        _one_of("outcome", LegOutcome),
        CheckConstraint("waited_ms >= 0", name="waited_not_negative"),
        CheckConstraint("called_at_ms IS NULL OR waited_ms IS NOT NULL", name="called_has_waited"),
        Index("leg_by_day", "hall", "day"),
    )
    ticket: str = Field(sa_column=Column(_text(70), primary_key=True))
    leg: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    hall: str = Field(sa_column=Column(_text(40), nullable=False))
    day: str = Field(sa_column=Column(_text(10), nullable=False))
    service: str = Field(sa_column=Column(_text(40), nullable=False))
    priority: str = Field(sa_column=Column(_text(40), nullable=False))
    waiting_since_ms: int = Field(sa_column=_ms())
    called_at_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    waited_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    counter: str | None = Field(default=None, sa_column=Column(_text(40)))
    clerk: str | None = Field(default=None, sa_column=Column(_text(80)))
    recalls: int = Field(sa_column=Column(Integer, nullable=False))
    started_at_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    start_implied: bool = Field(sa_column=Column(Integer, nullable=False))
    ended_at_ms: int | None = Field(default=None, sa_column=_ms(nullable=True))
    outcome: str | None = Field(default=None, sa_column=Column(_text(20)))


class DisplacedRow(SQLModel, table=True):
    """An event that was in a hall's log here, and is not in the log of the hall's own node any more. Its hash follows
    from the event before it: one in the log, or one that was set aside with it."""

    __tablename__ = "displaced"
    hall: str = Field(sa_column=Column(_text(40), primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str = Field(sa_column=Column(_text(64), primary_key=True))
    command_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    at_ms: int = Field(sa_column=_ms())
    kind: str = Field(sa_column=Column(_text(40), nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    actor: str = Field(sa_column=Column(_text(80), nullable=False))
    channel: str = Field(sa_column=Column(_text(20), nullable=False))
    data: str = Field(sa_column=Column(Text, nullable=False))
    displaced_at_ms: int = Field(sa_column=_ms())


class ReceiptRow(SQLModel, table=True):
    """The answer given to a keyed command, so that a repeat gets the same one."""

    __tablename__ = "receipt"
    __table_args__ = (Index("receipt_by_age", "at_ms"),)
    actor: str = Field(sa_column=Column(_text(80), primary_key=True))
    hall: str = Field(sa_column=Column(_text(40), primary_key=True))
    key: str = Field(sa_column=Column(_text(255), primary_key=True))
    method: str = Field(sa_column=Column(_text(10), nullable=False))
    path: str = Field(sa_column=Column(_text(300), nullable=False))
    body_hash: str = Field(sa_column=Column(_text(64), nullable=False))
    status: int = Field(sa_column=Column(Integer, nullable=False))
    headers: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    at_ms: int = Field(sa_column=_ms())


class EstimateErrorRow(SQLModel, table=True):
    """How far the wait estimates of one day, service and predictor were off: sums over the tickets that were `scored`.
    `last_seq`: the last call of the log that was counted; `error_ms`: estimate less wait."""

    __tablename__ = "estimate_error"
    __table_args__ = (
        _one_of("basis", EstimateBasis),
        CheckConstraint("covered BETWEEN 0 AND scored", name="covered_of_scored"),
    )
    hall: str = Field(sa_column=Column(_text(40), primary_key=True))
    day: str = Field(sa_column=Column(_text(10), primary_key=True))
    service: str = Field(sa_column=Column(_text(40), primary_key=True))
    basis: str = Field(sa_column=Column(_text(20), primary_key=True))
    scored: int = Field(sa_column=Column(BigInteger, nullable=False))
    covered: int = Field(sa_column=Column(BigInteger, nullable=False))
    error_ms: int = Field(sa_column=_ms())
    absolute_ms: int = Field(sa_column=_ms())
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False))
