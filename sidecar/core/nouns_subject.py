"""`r.subject`: who asks, what account and profile they hold, how they are tied to the patient and to the object."""

from sidecar.core import care, delegations, wills
from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.evidence import Evidence
from sidecar.core.instants import DAY
from sidecar.core.nouns_record import Resource
from sidecar.core.words import Noun, asked, word


class Subject(Noun):
    """Who asks."""

    name = "subject"

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.asked = evidence.request.subject
        self.profile = evidence.request.subject.profile

    # ---- the account

    @property
    def named_account(self) -> bool:
        """The account is one person's."""
        return self.asked.account_type == "nominatif"

    @property
    def active(self) -> bool:
        """The account is active and inside its validity."""
        start, end = self.asked.valid_from, self.asked.valid_until
        return self.asked.status == "actif" and self.evidence.holds(
            NEVER if start is None else start, FOREVER if end is None else end
        )

    @word
    def profile_held(self) -> bool:
        """The kind is one of the profile's, and an assignment, or a caller that may assert it, holds the profile.

        Where the caller may not, each stated unit must be assigned under that profile too (G-SUB-6).
        """
        evidence, subject = self.evidence, self.asked
        if subject.kind not in evidence.pack.vocabulary.profiles[subject.profile].kinds:
            return False
        if "identity" in evidence.speaker.may_assert:
            return True
        held = {
            known.fact.assignment.unit: known
            for known in evidence.current_assignments(subject.id)
            if known.fact.assignment is not None and known.fact.assignment.profile == subject.profile
        }
        for known in held.values():
            evidence.rest_on(known)
        return bool(held) and held.keys() >= set(subject.units)

    @property
    def listed_job(self) -> bool:
        """The account is listed for the job its profile names (A-31)."""
        job = self.evidence.pack.jobs.get(self.profile)
        return job is not None and self.asked.id in job.accounts

    @asked
    def job_allows(self, resource: Resource) -> bool | None:
        """The listed job does this, for this purpose; a write names its author, and a stay is over where it must be."""
        evidence, request = self.evidence, self.evidence.request
        job = evidence.pack.jobs.get(self.profile)
        if job is None or self.asked.id not in job.accounts:
            return False
        if request.purpose not in job.purposes or request.action not in job.actions:
            return False
        if resource.category not in job.categories:
            return False
        writes = request.action in evidence.pack.vocabulary.write_actions
        if writes and job.writes_need_author and not resource.asked.author:
            return False
        return care.closed_stay(evidence, resource.asked.stay) if job.closed_stay else True

    @property
    def is_provider(self) -> bool:
        """Works for a provider under contract."""
        return self.asked.kind == "prestataire"

    @word
    def under_contract(self) -> bool:
        """An approved contract of the provider is in date and its undertaking is signed; the request only restricts."""
        evidence, subject = self.evidence, self.asked
        if not subject.structure or subject.confidentiality_signed is False:
            return False
        if subject.contract_until is not None and not evidence.holds(NEVER, subject.contract_until):
            return False
        for known in evidence.contracts(subject.structure):
            contract = known.fact.contract
            if contract is None or not contract.approved or not contract.confidentiality_signed:
                continue
            if evidence.holds(known.start, known.end) and evidence.supports(known):
                return True
        return False

    @property
    def one_activity(self) -> bool:
        """At most one exercise situation, or the one used now is named."""
        return len(self.asked.activities) <= 1 or self.asked.activity_id in self.asked.activities

    def purpose_allowed(self, purpose: str) -> bool:
        """The profile's list holds this purpose, and it is not one that is always denied."""
        vocabulary = self.evidence.pack.vocabulary
        return purpose in vocabulary.profiles[self.profile].purposes and purpose not in vocabulary.denied_purposes

    # ---- the care of this patient

    @word
    def in_care_team(self) -> bool | None:
        """REL_ENC, REL_RESP or REL_TEAM."""
        return care.in_team(self.evidence, self.asked.id, self.evidence.units)

    @word
    def was_in_care_team(self) -> bool | None:
        """Was, and it ended."""
        was = care.was_in_team(self.evidence, self.asked.id)
        return not self.in_care_team if was else was

    @asked
    def left_unit_less_than(self, days: int) -> bool | None:
        """Less than `days` × 24 h since the subject and the patient were last in a unit together (REL_POST)."""
        left = care.left(self.evidence, self.asked.id)
        return None if left is None else left > NEVER and self.evidence.holds(NEVER, left + days * DAY)

    @word
    def responsible_for_stay(self) -> bool | None:
        """REL_RESP."""
        return care.responsible(self.evidence, self.asked.id)

    @word
    def in_team_at_death(self) -> bool | None:
        """Was in the care team on the Paris day of a recorded death."""
        return care.in_team_at_death(self.evidence, self.asked.id)

    @word
    def on_call_here(self) -> bool | None:
        """REL_GARDE."""
        return care.on_call(self.evidence, self.asked.id)

    @word
    def expecting_transfer(self) -> bool | None:
        """REL_TRANSFER."""
        return care.expecting_transfer(self.evidence, self.evidence.units)

    @word
    def has_appointment(self) -> bool | None:
        """REL_APPT."""
        return care.related(self.evidence, "REL_APPT", self.asked.id, self.evidence.units)

    @word
    def named_in_care(self) -> bool | None:
        """Tied to the patient by name, not through a unit (A-14)."""
        return care.named(self.evidence, self.asked.id)

    @asked
    def signed_request_for(self, resource: Resource) -> bool | None:
        """The object answers a request the subject signed."""
        return care.signed_request_for(self.evidence, self.asked.id, resource.asked.id)

    @word
    def senior_in_team(self) -> bool | None:
        """The person named as senior, who is somebody else, is in the care team."""
        senior = self.asked.supervised_by
        if not senior or senior == self.asked.id:
            return False
        return care.in_team(self.evidence, senior, self.evidence.units_of(senior))

    @word
    def supervised(self) -> bool:
        """The person named as supervisor, who is somebody else, holds an assignment."""
        supervisor = self.asked.supervised_by
        return bool(supervisor) and supervisor != self.asked.id and self._holds_assignment(supervisor)

    @word
    def reads_own_record(self) -> bool | None:
        """The subject, a member of staff, is this patient (A-15)."""
        evidence = self.evidence
        if evidence.bundle is None:
            return None
        for known in evidence.bundle.persons:
            alias = known.fact.alias
            if alias is None or alias.kind != "same_person" or alias.other_id != self.asked.id:
                continue
            if evidence.about(known, alias.patient_id) and evidence.holds(known.start, known.end):
                evidence.rest_on(known)
                return True
        return evidence.absent("alias")

    # ---- this object

    @property
    def is_author(self) -> bool:
        """Wrote the object."""
        return bool(self.asked.id) and self.evidence.request.resource.author == self.asked.id

    @word
    def in_establishment(self) -> bool:
        """Holds a current assignment, by assignment facts."""
        return self._holds_assignment(self.asked.id)

    @word
    def in_producing_unit(self) -> bool | None:
        """Works in the unit that made the object, during the stay there, where the pack keeps its access."""
        evidence = self.evidence
        keeps = wills.keeps_production(evidence, evidence.units)
        if keeps:
            evidence.rest_on_unit(evidence.units, evidence.request.resource.unit)
        return keeps

    @word
    def in_tag_unit(self) -> bool:
        """Works in the unit that holds the tagged object, which is the one that made it."""
        evidence, unit = self.evidence, self.evidence.request.resource.unit
        if unit not in evidence.units:
            return False
        evidence.rest_on_unit(evidence.units, unit)
        return True

    @asked
    def delegation_covers(self, resource: Resource) -> bool:
        """Some delegation to the subject names this object, this patient, or its unit and category."""
        return bool(delegations.covering(resource.evidence))

    @asked
    def delegated_for(self, resource: Resource) -> bool | None:
        """And it is in date, fits the purpose, and whoever gave it may do this now."""
        return delegations.delegator(resource.evidence)[1]

    def _holds_assignment(self, subject_id: str) -> bool:
        for known in self.evidence.current_assignments(subject_id):
            self.evidence.rest_on(known)
            return True
        return False
