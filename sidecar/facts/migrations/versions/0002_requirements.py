"""Which sources had to report each kind of fact, and since which sequence."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; its first rows come when the room starts, with what is configured then."""
    op.create_table(
        "requirements",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sources", sa.Text, nullable=False),
    )
