"""What the patient wants nobody, or somebody, to see: masks, blocks, opposition to sharing (3.1.5).

A directive known from any source holds, however old; that there is none must be vouched for.
"""

from collections.abc import Callable

from sidecar.core import care, delegations
from sidecar.core.evidence import Evidence, Units
from sidecar.core.model import Assignment, Directive, Scope, Target
from sidecar.core.once import once

EVERYONE = "tous"  # `resource.masked_for`


class Person:
    """Whom a directive may concern. An empty profession or structure is not known.

    The subject is known by what the request says too, anybody else by their assignments alone. For what forbids,
    every unit counts: asserted, on call, or told long ago.
    """

    def __init__(self, evidence: Evidence, subject_id: str) -> None:
        subject = evidence.request.subject
        self.evidence, self.id, self.asks = evidence, subject_id, subject_id == subject.id
        self.profession = subject.profession if self.asks else ""
        self.structure = subject.structure if self.asks else ""

    @once
    def assigned(self) -> list[Assignment]:
        """Every assignment in force, however old."""
        return [
            known.fact.assignment
            for known in self.evidence.assignments(self.id)
            if known.fact.assignment is not None and self.evidence.holds(known.start, known.end)
        ]

    @once
    def profiles(self) -> set[str]:
        """The profile the subject works under now; every profile of anybody else."""
        return {self.evidence.request.subject.profile} if self.asks else {each.profile for each in self.assigned}

    @once
    def units(self) -> set[str]:
        """Every unit they may be said to work in."""
        return {each.unit for each in self.assigned}.union(self.evidence.request.subject.units if self.asks else ())


Judge = Callable[[Evidence, Person], bool | None]


def either(one: bool | None, other: bool | None) -> bool | None:
    """Kleene's `or`."""
    if one is True or other is True:
        return True
    return None if one is None or other is None else False


def both(one: bool | None, other: bool | None) -> bool | None:
    """Kleene's `and`."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def judged(evidence: Evidence, judge: Judge) -> bool | None:
    """What the patient's will is on the subject; under a delegation, what it is on the delegators counts too (3.0.4).

    With several delegators, all must be refused: any one of them is enough to act for.
    """
    own = judge(evidence, Person(evidence, evidence.request.subject.id))
    if own is True or evidence.delegate is None or not evidence.delegations(evidence.request.subject.id):
        return own
    people = [Person(evidence, each.from_subject_id) for each in delegations.in_force(evidence)]
    theirs: bool | None = bool(people)
    for person in people:
        theirs = both(theirs, judge(evidence, person))
    return either(own, theirs)


def refused_delegators(evidence: Evidence) -> frozenset[str]:
    """Those who delegated and whom the patient's will refuses themselves."""
    people = (Person(evidence, each.from_subject_id) for each in delegations.in_force(evidence))
    return frozenset(
        person.id for person in people if any(judge(evidence, person) for judge in (blocked, masked, opposed))
    )


def read_alike(evidence: Evidence) -> int:
    """How many facts the patient's will may be held against; read whether or not any will is known.

    Who may not know of a mask must not learn of it by what was read for them: where the unit that made an object
    keeps it, or the care team keeps safety data, a mask alone would have stays, relations and assignments looked at.
    """
    bundle, people = evidence.bundle, {evidence.request.subject.id}
    for known in evidence.delegations(evidence.request.subject.id):
        if known.fact.delegation is not None:
            people.add(known.fact.delegation.from_subject_id)
    held = sum(1 for person in sorted(people) for _ in evidence.assignments(person))
    return held + (0 if bundle is None else sum(1 for shelf in (bundle.stays, bundle.relations) for _ in shelf))


def blocked(evidence: Evidence, person: Person) -> bool | None:
    """Whether the patient blocked this person."""
    return either(_directed(evidence, "block", person), evidence.absent("directive"))


def opposed(evidence: Evidence, person: Person) -> bool | None:
    """Whether the patient's opposition to sharing covers this person, the author excepted."""
    if _is_other_author(evidence, person):
        return False
    return either(_directed(evidence, "opposition", person), evidence.absent("directive"))


def masked(evidence: Evidence, person: Person) -> bool | None:
    """Whether a mask covers this person and this object.

    The request may say so itself, and then an incomplete feed does not make it doubtful. What the pack calls
    safety data is not masked to the current care team (3.1.5).
    """
    stated = evidence.request.resource.masked_for
    answer = _directed(evidence, "mask", person)
    if evidence.will:
        for entry in stated or ():
            answer = either(answer, _names(entry, person))
    if stated is None or evidence.bundle is None:
        answer = either(answer, evidence.absent("directive"))
    return False if answer is not False and _keeps(evidence, person) else answer


def hidden(evidence: Evidence) -> bool | None:
    """Whether a visibility directive keeps the object from the subject."""
    return _directed(evidence, "visibility", Person(evidence, evidence.request.subject.id))


def keeps_production(evidence: Evidence, units: Units) -> bool | None:
    """Whether one of these units made the object and the patient's stay there is open (`producer_uf_keeps`)."""
    asked = evidence.request.resource
    if asked.unit not in units or not evidence.switch("producer_uf_keeps"):
        return False
    return None if evidence.bundle is None else care.open_stay(evidence, asked.unit, asked.stay)


def _directed(evidence: Evidence, kind: str, person: Person) -> bool | None:
    """Whether a directive of this kind, in force now, covers this person, object, action and mode."""
    answer: bool | None = False
    if evidence.bundle is None or not evidence.bundle.directives or not evidence.will:
        return answer
    for known in evidence.bundle.directives:
        directive = known.fact.directive
        if directive is None or directive.kind != kind or not evidence.about(known, directive.patient_id):
            continue
        covered = _covers(evidence, directive, person)
        if covered is not False and evidence.holds(known.start, known.end):
            evidence.rest_on(known)
            answer = either(answer, covered)
    return answer


def _covers(evidence: Evidence, directive: Directive, person: Person) -> bool | None:
    if directive.except_ and _spared(evidence, directive, person):
        return False
    if directive.modes and _mode(evidence) not in directive.modes:
        return False
    writes = evidence.request.action in evidence.pack.vocabulary.write_actions
    if directive.rights and ("write" if writes else "read") not in directive.rights:
        return False
    return both(_targets(directive.target, person), _reaches(evidence, directive.scope))


def _spared(evidence: Evidence, directive: Directive, person: Person) -> bool:
    """Whether the directive excepts this person, or a unit they now work in (all but the author's unit, 3.1.5)."""
    if person.id in directive.except_:
        return True
    units = evidence.units if person.asks else evidence.units_of(person.id)
    for unit in directive.except_:
        if unit in units:
            evidence.rest_on_unit(units, unit)
            return True
    return False


def _mode(evidence: Evidence) -> str:
    """The access mode, which is an emergency's only under an open grant: saying so is not enough."""
    return evidence.request.context.access_mode if evidence.open_grant is not None else "normal"


def _targets(target: Target, person: Person) -> bool | None:
    """Whether the target is this person; unknown where it is a profession or structure and theirs is not known."""
    if target.subject_id:
        return target.subject_id == person.id
    if target.unit:
        return target.unit in person.units
    if target.profession:
        return target.profession == person.profession if person.profession else None
    if target.structure:
        return target.structure == person.structure if person.structure else None
    return True  # everyone


def _reaches(evidence: Evidence, scope: Scope) -> bool | None:
    """Whether the scope holds the object asked about.

    A question about a category as a whole (no `resource.id`) is not about one document or stay in it: refusing
    it would tell everybody that something is masked. An object whose stay is not stated may be of that stay.
    """
    asked = evidence.request.resource
    if scope.categories and asked.category not in scope.categories:
        return False
    if scope.documents and asked.id not in scope.documents:
        return False
    if not scope.stay_id or asked.stay == scope.stay_id:
        return True
    return None if asked.id and not asked.stay else False


def _names(entry: str, person: Person) -> bool | None:
    """Whether an entry of `resource.masked_for` is this person: `tous`, a subject id, or a word and what it is of."""
    if entry in (EVERYONE, person.id):
        return True
    word, _, value = entry.partition(":")
    if word == "profile":
        return value in person.profiles
    if word == "unit":
        return value in person.units
    if word == "profession":
        return value == person.profession if person.profession else None
    if word == "structure":
        return value == person.structure if person.structure else None
    return False


def _is_other_author(evidence: Evidence, person: Person) -> bool:
    """Whether this is a delegator who made the object; that the subject made it is for the rows to weigh."""
    return not person.asks and person.id == evidence.request.resource.author


def _keeps(evidence: Evidence, person: Person) -> bool:
    """Whether a mask leaves this person the object: safety data to the current team, a delegator's own production."""
    switch = evidence.pack.vocabulary.safety.get(evidence.request.resource.category)
    safety = switch is not None and not evidence.switch(switch)
    if person.asks:
        return safety and care.in_team(evidence, person.id, evidence.units) is True
    units = evidence.units_of(person.id)
    return (
        _is_other_author(evidence, person)
        or keeps_production(evidence, units) is True
        or (safety and care.in_team(evidence, person.id, units) is True)
    )
