"""Facts and grants ↔ rows of the store."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import RowMapping

from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.model import Fact, Grant, Known

_fact_of = msgspec.json.Decoder(Fact).decode
_grant_of = msgspec.json.Decoder(Grant).decode
_sources_of = msgspec.json.Decoder(dict[str, tuple[str, ...]]).decode
_encode = msgspec.json.Encoder().encode

# Table of TenantFacts → the kind it holds (any, where only the column matters) and the column that is its key.
STAFF = {
    "assignments": ("assignment", "subject_id"),
    "delegations": ("delegation", "subject_id"),
    "contracts": ("contract", "provider_id"),
    "refs": ("", "ref"),
}

# Kind → field of PatientFacts. An alias has two: the names of one patient, or a patient who works here.
_SHELVES = {
    "stay": "stays",
    "relation": "relations",
    "directive": "directives",
    "record_state": "record_states",
    "call": "calls",
}


class Named(Struct, frozen=True):
    """Whom and what a fact names: the columns that reads select by."""

    kind: str
    controller_id: str
    patient_id: str = ""
    other_patient_id: str = ""
    subject_id: str = ""
    from_subject_id: str = ""
    provider_id: str = ""
    unit: str = ""
    ref: str = ""

    def patients(self) -> Iterator[str]:
        """The patients whose bundle holds the fact."""
        return (name for name in (self.patient_id, self.other_patient_id) if name)

    def staff(self) -> Iterator[tuple[str, str]]:
        """(table of TenantFacts, key) under which the whole tenant holds the fact."""
        for table, (kind, column) in STAFF.items():
            key = getattr(self, column)
            if (kind or self.kind) == self.kind and key:
                yield table, key


NAMED = Named.__struct_fields__


def named(fact: Fact) -> Named:
    """Whom and what `fact` names. Raises ValueError when not exactly one body is set."""
    kind, controller_id = fact.kind, fact.controller_id
    if fact.alias is not None:
        patient_id, other_id = fact.alias.patient_id, fact.alias.other_id
        if fact.alias.kind == "same_person":  # the other name is a subject's, not a patient's
            return Named(kind, controller_id, patient_id, subject_id=other_id)
        return Named(kind, controller_id, patient_id, other_id)
    if fact.delegation is not None:
        to, of = fact.delegation.to_subject_id, fact.delegation.from_subject_id
        return Named(kind, controller_id, fact.delegation.patient_id, subject_id=to, from_subject_id=of)
    if fact.stay is not None:
        stay = fact.stay
        return Named(kind, controller_id, stay.patient_id, subject_id=stay.responsible_id, unit=stay.unit)
    if fact.directive is not None:
        target = fact.directive.target
        return Named(kind, controller_id, fact.directive.patient_id, subject_id=target.subject_id, unit=target.unit)
    body = getattr(fact, kind)
    same = ("patient_id", "subject_id", "provider_id", "unit", "ref")
    signer = fact.relation.requester_id if fact.relation is not None else ""
    return Named(kind, controller_id, from_subject_id=signer, **{name: getattr(body, name, "") for name in same})


def shelf(row: RowMapping) -> str | None:
    """The field of PatientFacts that holds the fact of a row; None when a bundle does not hold its kind."""
    if row["kind"] == "alias":
        return "aliases" if row["other_patient_id"] else "persons"
    return _SHELVES.get(row["kind"])


def body(fact: Fact) -> str:
    """The JSON that tells two versions of a fact apart: everything but `as_of`."""
    return _encode(replace(fact, as_of=None)).decode()


def fact(text: str) -> Fact:
    """The fact of its JSON. Raises msgspec.DecodeError for a garbled one."""
    return _fact_of(text)


def known(row: RowMapping) -> Known:
    """The fact of a row, with its version and instants. Raises msgspec.DecodeError for a garbled body."""
    fact = _fact_of(row["body"])
    period = fact.period
    return Known(
        fact=fact,
        kind=row["kind"],
        seq=row["recorded_seq"],
        start=NEVER if period.from_ is None else period.from_,
        end=FOREVER if period.to is None else period.to,
        as_of=row["fresh_as_of"],
    )


def grant_body(grant: Grant) -> str:
    """The JSON of a grant."""
    return _encode(grant).decode()


def grant(text: str) -> Grant:
    """The grant of its JSON. Raises msgspec.DecodeError for a garbled one."""
    return _grant_of(text)


def sources_body(required: Mapping[str, tuple[str, ...]]) -> str:
    """The JSON of the sources that must report each kind."""
    return _encode(dict(sorted(required.items()))).decode()


def sources(text: str) -> dict[str, tuple[str, ...]]:
    """The sources of their JSON. Raises msgspec.DecodeError for a garbled one."""
    return _sources_of(text)
