"""the first schema"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def text(length: int) -> Any:
    """As `models.tables` has it: on PostgreSQL without a bound, compared byte by byte."""
    return sa.String(length=length).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forward only: a log is never unwritten."""
    op.create_table(
        "event",
        sa.Column("hall", text(40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", text(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", text(80), nullable=False),
        sa.Column("channel", text(20), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("hash", text(64), nullable=False),
        sa.CheckConstraint("seq > 0", name="seq_positive"),
        sa.CheckConstraint(
            "channel IN ('kiosk', 'desk', 'phone', 'web', 'api', 'paper', 'history', 'cli', 'system')",
            name="channel_known",
        ),
        sa.PrimaryKeyConstraint("hall", "seq"),
    )
    op.create_table(
        "hall",
        sa.Column("id", text(40), nullable=False),
        sa.Column("name", text(120), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", text(64), nullable=False),
        sa.Column("day", text(10), nullable=False),
        sa.Column("day_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "leg",
        sa.Column("ticket", text(70), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hall", text(40), nullable=False),
        sa.Column("day", text(10), nullable=False),
        sa.Column("service", text(40), nullable=False),
        sa.Column("priority", text(40), nullable=False),
        sa.Column("waiting_since_ms", sa.BigInteger(), nullable=False),
        sa.Column("called_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("waited_ms", sa.BigInteger(), nullable=True),
        sa.Column("counter", text(40), nullable=True),
        sa.Column("clerk", text(80), nullable=True),
        sa.Column("recalls", sa.Integer(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("start_implied", sa.Integer(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", text(20), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('finished', 'no_show', 'cancelled', 'expired', 'parked', 'transferred', 'requeued', 'postponed')",
            name="outcome_known",
        ),
        sa.CheckConstraint("called_at_ms IS NULL OR waited_ms IS NOT NULL", name="called_has_waited"),
        sa.CheckConstraint("waited_ms >= 0", name="waited_not_negative"),
        sa.PrimaryKeyConstraint("ticket", "leg"),
    )
    op.create_index("leg_by_day", "leg", ["hall", "day"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("actor", text(80), nullable=False),
        sa.Column("hall", text(40), nullable=False),
        sa.Column("key", text(255), nullable=False),
        sa.Column("method", text(10), nullable=False),
        sa.Column("path", text(300), nullable=False),
        sa.Column("body_hash", text(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "hall", "key"),
    )
    op.create_index("receipt_by_age", "receipt", ["at_ms"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", text(70), nullable=False),
        sa.Column("hall", text(40), nullable=False),
        sa.Column("day", text(10), nullable=False),
        sa.Column("number", text(100), nullable=False),
        sa.Column("service", text(40), nullable=False),
        sa.Column("priority", text(40), nullable=False),
        sa.Column("channel", text(20), nullable=False),
        sa.Column("language", text(40), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("party", text(70), nullable=True),
        sa.Column("ref", text(64), nullable=True),
        sa.Column("state", text(20), nullable=False),
        sa.Column("counter", text(40), nullable=True),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("period", text(20), nullable=True),
        sa.Column("promise_ms", sa.BigInteger(), nullable=True),
        sa.Column("percentile", sa.Integer(), nullable=True),
        sa.Column("apart", text(20), nullable=True),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(counter IS NOT NULL) = (state IN ('called', 'serving'))", name="counter_iff_held"),
        sa.CheckConstraint("apart IN ('backfilled', 'suspended', 'training')", name="apart_known"),
        sa.CheckConstraint(
            "channel IN ('kiosk', 'desk', 'phone', 'web', 'api', 'paper', 'history', 'cli', 'system')",
            name="channel_known",
        ),
        sa.CheckConstraint("period IN ('peak', 'off_peak')", name="period_known"),
        sa.CheckConstraint(
            "state IN ('expected', 'waiting', 'called', 'serving', 'parked', 'finished', 'no_show', 'cancelled', 'expired')",
            name="state_known",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ticket_by_ref",
        "ticket",
        ["hall", "ref"],
        unique=False,
        sqlite_where=sa.text("ref IS NOT NULL"),
        postgresql_where=sa.text("ref IS NOT NULL"),
    )
    op.create_index("ticket_number_once_a_day", "ticket", ["hall", "day", "number"], unique=True)
    op.create_index(
        "ticket_one_per_counter",
        "ticket",
        ["hall", "counter"],
        unique=True,
        sqlite_where=sa.text("counter IS NOT NULL"),
        postgresql_where=sa.text("counter IS NOT NULL"),
    )
