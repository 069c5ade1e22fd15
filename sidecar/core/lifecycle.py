"""Where a patient's record stands: in use, archived, past its retention, in litigation (3.1.6)."""

from sidecar.core.civil import retention
from sidecar.core.evidence import Evidence
from sidecar.core.standing import NO_CARE, Standing

LITIGATION = "litige"


def standing(evidence: Evidence) -> Standing:
    """What is known of the record now; the answer rests on every state of it."""
    record = evidence.record
    for known, _ in record.states:
        evidence.rest_on(known)
    return record.standing


def lifecycles(evidence: Evidence, found: Standing) -> frozenset[str]:
    """What the record as a whole is known to be: what its controller says, and where its retention stands."""
    if found.last_care == NO_CARE:
        return found.lifecycles
    past, due = retention(found.last_care, found.born, max(found.deaths, default=""))
    evidence.edge(past)
    evidence.edge(due)
    if evidence.now >= due:
        return found.lifecycles | {"archive" if in_litigation(evidence) else "expire"}
    return found.lifecycles | {"archive"} if evidence.now >= past else found.lifecycles


def in_litigation(evidence: Evidence) -> bool:
    """Whether a claim is known that suspends expiry."""
    return any(LITIGATION in state.flags and evidence.supports(known) for known, state in evidence.record.states)
