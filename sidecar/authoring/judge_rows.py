"""What production answers of one question, word by word and row by row: what PyCasbin's answers are compared with."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from sidecar.authoring.judge import Key, Names, Values
from sidecar.core.bundle import Snapshot
from sidecar.core.expression import Term, When
from sidecar.core.model import Caller, Request
from sidecar.core.policy import PolicySet
from sidecar.core.question import Question
from sidecar.core.slices import Situation, Slice

Ask = Callable[[Request, str], bool | None]


class Asked(Struct, frozen=True):
    """One question as a policy set is asked it."""

    request: Request
    caller: Caller
    controller_id: str
    snapshot: Snapshot
    now: int

    @property
    def names(self) -> Names:
        """What the matcher looks up: profile, category, action, purpose."""
        request = self.request
        return request.subject.profile, request.resource.category, request.action, request.purpose


Counted = Mapping[str, tuple[int, int]]  # `kind rule` → its rows that hold, and that may


def word_values(
    policies: PolicySet, asked: Asked, terms: Iterable[tuple[Key, Term]], lenient: bool, delegate: Ask | None
) -> Values:
    """What each word answers; `delegate` says what a delegator may do."""
    situation = policies._book.situations(
        asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now, policies.pack, lenient
    )
    situation.delegate = delegate
    return {key: _answer(situation, term) for key, term in terms}


def found_rows(policies: PolicySet, asked: Asked, found: Slice, lenient: bool) -> Counted:
    """What production's own functions of the slice's rows answer."""
    situation = Question(
        policies._book, found, asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now
    )._situation(lenient)
    rows: list[tuple[str, tuple[str, ...], When]] = [
        ("p deny", (gate.rule,), gate.when) for gate in (*found.firm, *found.gates)
    ]
    rows += [("p", (ground.rule,), ground.when) for ground in found.grounds]
    rows += [("p3 deny", (cell.rule,), cell.when) for cell in found.forbidden]
    rows += [("p3", (cell.rule,), cell.when) for cell in found.cells]
    rows += [("p2", duty.rules, duty.when) for duty in (*found.duties, *found.advice)]
    return counted((kind, rule, when(situation)) for kind, rules, when in rows for rule in rules)


def counted(answers: Iterable[tuple[str, str, bool | None]]) -> Counted:
    """Answers of rows (kind, rule, answer), by kind and rule; rows that do not hold are left out."""
    found: dict[str, tuple[int, int]] = {}
    for kind, rule, answer in answers:
        if answer is not False:
            held, unknown = found.get(f"{kind} {rule}", (0, 0))
            found[f"{kind} {rule}"] = (held + 1, unknown) if answer else (held, unknown + 1)
    return found


def _answer(situation: Situation, term: Term) -> bool | None:
    """What a word answers, its negation left aside."""
    word: Any = getattr(getattr(situation, term.noun), term.word)
    if term.args is None:
        said: bool | None = word
    else:
        said = word(*[_argument(situation, kind, text) for kind, text in term.args])
    return said


def _argument(situation: Any, kind: str, text: str) -> object:
    if kind in ("resource", "purpose"):
        return getattr(situation, kind)
    return int(text) if kind == "int" else text
