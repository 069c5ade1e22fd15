"""Grants as lists show them, and the notices of the outbox: what somebody must know, and whether they do.

Nothing is shown of a change whose leaf the ledger has not acknowledged yet: no notice tells of what may never count.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from sidecar.core.model import Grant
from sidecar.core.notices import Notice
from sidecar.core.reading import GrantsQuery, GrantTotals
from sidecar.errors import InvalidRequest
from sidecar.facts import reads, rows, tables

_grants, _notices = tables.grants.c, tables.notices.c
_SHOWN = (
    _notices.id,
    _notices.tenant,
    _notices.controller_id,
    _notices.grant_id,
    _notices.what,
    _notices.audience,
    _notices.at,
    _notices.due,
    _notices.seq,
    _notices.delivered_at,
    _notices.acknowledged_at,
    _notices.attempts,
)
_VISIBLE = sa.select(*_SHOWN).where(
    _notices.tenant == sa.bindparam("tenant", type_=sa.Text), _notices.recorded_seq <= reads.AT
)


def grants(
    connection: sa.Connection,
    tenant: str,
    controllers: Collection[str],
    query: GrantsQuery,
    at: int,
    now: int,
    after: str,
    limit: int,
) -> list[Grant]:
    """The grants that stood at sequence `at` and match, those whose review is due first before the others.

    `after` is the id of the last one shown before, empty at the beginning. Raises InvalidRequest when there is none.
    """
    found = (
        sa.select(_grants.body)
        .where(_grants.tenant == tenant, _grants.controller_id.in_(controllers), reads.standing(tables.grants))
        .where(*_matching(query, now))
        .order_by(_grants.reviewed, _grants.review_due, _grants.id)
        .limit(limit)
    )
    values: dict[str, Any] = {"at": at}
    if after:
        last = sa.select(_grants.reviewed, _grants.review_due, _grants.id).where(
            _grants.tenant == tenant, _grants.id == after, reads.standing(tables.grants)
        )
        place = connection.execute(last, values).one_or_none()
        if place is None:
            raise InvalidRequest("page_token", "expected empty, or the `next_page_token` of a page shown before")
        found = found.where(sa.tuple_(_grants.reviewed, _grants.review_due, _grants.id) > sa.tuple_(*place))
    return [rows.grant(body) for body in connection.execute(found, values).scalars()]


def totals(connection: sa.Connection, tenant: str, controllers: Collection[str], at: int, now: int) -> GrantTotals:
    """What stands in these controllers now."""
    standing = (_grants.tenant == tenant, _grants.controller_id.in_(controllers), reads.standing(tables.grants))
    opened = sa.case((_open(now), 1), else_=0)
    late = sa.case((_grants.review_due <= now, 1), else_=0)
    unreviewed = sa.select(sa.func.sum(opened), sa.func.sum(late), sa.func.count()).where(
        *standing, _grants.reviewed == 0
    )
    open_, overdue, count = connection.execute(unreviewed, {"at": at}).one()
    oldest = sa.select(sa.func.min(_grants.opened_at)).where(*standing, _grants.reviewed == 0, ~_open(now))
    known = sa.select(sa.func.count(), sa.func.sum(sa.case((_notices.due <= now, 1), else_=0))).where(
        _notices.tenant == tenant,
        _notices.controller_id.in_(controllers),
        _notices.recorded_seq <= at,
        tables.NOT_KNOWN,
    )
    pending, missed = connection.execute(known).one()
    return GrantTotals(
        open=open_ or 0,
        pending=count - (open_ or 0),
        overdue=overdue or 0,
        notices_pending=pending,
        notices_overdue=missed or 0,
        oldest_unreviewed=connection.execute(oldest, {"at": at}).scalar(),
    )


def notices(
    connection: sa.Connection, tenant: str, controllers: Collection[str], audiences: Sequence[str], after: int, at: int,
    limit: int,
) -> list[Notice]:  # fmt: skip
    """The notices after `after`, in the order they were committed."""
    found = _VISIBLE.where(_notices.seq > after, _notices.controller_id.in_(controllers))
    if audiences:
        found = found.where(_notices.audience.in_(audiences))
    return _read(connection, found.order_by(_notices.seq).limit(limit), tenant, at)


def of_grant(connection: sa.Connection, tenant: str, grant_id: str, at: int) -> list[Notice]:
    """Every notice of a grant, in the order they were committed."""
    return _read(connection, _VISIBLE.where(_notices.grant_id == grant_id).order_by(_notices.seq), tenant, at)


def named(connection: sa.Connection, tenant: str, ids: Collection[str], at: int) -> list[Notice]:
    """The notices of these ids, in the order they were committed."""
    return _read(connection, _VISIBLE.where(_notices.id.in_(ids)).order_by(_notices.seq), tenant, at)


def undelivered(connection: sa.Connection, tenant: str, after: int, at: int, limit: int) -> list[Notice]:
    """The notices that nobody has taken yet, in the order they were committed, behind `after`."""
    found = _VISIBLE.where(_notices.seq > after, tables.NOT_DELIVERED).order_by(_notices.seq).limit(limit)
    return _read(connection, found, tenant, at)


def note_attempt(tx: sa.Connection, tenant: str, notice_id: str, taken: bool, now: int) -> None:
    """Count a delivery that was tried, and note when it was first taken."""
    change: dict[str, Any] = {"attempts": _notices.attempts + 1}
    if taken:
        change["delivered_at"] = sa.func.coalesce(_notices.delivered_at, now)
    tx.execute(sa.update(tables.notices).where(_notices.tenant == tenant, _notices.id == notice_id).values(**change))


def _read(connection: sa.Connection, statement: sa.Select[Any], tenant: str, at: int) -> list[Notice]:
    found = connection.execute(statement, {"tenant": tenant, "at": at}).mappings()
    return [Notice(**row) for row in found]


def _open(now: int) -> sa.ColumnElement[bool]:
    return sa.and_(_grants.ended == "", _grants.ends > now)


def _matching(query: GrantsQuery, now: int) -> list[sa.ColumnElement[bool]]:
    matching: list[sa.ColumnElement[bool]] = []
    if query.subject_id:
        matching.append(_grants.subject_id == query.subject_id)
    if query.patient_id:
        matching.append(_grants.patient_id == query.patient_id)
    if query.opened_from is not None:
        matching.append(_grants.opened_at >= query.opened_from)
    if query.opened_to is not None:
        matching.append(_grants.opened_at < query.opened_to)
    if query.states:
        matching.append(sa.or_(*(_in_state(state, now) for state in query.states)))
    return matching


def _in_state(state: str, now: int) -> sa.ColumnElement[bool]:
    ran_out = sa.and_(_grants.ended == "", _grants.ends <= now)
    return {
        "open": _open(now),
        "expired": sa.or_(_grants.ended == "expired", ran_out),
        "closed": _grants.ended == "closed",
        "revoked": _grants.ended == "revoked",
        "reviewed": _grants.reviewed == 1,
        "pending": sa.and_(_grants.reviewed == 0, ~_open(now)),
        "overdue": sa.and_(_grants.reviewed == 0, _grants.review_due <= now),
    }[state]
