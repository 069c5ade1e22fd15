"""The words of `r.authentication`, `r.device`, `r.caller` and `r.context`: the circumstances of the request.

Each is a function of the situation that answers True, False or None (unknown).
"""

import re

from sidecar.core import break_glass
from sidecar.core.instants import SECOND
from sidecar.core.situation import Situation
from sidecar.core.vocabulary import REFERENCES

REMOTE = {"none": False, "managed_channel": False, "open": True}
MOBILE = frozenset(("tablet", "phone"))
LAWFUL_HOSTING = frozenset(("certified", "not_needed"))  # L.1111-8 CSP
NO_WORKSTATION = "none"
BLOCKED_BG, ALERT_ALLOW = "blocked_bg", "alert_allow"  # setting: what a block is worth in an emergency (A-BG-7)
RPPS = re.compile(r"[0-9]{11}\Z")

# ---- r.authentication


def present(s: Situation) -> bool:
    """A context was given, not an identification alone."""
    return s.request.authentication is not None


def mfa(s: Situation) -> bool:
    """Two factors were used."""
    given = s.request.authentication
    return given is not None and given.mfa is True


def idle_within_limit(s: Situation) -> bool:
    """The silence is under the pack's limit for this profile and caller (G-AUTH-2)."""
    given = s.request.authentication
    if given is None or given.idle_s is None:
        return False
    profile = s.pack.vocabulary.profiles.get(s.request.subject.profile)
    portal = s.speaker.channel == "portal" or (profile is not None and profile.portal_idle)
    return given.idle_s < s.number("portal_idle_limit" if portal else "idle_limit")


def younger_than(s: Situation, seconds: int) -> bool:
    """Less than `seconds` old; a clock ahead is tolerated for 60 s."""
    given = s.request.authentication
    return (
        given is not None
        and given.time is not None
        and s.holds(given.time - break_glass.CLOCK_AHEAD, given.time + seconds * SECOND)
    )


def remote_without_channel(s: Situation) -> bool | None:
    """From outside, and not by a channel the controller runs."""
    given = s.request.authentication
    return None if given is None or given.remote is None else REMOTE.get(given.remote)


# ---- r.device


def compromised(s: Situation) -> bool | None:
    """Rooted, jailbroken or reported flawed; a workstation that does not say so is not (S-161)."""
    device = s.request.device
    if device is None or (device.compromised is None and device.class_ != "workstation"):
        return None
    return device.compromised is True


def managed(s: Situation) -> bool:
    """Run by the controller."""
    device = s.request.device
    return device is not None and device.managed is True


def mobile(s: Situation) -> bool:
    """A tablet or a phone."""
    device = s.request.device
    return device is not None and device.class_ in MOBILE


# ---- r.caller


def acts_for(s: Situation) -> bool:
    """The controller of the object is one of the caller's."""
    stated = s.request.resource.controller_id or s.controller_id
    return stated == s.controller_id and stated in s.speaker.controllers


def hosting_lawful(s: Situation) -> bool:
    """Certified for health data, or in no need of it."""
    return s.speaker.hds in LAWFUL_HOSTING


# ---- r.context


def grant_open(s: Situation) -> bool:
    """The grant named opens this patient's record to this subject now."""
    return s.open_grant is not None


def grant_ended(s: Situation) -> bool:
    """The grant named is this subject's, and over."""
    grant = s.grant
    if grant is None:
        return False
    s.edge(grant.until)
    if grant.closed_at is not None:
        s.edge(grant.closed_at)
    return break_glass.state(grant, s.now) is not break_glass.State.OPEN


def grant_for_other_patient(s: Situation) -> bool:
    """The grant named is this subject's, for another patient; it tells why, and opens nothing."""
    return s.grant is not None and s.grant.patient_id not in s.names


def may_review(s: Situation) -> bool:
    """The grant that the request names is not the subject's own, nor, where the pack is strict, a direct report's."""
    grant = s.tenant.grants.get(s.request.context.grant)
    if grant is None or (grant.tenant, grant.controller_id) != (s.tenant.tenant, s.controller_id):
        return False
    return grant.reviewable_by(s.request.subject.id, s.pack.break_glass.review_strict)


def untold_of_emergency(s: Situation) -> bool:
    """The glass was broken on this record of late, and nobody confirmed yet that the patient knows (S-131)."""
    return bool(s.untold)


def vital_motive(s: Situation) -> bool:
    """The open grant's motive is one of those that open more (A-BG-3)."""
    grant = s.open_grant
    return grant is not None and grant.motive in s.pack.break_glass.vital_motives


def vital_override(s: Situation) -> bool:
    """The open grant passes a mask: the pack lets it, for this profile and motive, confirmed twice (A-BG-5)."""
    grant, rules = s.open_grant, s.pack.break_glass
    return (
        grant is not None
        and grant.second_confirmation
        and grant.motive in rules.override_motives
        and grant.profile in rules.override_profiles
        and s.switch("vital_override")
    )


def single_factor_allowed(s: Situation) -> bool:
    """One factor is enough: a grant is asked for with a motive that allows it, or was opened so (A-BG-2)."""
    rules, request = s.pack.break_glass, s.request
    if request.action == rules.action:
        return request.context.motive in rules.single_factor_motives and s.switch("bg_single_factor")
    grant = s.open_grant
    return grant is not None and break_glass.SINGLE_FACTOR in grant.alerts and s.switch("bg_single_factor")


def blocked_override(s: Situation) -> bool:
    """The open grant passes the patient's block of this professional: the pack lets it, for this motive (A-BG-7)."""
    grant = s.open_grant
    return (
        grant is not None
        and grant.motive in s.pack.break_glass.blocked_motives
        and s.pack.settings[BLOCKED_BG].value == ALERT_ALLOW
    )


def motive_given(s: Situation) -> bool:
    """A motive of the closed list."""
    return s.request.context.motive in s.pack.break_glass.motives


def justified(s: Situation) -> bool:
    """That motive, with a justification that says something."""
    context = s.request.context
    return break_glass.justified(s.pack.break_glass, context.motive, context.justification)


def ticket_open(s: Situation) -> bool:
    """The ticket given is known and in its period (REL_TICKET)."""
    return has_ref(s, "ticket")


def has_ref(s: Situation, name: str) -> bool:
    """The reference is given and known, in its period, for this patient and subject if it names one."""
    return s.knows_reference(REFERENCES[name], getattr(s.request.context.refs, name))


def touches_workstation(s: Situation) -> bool | None:
    """A user's workstation is touched."""
    workstation = s.request.context.workstation
    return workstation != NO_WORKSTATION if workstation else None


def user_agreed(s: Situation) -> bool:
    """The user of that workstation agreed (S-178)."""
    return s.request.context.user_agreement is True


def recipient_identified(s: Situation) -> bool:
    """The recipient is named by an RPPS number, or is the patient (A-24)."""
    recipient = s.request.context.recipient
    return bool(RPPS.match(recipient)) or (bool(recipient) and recipient in s.names)


def notice_current(s: Situation) -> bool:
    """The user saw the notice on logging that is in force, where the controller states one (S-86)."""
    return s.pack.settings["notice_version"].value in ("", s.request.context.notice_version)


def setting(s: Situation, name: str) -> bool:
    """A switch of the pack."""
    return s.switch(name)


SUBJECT = {may_review.__name__: may_review}
PATIENT = {untold_of_emergency.__name__: untold_of_emergency}
AUTHENTICATION = {
    word.__name__: word for word in (present, mfa, idle_within_limit, younger_than, remote_without_channel)
}
DEVICE = {word.__name__: word for word in (compromised, managed, mobile)}
CALLER = {word.__name__: word for word in (acts_for, hosting_lawful)}
CONTEXT = {
    word.__name__: word
    for word in (
        grant_open, grant_ended, grant_for_other_patient, vital_motive, vital_override, single_factor_allowed,
        blocked_override, motive_given, justified, ticket_open,
        has_ref, touches_workstation, user_agreed, recipient_identified, notice_current, setting,
    )
}  # fmt: skip
