"""The same world as the product holds it: a snapshot; and its decision in the oracle's terms."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sidecar.core.break_glass import GrantTerms
from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Advice, Decision, Fact, Known, Obligation
from sidecar.core.policy import PolicySet
from sidecar.core.usage import Usage
from tests.differential.chance import CONTROLLER, TENANT
from tests.differential.worlds import Case
from tests.oracle import Answer, World

Said = tuple[str, tuple[tuple[str, str], ...]]


def snapshot(world: World, patient_id: str) -> Snapshot:
    """What the store would hand over: staff of the tenant, and the bundle of the patient's every name."""
    held = [known(fact, seq) for seq, fact in enumerate(world.facts, 1)]
    names = reachable(world.facts, patient_id)
    own = [each for each in held if each.fact.controller_id == CONTROLLER and patient_of(each.fact) in names]
    aliases = [each for each in own if each.kind == "alias"]
    persons = [each for each in aliases if each.fact.alias is not None and each.fact.alias.kind == "same_person"]
    own_grants = [grant for grant in world.grants if grant.tenant == TENANT]
    tenant = TenantFacts(
        TENANT,
        len(held),
        by("subject_id", held, "assignment"),
        by("to_subject_id", held, "delegation"),
        by("provider_id", held, "contract"),
        by("ref", held, "relation"),
        {grant.id: grant for grant in world.grants},
        {
            key: tuple(grant for grant in own_grants if (grant.subject_id, grant.patient_id) == key)
            for key in {(grant.subject_id, grant.patient_id) for grant in own_grants}
        },
        {
            (mark.controller_id, mark.source, kind): mark.complete_until
            for mark in world.watermarks
            for kind in mark.kinds
        },
        world.required,
    )
    patient = PatientFacts(
        patient_id,
        CONTROLLER,
        len(held),
        *(
            tuple(each for each in own if each.kind == kind)
            for kind in ("stay", "relation", "directive", "record_state")
        ),
        tuple(each for each in aliases if each not in persons),
        tuple(persons),
    )
    if not patient_id:
        patient = PatientFacts("", CONTROLLER, len(held))
    usage = Usage(world.patients_this_hour, world.refusals_lately)
    return Snapshot(tenant, patient if world.readable else None, usage)


def known(fact: Fact, seq: int) -> Known:
    """A fact as the store holds it."""
    start = NEVER if fact.period.from_ is None else fact.period.from_
    end = FOREVER if fact.period.to is None else fact.period.to
    assert fact.as_of is not None
    return Known(fact, fact.kind, seq, start, end, fact.as_of)


def patient_of(fact: Fact) -> str:
    """The patient a fact is about; empty for staff."""
    return getattr(getattr(fact, fact.kind), "patient_id", "") if fact.delegation is None else ""


def reachable(facts: Iterable[Fact], patient_id: str) -> set[str]:
    """Every name a merge ever tied to this one."""
    pairs = [
        {fact.alias.patient_id, fact.alias.other_id}
        for fact in facts
        if fact.alias is not None and fact.alias.kind != "same_person" and fact.controller_id == CONTROLLER
    ]
    names = {patient_id}
    for _ in pairs:
        for pair in pairs:
            if pair & names:
                names |= pair
    return names


def by(field: str, held: Iterable[Known], kind: str) -> dict[str, tuple[Known, ...]]:
    """The facts of a kind, by a field of their bodies."""
    found: dict[str, list[Known]] = defaultdict(list)
    for each in held:
        if each.kind == kind and getattr(getattr(each.fact, kind), field):
            found[getattr(getattr(each.fact, kind), field)].append(each)
    return {key: tuple(values) for key, values in found.items()}


def decide(policy: PolicySet, case: Case) -> tuple[Decision, GrantTerms | None]:
    """What the product says."""
    if case.opening is not None:
        # The store hands over a tenant's own grants.
        own = tuple(grant for grant in case.world.grants if grant.tenant == TENANT)
        shot = snapshot(replace(case.world, grants=own), case.opening.patient_id)
        return policy.evaluate_open(case.opening, case.caller, CONTROLLER, shot, case.now)
    shot = snapshot(case.world, case.request.resource.patient_id)
    return policy.evaluate(case.request, case.caller, CONTROLLER, shot, case.now), None


def in_plain_terms(decision: Decision, terms: GrantTerms | None) -> Answer:
    """A decision as the oracle would say it; what it was read from left out."""
    offer = decision.offer
    return Answer(
        str(decision.effect),
        decision.reason,
        decision.true_reason,
        decision.rule,
        decision.also,
        said(decision.obligations),
        said(decision.advice),
        (offer.motives, offer.scope) if offer.available else None,
        None if terms is None else (terms.scope, terms.until, terms.review_due),
    )


def said(listed: Iterable[Obligation | Advice]) -> tuple[Said, ...]:
    """Obligations or advice, by name."""
    return tuple(sorted((each.id, tuple(sorted(each.params.items()))) for each in listed))
