"""Who treats the patient: the relations of 3.1.1, read from stays, assignments and relation facts.

Every function answers None when the patient's facts cannot be read.
"""

from collections.abc import Iterator
from itertools import chain

from sidecar.core.bundle import NEVER
from sidecar.core.civil import midnight
from sidecar.core.evidence import Evidence, Units
from sidecar.core.instants import SECOND
from sidecar.core.model import Known, Stay

# What ties a person to a patient by name, not through a unit; a ticket or a case does not.
BY_NAME = frozenset(("REL_TEAM", "REL_REQ", "REL_APPT"))


def in_team(evidence: Evidence, subject_id: str, units: Units) -> bool | None:
    """Works in the unit of an open stay (REL_ENC), is or lately was responsible (REL_RESP), or is named (REL_TEAM)."""
    if evidence.bundle is None:
        return None
    for known, stay in evidence.active_stays:
        if stay.unit in units and evidence.bears(known):
            evidence.rest_on_unit(units, stay.unit)
            return True
    return responsible(evidence, subject_id) or _named_member(evidence, subject_id)


def was_in_team(evidence: Evidence, subject_id: str) -> bool | None:
    """Whether some tie to the care team has ended, by assignment facts."""
    bundle = evidence.bundle
    if bundle is None:
        return None
    ended = False
    for during, work, _, end in _overlaps(evidence, subject_id):
        ended = ended or (_past(evidence, end) and evidence.supports(during) and evidence.supports(work))
    for known, stay in evidence.active_stays:
        if stay.responsible_id == subject_id:
            _, over = _around(evidence, "REL_RESP", known)
            ended = ended or (_past(evidence, over) and evidence.supports(known))
    for known in _memberships(evidence, subject_id):
        _, over = _around(evidence, "REL_TEAM", known)
        ended = ended or (_past(evidence, over) and evidence.supports(known))
    return ended


def left(evidence: Evidence, subject_id: str) -> int | None:
    """When the latest overlap of a stay and the subject's assignment to its unit ended (REL_POST); NEVER for none."""
    if evidence.bundle is None:
        return None
    stays, latest = evidence.active_stays, NEVER
    rested: tuple[Known, ...] = ()
    for work in evidence.assignments(subject_id) if stays else ():
        assignment = work.fact.assignment
        if assignment is None or assignment.on_call:
            continue
        for known, stay in stays:
            if stay.unit != assignment.unit:
                continue
            end = known.end if known.end < work.end else work.end
            if end <= latest or end <= known.start or end <= work.start:
                continue
            if _past(evidence, end) and _fresh(evidence, known) and _fresh(evidence, work):
                latest, rested = end, (known, work)
    for known in rested:
        evidence.supports(known)
    return latest


def in_team_at_death(evidence: Evidence, subject_id: str) -> bool | None:
    """Whether the subject was in the care team on a day the patient is recorded to have died."""
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.record_states:
        state = known.fact.record_state
        if state is None or not state.death_date or not evidence.about(known, state.patient_id):
            continue
        day = midnight(state.death_date), midnight(state.death_date, 1)
        if (
            evidence.holds(known.start, known.end)
            and _in_team_on(evidence, subject_id, *day)
            and evidence.supports(known)
        ):
            return True
    return False


def responsible(evidence: Evidence, subject_id: str) -> bool | None:
    """Responsible physician of a stay, until the pack's days after its end (REL_RESP)."""
    if evidence.bundle is None:
        return None
    for known, stay in evidence.active_stays:
        if stay.responsible_id != subject_id:
            continue
        if evidence.holds(*_around(evidence, "REL_RESP", known)) and evidence.supports(known):
            return True
    return False


def on_call(evidence: Evidence, subject_id: str) -> bool | None:
    """A roster slot of the subject covers a unit where the patient stays now (REL_GARDE)."""
    if evidence.bundle is None:
        return None
    for known in evidence.assignments(subject_id):
        slot = known.fact.assignment
        if slot is None or not slot.on_call or not evidence.holds(known.start, known.end):
            continue
        if evidence.supports(known) and open_stay(evidence, slot.unit):
            return True
    return False


def expecting_transfer(evidence: Evidence, units: Units) -> bool | None:
    """A stay is planned in a unit of the subject, about now, and has not begun (REL_TRANSFER)."""
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.stays:
        stay = known.fact.stay
        if stay is None or stay.status != "planned" or stay.unit not in units:
            continue
        window = evidence.window("REL_TRANSFER")
        begins = known.start - window.before * SECOND
        if (
            evidence.about(known, stay.patient_id)
            and evidence.holds(begins, known.start + window.after * SECOND)
            and not _has_begun(evidence, stay, begins)
            and evidence.supports(known)
        ):
            evidence.rest_on_unit(units, stay.unit)
            return True
    return False


def related(evidence: Evidence, kind: str, subject_id: str, units: Units) -> bool | None:
    """A relation of this kind is with the subject or one of their units, inside its window."""
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.relations:
        relation = known.fact.relation
        if relation is None or relation.kind != kind or not evidence.about(known, relation.patient_id):
            continue
        by_name = relation.subject_id == subject_id
        if (by_name or relation.unit in units) and evidence.relation_holds(known, relation):
            if not by_name:
                evidence.rest_on_unit(units, relation.unit)
            return True
    return False


def named(evidence: Evidence, subject_id: str) -> bool | None:
    """A care relation names the subject, or they are responsible for a stay; not through a unit (A-14)."""
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.relations:
        relation = known.fact.relation
        if relation is None or relation.subject_id != subject_id or relation.kind not in BY_NAME:
            continue
        if evidence.about(known, relation.patient_id) and evidence.relation_holds(known, relation):
            return True
    return responsible(evidence, subject_id)


def answers_request(evidence: Evidence, subject_id: str, units: Units) -> bool | None:
    """A request is addressed to the subject or one of their units, inside its window, and ties the object (REL_REQ).

    Tied is what its scope names; to read, also what the pack says goes with every request (A-04).
    """
    bundle = evidence.bundle
    if bundle is None:
        return None
    asked, vocabulary = evidence.request, evidence.pack.vocabulary
    beside = asked.resource.category in vocabulary.with_request and asked.action not in vocabulary.write_actions
    for known in bundle.relations:
        relation = known.fact.relation
        if relation is None or relation.kind != "REL_REQ" or not evidence.about(known, relation.patient_id):
            continue
        by_name = relation.subject_id == subject_id
        if not (by_name or relation.unit in units) or not (beside or evidence.in_scope(relation.scope)):
            continue
        if evidence.holds(*_around(evidence, "REL_REQ", known)) and evidence.supports(known):
            if not by_name:
                evidence.rest_on_unit(units, relation.unit)
            return True
    return False


def signed_request_for(evidence: Evidence, subject_id: str, document: str) -> bool | None:
    """The object answers a request the subject signed: a REL_REQ relation that names both.

    Whoever was asked did not sign it. The request's own window does not count: what comes of it belongs to whoever
    signed it (REL_POST).
    """
    bundle = evidence.bundle
    if bundle is None:
        return None
    for known in bundle.relations:
        relation = known.fact.relation
        if relation is None or relation.kind != "REL_REQ" or relation.requester_id != subject_id:
            continue
        if document not in relation.scope.documents or not evidence.about(known, relation.patient_id):
            continue
        if _past(evidence, known.start) and evidence.supports(known):
            return True
    return False


def open_stay(evidence: Evidence, unit: str, stay_id: str = "") -> bool:
    """Whether the patient stays in this unit now, in this very stay if one is named."""
    return any(
        stay.unit == unit
        and (not stay_id or stay.stay_id == stay_id)
        and evidence.holds(known.start, known.end)
        and evidence.supports(known)
        for known, stay in evidence.active_stays
    )


def closed_stay(evidence: Evidence, stay_id: str) -> bool | None:
    """Whether this stay is known and over in every unit it went through."""
    if evidence.bundle is None:
        return None
    parts = [(known, stay) for known, stay in evidence.active_stays if stay_id and stay.stay_id == stay_id]
    over = [_past(evidence, known.end) for known, _ in parts]
    return bool(parts) and all(over) and all(evidence.supports(known) for known, _ in parts)


def _around(evidence: Evidence, kind: str, known: Known) -> tuple[int, int]:
    """The fact's period with the window the pack adds to this kind of relation."""
    window = evidence.window(kind)
    return known.start - window.before * SECOND, known.end + window.after * SECOND


def _past(evidence: Evidence, instant: int) -> bool:
    """Whether this instant has come."""
    evidence.edge(instant)
    return instant <= evidence.now


def _fresh(evidence: Evidence, known: Known) -> bool:
    return evidence.now < evidence.fresh_until(known)


def _memberships(evidence: Evidence, subject_id: str) -> Iterator[Known]:
    if evidence.bundle is not None:
        for known in evidence.bundle.relations:
            relation = known.fact.relation
            if relation is None or relation.kind != "REL_TEAM" or relation.subject_id != subject_id:
                continue
            if evidence.about(known, relation.patient_id) and evidence.in_scope(relation.scope):
                yield known


def _named_member(evidence: Evidence, subject_id: str) -> bool:
    for known in _memberships(evidence, subject_id):
        relation = known.fact.relation
        if relation is not None and evidence.relation_holds(known, relation):
            return True
    return False


def _overlaps(evidence: Evidence, subject_id: str) -> Iterator[tuple[Known, Known, int, int]]:
    """Each active stay with each assignment of the subject to its unit, and when both were: start, end."""
    assignments = evidence.assignments(subject_id)
    for stay_known, stay in evidence.active_stays:
        for known in assignments:
            assignment = known.fact.assignment
            if assignment is None or assignment.on_call or assignment.unit != stay.unit:
                continue
            start, end = max(stay_known.start, known.start), min(stay_known.end, known.end)
            if start < end:
                yield stay_known, known, start, end


def _in_team_on(evidence: Evidence, subject_id: str, start: int, end: int) -> bool:
    """Whether the subject was in the care team at some instant of [start, end) that has come."""
    ties: Iterator[tuple[int, int, tuple[Known, ...]]] = chain(
        ((began, ended, (stay, work)) for stay, work, began, ended in _overlaps(evidence, subject_id)),
        (
            (*_around(evidence, "REL_RESP", known), (known,))
            for known, stay in evidence.active_stays
            if stay.responsible_id == subject_id
        ),
        ((*_around(evidence, "REL_TEAM", known), (known,)) for known in _memberships(evidence, subject_id)),
    )
    for began, ended, facts in ties:
        if max(began, start) >= min(ended, end) or not _past(evidence, max(began, start)):
            continue
        if all(evidence.supports(known) for known in facts):
            return True
    return False


def _has_begun(evidence: Evidence, planned: Stay, begins: int) -> bool:
    """Whether the planned stay is active by now, as another fact says."""
    return any(
        stay.unit == planned.unit
        and stay.stay_id == planned.stay_id
        and known.start >= begins
        and _past(evidence, known.start)
        for known, stay in evidence.active_stays
    )
