"""The words of `r.subject`: who asks, what account and profile they hold, how they are tied to the patient and object.

Each is a function of the situation that answers True, False or None (unknown).
"""

from sidecar.core import care, delegations, wills
from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.instants import DAY
from sidecar.core.situation import Situation
from sidecar.core.usage import DENIALS, PATIENTS

# ---- the account


def named_account(s: Situation) -> bool:
    """The account is one person's."""
    return s.request.subject.account_type == "nominatif"


def active(s: Situation) -> bool:
    """The account is active and inside its validity."""
    subject = s.request.subject
    if subject.status != "actif":
        return False
    start, end = subject.valid_from, subject.valid_until
    return (start is None and end is None) or s.holds(
        NEVER if start is None else start, FOREVER if end is None else end
    )


def profile_held(s: Situation) -> bool:
    """The kind is one of the profile's, and an assignment, or a caller that may assert it, holds the profile.

    Where the caller may not, each stated unit must be assigned under that profile too (G-SUB-6).
    """
    subject = s.request.subject
    if subject.kind not in s.pack.vocabulary.profiles[subject.profile].kinds:
        return False
    if "identity" in s.speaker.may_assert:
        return True
    held = {
        known.fact.assignment.unit: known
        for known in s.current_assignments(subject.id)
        if known.fact.assignment is not None and known.fact.assignment.profile == subject.profile
    }
    for known in held.values():
        s.rest_on(known)
    return bool(held) and held.keys() >= set(subject.units)


def listed_job(s: Situation) -> bool:
    """The account is listed for the job its profile names (A-31)."""
    job = s.pack.jobs.get(s.request.subject.profile)
    return job is not None and s.request.subject.id in job.accounts


def job_allows(s: Situation) -> bool | None:
    """The listed job does this, for this purpose; a write names its author, and a stay is over where it must be."""
    request = s.request
    job = s.pack.jobs.get(request.subject.profile)
    if job is None or request.subject.id not in job.accounts:
        return False
    if request.purpose not in job.purposes or request.action not in job.actions:
        return False
    if request.resource.category not in job.categories:
        return False
    writes = request.action in s.pack.vocabulary.write_actions
    if writes and job.writes_need_author and not request.resource.author:
        return False
    if writes and job.write_categories and request.resource.category not in job.write_categories:
        return False
    return care.closed_stay(s, request.resource.stay) if job.closed_stay else True


def is_provider(s: Situation) -> bool:
    """Works for a provider under contract."""
    return s.request.subject.kind == "prestataire"


def second_category(s: Situation) -> bool:
    """Of the second category of R.1110-2 CSP, 2a to 2j, as the request says: no health professional."""
    return s.request.subject.r1110_2_category.startswith("2")


def under_contract(s: Situation) -> bool:
    """An approved contract of the provider is in date and its undertaking is signed; the request only restricts."""
    subject = s.request.subject
    if not subject.structure or subject.confidentiality_signed is False:
        return False
    if subject.contract_until is not None and not s.holds(NEVER, subject.contract_until):
        return False
    for known in s.contracts(subject.structure):
        contract = known.fact.contract
        if contract is None or not contract.approved or not contract.confidentiality_signed:
            continue
        if s.holds(known.start, known.end) and s.supports(known):
            return True
    return False


def one_activity(s: Situation) -> bool:
    """At most one exercise situation, or the one used now is named."""
    subject = s.request.subject
    return len(subject.activities) <= 1 or subject.activity_id in subject.activities


def purpose_allowed(s: Situation) -> bool:
    """The profile's list holds the purpose, and it is not one that is always denied."""
    vocabulary, purpose = s.pack.vocabulary, s.request.purpose
    return (
        purpose in vocabulary.profiles[s.request.subject.profile].purposes and purpose not in vocabulary.denied_purposes
    )


# ---- the care of this patient


def in_care_team(s: Situation) -> bool | None:
    """REL_ENC, REL_RESP or REL_TEAM."""
    return s.in_team


def was_in_care_team(s: Situation) -> bool | None:
    """Was, and it ended."""
    was = care.was_in_team(s, s.request.subject.id)
    if not was:
        return was
    now = s.in_team
    return None if now is None else not now


def left_unit_less_than(s: Situation, days: int) -> bool | None:
    """Less than `days` × 24 h since the subject and the patient were last in a unit together (REL_POST)."""
    left = s.left
    return None if left is None else left > NEVER and s.holds(NEVER, left + days * DAY)


def responsible_for_stay(s: Situation) -> bool | None:
    """REL_RESP."""
    return care.responsible(s, s.request.subject.id)


def in_team_at_death(s: Situation) -> bool | None:
    """Was in the care team on the Paris day of a recorded death."""
    return care.in_team_at_death(s, s.request.subject.id)


def on_call_here(s: Situation) -> bool | None:
    """REL_GARDE."""
    return care.on_call(s, s.request.subject.id)


def expecting_transfer(s: Situation) -> bool | None:
    """REL_TRANSFER."""
    return care.expecting_transfer(s, s.units)


def has_appointment(s: Situation) -> bool | None:
    """REL_APPT."""
    return care.related(s, "REL_APPT", s.request.subject.id, s.units)


def in_case_meeting(s: Situation) -> bool | None:
    """REL_RCP: on the attendance list of a meeting about this patient."""
    return care.related(s, "REL_RCP", s.request.subject.id, {})


def referring_on_request(s: Situation) -> bool | None:
    """REL_REFERENT: the patient's own practitioner, who asked (L-13)."""
    return care.related(s, "REL_REFERENT", s.request.subject.id, {})


def named_in_care(s: Situation) -> bool | None:
    """Tied to the patient by name, not through a unit (A-14)."""
    return care.named(s, s.request.subject.id)


def answers_request_for(s: Situation) -> bool | None:
    """REL_REQ: the subject or their unit is asked, and the object is tied to what is asked (A-04)."""
    return care.answers_request(s, s.request.subject.id, s.units)


def signed_request_for(s: Situation) -> bool | None:
    """The object answers a request the subject signed."""
    return care.signed_request_for(s, s.request.subject.id, s.request.resource.id)


def senior_in_team(s: Situation) -> bool | None:
    """The person named as senior, who is somebody else, is in the care team."""
    senior = s.request.subject.supervised_by
    if not senior or senior == s.request.subject.id:
        return False
    return care.in_team(s, senior, s.units_of(senior))


def supervised(s: Situation) -> bool:
    """The person named as supervisor, who is somebody else, holds an assignment."""
    supervisor = s.request.subject.supervised_by
    return bool(supervisor) and supervisor != s.request.subject.id and _holds_assignment(s, supervisor)


def reads_own_record(s: Situation) -> bool | None:
    """The subject, a member of staff, is this patient (A-15)."""
    if s.bundle is None:
        return None
    for known in s.bundle.persons:
        alias = known.fact.alias
        if alias is None or alias.kind != "same_person" or alias.other_id != s.request.subject.id:
            continue
        if s.about(known, alias.patient_id) and s.holds(known.start, known.end):
            s.rest_on(known)
            return True
    return s.absent("alias")


def over_volume(s: Situation) -> bool:
    """Opened more distinct patients in an hour than the pack's `bulk_threshold`, this one included (A-30)."""
    return s.counted(PATIENTS, s.snapshot.usage.patients, s.number("bulk_threshold") + 1)


def denied_too_often(s: Situation) -> bool:
    """Was refused `denial_threshold` times in ten minutes (S-96)."""
    return s.counted(DENIALS, s.snapshot.usage.denials, s.number("denial_threshold"))


# ---- this object


def is_author(s: Situation) -> bool:
    """Wrote the object."""
    subject = s.request.subject.id
    return bool(subject) and s.request.resource.author == subject


def in_establishment(s: Situation) -> bool:
    """Holds a current assignment, by assignment facts."""
    return _holds_assignment(s, s.request.subject.id)


def in_producing_unit(s: Situation) -> bool | None:
    """Works in the unit that made the object, during the stay there, where the pack keeps its access."""
    keeps = wills.keeps_production(s, s.units)
    if keeps:
        s.rest_on_unit(s.units, s.request.resource.unit)
    return keeps


def in_tag_unit(s: Situation) -> bool:
    """Works in the unit that holds the tagged object, which is the one that made it."""
    unit = s.request.resource.unit
    if unit not in s.units:
        return False
    s.rest_on_unit(s.units, unit)
    return True


def same_specialty(s: Situation) -> bool:
    """Works in the unit that made the object, or in one of the same specialty."""
    unit = s.request.resource.unit
    if not unit:
        return False
    if in_tag_unit(s):
        return True
    for listed in s.pack.vocabulary.specialties.values():
        alike = s.units.keys() & listed if unit in listed else ()
        for own in sorted(alike):
            s.rest_on_unit(s.units, own)
            return True
    return False


def delegation_covers(s: Situation) -> bool:
    """Some delegation to the subject names this object, this patient, or its unit and category."""
    return bool(delegations.covering(s))


def delegated_for(s: Situation) -> bool | None:
    """And it is in date, fits the purpose, and whoever gave it may do this now."""
    return s.acted_for[1]


def _holds_assignment(s: Situation, subject_id: str) -> bool:
    for known in s.current_assignments(subject_id):
        s.rest_on(known)
        return True
    return False


WORDS = {
    word.__name__: word
    for word in (
        named_account, active, profile_held, listed_job, job_allows, is_provider, second_category, under_contract,
        one_activity, purpose_allowed, in_care_team, was_in_care_team, left_unit_less_than, responsible_for_stay,
        in_team_at_death,
        on_call_here, expecting_transfer, has_appointment, in_case_meeting, referring_on_request, named_in_care,
        answers_request_for, signed_request_for, senior_in_team, supervised, reads_own_record, over_volume,
        denied_too_often, is_author, in_establishment, in_producing_unit, in_tag_unit, same_specialty,
        delegation_covers, delegated_for,
    )
}  # fmt: skip
