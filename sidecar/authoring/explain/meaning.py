"""What a word of the vocabulary means to whoever reads an explanation, and what it is read from.

A sentence says when the word is true. `reads` are fields of the request, `looks` the kinds of fact that may bear it,
`feed` the kind whose sources must vouch that there is nothing more before the word can be known false.
"""

from msgspec import Struct


class Meaning(Struct, frozen=True):
    """A word, for people. `{0}` stands for its arguments."""

    fr: str
    en: str
    reads: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    feed: str = ""

    def text(self, language: str, arguments: tuple[tuple[str, str], ...] | None = None) -> str:
        """The sentence in this language, English for one there is none of; `arguments` are (type, text)."""
        said = ", ".join(text for _, text in arguments or ())
        return (self.fr if language == "fr" else self.en).format(said)


WHO = ("subject.id", "subject.units")
TEAM = ("stay", "assignment", "relation")
WHOM = (*WHO, "subject.profession", "subject.structure", "resource.category", "resource.id", "resource.stay")
