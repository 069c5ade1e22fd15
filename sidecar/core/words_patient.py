"""The words of the patient's own side: who the patient is, who speaks for them, and what is kept from either.

Each is a function of the situation that answers True, False or None (unknown).
"""

from sidecar.core import wills
from sidecar.core.bundle import NEVER
from sidecar.core.civil import birthday, months_later
from sidecar.core.model import RecordState, Relation
from sidecar.core.situation import Situation

# TRE_A07: what `resource.visibility` may say.
INVISIBLE_PATIENT = "INVISIBLE_PATIENT"
INVISIBLE_REPRESENTATIVES = "INVISIBLE_REPRESENTANTS_LEGAUX"

# ---- r.subject


def is_holder(s: Situation) -> bool | None:
    """The patient in person (REL_SELF): a relation says so, or the subject id is known as this very person's."""
    bundle, subject = s.bundle, s.request.subject.id
    if bundle is None:
        return None
    for known in bundle.persons:
        alias = known.fact.alias
        if alias is None or alias.kind != "same_person" or alias.other_id != subject:
            continue
        if s.about(known, alias.patient_id) and s.holds(known.start, known.end):
            s.rest_on(known)
            return True
    return _tied(s, "REL_SELF")


def represents_patient(s: Situation) -> bool | None:
    """Holds authority over this patient (REL_REP), who is under age: it ends with the day of the 18th birthday.

    Majority is a Paris calendar day (3.1.1). Without a birth date nobody is known to be under age. Where feeds
    differ the earlier date counts.
    """
    if s.bundle is None:
        return None
    born = [(known, state) for known, state in s.record.states if state.birth_date]
    if not any(s.supports(known) for known, _ in born):
        return False
    first = min(born, key=_birth)
    s.rest_on(first[0])
    return s.holds(NEVER, birthday(first[1].birth_date, s.number("majority"))) and _tied(s, "REL_REP")


def _birth(each: tuple[object, RecordState]) -> str:
    return each[1].birth_date


def _tied(s: Situation, kind: str) -> bool:
    """Whether a relation of this kind ties the subject, by name, to the patient."""
    for known in s.bundle.relations if s.bundle is not None else ():
        relation: Relation | None = known.fact.relation
        if relation is None or relation.kind != kind or relation.subject_id != s.request.subject.id:
            continue
        if s.about(known, relation.patient_id) and s.relation_holds(known, relation):
            return True
    return False


# ---- r.resource


def hidden_from_patient(s: Situation) -> bool | None:
    """Kept from the patient until a consultation tells them, at most a month after `announced_since` (R.1111-53).

    The month is a calendar month of Paris; its length is the setting `announcement_months`.
    """
    asked = s.request.resource
    since, stated = asked.announced_since, asked.visibility
    told = s.will and (since is not None or INVISIBLE_PATIENT in (stated or ()))
    if told and (since is None or s.holds(NEVER, months_later(since, s.number("announcement_months")))):
        return True
    return False if stated is not None and s.bundle is not None else s.absent("directive")


def hidden_from_representative(s: Situation) -> bool | None:
    """About an act a minor keeps secret (R.1111-50): the object says so, by its tags too, or a directive does."""
    asked = s.request.resource
    stated, tags = asked.visibility, asked.tags
    if s.will:
        secret = s.pack.vocabulary.secret_tags
        if INVISIBLE_REPRESENTATIVES in (stated or ()) or any(tag in secret for tag in tags or ()):
            return True
    answer = wills.hidden(s)
    if stated is None or s.bundle is None:
        answer = wills.either(answer, s.absent("directive"))
    return wills.either(answer, None if tags is None else False)


# ---- r.context


def heir_motive(s: Situation) -> bool:
    """One of the three motives for which L.1110-4 V opens a late patient's record to the heirs."""
    return s.request.context.motive in s.pack.vocabulary.heir_motives


SUBJECT = {word.__name__: word for word in (is_holder, represents_patient)}
RESOURCE = {word.__name__: word for word in (hidden_from_patient, hidden_from_representative)}
CONTEXT = {word.__name__: word for word in (heir_motive,)}
