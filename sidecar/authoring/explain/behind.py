"""What lies behind a word: the fields of the request, the facts, the grant, and how far the feeds told."""

from collections.abc import Iterator

import msgspec

from sidecar.authoring.explain.meaning import Meaning
from sidecar.authoring.explain.values import FactSeen, FeedSeen
from sidecar.authoring.explain.walk import Asked
from sidecar.core import instants, usage
from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.instants import SECOND
from sidecar.core.model import Fact, Grant, Known
from sidecar.core.pack import Pack
from sidecar.core.situation import Situation

FREE_TEXT = frozenset({"proof", "channel"})  # of a directive: written by hand, so never printed
SIDECAR = usage.SOURCE  # where grants and counts come from


def ref(fact: Fact) -> str:
    """How an explanation names a fact."""
    return f"{fact.kind} {fact.source}/{fact.id}"


def grant_ref(grant: Grant) -> str:
    """How an explanation names a grant."""
    return f"grant {SIDECAR}/{grant.id}"


def said_by(fact: Fact) -> dict[str, object]:
    """The fields of a fact that are ids, codes and dates."""
    body = instants.encode(getattr(fact, fact.kind))
    return {name: value for name, value in body.items() if name not in FREE_TEXT} if isinstance(body, dict) else {}


def fact_seen(known: Known, asked: Asked, pack: Pack) -> FactSeen:
    """A fact as an explanation shows it."""
    fact, fresh = known.fact, fresh_until(known, asked, pack)
    return FactSeen(
        ref=ref(fact),
        kind=known.kind,
        source=fact.source,
        id=fact.id,
        seq=known.seq,
        from_=None if known.start == NEVER else known.start,
        to=None if known.end == FOREVER else known.end,
        as_of=known.as_of,
        fresh_until=None if fresh == FOREVER else fresh,
        says=said_by(fact),
    )


def grant_seen(grant: Grant) -> FactSeen:
    """A grant as an explanation shows it, its justification left out."""
    ended = grant.until if grant.closed_at is None else min(grant.until, grant.closed_at)
    return FactSeen(
        ref=grant_ref(grant),
        kind="grant",
        source=SIDECAR,
        id=grant.id,
        seq=0,
        from_=grant.opened_at,
        to=ended,
        as_of=None,
        fresh_until=None,
        says={
            "subject_id": grant.subject_id,
            "patient_id": grant.patient_id,
            "profile": grant.profile,
            "scope": grant.scope,
            "motive": grant.motive,
        },
    )


def count_seen(name: str, count: int) -> FactSeen:
    """What the sidecar counted of the subject itself, as an explanation shows it."""
    return FactSeen(
        ref=f"count {SIDECAR}/{name}",
        kind="count",
        source=SIDECAR,
        id=name,
        seq=count,
        from_=None,
        to=None,
        as_of=None,
        fresh_until=None,
        says={"count": count},
    )


def grant_named(asked: Asked) -> Grant | None:
    """The grant the request names, if it is one of this subject's."""
    grant = asked.snapshot.tenant.grants.get(asked.request.context.grant)
    return grant if grant is not None and grant.subject_id == asked.request.subject.id else None


def fresh_until(known: Known, asked: Asked, pack: Pack) -> int:
    """When a fact stops bearing grounds; FOREVER when age does not matter to its kind."""
    return Situation(asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now, pack).fresh_until(
        known
    )


def about(asked: Asked) -> Iterator[Known]:
    """Every fact of the patient, and of the people the request names."""
    tenant, patient, subject = asked.snapshot.tenant, asked.snapshot.patient, asked.request.subject
    if patient is not None:
        for shelf in ("stays", "relations", "directives", "record_states", "aliases", "persons", "calls"):
            yield from getattr(patient, shelf)
    delegations = tenant.delegations.get(subject.id, ())
    delegators = [known.fact.delegation.from_subject_id for known in delegations if known.fact.delegation is not None]
    for person in dict.fromkeys((subject.id, subject.supervised_by, *delegators)):
        yield from tenant.assignments.get(person, ())
    yield from delegations
    yield from tenant.contracts.get(subject.structure, ())


def feeds(asked: Asked, pack: Pack, kind: str) -> tuple[FeedSeen, ...]:
    """How far each source that must report this kind told; one entry without a source where the settings name none."""
    if not kind or not asked.request.resource.patient_id:
        return ()
    tenant, seen = asked.snapshot.tenant, []
    for source in tenant.required.get(kind, ()):
        told = tenant.watermarks.get((asked.controller_id, source, kind))
        until = None if told is None else told + pack.freshness.watermark_max_age * SECOND
        seen.append(FeedSeen(kind, source, told, until is not None and asked.now < until, until))
    return tuple(seen) or (FeedSeen(kind, "", None, False, None),)


def reads(asked: Asked, meaning: Meaning) -> dict[str, object]:
    """The fields of the request a word reads, None where one is absent."""
    return {path: field(asked, path) for path in meaning.reads}


def field(asked: Asked, path: str) -> object:
    """A field of the request, in its JSON form; None when it is absent."""
    value: object = asked.request
    for name in path.split("."):
        value = getattr(value, "class_" if name == "class" else name, None)
        if value is None:
            return None
    if isinstance(value, msgspec.Struct):
        return instants.encode(value)
    if path in INSTANTS and isinstance(value, int):
        return instants.text(value)
    return list(value) if isinstance(value, tuple) else value if value != "" else None


INSTANTS = frozenset(
    (
        "authentication.time",
        "subject.valid_from",
        "subject.valid_until",
        "subject.contract_until",
        "resource.created_at",
    )
)
