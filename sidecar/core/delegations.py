"""Who lets the subject act for them, on this object, and whether they still may themselves (A-05, A-06)."""

from msgspec.structs import replace

from sidecar.core.evidence import Evidence
from sidecar.core.model import Delegation, Known, Request, Subject


def covering(evidence: Evidence) -> list[tuple[Known, Delegation]]:
    """The delegations to the subject that name this object, this patient, or its unit and category.

    Each field a delegation fills must fit. Whether it is in force does not count here: one that names the
    object and is over makes DELEGATION_VOID, not silence.
    """
    found = []
    for known in evidence.delegations(evidence.request.subject.id):
        delegation = known.fact.delegation
        if delegation is None or delegation.from_subject_id in evidence.unheard:
            continue
        if _covers(evidence, delegation) and evidence.supports(known):
            found.append((known, delegation))
    return found


def in_force(evidence: Evidence) -> list[Delegation]:
    """Those of them that are in date and fit the purpose."""
    return [
        delegation
        for known, delegation in covering(evidence)
        if (not delegation.purposes or evidence.request.purpose in delegation.purposes)
        and evidence.holds(known.start, known.end)
    ]


def delegator(evidence: Evidence) -> tuple[str, bool | None]:
    """Who delegated and may do this now, and True; else nobody, and whether that is certain (False) or not (None)."""
    ask = evidence.delegate
    if ask is None:
        return "", False
    answer: bool | None = False
    for delegation in in_force(evidence):
        for request in _as_delegator(evidence, delegation.from_subject_id):
            may = ask(evidence, request)
            if may is True:
                return delegation.from_subject_id, True
            if may is None:
                answer = None
    return "", answer


def fits(evidence: Evidence, delegation: Delegation) -> bool:
    """Whether the question is within each field the delegation fills, its purposes too."""
    purposes = delegation.purposes
    return _narrows(evidence, delegation) and (not purposes or evidence.request.purpose in purposes)


def _covers(evidence: Evidence, delegation: Delegation) -> bool:
    named = delegation.documents or delegation.patient_id or (delegation.units and delegation.categories)
    return bool(named) and _narrows(evidence, delegation)


def _narrows(evidence: Evidence, delegation: Delegation) -> bool:
    asked = evidence.request.resource
    return (
        (not delegation.documents or asked.id in delegation.documents)
        and (not delegation.patient_id or delegation.patient_id in evidence.names)
        and (not delegation.units or asked.unit in delegation.units)
        and (not delegation.categories or asked.category in delegation.categories)
    )


def _as_delegator(evidence: Evidence, subject_id: str) -> list[Request]:
    """The same request made by the delegator, once for each profile they hold by assignment.

    Their units come from assignment facts. No grant goes along: one opened by the delegator is not transferable.
    """
    request, profiles = evidence.request, evidence.pack.vocabulary.profiles
    context = replace(request.context, access_mode="normal", grant="")
    requests, held = [], set()
    for known in evidence.current_assignments(subject_id):
        assignment = known.fact.assignment
        if assignment is None or assignment.profile in held or assignment.profile not in profiles:
            continue
        held.add(assignment.profile)
        evidence.rest_on(known)
        subject = Subject(
            id=subject_id,
            kind=profiles[assignment.profile].kinds[0],
            profile=assignment.profile,
            account_type="nominatif",
            status="actif",
        )
        requests.append(replace(request, subject=subject, context=context))
    return requests
