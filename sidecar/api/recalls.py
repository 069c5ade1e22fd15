"""A recalled decision ↔ its message. `recalled` is what replay and explain read the server's answer with."""

from collections.abc import Iterable
from itertools import chain

from msgspec.structs import replace

from sidecar.api.answers import EFFECTS, LAST_INSTANT
from sidecar.api.shape import instant, message, stamp, value
from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import (
    NO_OFFER,
    Advice,
    Caller,
    Decision,
    Effect,
    Fact,
    Grant,
    Known,
    Obligation,
    Offer,
    PolicyRef,
    Relied,
    Request,
    Subject,
    Watermark,
)
from sidecar.core.recall import Found, Recalled
from sidecar.core.record import Checked
from sidecar.core.usage import recorded
from sidecar.v1 import access_pb2, admin_pb2, facts_pb2

OF_PATIENT = {
    "stay": "stays",
    "relation": "relations",
    "directive": "directives",
    "record_state": "record_states",
    "call": "calls",
}
# Kind → table of TenantFacts and the field of the fact that is its key.
OF_STAFF = {
    "assignment": ("assignments", "subject_id"),
    "delegation": ("delegations", "to_subject_id"),
    "contract": ("contracts", "provider_id"),
    "relation": ("refs", "ref"),
}


def response(recalled: Recalled) -> admin_pb2.RecallDecisionResponse:
    """The message of a recalled decision."""
    found, checked, facts = recalled.found, recalled.found.checked, recalled.snapshot
    tenant, patient = facts.tenant, facts.patient or PatientFacts("", recalled.controller_id, 0)
    shelves = (*OF_PATIENT.values(), "aliases", "persons")
    staff = (known for table, _ in OF_STAFF.values() for known in getattr(tenant, table).values())
    return admin_pb2.RecallDecisionResponse(
        decision_id=found.decision_id,
        record=access_pb2.RecordReference(origin=recalled.origin, index=found.index),
        recorded_at=stamp(found.recorded_at),
        request=message(access_pb2.CheckAccessRequest, checked.request),
        opening=bool(checked.opening_at),
        judged_at=stamp(recalled.judged_at),
        caller=_caller(checked.caller),
        controller_id=recalled.controller_id,
        policy=message(access_pb2.PolicyRevision, checked.policy),
        facts_sequence=checked.facts_seq,
        outcome=_outcome(checked.decision),
        patient_facts=_facts(chain.from_iterable(getattr(patient, shelf) for shelf in shelves)),
        staff_facts=_facts(chain.from_iterable(staff)),
        grants=[message(admin_pb2.RecalledGrant, grant) for grant in tenant.grants.values()],
        watermarks=[
            message(facts_pb2.Watermark, Watermark(source, (kind,), until, controller_id))
            for (controller_id, source, kind), until in tenant.watermarks.items()
        ],
        required=[
            admin_pb2.RequiredSources(kind=kind, sources=sources) for kind, sources in sorted(tenant.required.items())
        ],
        legal_basis=checked.legal_basis,
    )


def _caller(caller: Caller) -> admin_pb2.RecordedCaller:
    return admin_pb2.RecordedCaller(
        id=caller.id,
        channel=caller.channel,
        roles=sorted(caller.roles),
        tenant=caller.tenant,
        controllers=caller.controllers,
        hds=caller.hds,
        may_assert=sorted(caller.may_assert),
    )


def _outcome(decision: Decision) -> admin_pb2.RecordedOutcome:
    offer = decision.offer
    return admin_pb2.RecordedOutcome(
        effect=EFFECTS[decision.effect],
        reason=decision.reason,
        true_reason=decision.true_reason,
        rule=decision.rule,
        also=decision.also,
        rules=decision.rules,
        obligations=[access_pb2.Obligation(id=each.id, params=each.params) for each in decision.obligations],
        advice=[access_pb2.Advice(id=each.id, params=each.params) for each in decision.advice],
        break_glass=None if offer == NO_OFFER else message(access_pb2.BreakGlassOffer, offer),
        valid_until=stamp(decision.valid_until) if decision.valid_until <= LAST_INSTANT else None,
        relied=[message(admin_pb2.RecordedFactVersion, each) for each in decision.relied],
        unknown=decision.unknown,
    )


def _facts(known: Iterable[Known]) -> list[admin_pb2.RecalledFact]:
    return [
        admin_pb2.RecalledFact(fact=message(facts_pb2.Fact, replace(each.fact, as_of=each.as_of)), seq=each.seq)
        for each in known
    ]


# ---- read back


def recalled(said: admin_pb2.RecallDecisionResponse) -> Recalled:
    """The recalled decision a server told of, as the server had it.

    From it the policy can be asked again: `found.checked` is the record (`request`, `caller`, `policy`, `decision`,
    `facts_seq`, `opening_at`), `controller_id`, `snapshot` and `judged_at` complete the question;
    `authoring.replay.again` asks it.
    """
    judged_at = instant(said.judged_at)
    checked = Checked(
        value(Request, said.request),
        _caller_of(said.caller),
        _decision(said.outcome),
        value(PolicyRef, said.policy),
        said.facts_sequence,
        opening_at=judged_at if said.opening else 0,
        legal_basis=said.legal_basis,
    )
    found = Found(said.decision_id, said.record.index, instant(said.recorded_at), checked)
    return Recalled(said.record.origin, found, said.controller_id, _snapshot(said, checked))


def _caller_of(said: admin_pb2.RecordedCaller) -> Caller:
    return Caller(
        said.id,
        said.channel,
        frozenset(said.roles),
        said.tenant,
        tuple(said.controllers),
        said.hds,
        frozenset(said.may_assert),
    )


def _decision(said: admin_pb2.RecordedOutcome) -> Decision:
    return Decision(
        effect=Effect.PERMIT if said.effect == access_pb2.EFFECT_PERMIT else Effect.DENY,
        reason=said.reason,
        true_reason=said.true_reason,
        rule=said.rule,
        also=tuple(said.also),
        rules=tuple(said.rules),
        obligations=tuple(Obligation(each.id, dict(each.params)) for each in said.obligations),
        advice=tuple(Advice(each.id, dict(each.params)) for each in said.advice),
        offer=value(Offer, said.break_glass) if said.HasField("break_glass") else NO_OFFER,
        valid_until=instant(said.valid_until) if said.HasField("valid_until") else FOREVER,
        relied=tuple(value(Relied, each) for each in said.relied),
        unknown=tuple(said.unknown),
    )


def _snapshot(said: admin_pb2.RecallDecisionResponse, checked: Checked) -> Snapshot:
    seq, grants = said.facts_sequence, [_grant(each, checked.caller.tenant) for each in said.grants]
    staff: dict[str, dict[str, tuple[Known, ...]]] = {table: {} for table, _ in OF_STAFF.values()}
    for known in map(_known, said.staff_facts):
        table, field = OF_STAFF[known.kind]
        key = getattr(getattr(known.fact, known.kind), field)
        staff[table][key] = (*staff[table].get(key, ()), known)
    shelves: dict[str, tuple[Known, ...]] = {}
    for known in map(_known, said.patient_facts):
        shelf = OF_PATIENT.get(known.kind) or _shelf_of_alias(known.fact)
        shelves[shelf] = (*shelves.get(shelf, ()), known)
    # INVARIANT: as in the corridors, the patient of a controller the caller does not act for is nobody.
    about = checked.request.resource.patient_id if said.controller_id in checked.caller.controllers else ""
    return Snapshot(
        TenantFacts(
            tenant=checked.caller.tenant,
            seq=seq,
            assignments=staff["assignments"],
            delegations=staff["delegations"],
            contracts=staff["contracts"],
            refs=staff["refs"],
            grants={grant.id: grant for grant in grants},
            open_grants=_by_pair(grants),
            watermarks={
                (each.controller_id, each.source, each.kinds[0]): instant(each.complete_until)
                for each in said.watermarks
            },
            required={each.kind: tuple(each.sources) for each in said.required},
        ),
        PatientFacts(about, said.controller_id, seq, **shelves),
        recorded(checked.decision.relied),
    )


def _known(said: admin_pb2.RecalledFact) -> Known:
    fact = value(Fact, said.fact)
    period, as_of = fact.period, fact.as_of
    return Known(
        fact=replace(fact, as_of=None),
        kind=fact.kind,
        seq=said.seq,
        start=NEVER if period.from_ is None else period.from_,
        end=FOREVER if period.to is None else period.to,
        as_of=0 if as_of is None else as_of,
    )


def _shelf_of_alias(fact: Fact) -> str:
    return "persons" if fact.alias is not None and fact.alias.kind == "same_person" else "aliases"


def _grant(said: admin_pb2.RecalledGrant, tenant: str) -> Grant:
    return Grant(
        said.id,
        tenant,
        said.controller_id,
        said.caller_id,
        said.subject_id,
        said.patient_id,
        said.profile,
        said.scope,
        said.motive,
        said.justification,
        instant(said.opened_at),
        instant(said.until),
        instant(said.review_due),
        closed_at=instant(said.closed_at) if said.HasField("closed_at") else None,
        second_confirmation=said.second_confirmation,
        request_id=said.request_id,
        ended=said.ended,  # type: ignore[arg-type]
        opener=value(Subject, said.opener) if said.HasField("opener") else None,
        known_to=tuple(said.known_to),
        alerts=tuple(said.alerts),
    )


def _by_pair(grants: Iterable[Grant]) -> dict[tuple[str, str], tuple[Grant, ...]]:
    """The grants by subject and patient; one that is over opens nothing, whoever finds it here."""
    pairs: dict[tuple[str, str], tuple[Grant, ...]] = {}
    for grant in (each for each in grants if not each.ended):
        pair = (grant.subject_id, grant.patient_id)
        pairs[pair] = (*pairs.get(pair, ()), grant)
    return pairs
