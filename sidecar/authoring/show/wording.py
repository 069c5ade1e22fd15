"""A condition as a sentence, in French or in English.

`a && !b` reads "a, unless b"; `!a || b` reads "if a, then b". The words' meanings are those of the explanations.
"""

import re
from collections.abc import Mapping, Sequence

from sidecar.authoring.explain.meanings import MEANINGS
from sidecar.core.expression import Both, Constant, Either, Node, Term
from sidecar.core.vocabulary import NOUNS

# How a sentence that does not name its subject begins, by noun.
WHO: Mapping[str, tuple[str, str]] = {
    "subject": ("la personne", "the person"),
    "authentication": ("l'authentification", "the login"),
    "device": ("l'appareil", "the device"),
    "caller": ("le logiciel appelant", "the calling system"),
    "resource": ("l'objet", "the object"),
    "patient": ("le patient", "the patient"),
    "context": ("la demande", "the request"),
}
NAMED = (
    re.compile(r"(le|la|les|un|une|deux|ce|cette|aucun|aucune)\b|l'"),
    re.compile(r"(the|an?|two|that|this|no)\b"),
)
VOWEL = re.compile(r"(?i)[aeiouyéèêh]")
LONG = re.compile(r"([0-9]+) (secondes|seconds)")

_ALWAYS = ("dans tous les cas", "in every case")
_NEVER = ("jamais", "never")
_AND = (", et ", ", and ")
_OR = (", ou ", ", or ")
_QUOTED = ("«\u00a0{}\u00a0»", "“{}”")
_UNLESS = ("sauf si ", "unless ")
_OR_UNLESS = (" ou si ", " or ")
_IF = ("si ", "if ")
_AND_IF = (" et si ", " and ")
_THEN = (", alors ", ", then ")
_AND_UNLESS = (" et si ", " and ")
_FALSE = ("il est faux que ", "it is false that ")
_NEITHER = ("ni ", "neither ")
_NOR = (", ni ", ", nor ")

# Closed list of a word's strings → the table of labels that names them.
_LABELS = {"tags": "tags", "flags": "flags", "settings": "settings"}


class Wording:
    """Sentences in one language; `labels` name tags, flags and settings."""

    def __init__(self, language: str, labels: Mapping[str, Mapping[str, str]]) -> None:
        self.language, self._labels = language, labels
        self._place = 0 if language == "fr" else 1

    def condition(self, node: Node) -> str:
        """When a condition holds."""
        if isinstance(node, Constant):
            return self._one(_ALWAYS if node.value else _NEVER)
        return self._said(node)

    def word(self, term: Term) -> str:
        """What a word says when it is true, with its subject; a word without a meaning is shown as it is written."""
        meaning = MEANINGS.get(term.noun, {}).get(term.word)
        if meaning is None:
            return f"r.{term.noun}.{term.word}"
        table = _LABELS.get(NOUNS[term.noun][term.word].names, "")
        names = self._labels.get(table, {})
        arguments = tuple(
            (kind, self._one(_QUOTED).format(names[text]) if text in names else text) for kind, text in term.args or ()
        )
        said = LONG.sub(self._duration, meaning.text(self.language, arguments))
        return said if NAMED[self._place].match(said) else f"{self._one(WHO[term.noun])} {said}"

    def refusal(self, node: Node) -> str:
        """The same after "refuses": if this, unless that, in every case."""
        if isinstance(node, Constant):
            return self.condition(node)
        said = self._either(node, implies=False) if isinstance(node, Either) else self._said(node)
        return said if said.startswith(self._one(_UNLESS)) else self._one(_IF) + said

    def _said(self, node: Node) -> str:
        if isinstance(node, Term):
            return self._one(_UNLESS) + self.word(node) if node.negated else self.word(node)
        if isinstance(node, Both):
            return self._both(node)
        if isinstance(node, Either):
            return self._either(node)
        return self.condition(node)

    def _both(self, node: Both) -> str:
        held, barred = self._parts(node.parts)
        unless = self._one(_UNLESS) + self._one(_OR_UNLESS).join(barred) if barred else ""
        return ", ".join(part for part in (self._one(_AND).join(held), unless) if part)

    def _either(self, node: Either, implies: bool = True) -> str:
        """One of these; what must not hold comes first, as the case in which the rest is asked, where that is plain."""
        held, barred = self._parts(node.parts)
        if not held:
            return self._one(_UNLESS) + self._one(_AND_UNLESS).join(barred)
        plain = all(isinstance(part, Term) for part in node.parts)
        if barred and not (implies and plain):
            return self._one(_OR).join([*(self._false(each) for each in barred), *held])
        given = self._one(_IF) + self._one(_AND_IF).join(barred) + self._one(_THEN) if barred else ""
        return given + self._one(_OR).join(held)

    def _parts(self, parts: Sequence[Node]) -> tuple[list[str], list[str]]:
        """What must hold, each as one phrase, and what must not."""
        held = [
            self.word(part) if isinstance(part, Term) else f"({self._inner(part)})"
            for part in parts
            if not (isinstance(part, Term) and part.negated)
        ]
        return held, [self.word(part) for part in parts if isinstance(part, Term) and part.negated]

    def _inner(self, node: Node) -> str:
        if isinstance(node, Both) and all(isinstance(part, Term) and part.negated for part in node.parts):
            return self._one(_NEITHER) + self._one(_NOR).join(self._parts(node.parts)[1])
        return self._said(node)

    def _false(self, said: str) -> str:
        lead = self._one(_FALSE)
        return lead[:-2] + "'" + said if self.language == "fr" and VOWEL.match(said) else lead + said

    def _one(self, both: tuple[str, str]) -> str:
        return both[self._place]

    def _duration(self, found: re.Match[str]) -> str:
        return duration(int(found[1]), self.language)


def duration(seconds: int, language: str) -> str:
    """A length of time as people say it: `4 h`, `30 days`; seconds where it is no round number."""
    days, hours, minutes = ("jours", "h", "min") if language == "fr" else ("days", "h", "min")
    for unit, name, least in ((86_400, days, 2), (3600, hours, 1), (60, minutes, 1)):
        if seconds and seconds % unit == 0 and seconds // unit >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
