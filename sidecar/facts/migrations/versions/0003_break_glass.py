"""Reviews of grants, the outbox of notices, and grants that wait for the store."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Grants get the columns their lists select by; notices get their table."""
    op.add_column("grants", sa.Column("opened_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("grants", sa.Column("review_due", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("grants", sa.Column("reviewed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("grants", sa.Column("ended", sa.Text, nullable=False, server_default=""))
    _fill()
    unreviewed = sa.text("superseded_seq IS NULL AND reviewed = 0")
    op.create_index(
        "grants_to_review",
        "grants",
        ["tenant", "review_due"],
        sqlite_where=unreviewed,
        postgresql_where=unreviewed,
    )
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "notices",
        sa.Column("seq", row, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("controller_id", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("recorded_seq", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_seq", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant", "id", name="one_notice_an_id"),
    )
    op.create_index("notices_by_grant", "notices", ["tenant", "grant_id"])
    undelivered = sa.text("delivered_at IS NULL")
    op.create_index(
        "notices_to_deliver", "notices", ["tenant", "seq"], sqlite_where=undelivered, postgresql_where=undelivered
    )
    waiting = sa.text("due IS NOT NULL AND acknowledged_at IS NULL")
    op.create_index("notices_to_know", "notices", ["tenant", "due"], sqlite_where=waiting, postgresql_where=waiting)


def _fill() -> None:
    """The columns of the grants there are, from their bodies."""
    grants = sa.table(
        "grants",
        sa.column("tenant"),
        sa.column("id"),
        sa.column("recorded_seq"),
        sa.column("body"),
        sa.column("opened_at"),
        sa.column("review_due"),
        sa.column("ended"),
    )
    key = ("tenant", "id", "recorded_seq")
    for row in op.get_bind().execute(sa.select(grants)).mappings().all():
        body = json.loads(row["body"])
        said = {"opened_at": body["opened_at"], "review_due": body["review_due"]}
        if "closed_at" in body:
            said |= {"ended": "closed", "body": json.dumps({**body, "ended": "closed"}, ensure_ascii=False)}
        named = sa.and_(*(grants.c[name] == row[name] for name in key))
        op.execute(sa.update(grants).where(named).values(said))
