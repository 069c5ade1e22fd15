"""Where a patient's record stands: in use, archived, past its retention, in litigation (3.1.6)."""

from typing import NamedTuple

from sidecar.core.bundle import NEVER
from sidecar.core.civil import retention
from sidecar.core.evidence import Evidence

LITIGATION = "litige"


class Standing(NamedTuple):
    """What the record's states say together: lifecycles, flags, and the dates from which its retention runs.

    Where feeds differ the later date counts: nothing falls due while one of them says it is kept.
    """

    lifecycles: frozenset[str]
    flags: frozenset[str]
    deaths: frozenset[str]
    last_care: int
    born: str


def standing(evidence: Evidence) -> Standing:
    """What is known of the record now; the answer rests on every state of it."""
    lifecycles: set[str] = set()
    flags: set[str] = set()
    deaths: set[str] = set()
    last_care, born = NEVER, ""
    for known, state in evidence.states:
        evidence.rest_on(known)
        lifecycles.add(state.lifecycle)
        if state.flags:
            flags.update(state.flags)
        if state.death_date:
            deaths.add(state.death_date)
        if state.last_care is not None and state.last_care > last_care:
            last_care = state.last_care
        if state.birth_date > born:
            born = state.birth_date
    return Standing(frozenset(lifecycles), frozenset(flags), frozenset(deaths), last_care, born)


def lifecycles(evidence: Evidence, found: Standing) -> frozenset[str]:
    """What the record as a whole is known to be: what its controller says, and where its retention stands."""
    if found.last_care == NEVER:
        return found.lifecycles
    past, due = retention(found.last_care, found.born, max(found.deaths, default=""))
    evidence.edge(past)
    evidence.edge(due)
    if evidence.now >= due:
        return found.lifecycles | {"archive" if in_litigation(evidence) else "expire"}
    return found.lifecycles | {"archive"} if evidence.now >= past else found.lifecycles


def in_litigation(evidence: Evidence) -> bool:
    """Whether a claim is known that suspends expiry."""
    return any(LITIGATION in state.flags and evidence.supports(known) for known, state in evidence.states)
