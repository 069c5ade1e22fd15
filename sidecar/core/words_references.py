"""The words of those who work on a record without treating its patient: coders, archivists, and who answers for them.

Each is a function of the situation that answers True, False or None (unknown).
"""

from sidecar.core import delegations
from sidecar.core.situation import Situation

# ---- r.subject


def delegated_by_dim(s: Situation) -> bool:
    """Works under a delegation, in date, of somebody who holds a profile of medical information (A-17).

    Each field the delegation fills must fit; it need not fill any.
    """
    for known in s.delegations(s.request.subject.id):
        delegation = known.fact.delegation
        if delegation is None or delegation.from_subject_id in s.unheard:
            continue
        if not delegations.fits(s, delegation) or not s.bears(known):
            continue
        if any(holds_profile(s, delegation.from_subject_id, name) for name in s.pack.vocabulary.dim_profiles):
            return True
    return False


def codes_this_stay(s: Situation) -> bool | None:
    """The stay is on the worklist to be coded (REL_CODE), and on the subject's where the worklist names anybody."""
    if s.bundle is None:
        return None
    subject = s.request.subject
    for known in s.bundle.relations:
        relation = known.fact.relation
        if relation is None or relation.kind != "REL_CODE" or not s.about(known, relation.patient_id):
            continue
        mine = (
            relation.subject_id in ("", subject.id)
            and relation.structure in ("", subject.structure)
            and (not relation.unit or relation.unit in s.units)
        )
        if mine and s.relation_holds(known, relation):
            if relation.unit:
                s.rest_on_unit(s.units, relation.unit)
            return True
    return False


# ---- r.context


def supervisor_is(s: Situation, profile: str) -> bool:
    """The supervisor the request refers to, who is somebody else, holds this profile by a current assignment."""
    supervisor = s.request.context.refs.supervisor
    return bool(supervisor) and supervisor != s.request.subject.id and holds_profile(s, supervisor, profile)


def archive_request_open(s: Situation) -> bool:
    """The request or ticket given is a known archive request, in its period, for this patient if it names one."""
    refs = s.request.context.refs
    return any(s.knows_reference("REL_ARCH", ref) for ref in (refs.request, refs.ticket))


def holds_profile(s: Situation, subject_id: str, profile: str) -> bool:
    """Whether a current assignment gives this person the profile; the answer rests on it."""
    for known in s.current_assignments(subject_id):
        if known.fact.assignment is not None and known.fact.assignment.profile == profile:
            s.rest_on(known)
            return True
    return False


SUBJECT = {word.__name__: word for word in (delegated_by_dim, codes_this_stay)}
CONTEXT = {word.__name__: word for word in (supervisor_is, archive_request_open)}
