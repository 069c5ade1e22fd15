"""Facts as they stand, or as they stood, a page at a time."""

from collections.abc import Collection

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from sidecar.core.model import Watermark
from sidecar.core.reading import FactsQuery, FactVersion
from sidecar.facts import reads, rows, tables

_facts = tables.facts.c
_GIVEN = ("delegation", "relation")  # kinds that name somebody else too: who delegates, who signed a request


class Page(Struct, frozen=True):
    """Versions in the order they were recorded; `last_row` is where the next page starts, 0 when there is none."""

    versions: tuple[FactVersion, ...]
    last_row: int


def page(
    connection: sa.Connection,
    tenant: str,
    controllers: Collection[str],
    query: FactsQuery,
    at: int,
    visible: int,
    after_row: int,
    size: int,
) -> Page:
    """The facts of these controllers that stood at sequence `at` and match, from behind `after_row`.

    What a change after `visible` ended still stands, as far as anybody may know.
    """
    statement = (
        sa.select(_facts.row, _facts.body, _facts.recorded_seq, _facts.recorded_at, _facts.superseded_seq, reads.FRESH)
        .where(
            _facts.tenant == tenant,
            _facts.controller_id.in_(sorted(controllers)),
            _facts.row > after_row,
            reads.standing(tables.facts),
            *_matching(query),
        )
        .order_by(_facts.row)
        .limit(size + 1)
    )
    found = connection.execute(statement, {"at": at}).all()
    versions = tuple(
        FactVersion(
            fact=replace(rows.fact(row.body), as_of=row.fresh_as_of),
            recorded_seq=row.recorded_seq,
            superseded_seq=row.superseded_seq if row.superseded_seq and row.superseded_seq <= visible else 0,
            recorded_at=row.recorded_at,
        )
        for row in found[:size]
    )
    return Page(versions, found[size - 1].row if len(found) > size else 0)


def watermarks(connection: sa.Connection, tenant: str, controllers: Collection[str], at: int) -> tuple[Watermark, ...]:
    """The watermarks of these controllers that stood at sequence `at`, kinds of one instant together."""
    kinds: dict[tuple[str, str, int], list[str]] = {}
    for controller_id, source, kind, until in connection.execute(reads.WATERMARKS, {"tenant": tenant, "at": at}):
        if controller_id in controllers:
            kinds.setdefault((controller_id, source, until), []).append(kind)
    return tuple(
        Watermark(source, tuple(sorted(named)), until, controller_id)
        for (controller_id, source, until), named in sorted(kinds.items())
    )


def _matching(query: FactsQuery) -> list[sa.ColumnElement[bool]]:
    matching: list[sa.ColumnElement[bool]] = []
    if query.patient_id:
        names = (_facts.patient_id, _facts.other_patient_id)
        matching.append(sa.or_(*(name == query.patient_id for name in names)))
    if query.subject_id:
        giver = sa.and_(_facts.kind.in_(_GIVEN), _facts.from_subject_id == query.subject_id)
        matching.append(sa.or_(_facts.subject_id == query.subject_id, giver))
    if query.ids:
        matching.append(_facts.id.in_(query.ids))
    if query.kinds:
        matching.append(_facts.kind.in_(query.kinds))
    return matching
