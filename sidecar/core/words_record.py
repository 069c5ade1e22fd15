"""The words of `r.resource` and `r.patient`: the object asked about, the record it is in, and what the patient wants.

Each is a function of the situation that answers True, False or None (unknown).
"""

from sidecar.core import consents, lifecycle, wills
from sidecar.core.civil import midnight
from sidecar.core.situation import LIFECYCLES, Situation

# ---- r.resource


def expired(s: Situation) -> bool | None:
    """Past its retention."""
    return _is(s, "expire")


def archived(s: Situation) -> bool | None:
    """Kept, and no longer in use."""
    return _is(s, "archive")


def frozen(s: Situation) -> bool | None:
    """Not to be written."""
    return _is(s, "gele")


def invalidated(s: Situation) -> bool | None:
    """Declared wrong."""
    return _is(s, "invalide")


def draft(s: Situation) -> bool:
    """Not yet validated (A-09)."""
    return s.request.resource.lifecycle == "brouillon"


def created_before_leaving(s: Situation) -> bool | None:
    """Made before the subject and the patient were last in a unit together (REL_POST)."""
    left, created_at = s.left, s.request.resource.created_at
    return None if left is None else created_at is not None and created_at < left


def sensitive(s: Situation) -> bool | None:
    """Carries a tag; one the pack does not know counts too (3.0.1)."""
    tags = s.request.resource.tags
    return None if tags is None else bool(tags)


def tagged(s: Situation, tag: str) -> bool | None:
    """Carries this tag."""
    tags = s.request.resource.tags
    return None if tags is None else tag in tags


def only_tagged(s: Situation, *tags: str) -> bool:
    """Every tag is one of these, and what the tags are is known."""
    carried = s.request.resource.tags
    return carried is not None and all(tag in tags for tag in carried)


def masked_for_subject(s: Situation) -> bool | None:
    """A mask covers this subject, or those the subject acts for, and this object."""
    if s.undirected and not (s.will and s.request.resource.masked_for):
        stated = s.request.resource.masked_for is not None
        if stated or s.absent("directive") is False:
            return False
    return wills.judged(s, wills.masked)


def _is(s: Situation, state: str) -> bool | None:
    stated = s.request.resource.lifecycle
    if stated == state or (s.stated and state in s.lifecycles):
        return True
    if s.bundle is not None and stated in LIFECYCLES:
        return False
    return s.absent("record_state")


# ---- r.patient


def blocked_subject(s: Situation) -> bool | None:
    """Blocked this subject, or those the subject acts for."""
    if s.undirected and s.absent("directive") is False:
        return False
    return wills.judged(s, wills.blocked)


def opposed_to_subject(s: Situation) -> bool | None:
    """Opposed sharing with this subject, or with those the subject acts for."""
    if s.undirected and s.absent("directive") is False:
        return False
    return wills.judged(s, wills.opposed)


def informed(s: Situation) -> bool | None:
    """Was told beforehand that this subject shares the object (R.1110-3 CSP)."""
    return s.request.context.patient_informed == "yes" or consents.informed(s)


def unable_to_answer(s: Situation) -> bool:
    """Could not be told yet, and will be (R.1110-3 CSP)."""
    return s.request.context.patient_informed == "impossible"


def consented_to_subject(s: Situation) -> bool | None:
    """Consented that this subject, outside the team, has the object (REL_CONSENT)."""
    return consents.consented(s)


def agreed_to(s: Situation) -> bool | None:
    """Consented to this very category for this subject."""
    return consents.agreed(s)


def deceased(s: Situation) -> bool | None:
    """A death is recorded."""
    return True if s.stated and s.standing.deaths else s.absent("record_state")


def deceased_since_more_than(s: Situation, days: int) -> bool | None:
    """Died more than `days` Paris calendar days ago."""
    if not s.stated or not s.standing.deaths:
        return s.absent("record_state")
    over = midnight(min(s.standing.deaths), days + 1)
    s.edge(over)
    return s.now >= over


def in_litigation(s: Situation) -> bool | None:
    """A claim suspends expiry."""
    return None if s.bundle is None else lifecycle.in_litigation(s)


def flagged(s: Situation, flag: str) -> bool | None:
    """The record carries this flag."""
    return True if s.stated and flag in s.standing.flags else s.absent("record_state")


def protected_record(s: Situation) -> bool | None:
    """The record carries a flag that asks for a tie by name (A-14, A-28)."""
    if s.stated and s.standing.flags and not s.standing.flags.isdisjoint(s.pack.vocabulary.protected_flags):
        return True
    return s.absent("record_state")


RESOURCE = {
    word.__name__: word
    for word in (
        expired, archived, frozen, invalidated, draft, created_before_leaving, sensitive, tagged, only_tagged,
        masked_for_subject,
    )
}  # fmt: skip
PATIENT = {
    word.__name__: word
    for word in (
        blocked_subject, opposed_to_subject, informed, unable_to_answer, consented_to_subject, agreed_to, deceased,
        deceased_since_more_than, in_litigation, flagged, protected_record,
    )
}  # fmt: skip
