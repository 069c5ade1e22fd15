"""What production and oracle disagree on, in words; and the smallest world in which they still do."""

from collections.abc import Callable, Iterator
from dataclasses import replace as with_fields

from msgspec.structs import replace

from sidecar.core.model import Decision, Fact
from sidecar.core.policy import PolicySet
from tests.differential.chance import CONTROLLER
from tests.differential.production import decide, in_plain_terms
from tests.differential.worlds import Case
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
NOT_AVAILABLE = Answer("DENY", "NOT_AVAILABLE", "")
WILLED = ("mask", "block", "opposition", "visibility")  # directives that refuse, and whose refusal tells of them
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
    concealed = case.opening is None and plain.effect == "DENY" and oracle.conceals
    twin = without_will(oracle, case) if concealed else case
    if concealed and asked(oracle, twin).effect == "PERMIT":
        twin = without_will(oracle, case, delegators=False)
    if twin == case:
        return plain, found + list(too_long(oracle, case, plain, oracle.longest(plain), decision.valid_until))
    return plain, found + list(traces(policy, oracle, twin, decision))


def without_will(oracle: Oracle, case: Case, delegators: bool = True) -> Case:
    """The case with the patient's masks, blocks and oppositions taken away; without `delegators`, the delegations
    of those they refuse too (3.0.4)."""
    reading = oracle.reading(case.request, case.caller, CONTROLLER, case.world, case.now)
    reading.refuse_delegators()

    def stays(fact: Fact) -> bool:
        given = fact.delegation
        voided = not delegators and given is not None and given.from_subject_id in reading.unheard
        willed = fact.directive is not None and fact.directive.kind in WILLED
        return not willed and not (voided and given.to_subject_id == case.request.subject.id)

    stated = case.request.resource.masked_for
    asked_of, secret = case.request.resource, oracle.pack["vocabulary"]["secret_tags"]
    resource = replace(
        asked_of,
        masked_for=None if stated is None else (),
        visibility=None if asked_of.visibility is None else (),
        announced_since=None,
        # Another sensitive tag in place of one that also keeps the object from somebody.
        tags=asked_of.tags and tuple("inconnue" if tag in secret else tag for tag in asked_of.tags),
    )
    request = replace(case.request, resource=resource, facts=tuple(filter(stays, case.request.facts)))
    world = with_fields(case.world, facts=tuple(filter(stays, case.world.facts)))
    return replace(case, request=request, world=world)


def traces(policy: PolicySet, oracle: Oracle, twin: Case, decision: Decision) -> Iterator[str]:
    """What a refusal shows that it would not have shown had the patient willed nothing."""
    plain, (other, _) = asked(oracle, twin), decide(policy, twin)
    if plain.effect == "DENY":
        shown = [name for name in (*SEEN, "valid_until") if getattr(decision, name) != getattr(other, name)]
    else:
        shown = ["reason"] if decision.reason != "NOT_AVAILABLE" else []
    if shown:
        yield f"the patient's will shows in {', '.join(shown)}: {decision}, without it {other}"
    # A change in what the patient wills is not announced: valid_until is that of the question without it.
    if plain.effect == "DENY":
        yield from too_long(oracle, twin, plain, oracle.longest(plain), decision.valid_until)
    else:  # NOT_AVAILABLE is shown for as long as the other would be a permit, whatever comes with that one
        yield from too_long(oracle, twin, plain, oracle.longest(NOT_AVAILABLE), decision.valid_until, ("effect",))


def too_long(
    oracle: Oracle, case: Case, plain: Answer, longest: int, until: int, seen: tuple[str, ...] = SEEN
) -> Iterator[str]:
    """Why the answer may not be kept as long as production says: its age, or a change of answer before that."""
    if not case.now <= until <= case.now + longest:
        yield f"valid_until: {until - case.now} µs, at most {longest}"
    if case.opening is not None:
        return  # an opening's answer carries its own end
    known, edges = {case.now}, set(plain.edges)
    while soon := sorted(edge for edge in edges - known if edge < until):
        known.add(soon[0])
        later = asked(oracle, case, soon[0])
        edges |= later.edges
        changed = [name for name in seen if getattr(plain, name) != getattr(later, name)]
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
