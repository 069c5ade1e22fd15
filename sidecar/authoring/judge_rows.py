"""What production answers of one question, word by word and row by row: what PyCasbin's answers are compared with."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from sidecar.authoring.judge import Key, Names, Values
from sidecar.core.bundle import Snapshot
from sidecar.core.evidence import Ask
from sidecar.core.expression import Term
from sidecar.core.model import Caller, Request
from sidecar.core.policy import PolicySet
from sidecar.core.question import Question
from sidecar.core.slices import Section, Slice
from sidecar.core.words import answer


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
    situation = policies.book.situations(
        asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now, policies.pack, lenient
    )
    situation.delegate = delegate
    return {key: answer(situation, term) for key, term in terms}


def found_rows(policies: PolicySet, asked: Asked, found: Slice, lenient: bool) -> Counted:
    """What production's own functions of the slice's rows answer."""
    situation = Question(
        policies.book, found, asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now
    )._situation(lenient)
    sections: list[tuple[str, Section[Any]]] = [
        ("p deny", found.firm),
        ("p deny", found.gates),
        ("p", found.grounds),
        ("p3", found.cells),
        ("p2", found.contributions),
    ]
    answers: list[tuple[str, str, bool | None]] = []
    for kind, section in sections:
        bits = section.ask(situation)
        for rows, said in ((section.held(bits), True), (section.unknown(bits), None)):
            answers += [(f"{kind} deny" if kind == "p3" and row.deny else kind, row.rule, said) for row in rows]
    return counted(answers)


def counted(answers: Iterable[tuple[str, str, bool | None]]) -> Counted:
    """Answers of rows (kind, rule, answer), by kind and rule; rows that do not hold are left out."""
    found: dict[str, tuple[int, int]] = {}
    for kind, rule, said in answers:
        if said is not False:
            held, unknown = found.get(f"{kind} {rule}", (0, 0))
            found[f"{kind} {rule}"] = (held + 1, unknown) if said else (held, unknown + 1)
    return found
