"""The tables of the facts store, as the migrations leave them.

Rows are never overwritten: what no longer stands gets a `superseded_seq`, so any past state can be read again.
Types and statements are those SQLite and PostgreSQL share.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

# Few rows are like this, so their index holds no others; a read uses it only when it says the same words.
HAS_REF = sa.text("ref <> ''")
HAS_OTHER_NAME = sa.text("other_patient_id <> ''")
HAS_NO_LEAF = sa.text("leaf_index IS NULL")
NOT_REVIEWED = sa.text("superseded_seq IS NULL AND reviewed = 0")
NOT_DELIVERED = sa.text("delivered_at IS NULL")
NOT_KNOWN = sa.text("due IS NOT NULL AND acknowledged_at IS NULL")

# SQLite numbers rows by itself only in a column of exactly this type.
_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# One row a version. `body` is the whole fact as JSON, without `as_of`; the other columns are what reads select by.
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("row", _ROW, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("controller_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("other_patient_id", sa.Text, nullable=False),  # the second name of a merge or unmerge
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("from_subject_id", sa.Text, nullable=False),  # who delegates, or signed a request
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
    sa.Index("facts_by_patient", "tenant", "controller_id", "patient_id"),
    sa.Index(
        "facts_by_other_name",
        "tenant",
        "controller_id",
        "other_patient_id",
        sqlite_where=HAS_OTHER_NAME,
        postgresql_where=HAS_OTHER_NAME,
    ),
    sa.Index("facts_by_kind", "tenant", "kind", "subject_id"),
    sa.Index("facts_by_ref", "tenant", "ref", sqlite_where=HAS_REF, postgresql_where=HAS_REF),
)

# A later statement of a fact that says the same: it is fresher, and no new version.
refreshes = sa.Table(
    "refreshes",
    metadata,
    sa.Column("fact_row", sa.BigInteger, sa.ForeignKey("facts.row"), primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("controller_id", sa.Text, nullable=False),
    sa.Column("as_of", sa.BigInteger, nullable=False),
)

watermarks = sa.Table(
    "watermarks",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("controller_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("recorded_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("complete_until", sa.BigInteger, nullable=False),
    sa.Column("superseded_seq", sa.BigInteger),
    sa.Index("watermarks_by_end", "tenant", "superseded_seq"),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("recorded_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("controller_id", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("ends", sa.BigInteger, nullable=False),  # `until`, or earlier when it was closed
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("superseded_seq", sa.BigInteger),
    sa.Column("opened_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("review_due", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("reviewed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended", sa.Text, nullable=False, server_default=""),  # how, once that is kept
    sa.Index("grants_by_end", "tenant", "ends"),
    sa.Index("grants_to_review", "tenant", "review_due", sqlite_where=NOT_REVIEWED, postgresql_where=NOT_REVIEWED),
)

# The outbox: who must know of what. Deliveries are noted in place; who acknowledged is in the ledger.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("seq", _ROW, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("controller_id", sa.Text, nullable=False),
    sa.Column("grant_id", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger),
    sa.Column("recorded_seq", sa.BigInteger, nullable=False),  # the change it tells of
    sa.Column("delivered_at", sa.BigInteger),
    sa.Column("acknowledged_at", sa.BigInteger),
    sa.Column("acknowledged_seq", sa.BigInteger),  # the change that says so
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.UniqueConstraint("tenant", "id", name="one_notice_an_id"),
    sa.Index("notices_by_grant", "tenant", "grant_id"),
    sa.Index("notices_to_deliver", "tenant", "seq", sqlite_where=NOT_DELIVERED, postgresql_where=NOT_DELIVERED),
    sa.Index("notices_to_know", "tenant", "due", sqlite_where=NOT_KNOWN, postgresql_where=NOT_KNOWN),
)

# One row a change. `leaf` is what the ledger has not acknowledged yet; it goes when `leaf_index` comes.
changes = sa.Table(
    "changes",
    metadata,
    sa.Column("change_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("controller_id", sa.Text, nullable=False),
    sa.Column("caller_id", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),  # null when the caller gave none: nulls never equal each other
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
    sa.Index("changes_without_leaf", "tenant", "seq", sqlite_where=HAS_NO_LEAF, postgresql_where=HAS_NO_LEAF),
    sa.Index("changes_by_instant", "tenant", "recorded_at", "seq"),
)

# The last sequence number of each tenant, and the instant it was given.
sequence = sa.Table(
    "sequence",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
)

# Which sources had to report each kind of fact from a sequence on: JSON, kind → names. No row before the first change.
requirements = sa.Table(
    "requirements",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sources", sa.Text, nullable=False),
)
