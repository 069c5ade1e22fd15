"""What stood at a sequence: patients, staff, grants, watermarks.

Every read names the sequence it is read at, so a change that is on disk and not yet acknowledged is not seen.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from sidecar.core.bundle import PatientFacts, TenantFacts
from sidecar.core.model import Grant, Known
from sidecar.facts import rows, tables
from sidecar.facts.patch import GRANTS_KEPT, held_grants

# Fewer than any database takes as parameters of one statement.
CHUNK = 500

_facts, _refreshes, _marks, _grants, _changes = (
    table.c for table in (tables.facts, tables.refreshes, tables.watermarks, tables.grants, tables.changes)
)
AT = sa.bindparam("at", type_=sa.BigInteger)
_tenant = sa.bindparam("tenant", type_=sa.Text)
_controller = sa.bindparam("controller", type_=sa.Text)
_keys = sa.bindparam("keys", type_=sa.Text, expanding=True)


def standing(table: sa.Table) -> sa.ColumnElement[bool]:
    """That a row of `table` stood at the sequence bound to `at`."""
    superseded = table.c.superseded_seq
    return sa.and_(table.c.recorded_seq <= AT, sa.or_(superseded.is_(None), superseded > AT))


# The latest `as_of` of a row: its own, or that of a later statement which said the same.
FRESH = sa.func.coalesce(
    sa.select(sa.func.max(_refreshes.as_of))
    .where(_refreshes.fact_row == _facts.row, _refreshes.seq <= AT)
    .scalar_subquery(),
    _facts.as_of,
).label("fresh_as_of")

_KNOWN = (
    sa.select(_facts.row, _facts.kind, _facts.body, _facts.recorded_seq, FRESH)
    .where(standing(tables.facts))
    .order_by(_facts.row)
)
# The rows that name a patient, by either index: an OR over both would walk every patient of the controller.
_OF_CONTROLLER = sa.select(_facts.row).where(_facts.tenant == _tenant, _facts.controller_id == _controller)
_NAMING = _facts.row.in_(
    sa.union(
        _OF_CONTROLLER.where(_facts.patient_id.in_(_keys)),
        _OF_CONTROLLER.where(_facts.other_patient_id.in_(_keys), tables.HAS_OTHER_NAME),
    )
)
_BUNDLE = _KNOWN.add_columns(_facts.patient_id, _facts.other_patient_id).where(_NAMING)
_ALIASES = sa.select(_facts.patient_id, _facts.other_patient_id).where(
    _NAMING, tables.HAS_OTHER_NAME, standing(tables.facts)
)
_STAFF = {
    table: _KNOWN.add_columns(_facts[column].label("key")).where(
        _facts.tenant == _tenant, _facts.kind == kind if kind else tables.HAS_REF
    )
    for table, (kind, column) in rows.STAFF.items()
}
_STAFF_UNDER = {table: _STAFF[table].where(_facts[column].in_(_keys)) for table, (_, column) in rows.STAFF.items()}

_MARKS = sa.select(_marks.controller_id, _marks.source, _marks.kind, _marks.complete_until).where(
    _marks.tenant == _tenant, _marks.recorded_seq <= AT
)
# Two reads, each by its index: feeds mark completeness all day, and nearly every row has long been superseded.
WATERMARKS = sa.union_all(_MARKS.where(_marks.superseded_seq.is_(None)), _MARKS.where(_marks.superseded_seq > AT))
_GRANTS = sa.select(_grants.body).where(_grants.tenant == _tenant, standing(tables.grants))
_RECENT_GRANTS = _GRANTS.where(_grants.ends > sa.bindparam("since")).order_by(_grants.recorded_seq, _grants.id)
_GRANT = _GRANTS.where(_grants.id == sa.bindparam("id"))

_LAST = sa.select(tables.sequence.c.seq).where(tables.sequence.c.tenant == _tenant)
_FIRST_PENDING = sa.select(sa.func.min(_changes.seq)).where(_changes.tenant == _tenant, _changes.leaf_index.is_(None))
_REQUIRED = (
    sa.select(tables.requirements.c.sources)
    .where(tables.requirements.c.tenant == _tenant, tables.requirements.c.seq <= AT)
    .order_by(tables.requirements.c.seq.desc())
    .limit(1)
)
_LAST_BY = (
    sa.select(_changes.seq)
    .where(_changes.tenant == _tenant, _changes.recorded_at <= sa.bindparam("instant"))
    .order_by(_changes.recorded_at.desc(), _changes.seq.desc())
    .limit(1)
)
_RECORDED_AT = sa.select(_changes.recorded_at).where(_changes.tenant == _tenant, _changes.seq == AT)


def chunks(keys: Collection[str]) -> Iterator[list[str]]:
    """`keys` in an order of their own, a statement's worth at a time."""
    ordered = sorted(keys)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def visible(connection: sa.Connection, tenant: str) -> int:
    """The sequence before the first change of the tenant whose leaf was not acknowledged; 0 before any change."""
    last: int = connection.execute(_LAST, {"tenant": tenant}).scalar() or 0
    pending: int | None = connection.execute(_FIRST_PENDING, {"tenant": tenant}).scalar()
    return last if pending is None else pending - 1


def sequence_at(connection: sa.Connection, tenant: str, instant: int) -> int:
    """The last sequence of the tenant recorded at or before an instant; 0 when there is none."""
    return connection.execute(_LAST_BY, {"tenant": tenant, "instant": instant}).scalar() or 0


def names(connection: sa.Connection, tenant: str, controller_id: str, of: Iterable[str], at: int) -> set[str]:
    """`of` and every name that merges and unmerges tie to them, whenever those are in force."""
    found = set(of)
    fresh = found
    while fresh:
        linked: set[str] = set()
        for keys in chunks(fresh):
            values = {"tenant": tenant, "controller": controller_id, "keys": keys, "at": at}
            linked.update(name for row in connection.execute(_ALIASES, values) for name in row)
        fresh = linked - found
        found = found | fresh
    return found


def patient(connection: sa.Connection, tenant: str, controller_id: str, patient_id: str, at: int) -> PatientFacts:
    """Everything that stood about a patient, under every name that merges and unmerges tie to `patient_id`.

    Raises msgspec.DecodeError for a garbled row.
    """
    shelves: dict[str, dict[int, Known]] = {}
    asked: set[str] = set()
    fresh = {patient_id}
    while fresh:
        asked |= fresh
        linked: set[str] = set()
        for keys in chunks(fresh):
            values = {"tenant": tenant, "controller": controller_id, "keys": keys, "at": at}
            for row in connection.execute(_BUNDLE, values).mappings():
                shelf = rows.shelf(row)
                if shelf is not None:
                    shelves.setdefault(shelf, {})[row["row"]] = rows.known(row)
                if row["other_patient_id"]:
                    linked.update((row["patient_id"], row["other_patient_id"]))
        fresh = linked - asked
    held = {shelf: tuple(facts.values()) for shelf, facts in shelves.items()}
    return PatientFacts(patient_id, controller_id, at, **held)


def tenant_facts(
    connection: sa.Connection, tenant: str, at: int, required: Mapping[str, tuple[str, ...]]
) -> TenantFacts:
    """Everything that stood in a tenant beside its patients. Raises msgspec.DecodeError for a garbled row."""
    values = {"tenant": tenant, "at": at}
    staff: dict[str, Any] = {
        table: _grouped(connection.execute(statement, values).mappings()) for table, statement in _STAFF.items()
    }
    # Grants that ended long before the last change are not loaded; the clock of this process has no say in it.
    now = recorded_at(connection, tenant, at)
    recent = connection.execute(_RECENT_GRANTS, {**values, "since": now - GRANTS_KEPT}).scalars()
    return TenantFacts(
        tenant=tenant,
        seq=at,
        required=required,
        watermarks=watermarks(connection, tenant, at),
        **staff,
        **held_grants(map(rows.grant, recent), now),
    )


def required(connection: sa.Connection, tenant: str, at: int) -> dict[str, tuple[str, ...]] | None:
    """The sources that had to report each kind of fact at sequence `at`; None where that was never noted."""
    text = connection.execute(_REQUIRED, {"tenant": tenant, "at": at}).scalar()
    return None if text is None else rows.sources(text)


def recorded_at(connection: sa.Connection, tenant: str, at: int) -> int:
    """The instant of a sequence; 0 before any change."""
    return connection.execute(_RECORDED_AT, {"tenant": tenant, "at": at}).scalar() or 0


def watermarks(connection: sa.Connection, tenant: str, at: int) -> dict[tuple[str, str, str], int]:
    """How complete each feed was: (controller, source, kind) → the instant up to which it had told everything."""
    found = connection.execute(WATERMARKS, {"tenant": tenant, "at": at})
    return {(controller_id, source, kind): until for controller_id, source, kind, until in found}


def staff_under(
    connection: sa.Connection, tenant: str, table: str, keys: Collection[str], at: int
) -> dict[str, tuple[Known, ...]]:
    """What stood under each of `keys` of a table of TenantFacts; an empty tuple where nothing did."""
    found: dict[str, tuple[Known, ...]] = dict.fromkeys(keys, ())
    for chunk in chunks(keys):
        values = {"tenant": tenant, "keys": chunk, "at": at}
        found.update(_grouped(connection.execute(_STAFF_UNDER[table], values).mappings()))
    return found


def grant(connection: sa.Connection, tenant: str, grant_id: str, at: int) -> Grant | None:
    """The grant of an id as it stood, however long ago it ended."""
    text = connection.execute(_GRANT, {"tenant": tenant, "id": grant_id, "at": at}).scalar()
    return None if text is None else rows.grant(text)


def _grouped(result: Iterable[Any]) -> dict[str, tuple[Known, ...]]:
    grouped: dict[str, list[Known]] = {}
    for row in result:
        grouped.setdefault(row["key"], []).append(rows.known(row))
    return {key: tuple(facts) for key, facts in grouped.items()}
