"""Where a patient's record stands: in use, archived, past its retention, in litigation (3.1.6)."""

from sidecar.core.bundle import NEVER
from sidecar.core.civil import retention
from sidecar.core.evidence import Evidence

LITIGATION = "litige"


def lifecycles(evidence: Evidence) -> frozenset[str]:
    """What the record as a whole is known to be: what its controller says, and where its retention stands."""
    if not evidence.states:
        return frozenset()
    found = set()
    last_care, born, died = NEVER, "", ""
    for known, state in evidence.states:
        evidence.rest_on(known)
        found.add(state.lifecycle)
        # Where feeds differ the later date counts: nothing falls due while one of them says it is kept.
        if state.last_care is not None and state.last_care > last_care:
            last_care = state.last_care
        born, died = max(born, state.birth_date), max(died, state.death_date)
    if last_care > NEVER:
        past, due = retention(last_care, born, died)
        evidence.edge(past)
        evidence.edge(due)
        if evidence.now >= due:
            found.add("archive" if in_litigation(evidence) else "expire")
        elif evidence.now >= past:
            found.add("archive")
    return frozenset(found)


def deaths(evidence: Evidence) -> frozenset[str]:
    """The dates of death that are recorded, ISO 8601."""
    found = set()
    for known, state in evidence.states:
        if state.death_date:
            evidence.rest_on(known)
            found.add(state.death_date)
    return frozenset(found)


def flags(evidence: Evidence) -> frozenset[str]:
    """The flags the record carries."""
    found: set[str] = set()
    for known, state in evidence.states:
        if state.flags:
            evidence.rest_on(known)
            found.update(state.flags)
    return frozenset(found)


def in_litigation(evidence: Evidence) -> bool:
    """Whether a claim is known that suspends expiry."""
    return any(LITIGATION in state.flags and evidence.supports(known) for known, state in evidence.states)
