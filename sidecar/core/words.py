"""What each word answers: for every word of the vocabulary, a function of the situation and its arguments."""

from collections.abc import Callable, Mapping
from typing import Any

from sidecar.core import words_patient, words_record, words_references, words_request, words_subject
from sidecar.core.expression import Term

# A situation, then the numbers and strings of the call → True, False or None (unknown).
Answer = Callable[..., bool | None]
Words = Mapping[str, Mapping[str, Answer]]

WORDS: Words = {
    "subject": {**words_subject.WORDS, **words_references.SUBJECT, **words_patient.SUBJECT, **words_request.SUBJECT},
    "authentication": words_request.AUTHENTICATION,
    "device": words_request.DEVICE,
    "caller": words_request.CALLER,
    "resource": {**words_record.RESOURCE, **words_patient.RESOURCE},
    "patient": {**words_record.PATIENT, **words_request.PATIENT},
    "context": {**words_request.CONTEXT, **words_references.CONTEXT, **words_patient.CONTEXT},
}


def answer(situation: Any, term: Term, words: Words = WORDS) -> bool | None:
    """What one term says, negation left aside: as a compiled row asks it, an unknown noted by the situation."""
    said = words[term.noun][term.word](situation, *values(term))
    return situation.unanswered(term.noun, term.word) if said is None else said


def values(term: Term) -> list[int | str]:
    """The arguments of a call; a noun given as argument is known to the situation."""
    given = term.args or ()
    return [int(text) if kind == "int" else text for kind, text in given if kind in ("int", "str")]
