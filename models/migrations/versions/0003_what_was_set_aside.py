"""what was set aside"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def text(length: int) -> Any:
    """As `models.tables` has it: on PostgreSQL without a bound, compared byte by byte."""
    return sa.String(length=length).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Forward only: a log is never unwritten."""
    op.create_table(
        "displaced",
        sa.Column("hall", text(40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", text(64), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", text(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", text(80), nullable=False),
        sa.Column("channel", text(20), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("displaced_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hall", "seq", "hash"),
    )
