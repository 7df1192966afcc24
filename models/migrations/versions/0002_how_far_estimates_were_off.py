"""how far estimates were off"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def text(length: int) -> Any:
    """As `models.tables` has it: on PostgreSQL without a bound, compared byte by byte."""
    return sa.String(length=length).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A table of its own; the log and what was derived from it stay as they are."""
    op.create_table(
        "estimate_error",
        sa.Column("hall", text(40), nullable=False),
        sa.Column("day", text(10), nullable=False),
        sa.Column("service", text(40), nullable=False),
        sa.Column("basis", text(20), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=False),
        sa.Column("error_ms", sa.BigInteger(), nullable=False),
        sa.Column("absolute_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "basis IN ('moving_average', 'last_to_enter', 'head_of_line', 'queue_length', 'simulation', 'learned')",
            name="basis_known",
        ),
        sa.CheckConstraint("covered BETWEEN 0 AND scored", name="covered_of_scored"),
        sa.PrimaryKeyConstraint("hall", "day", "service", "basis"),
    )
