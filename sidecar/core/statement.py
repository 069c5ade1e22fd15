"""Whether a fact is well said: its words are the pack's, and it says what its kind needs."""

from collections.abc import Collection, Iterable

from sidecar.core.model import Delegation, Directive, Fact, ItemFault, RecordState, Relation, Scope, Target
from sidecar.core.pack import Pack

MODES = frozenset({"normal", "bris_de_glace", "centre_15"})
RIGHTS = frozenset({"read", "write"})
LIFECYCLES = frozenset({"", "actif", "archive", "gele", "expire"})


def fault_of(fact: Fact, pack: Pack) -> ItemFault | None:
    """What is wrong with a fact, by the path of the field inside it; None when nothing is (3.0.1).

    A word the pack does not know is refused when it is written: a mask of a misspelt category would mask nothing.
    """
    body = getattr(fact, fact.kind)
    start, end = fact.period.from_, fact.period.to
    if start is not None and end is not None and end < start:
        return ItemFault("period.to", "expected an instant at or after `period.from`")
    match body:
        case Relation():
            return _relation(body, pack)
        case Directive():
            return _directive(body, pack)
        case Delegation():
            return _words("delegation.categories", body.categories, pack.vocabulary.categories) or _words(
                "delegation.purposes", body.purposes, pack.vocabulary.purposes
            )
        case RecordState():
            return _words("record_state.flags", body.flags, pack.vocabulary.flags) or _words(
                "record_state.lifecycle", [body.lifecycle], LIFECYCLES
            )
    return None


def _relation(body: Relation, pack: Pack) -> ItemFault | None:
    window = pack.vocabulary.relations.get(body.kind)
    if window is None or window.derived:
        written = [kind for kind, window in pack.vocabulary.relations.items() if not window.derived]
        return _unknown("relation.kind", body.kind, written)
    if not body.patient_id and not window.patient_optional:
        return ItemFault("relation.patient_id", f"required for `{body.kind}`")
    if window.patient_optional and not body.ref:
        return ItemFault("relation.ref", f"required for `{body.kind}`")
    return _scope("relation.scope", body.scope, pack)


def _directive(body: Directive, pack: Pack) -> ItemFault | None:
    return (
        _words("directive.modes", body.modes, MODES)
        or _words("directive.rights", body.rights, RIGHTS)
        or _scope("directive.scope", body.scope, pack)
        or _target(body.target)
    )


def _target(target: Target) -> ItemFault | None:
    named = [target.subject_id, target.profession, target.structure, target.unit, target.everyone]
    if sum(map(bool, named)) != 1:
        return ItemFault(
            "directive.target", "expected exactly one of `subject_id`, `profession`, `structure`, `unit`, `everyone`"
        )
    return None


def _scope(field: str, scope: Scope, pack: Pack) -> ItemFault | None:
    return _words(f"{field}.categories", scope.categories, pack.vocabulary.categories)


def _words(field: str, said: Iterable[str], known: Collection[str]) -> ItemFault | None:
    for n, word in enumerate(said):
        if word not in known:
            return _unknown(f"{field}[{n}]", word, known)
    return None


def _unknown(field: str, word: str, known: Iterable[str]) -> ItemFault:
    return ItemFault(field, f"unknown word `{word}`; expected one of {', '.join(sorted(filter(None, known)))}")
