"""`r.authentication`, `r.device`, `r.caller` and `r.context`: the circumstances of the request."""

from sidecar.core import break_glass
from sidecar.core.instants import SECOND
from sidecar.core.nouns_record import Resource
from sidecar.core.vocabulary import REFERENCES
from sidecar.core.words import Noun, word

REMOTE = {"none": False, "managed_channel": False, "open": True}
MOBILE = frozenset(("tablet", "phone"))
LAWFUL_HOSTING = frozenset(("certified", "not_needed"))  # L.1111-8 CSP
NO_WORKSTATION = "none"


class Authentication(Noun):
    """How the subject proved who they are."""

    name = "authentication"

    @property
    def present(self) -> bool:
        """A context was given, not an identification alone."""
        return self.evidence.request.authentication is not None

    @property
    def mfa(self) -> bool:
        """Two factors were used."""
        given = self.evidence.request.authentication
        return given is not None and given.mfa is True

    @property
    def idle_within_limit(self) -> bool:
        """The silence is under the pack's limit for this profile and caller (G-AUTH-2)."""
        evidence = self.evidence
        given = evidence.request.authentication
        if given is None or given.idle_s is None:
            return False
        profile = evidence.pack.vocabulary.profiles.get(evidence.request.subject.profile)
        portal = evidence.speaker.channel == "portal" or (profile is not None and profile.portal_idle)
        return given.idle_s < evidence.number("portal_idle_limit" if portal else "idle_limit")

    def younger_than(self, seconds: int) -> bool:
        """Less than `seconds` old; a clock ahead is tolerated for 60 s."""
        evidence = self.evidence
        given = evidence.request.authentication
        return (
            given is not None
            and given.time is not None
            and evidence.holds(given.time - break_glass.CLOCK_AHEAD, given.time + seconds * SECOND)
        )

    @word
    def remote_without_channel(self) -> bool | None:
        """From outside, and not by a channel the controller runs."""
        given = self.evidence.request.authentication
        return None if given is None or given.remote is None else REMOTE.get(given.remote)


class Device(Noun):
    """What the subject works on."""

    name = "device"

    @word
    def compromised(self) -> bool | None:
        """Rooted, jailbroken or reported flawed; a workstation that does not say so is not (S-161)."""
        device = self.evidence.request.device
        if device is None or (device.compromised is None and device.class_ != "workstation"):
            return None
        return device.compromised is True

    @property
    def managed(self) -> bool:
        """Run by the controller."""
        device = self.evidence.request.device
        return device is not None and device.managed is True

    @property
    def mobile(self) -> bool:
        """A tablet or a phone."""
        device = self.evidence.request.device
        return device is not None and device.class_ in MOBILE


class Caller(Noun):
    """Which system speaks."""

    name = "caller"

    def acts_for(self, resource: Resource) -> bool:
        """The controller of the object is one of the caller's."""
        evidence = resource.evidence
        stated = resource.asked.controller_id or evidence.controller_id
        return stated == evidence.controller_id and stated in evidence.speaker.controllers

    @property
    def hosting_lawful(self) -> bool:
        """Certified for health data, or in no need of it."""
        return self.evidence.speaker.hds in LAWFUL_HOSTING


class Context(Noun):
    """The circumstance of the access."""

    name = "context"

    @property
    def grant_open(self) -> bool:
        """The grant named opens this patient's record to this subject now."""
        return self.evidence.open_grant is not None

    @property
    def grant_ended(self) -> bool:
        """The grant named is this subject's, and over."""
        grant, evidence = self.evidence.grant, self.evidence
        if grant is None:
            return False
        evidence.edge(grant.until)
        return break_glass.state(grant, evidence.now) is not break_glass.State.OPEN

    @property
    def grant_for_other_patient(self) -> bool:
        """The grant named is this subject's, for another patient; it tells why, and opens nothing."""
        grant = self.evidence.grant
        return grant is not None and grant.patient_id not in self.evidence.names

    @word
    def vital_motive(self) -> bool:
        """The open grant's motive is one of those that open more (A-BG-3)."""
        grant = self.evidence.open_grant
        return grant is not None and grant.motive in self.evidence.pack.break_glass.vital_motives

    @word
    def vital_override(self) -> bool:
        """The open grant passes a mask: the pack lets it, for this profile and motive, confirmed twice (A-BG-5)."""
        grant, rules = self.evidence.open_grant, self.evidence.pack.break_glass
        return (
            grant is not None
            and grant.second_confirmation
            and grant.motive in rules.override_motives
            and grant.profile in rules.override_profiles
            and self.evidence.switch("vital_override")
        )

    @property
    def motive_given(self) -> bool:
        """A motive of the closed list."""
        return self.evidence.request.context.motive in self.evidence.pack.break_glass.motives

    @word
    def justified(self) -> bool:
        """That motive, with a justification that says something."""
        context = self.evidence.request.context
        return break_glass.justified(self.evidence.pack.break_glass, context.motive, context.justification)

    @word
    def ticket_open(self) -> bool:
        """The ticket given is known and in its period (REL_TICKET)."""
        return self._known("ticket")

    def has_ref(self, name: str) -> bool:
        """The reference is given and known, in its period, for this patient and subject if it names one."""
        return self._known(name)

    @word
    def touches_workstation(self) -> bool | None:
        """A user's workstation is touched."""
        workstation = self.evidence.request.context.workstation
        return workstation != NO_WORKSTATION if workstation else None

    @property
    def user_agreed(self) -> bool:
        """The user of that workstation agreed (S-178)."""
        return self.evidence.request.context.user_agreement is True

    def setting(self, name: str) -> bool:
        """A switch of the pack."""
        return self.evidence.switch(name)

    def _known(self, name: str) -> bool:
        evidence, kind = self.evidence, REFERENCES[name]
        ref = getattr(evidence.request.context.refs, name)
        if not ref:
            return False
        for known in evidence.references(ref):
            relation = known.fact.relation
            if relation is None or relation.kind != kind or known.fact.controller_id != evidence.controller_id:
                continue
            if relation.patient_id and relation.patient_id not in evidence.names:
                continue
            if relation.subject_id and relation.subject_id != evidence.request.subject.id:
                continue
            if evidence.relation_holds(known, relation):
                return True
        return False
