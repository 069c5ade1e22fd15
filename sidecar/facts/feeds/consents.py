"""A Consent as directives: what a patient refused, and to whom they opened their record.

- A refusal of a person as a whole → `block`; of an establishment, a unit or everyone → `opposition`; of some documents
  or categories → `mask`. A refusal that cannot be read whole counts as lost: directives are then not complete.
- A permission → `consent`, only for who is named: opening a record to nobody by name opens nothing.
- The policy rule is the base, and the outer provision, where it says no type, an exception to it (FHIR R4, Consent:
  "an exception to the base policy of this consent"): a refusal under OPTIN, a permission under OPTOUT.
- A permission inside a refusal excepts the people it names, or emergencies; any narrower one is not taken, and the
  refusal stands.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct, structs

from sidecar.core.model import Directive, Period, Scope, Target
from sidecar.facts.feeds import codes, periods
from sidecar.facts.feeds.codes import codings, short
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.people import NO_PATIENT, unit_named
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import Actor, Consent, Provision

PRIVACY = "patient-privacy"  # consentscope: about access to data, not about treatment, research or resuscitation
# HL7 v3-ActReason: what care is; ETREAT is care in an emergency.
EMERGENCY = "ETREAT"
CARE = frozenset({"TREAT", "CAREMGT", EMERGENCY})
# HL7 v3-ParticipationType of an actor that says whose data it is, not who may see it. What this controller keeps is
# all that is known here; what one author wrote is not told apart.
KEEPER, AUTHOR = "CST", "AUT"
READING, WRITING = frozenset({"access", "use", "disclose"}), frozenset({"collect", "correct"})  # consentaction

UNTAKEN = "an exception to a refusal: the refusal stands whole"

Kind = Literal["deny", "permit"]


class Clause(Struct, frozen=True):
    """One provision, with what it does and its period. `excepted`: the permissions right inside a refusal."""

    kind: Kind | None
    provision: Provision
    whole: Period
    inside: Kind | None  # what the provision around it does
    excepted: tuple[Provision, ...] = ()


def consent(told: Told, resource: Consent, feed: Feed, directory: Directory) -> None:
    """A directive for each provision and each actor it names. Raises ValueError for an unusable date."""
    clauses = list(_clauses(resource, feed))
    targets = [_targets(clause, feed, directory) for clause in clauses]
    names = [[told.name_for(f"/{n}") for _ in found or ()] for n, found in enumerate(targets)]
    if resource.status != "active":
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
        return
    if all(coding.code != PRIVACY for coding in codings((resource.scope,))):
        told.skip("not about access to the record", codes.named((resource.scope,)), lost=False)
        return
    patient_id = directory.patient(resource.patient)
    if not patient_id:
        told.skip(NO_PATIENT)
        return
    for clause, found, numbered in zip(clauses, targets, names, strict=True):
        directive = _directive(told, clause, patient_id, feed, directory)
        if directive is None:
            continue
        if found is None:
            told.skip("an actor that names nobody here", lost=clause.kind == "deny")
            continue
        if not found:
            told.skip("names nobody: permits nobody, or only the patient's side is meant", lost=False)
        for target, name in zip(found, numbered, strict=True):
            kind = _kind(directive, target)
            fact = told.blank(name, clause.whole)
            told.facts.append(structs.replace(fact, directive=structs.replace(directive, kind=kind, target=target)))


def _clauses(resource: Consent, feed: Feed) -> Iterator[Clause]:
    """The provisions, the outer before the inner, the base policy before them all."""
    rules = {coding.code for coding in codings((resource.policy_rule,))}
    since = Period(periods.start(resource.date_time, feed.zone)) if resource.date_time else Period()
    root = resource.provision or Provision()
    if "OPTOUT" in rules:
        inner = () if resource.provision is None else (structs.replace(root, type=root.type or "permit"),)
        yield from _within(Provision("deny", provision=inner), None, since, feed)
    elif "OPTIN" in rules and not root.type and root.provision and root != Provision(period=root.period):
        # It only frames what is inside it.
        for each in root.provision:
            framed = structs.replace(each, actor=each.actor or root.actor, period=each.period or root.period)
            yield from _within(framed, "permit", since, feed)
    elif "OPTIN" in rules and not root.type:
        narrows = structs.replace(root, period=None, provision=()) != Provision()
        yield from _within(structs.replace(root, type="deny" if narrows else "permit"), None, since, feed)
    else:
        yield from _within(root, None, since, feed)


def _within(provision: Provision, inside: Kind | None, whole: Period, feed: Feed) -> Iterator[Clause]:
    kind: Kind | None = "deny" if provision.type == "deny" else "permit" if provision.type == "permit" else None
    stated = periods.period(provision.period, feed.zone)
    # A period of its own counts, though it begins before the consent was recorded.
    during = stated if provision.period is not None and inside is None else periods.within(stated, whole)
    if during is None:
        return
    excepted = tuple(p for p in provision.provision if p.type == "permit" and _excepts(p)) if kind == "deny" else ()
    yield Clause(kind, provision, during, inside, excepted)
    for inner in provision.provision:
        if inner in excepted:
            continue
        # Inside a provision, who is not named again is whoever the provision names.
        spelt = inner if inner.actor else structs.replace(inner, actor=provision.actor)
        yield from _within(spelt, kind or "permit", during, feed)


def _excepts(provision: Provision) -> bool:
    """Whether a permission inside a refusal is one that a directive can say: for some people, or for emergencies."""
    bare = structs.replace(provision, type="", actor=(), purpose=(), action=())
    people = [actor for actor in provision.actor if KEEPER not in _roles(actor)]
    purposes = {coding.code for coding in provision.purpose}
    return bare == Provision() and (not purposes if people else purposes == {EMERGENCY})


def _directive(told: Told, clause: Clause, patient_id: str, feed: Feed, directory: Directory) -> Directive | None:
    """What a provision says, its target aside; None, having said why, when it says nothing that is taken."""
    provision, denied = clause.provision, clause.kind == "deny"
    if clause.kind is None:
        told.skip("a provision that neither permits nor denies")
        return None
    if clause.kind == "permit" and clause.inside == "deny":
        told.skip(UNTAKEN, lost=False)
        return None
    purposes = {coding.code for coding in provision.purpose}
    if purposes and not purposes & CARE:
        told.skip("about a purpose that is not care", ", ".join(sorted(purposes)), lost=False)
        return None
    if any(AUTHOR in _roles(actor) for actor in provision.actor):
        told.skip("about what one author wrote", lost=denied)
        return None
    scope = _scope(provision, feed, directory)
    if scope is None:
        told.skip("narrowed by what no mapping knows", _narrowing(provision), lost=denied)
        return None
    excepted = [actor.reference for each in clause.excepted for actor in each.actor if KEEPER not in _roles(actor)]
    people = tuple(dict.fromkeys(filter(None, map(directory.practitioner, excepted))))
    if len(people) < len(excepted):
        told.skip(UNTAKEN, lost=False)
    if any(each.purpose for each in clause.excepted):
        purposes = purposes or {"TREAT"}  # not in an emergency
    actions = {coding.code for coding in codings(provision.action)}
    rights = tuple(
        right for right, of in (("read", READING), ("write", WRITING)) if actions & of and actions <= READING | WRITING
    )
    return Directive(
        "mask" if denied else "consent",
        patient_id,
        modes=_modes(purposes) if denied else (),
        scope=scope,
        except_=people,
        rights=() if len(rights) == 2 else rights,
        channel="fhir",
    )


def _kind(directive: Directive, target: Target) -> Literal["mask", "block", "opposition", "consent"]:
    """Refusing part of the record masks it; refusing a person blocks them; any other refusal opposes sharing."""
    if directive.kind == "consent":
        return "consent"
    if directive.scope.documents or directive.scope.categories:
        return "mask"
    return "block" if target.subject_id else "opposition"


def _targets(clause: Clause, feed: Feed, directory: Directory) -> Sequence[Target] | None:
    """Who is permitted or refused: everyone when a refusal names nobody; None when it names somebody unknown."""
    named = [actor for actor in clause.provision.actor if KEEPER not in _roles(actor)]
    if not named:
        return [Target(everyone=True)] if clause.kind == "deny" else []
    found: list[Target] = []
    for actor in named:
        kind = directory.kind(actor.reference)
        if kind in ("Patient", "RelatedPerson"):
            continue  # their own access is another matter
        if kind == "Organization":
            structure = directory.structure(actor.reference)
            unit = unit_named(directory.unit(actor.reference), feed)
            # An organisation may be a unit here or an establishment: a refusal holds for both.
            both = [Target(structure=structure)] if structure else []
            both += [Target(unit=unit)] if unit and (clause.kind == "deny" or not structure) else []
            if not both:
                return None
            found += both
        elif subject := directory.practitioner(actor.reference):
            found.append(Target(subject_id=subject))
        else:
            return None
    return found


def _scope(provision: Provision, feed: Feed, directory: Directory) -> Scope | None:
    """The documents and categories it is narrowed to; None when something narrows it that has no word here."""
    documents = [directory.document(data.reference) for data in provision.data]
    narrowing = [*provision.class_, *codings(provision.code)]
    # FHIR examples repeat the action as a code: it narrows nothing.
    narrowing = [coding for coding in narrowing if short(coding.system) != "consentaction"]
    categories = [codes.word(coding, feed.categories) for coding in narrowing]
    labels = [coding for coding in provision.security_label if coding.code != "N"]
    if labels or not all(documents) or not all(categories):
        return None
    return Scope(tuple(dict.fromkeys(categories)), tuple(documents))


def _narrowing(provision: Provision) -> str:
    stated = [*provision.class_, *codings(provision.code), *provision.security_label]
    return ", ".join(coding.key for coding in stated)


def _modes(purposes: set[str]) -> tuple[str, ...]:
    """The access modes a refusal for these purposes is about; none for all."""
    care = purposes & CARE
    if care == {EMERGENCY}:
        return ("bris_de_glace", "centre_15")
    return ("normal",) if care and EMERGENCY not in care else ()


def _roles(actor: Actor) -> set[str]:
    return {coding.code for coding in codings((actor.role,))}
