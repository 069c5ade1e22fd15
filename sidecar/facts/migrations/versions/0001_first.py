"""The first shape: versions of facts, watermarks and grants; changes with their pending leaf; sequences."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table, with tenant and controller on each."""
    row = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "facts",
        sa.Column("row", row, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("controller_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Text, nullable=False),
        sa.Column("other_patient_id", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("from_subject_id", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("period_from", sa.BigInteger),
        sa.Column("period_to", sa.BigInteger),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("recorded_seq", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("superseded_seq", sa.BigInteger),
        sa.UniqueConstraint("tenant", "controller_id", "source", "id", "recorded_seq", name="one_version_a_change"),
    )
    op.create_index("facts_by_patient", "facts", ["tenant", "controller_id", "patient_id"])
    other_name = sa.text("other_patient_id <> ''")
    op.create_index(
        "facts_by_other_name",
        "facts",
        ["tenant", "controller_id", "other_patient_id"],
        sqlite_where=other_name,
        postgresql_where=other_name,
    )
    op.create_index("facts_by_kind", "facts", ["tenant", "kind", "subject_id"])
    has_ref = sa.text("ref <> ''")
    op.create_index("facts_by_ref", "facts", ["tenant", "ref"], sqlite_where=has_ref, postgresql_where=has_ref)
    op.create_table(
        "refreshes",
        sa.Column("fact_row", sa.BigInteger, sa.ForeignKey("facts.row"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("controller_id", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "watermarks",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("controller_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("recorded_seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("complete_until", sa.BigInteger, nullable=False),
        sa.Column("superseded_seq", sa.BigInteger),
    )
    op.create_index("watermarks_by_end", "watermarks", ["tenant", "superseded_seq"])
    op.create_table(
        "grants",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("recorded_seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("controller_id", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Text, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("superseded_seq", sa.BigInteger),
    )
    op.create_index("grants_by_end", "grants", ["tenant", "ends"])
    op.create_table(
        "changes",
        sa.Column("change_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("controller_id", sa.Text, nullable=False),
        sa.Column("caller_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("unchanged", sa.Integer, nullable=False),
        sa.Column("retracted", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary),
        sa.Column("leaf_index", sa.BigInteger),
        sa.UniqueConstraint("tenant", "seq", name="one_change_a_sequence"),
        sa.UniqueConstraint("tenant", "caller_id", "request_id", name="one_change_a_request"),
    )
    without_leaf = sa.text("leaf_index IS NULL")
    op.create_index(
        "changes_without_leaf",
        "changes",
        ["tenant", "seq"],
        sqlite_where=without_leaf,
        postgresql_where=without_leaf,
    )
    op.create_index("changes_by_instant", "changes", ["tenant", "recorded_at", "seq"])
    op.create_table(
        "sequence",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
    )
