"""Rows of one change: what it adds and ends, and the patch it makes of the view.

No row is overwritten: a fact said anew gets a new row, and the row it replaces a `superseded_seq`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace
from sqlalchemy.engine import RowMapping

from sidecar.core.change import Counts, FactsChange, GrantChange, NoticesChange
from sidecar.core.model import Fact, Grant
from sidecar.core.notices import Notice
from sidecar.facts import reads, rows, tables
from sidecar.facts.patch import Patch, Staff, ends
from sidecar.facts.rows import NAMED, Named

Key = tuple[str, str, str]  # controller, source, id

_facts, _marks, _grants, _notices = tables.facts.c, tables.watermarks.c, tables.grants.c, tables.notices.c
_HELD = sa.select(
    _facts.row, _facts.source, _facts.id, _facts.body, *(_facts[name] for name in NAMED), reads.FRESH
).where(
    _facts.tenant == sa.bindparam("tenant"),
    _facts.controller_id == sa.bindparam("controller"),
    _facts.source == sa.bindparam("source"),
    _facts.id.in_(sa.bindparam("ids", expanding=True)),
    _facts.superseded_seq.is_(None),
)


def keep_facts(tx: sa.Connection, change: FactsChange, seq: int, recorded_at: int) -> tuple[Counts, Patch]:
    """Add and end the facts and watermarks of a change; gives its counts and what it makes of the view."""
    completed = (_completed(fact, change) for fact in change.facts)
    facts = {(fact.controller_id, fact.source, fact.id): fact for fact in completed}
    retracted = {(change.controller_id, gone.source, gone.id) for gone in change.retract}
    held = _held(tx, change.tenant, seq, [*facts, *retracted])

    news = {key: fact for key, fact in facts.items() if key not in held or held[key]["body"] != rows.body(fact)}
    fresher = [key for key in facts.keys() - news.keys() if _as_of(facts[key]) > held[key]["fresh_as_of"]]
    gone = [key for key in held if key in news or key in retracted]

    _supersede(tx, tables.facts, [held[key]["row"] for key in gone], seq)
    _insert(tx, tables.facts, [_row(change.tenant, fact, seq, recorded_at) for fact in news.values()])
    _insert(tx, tables.refreshes, [_refresh(change.tenant, held[key], facts[key], seq) for key in fresher])
    watermarks = _keep_watermarks(tx, change, seq)

    touched = {rows.named(fact) for fact in news.values()}
    touched |= {Named(**{name: held[key][name] for name in NAMED}) for key in (*gone, *fresher)}
    counts = (len(news), len(facts) - len(news), len(retracted & held.keys()))
    return counts, Patch(
        tenant=change.tenant,
        seq=seq,
        now=recorded_at,
        patients=_patients(tx, change.tenant, seq, touched),
        staff=_staff(tx, change.tenant, seq, touched),
        watermarks=watermarks,
    )


def keep_grant(tx: sa.Connection, change: GrantChange, seq: int, recorded_at: int) -> tuple[Counts, Patch]:
    """Add a grant or its next version, and who must know of it."""
    _put_grant(tx, change.grant, seq)
    _insert(tx, tables.notices, [_notice(notice, seq) for notice in change.notices])
    return (1, 0, 0), Patch(change.tenant, seq, recorded_at, grants=(change.grant,))


def _put_grant(tx: sa.Connection, grant: Grant, seq: int) -> None:
    """Let this version of a grant stand from now on."""
    tx.execute(
        sa.update(tables.grants)
        .where(_grants.tenant == grant.tenant, _grants.id == grant.id, _grants.superseded_seq.is_(None))
        .values(superseded_seq=seq)
    )
    row = {
        "tenant": grant.tenant,
        "id": grant.id,
        "recorded_seq": seq,
        "controller_id": grant.controller_id,
        "subject_id": grant.subject_id,
        "patient_id": grant.patient_id,
        "ends": ends(grant),
        "body": rows.grant_body(grant),
        "opened_at": grant.opened_at,
        "review_due": grant.review_due,
        "reviewed": grant.review is not None,
        "ended": grant.ended,
    }
    tx.execute(sa.insert(tables.grants), row)


def keep_acknowledgement(tx: sa.Connection, change: NoticesChange, seq: int, recorded_at: int) -> tuple[Counts, Patch]:
    """Note that these notices are known; those that were already stay as they are."""
    known = tx.execute(
        sa.update(tables.notices)
        .where(_notices.tenant == change.tenant, _notices.id.in_(change.notices), _notices.acknowledged_at.is_(None))
        .values(acknowledged_at=change.now, acknowledged_seq=seq)
    )
    for grant in change.grants:
        _put_grant(tx, grant, seq)
    counts = (known.rowcount, len(change.notices) - known.rowcount, 0)
    return counts, Patch(change.tenant, seq, recorded_at, grants=change.grants)


def _completed(fact: Fact, change: FactsChange) -> Fact:
    """The fact with its controller and instant. Stated in the future it would stay fresh for ever: it counts as now."""
    as_of = change.now if fact.as_of is None else min(fact.as_of, change.now)
    return replace(fact, controller_id=fact.controller_id or change.controller_id, as_of=as_of)


def _held(tx: sa.Connection, tenant: str, at: int, keys: Sequence[Key]) -> dict[Key, RowMapping]:
    """The rows that stand under `keys`."""
    ids: dict[tuple[str, str], set[str]] = {}
    for controller_id, source, fact_id in keys:
        ids.setdefault((controller_id, source), set()).add(fact_id)
    held: dict[Key, RowMapping] = {}
    for (controller_id, source), named in ids.items():
        for chunk in reads.chunks(named):
            values = {"tenant": tenant, "controller": controller_id, "source": source, "ids": chunk, "at": at}
            for row in tx.execute(_HELD, values).mappings():
                held[(controller_id, source, row["id"])] = row
    return held


def _keep_watermarks(tx: sa.Connection, change: FactsChange, seq: int) -> dict[Key, int]:
    """Add the watermarks that say something new: (controller, source, kind) → complete until."""
    said: dict[Key, int] = {}
    for mark in change.watermarks:
        for kind in mark.kinds:
            key = (mark.controller_id or change.controller_id, mark.source, kind)
            # Nobody knows what will be said later: completeness ends now at the latest. Of two, the lower holds.
            said[key] = min(mark.complete_until, change.now, said.get(key, change.now))
    news: dict[Key, int] = {}
    for key, until in said.items():
        names = (_marks.controller_id, _marks.source, _marks.kind)
        of = (_marks.tenant == change.tenant, *(name == value for name, value in zip(names, key, strict=True)))
        stands = tx.execute(sa.select(_marks.complete_until).where(*of, _marks.superseded_seq.is_(None))).scalar()
        if stands == until:
            continue
        news[key] = until
        tx.execute(sa.update(tables.watermarks).where(*of, _marks.superseded_seq.is_(None)).values(superseded_seq=seq))
    _insert(
        tx,
        tables.watermarks,
        [
            {
                "tenant": change.tenant,
                "controller_id": controller_id,
                "source": source,
                "kind": kind,
                "recorded_seq": seq,
                "complete_until": until,
            }
            for (controller_id, source, kind), until in news.items()
        ],
    )
    return news


def _patients(tx: sa.Connection, tenant: str, at: int, touched: Iterable[Named]) -> frozenset[tuple[str, str]]:
    """Every (controller, name) whose bundle a change of these facts alters."""
    by_controller: dict[str, set[str]] = {}
    for fact in touched:
        by_controller.setdefault(fact.controller_id, set()).update(fact.patients())
    return frozenset(
        (controller_id, name)
        for controller_id, names in by_controller.items()
        # An alias that was ended has both its names here, so what hung together through it is reached from either.
        for name in reads.names(tx, tenant, controller_id, names, at)
    )


def _staff(tx: sa.Connection, tenant: str, at: int, touched: Iterable[Named]) -> Staff:
    """What now stands under every key of TenantFacts that a change of these facts alters."""
    keys: dict[str, set[str]] = {}
    for fact in touched:
        for table, key in fact.staff():
            keys.setdefault(table, set()).add(key)
    return {table: reads.staff_under(tx, tenant, table, names, at) for table, names in keys.items()}


def _supersede(tx: sa.Connection, table: sa.Table, ended: Sequence[int], seq: int) -> None:
    for start in range(0, len(ended), reads.CHUNK):
        chunk = ended[start : start + reads.CHUNK]
        tx.execute(sa.update(table).where(table.c.row.in_(chunk)).values(superseded_seq=seq))


def _insert(tx: sa.Connection, table: sa.Table, new: list[dict[str, Any]]) -> None:
    if new:
        tx.execute(sa.insert(table), new)


def _row(tenant: str, fact: Fact, seq: int, recorded_at: int) -> dict[str, Any]:
    return {
        **asdict(rows.named(fact)),
        "tenant": tenant,
        "source": fact.source,
        "id": fact.id,
        "period_from": fact.period.from_,
        "period_to": fact.period.to,
        "as_of": fact.as_of,
        "body": rows.body(fact),
        "recorded_seq": seq,
        "recorded_at": recorded_at,
    }


def _refresh(tenant: str, held: RowMapping, fact: Fact, seq: int) -> dict[str, Any]:
    return {
        "fact_row": held["row"],
        "seq": seq,
        "tenant": tenant,
        "controller_id": fact.controller_id,
        "as_of": fact.as_of,
    }


def _notice(notice: Notice, seq: int) -> dict[str, Any]:
    return {
        "id": notice.id,
        "tenant": notice.tenant,
        "controller_id": notice.controller_id,
        "grant_id": notice.grant_id,
        "what": notice.what,
        "audience": notice.audience,
        "at": notice.at,
        "due": notice.due,
        "recorded_seq": seq,
        "attempts": 0,
    }


def _as_of(fact: Fact) -> int:
    return fact.as_of or 0
