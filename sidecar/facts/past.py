"""What a question asked at an earlier sequence could see: the snapshot of then, without the rest of the tenant."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from sidecar.core.bundle import PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Grant, Request
from sidecar.facts import reads, rows, tables
from sidecar.facts.patch import GRANTS_KEPT, ends, held_grants

NORMAL = "normal"  # the access mode that uses no grant

_grants = tables.grants.c
_OWN_GRANTS = (
    sa.select(_grants.body)
    .where(
        _grants.tenant == sa.bindparam("tenant"),
        sa.or_(_grants.subject_id == sa.bindparam("subject"), _grants.patient_id == sa.bindparam("patient")),
        reads.standing(tables.grants),
    )
    .order_by(_grants.recorded_seq, _grants.id)
)


def snapshot(
    connection: sa.Connection,
    tenant: str,
    controller_id: str,
    patient_id: str,
    request: Request,
    at: int,
    required: Mapping[str, tuple[str, ...]],
) -> Snapshot:
    """What stood at sequence `at`, as far as this question could ask for it; an empty `patient_id` is nobody.

    `required` are the sources that must report each kind now, for a tenant of which it was never noted.

    Of staff it holds whoever the question or the facts found name, directly or through a delegation: a word can
    only look up a name it has read. Raises msgspec.DecodeError for a garbled row.
    """
    patient = PatientFacts("", controller_id, at)
    if patient_id:
        patient = reads.patient(connection, tenant, controller_id, patient_id, at)
    noted = reads.required(connection, tenant, at)
    recorded_at = reads.recorded_at(connection, tenant, at)
    held = TenantFacts(
        tenant=tenant,
        seq=at,
        required=noted if noted is not None else required,
        watermarks=reads.watermarks(connection, tenant, at),
        **_staff(connection, tenant, {*texts(request), *texts(patient)}, at),
        **held_grants(_own_grants(connection, tenant, request, at, recorded_at), recorded_at),
    )
    return Snapshot(held, patient)


def texts(value: object) -> Iterator[str]:
    """Every text inside a value that is not empty."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from texts(getattr(value, field))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts(each)


def _staff(connection: sa.Connection, tenant: str, names: set[str], at: int) -> dict[str, Any]:
    """The tables of TenantFacts, as far as `names` and the names found under them reach."""
    staff: dict[str, Any] = {table: {} for table in rows.STAFF}
    asked: set[str] = set()
    while names:
        asked |= names
        fresh: set[str] = set()
        for table, held in staff.items():
            for key, known in reads.staff_under(connection, tenant, table, names, at).items():
                if known:
                    held[key] = known
                    fresh.update(texts(known))
        names = fresh - asked
    return staff


def _own_grants(connection: sa.Connection, tenant: str, request: Request, at: int, recorded_at: int) -> Iterable[Grant]:
    """The grants of the subject, for an opening counts them, of the patient, who may not know of them yet, and the one
    the question names; none forgotten by then.

    But who ends or reviews a grant is shown it however long ago it ended: that is no emergency.
    """
    subject, about = request.subject.id, request.resource.patient_id
    values = {"tenant": tenant, "subject": subject, "patient": about, "at": at}
    own = map(rows.grant, connection.execute(_OWN_GRANTS, values).scalars())
    # What somebody else wrote is theirs: no decision of this subject rests on it.
    found = {held.id: held if held.subject_id == subject else replace(held, justification="") for held in own}
    named = reads.grant(connection, tenant, request.context.grant, at) if request.context.grant else None
    if named is not None:
        found[named.id] = named
    shown = named.id if named is not None and request.context.access_mode == NORMAL else ""
    return [held for held in found.values() if held.id == shown or ends(held) > recorded_at - GRANTS_KEPT]
