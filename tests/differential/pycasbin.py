"""Stock PyCasbin as a judge: each row in an enforcer of its own, told by the oracle what every word says.

An unknown word is tried True and False: a row whose answer differs is unknown (design 4). PyCasbin is asked once for
each row, names and answers of the words it looks at: it is a function of these, and slow.
"""

import logging
from collections.abc import Callable
from itertools import product
from typing import Any

import casbin
from casbin.core_enforcer import EnforceContext
from casbin.persist.adapters.string_adapter import StringAdapter

from tests.differential.packs import Written
from tests.oracle.rules import Names

BY_KIND = {
    "p": EnforceContext("r", "p", "e", "m"),
    "p2": EnforceContext("r", "p2", "e", "m2"),
    "p3": EnforceContext("r", "p3", "e", "m3"),
}
NOUNS = ("subject", "authentication", "device", "caller", "action", "resource", "purpose", "patient", "context")

Word = tuple[str, tuple[Any, ...]]  # noun.word, arguments
Ask = Callable[[str, tuple[Any, ...]], bool | None]


def enforcer(written: Written, rows: list[str]) -> casbin.Enforcer:
    """Stock PyCasbin with these rows of a pack and its groups."""
    model = casbin.model.Model()
    model.load_model_from_text(written.files["model.conf"])
    links = [line for line in written.files["roles.csv"].split("\n") if line and not line.startswith("#")]
    made = casbin.Enforcer(model, StringAdapter("\n".join([*links, *rows])), False)
    logging.getLogger("casbin.enforcer").setLevel(logging.ERROR)  # it tells of every refusal
    return made


class Noun:
    """A noun whose words are told, and noted in the order PyCasbin looks at them."""

    def __init__(self, name: str, tell: Callable[[Word], bool], **values: str) -> None:
        self.__dict__.update(values)
        self._name, self._tell = name, tell

    def __getattr__(self, word: str) -> Any:
        name = f"{self._name}.{word}"
        if name in METHODS:
            return lambda *args: self._tell((name, tuple(arg for arg in args if not self._said(arg))))
        return self._tell((name, ()))

    @staticmethod
    def _said(argument: Any) -> bool:
        """Whether an argument is part of the request: `r.resource`, `r.purpose`."""
        return isinstance(argument, Noun | Purpose)


class Purpose(str):
    """The purpose of the request, told from a string a rule writes."""


METHODS = frozenset(
    (
        "subject.job_allows",
        "subject.purpose_allowed",
        "subject.left_unit_less_than",
        "subject.answers_request_for",
        "subject.signed_request_for",
        "subject.delegation_covers",
        "subject.delegated_for",
        "authentication.younger_than",
        "caller.acts_for",
        "resource.tagged",
        "resource.only_tagged",
        "patient.deceased_since_more_than",
        "patient.flagged",
        "patient.agreed_to",
        "context.has_ref",
        "context.supervisor_is",
        "context.setting",
    )
)


class Row:
    """One row in an enforcer of its own; whether it matches is asked of its allowing twin."""

    def __init__(self, written: Written, text: str) -> None:
        self.text, self.kind = text, text.split(",", maxsplit=1)[0]
        self.enforcer = enforcer(written, [text.replace(", deny,", ", allow,")])
        # names → [the words PyCasbin looked at and what they said, its answer]
        self.answers: dict[Names, list[tuple[dict[Word, bool], bool]]] = {}

    def matches(self, names: Names, ask: Ask) -> bool | None:
        """Whether the row matches, None where an unknown word decides."""
        told: dict[Word, bool | None] = {}

        def say(word: Word) -> bool | None:
            if word not in told:
                told[word] = ask(*word)
            return told[word]

        seen: set[bool] = set()
        tried: set[Word] = set()
        while True:  # a guess may lead PyCasbin to one more unknown word
            words = list(tried)
            for guess in product((True, False), repeat=len(words)):
                guessed = dict(zip(words, guess, strict=True))
                answer, met = self._ask(names, say, guessed)
                tried |= met
                seen.add(answer)
            if len(tried) == len(words):
                return seen.pop() if len(seen) == 1 else None

    def _ask(
        self, names: Names, say: Callable[[Word], bool | None], guessed: dict[Word, bool]
    ) -> tuple[bool, set[Word]]:
        """PyCasbin's answer with unknown words guessed (True where no guess is given), and the unknown words it met."""
        unknown: set[Word] = set()

        def tell(word: Word) -> bool:
            said = say(word)
            if said is None:
                unknown.add(word)
                return guessed.get(word, True)
            return said

        for looked, answer in self.answers.get(names, ()):
            unknown.clear()
            if all(tell(word) is said for word, said in looked.items()):
                return answer, unknown
        looked = {}
        unknown.clear()

        def note(word: Word) -> bool:
            looked[word] = tell(word)
            return looked[word]

        profile, category, action, purpose = names
        nouns: dict[str, Any] = {name: Noun(name, note) for name in NOUNS}
        nouns["subject"], nouns["resource"] = (
            Noun("subject", note, profile=profile),
            Noun("resource", note, category=category),
        )
        nouns["action"], nouns["purpose"] = action, Purpose(purpose)
        answer = self.enforcer.enforce(BY_KIND[self.kind], *(nouns[name] for name in NOUNS))
        self.answers.setdefault(names, []).append((looked, answer))
        return answer, unknown
