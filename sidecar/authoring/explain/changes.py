"""Changes of one thing — a fact, a feed's word, a field of the request — and the question as it is after one."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.explain import behind
from sidecar.authoring.explain.rows import Rulebook
from sidecar.authoring.explain.texts import MISSING, say
from sidecar.authoring.explain.walk import Asked, opening_request
from sidecar.core import instants
from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Authentication, Device, Fact, Known, Watermark

S = TypeVar("S", bound=Struct)

PARTS: Mapping[str, Struct] = {"authentication": Authentication(), "device": Device()}  # absent parts of a request
# What an opening, an ending and a review say too; the rest of their question follows from the pack and the grant.
PARTS_OF_OPENING = frozenset(("subject", "authentication", "device"))
FIELDS_OF_OPENING = frozenset(("context.motive", "resource.controller_id"))

INDEXES = {"assignment": "assignments", "delegation": "delegations", "contract": "contracts", "relation": "refs"}
KEYS = {"assignment": "subject_id", "delegation": "to_subject_id", "contract": "provider_id", "relation": "ref"}
SHELVES = {
    "stay": "stays",
    "relation": "relations",
    "directive": "directives",
    "record_state": "record_states",
    "call": "calls",
}


class Change(Struct, frozen=True):
    """One thing that differs: a fact added, a fact taken away, a feed that speaks, or a field of the request."""

    kind: Literal["fact", "taken", "feed", "request"]
    fact: Fact | None = None
    watermark: Watermark | None = None
    field: str = ""
    value: object = None


def changed(rules: Rulebook, asked: Asked, change: Change) -> Asked:
    """The question as it would be."""
    if change.kind == "request":
        return _requested(rules, asked, change.field.split("."), change.value)
    snapshot = asked.snapshot
    if change.watermark is not None:
        marks = dict(snapshot.tenant.watermarks)
        for kind in change.watermark.kinds:
            marks[asked.controller_id, change.watermark.source, kind] = change.watermark.complete_until
        return replace(asked, snapshot=replace(snapshot, tenant=replace(snapshot.tenant, watermarks=marks)))
    if change.fact is None:
        return asked
    snapshot = _without(snapshot, change.fact)
    if change.kind == "fact":
        snapshot = _with(snapshot, change.fact, asked.now)
    return replace(asked, snapshot=snapshot)


def body(change: Change) -> dict[str, object]:
    """What the change is: a fact or a watermark as `facts write` takes it, the fact taken away, or field and value.

    No free text is in it.
    """
    added = change.watermark or (change.fact if change.kind == "fact" else None)
    if added is not None:
        said = instants.encode(added)
        return said if isinstance(said, dict) else {}
    if change.fact is not None:
        return {
            "source": change.fact.source,
            "id": change.fact.id,
            change.fact.kind: behind.said_by(change.fact),
        }
    return {change.field: _plain(change)}


def text(change: Change, asked: Asked, language: str) -> str:
    """The change in words."""
    at = instants.text(asked.now)
    if change.watermark is not None:
        kinds = ", ".join(change.watermark.kinds)
        return say(MISSING, "feed", language, source=change.watermark.source, kinds=kinds, at=at)
    if change.fact is not None and change.kind == "taken":
        return say(MISSING, "taken", language, fact=behind.ref(change.fact))
    if change.fact is not None:
        says = ", ".join(f"{name}={shown(value)}" for name, value in behind.said_by(change.fact).items())
        return say(MISSING, "fact", language, kind=change.fact.kind, says=says, at=at)
    return say(MISSING, "request", language, field=change.field, value=shown(_plain(change)))


def shown(value: object) -> str:
    """A value of a field, for people."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{name}={shown(held)}" for name, held in value.items())
    return "-" if value is None else str(value)


def _plain(change: Change) -> object:
    value = change.value
    if isinstance(value, Struct):
        return instants.encode(value)
    if change.field in behind.INSTANTS and isinstance(value, int):
        return instants.text(value)
    return list(value) if isinstance(value, tuple) else value


def _requested(rules: Rulebook, asked: Asked, path: list[str], value: object) -> Asked:
    if asked.opening is None:
        given = rules.pack.break_glass
        if asked.request.action in (given.close_action, given.review_action) and path[0] not in PARTS_OF_OPENING:
            return asked  # who ends or reviews a grant says no more than these parts
        return replace(asked, request=_set(asked.request, path, value))
    if path[0] not in PARTS_OF_OPENING and ".".join(path) not in FIELDS_OF_OPENING:
        return asked
    opening = _set(asked.opening, path if path[0] in PARTS_OF_OPENING else path[1:], value)
    return replace(asked, opening=opening, request=opening_request(rules, opening))


def _set(holder: S, path: list[str], value: object) -> S:
    """The same with one field otherwise, however deep it stands. Raises AttributeError for a field there is not."""
    name = "class_" if path[0] == "class" else path[0]
    if len(path) > 1:
        inner = getattr(holder, name)
        value = _set(PARTS[name] if inner is None else inner, path[1:], value)
    return replace(holder, **{name: value})


def _without(snapshot: Snapshot, fact: Fact) -> Snapshot:
    def kept(shelf: tuple[Known, ...]) -> tuple[Known, ...]:
        named = (fact.controller_id, fact.source, fact.id)
        return tuple(known for known in shelf if (known.fact.controller_id, known.fact.source, known.fact.id) != named)

    patient, tenant = snapshot.patient, snapshot.tenant
    if patient is not None:
        shelves = ("stays", "relations", "directives", "record_states", "aliases", "persons", "calls")
        patient = replace(patient, **{name: kept(getattr(patient, name)) for name in shelves})
    if fact.kind in INDEXES:
        index = INDEXES[fact.kind]
        held = {name: kept(shelf) for name, shelf in getattr(tenant, index).items()}
        tenant = replace(tenant, **{index: held})
    return Snapshot(tenant, patient, snapshot.usage)


def _with(snapshot: Snapshot, fact: Fact, now: int) -> Snapshot:
    patient, tenant = snapshot.patient, snapshot.tenant
    known = Known(
        fact=fact,
        kind=fact.kind,
        seq=tenant.seq + 1,
        start=NEVER if fact.period.from_ is None else fact.period.from_,
        end=FOREVER if fact.period.to is None else fact.period.to,
        as_of=now,
    )
    if patient is not None and known.kind in SHELVES and fact.patient_id:
        patient = _shelved(patient, SHELVES[known.kind], known)
    if known.kind in INDEXES:
        tenant = _indexed(tenant, known)
    return Snapshot(tenant, patient, snapshot.usage)


def _shelved(patient: PatientFacts, shelf: str, known: Known) -> PatientFacts:
    return replace(patient, **{shelf: (*getattr(patient, shelf), known)})


def _indexed(tenant: TenantFacts, known: Known) -> TenantFacts:
    index, name = INDEXES[known.kind], getattr(getattr(known.fact, known.kind), KEYS[known.kind])
    if not name:
        return tenant
    held = dict(getattr(tenant, index))
    held[name] = (*held.get(name, ()), known)
    return replace(tenant, **{index: held})
