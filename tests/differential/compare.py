"""What production and oracle disagree on, in words; and the smallest world in which they still do."""

from collections.abc import Callable, Iterator
from dataclasses import replace as with_fields

from msgspec.structs import replace

from sidecar.core.policy import PolicySet
from tests.differential.production import decide, in_plain_terms
from tests.differential.worlds import CONTROLLER, Case
from tests.oracle import Answer, Oracle

COMPARED = (
    "effect",
    "reason",
    "true_reason",
    "rule",
    "also",
    "obligations",
    "advice",
    "offer",
    "terms",
)
SEEN = ("effect", "reason", "obligations", "advice", "offer")  # what the caller sees and may keep


def asked(oracle: Oracle, case: Case, now: int | None = None) -> Answer:
    """What the oracle says of a case, at its own instant or another."""
    at = case.now if now is None else now
    if case.opening is not None:
        return oracle.open(case.opening, case.caller, CONTROLLER, case.world, at)
    return oracle.decide(case.request, case.caller, CONTROLLER, case.world, at)


def at_its_edges(oracle: Oracle, case: Case, most: int) -> list[Case]:
    """The same question asked again at the next instants at which something it was answered from turns."""
    return [replace(case, now=edge) for edge in sorted(asked(oracle, case).edges)[:most]]


def disagreements(policy: PolicySet, oracle: Oracle, case: Case) -> tuple[Answer, list[str]]:
    """What the oracle says, and everything in which production says something else."""
    plain = asked(oracle, case)
    decision, terms = decide(policy, case)
    said = in_plain_terms(decision, terms)
    found = [
        f"{name}: oracle {getattr(plain, name)!r}, production {getattr(said, name)!r}"
        for name in COMPARED
        if getattr(plain, name) != getattr(said, name)
    ]
    if case.opening is None and decision.unknown:
        unknown = oracle.unknown(case.request, case.caller, CONTROLLER, case.world, case.now)
        if not set(decision.unknown) <= unknown:
            found.append(f"unknown: oracle {sorted(unknown)}, production {decision.unknown}")
    if plain.true_reason == "FACTS_UNAVAILABLE" and not decision.unknown:
        found.append("unknown: production names no word for FACTS_UNAVAILABLE")
    return plain, found + list(too_long(oracle, case, plain, decision.valid_until))


def too_long(oracle: Oracle, case: Case, plain: Answer, until: int) -> Iterator[str]:
    """Why the answer may not be kept as long as production says: its age, or a change of answer before that."""
    if not case.now <= until <= case.now + oracle.longest(plain):
        yield f"valid_until: {until - case.now} µs, at most {oracle.longest(plain)}"
    if case.opening is not None:
        return  # an opening's answer carries its own end
    known, edges = {case.now}, set(plain.edges)
    while soon := sorted(edge for edge in edges - known if edge < until):
        known.add(soon[0])
        later = asked(oracle, case, soon[0])
        edges |= later.edges
        changed = [name for name in SEEN if getattr(plain, name) != getattr(later, name)]
        if changed:
            yield f"valid_until: {until - case.now} µs, but {', '.join(changed)} change after {soon[0] - case.now}"
            return


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The case with every fact, watermark and grant left out that is not needed for it to fail."""
    for name in ("facts", "watermarks", "grants"):
        at = 0
        while at < len(getattr(case.world, name)):
            listed = getattr(case.world, name)
            less = replace(case, world=with_fields(case.world, **{name: listed[:at] + listed[at + 1 :]}))
            if fails(less):
                case = less
            else:
                at += 1
    return case
