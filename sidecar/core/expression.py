"""The `when` of a row: strict text → checked tree, from which `generated` writes a function.

The language is what a Casbin matcher and this product read alike: `!`, `&&`, `||`, parentheses, `True`, `False`
and words `r.<noun>.<word>` or `r.<noun>.<word>(args)`: names found in the vocabulary, integers, and strings of
letters, digits, `_`, `:` and `-`.

Logic is Kleene's: a word answers True, False or None (unknown); `None && False` is False, `None || True` is True.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

LONGEST = 2000  # characters of one expression
DEEPEST = 12  # parentheses inside one another
MOST_WORDS = 40  # in one expression: each nests a statement in what is generated, and Python nests no deeper than 100

# PyCasbin writes `and` for `&&` as it stands: without a space on each side, `a&&b` becomes the name `aandb`.
TOKEN = re.compile(
    r"""\ *(?:
      (?P<mark>(?<=\ )(?:&&|\|\|)(?=\ )|!|\(|\)|,)
    | (?P<text>"[A-Za-z0-9_:-]+")
    | (?P<number>(?:0|[1-9][0-9]{0,8})(?![A-Za-z0-9_.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
    )""",
    re.VERBOSE,
)

PYTHON_WORDS = {"and": "&&", "or": "||", "not": "!"}
BOOLEANS = {"True": True, "False": False}
NOUN_ARGUMENTS = {"r.resource": "resource", "r.purpose": "purpose"}


class Word(Protocol):
    """What the compiler needs to know of a word: a property when `args` is None, else a method of these types."""

    @property
    def args(self) -> tuple[str, ...] | None:
        """`int`, `str`, `strs` (one or more strings), `resource`, `purpose`."""

    @property
    def names(self) -> str:
        """The closed list its strings must be in, a key of the `Domains`; empty when there is none."""

    @property
    def will(self) -> bool:
        """Whether it tells what the patient wants nobody, or somebody, to see."""


Nouns = Mapping[str, Mapping[str, Word]]
Domains = Mapping[str, Collection[str]]  # the closed lists of strings


class ExpressionFault(ValueError):
    """An expression that cannot be read; the message says why and what to write instead."""


class Constant(Struct, frozen=True):
    """True or False."""

    value: bool


class Term(Struct, frozen=True):
    """One word, negated or not. A noun given as argument is its path, as in `r.resource`."""

    noun: str
    word: str
    args: tuple[tuple[str, str], ...] | None  # (type, text)
    negated: bool


class Both(Struct, frozen=True):
    """All of these hold."""

    parts: tuple["Node", ...]


class Either(Struct, frozen=True):
    """One of these holds."""

    parts: tuple["Node", ...]


Node = Constant | Term | Both | Either


def parse(text: str) -> Node:
    """The tree of an expression, negations pushed down to the words (De Morgan holds in Kleene's logic).

    Raises ExpressionFault.
    """
    if len(text) > LONGEST:
        raise ExpressionFault(f"an expression of {len(text)} characters; at most {LONGEST}: split the row")
    reader = _Reader(text)
    node = reader.either(negated=False, depth=0)
    if reader.ahead in PYTHON_WORDS:
        raise ExpressionFault(f"`{reader.ahead}` is not Casbin; write `{PYTHON_WORDS[reader.ahead]}`")
    if reader.ahead:
        raise ExpressionFault(f"`{reader.ahead}` is not expected here in `{text}`")
    count = sum(1 for _ in terms(node))
    if count > MOST_WORDS:
        raise ExpressionFault(f"an expression of {count} words; at most {MOST_WORDS}: split the row")
    return node


def terms(node: Node) -> Iterator[Term]:
    """Every word of the tree."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Both | Either):
        for part in node.parts:
            yield from terms(part)


def faults(node: Node, nouns: Nouns, domains: Domains) -> list[str]:
    """What is wrong with the words of the tree: outside the vocabulary, or with wrong arguments."""
    return [fault for term in terms(node) for fault in _term_faults(term, nouns, domains)]


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text.rstrip(" "), 0
        self.kind = self.ahead = ""
        self.advance()

    def advance(self) -> str:
        """Give the current token and read the next; empty at the end."""
        token = self.ahead
        if self.at == len(self.text):
            self.kind = self.ahead = ""
            return token
        found = TOKEN.match(self.text, self.at)
        if found is None:
            rest = self.text[self.at :].lstrip(" ")
            raise ExpressionFault(
                f"`{rest[:20]}` cannot be read; write words `r.<noun>.<word>` joined by `!`, `&&` and `||`, these two"
                " with a space on each side, and strings in double quotes, of letters, digits, `_`, `:` and `-`"
            )
        self.kind, self.ahead, self.at = str(found.lastgroup), found[str(found.lastgroup)], found.end()
        return token

    def either(self, negated: bool, depth: int) -> Node:
        parts = [self.both(negated, depth)]
        while self.ahead == "||":
            self.advance()
            parts.append(self.both(negated, depth))
        return _joined(parts, Both if negated else Either)

    def both(self, negated: bool, depth: int) -> Node:
        parts = [self.single(negated, depth)]
        while self.ahead == "&&":
            self.advance()
            parts.append(self.single(negated, depth))
        return _joined(parts, Either if negated else Both)

    def single(self, negated: bool, depth: int) -> Node:
        while self.ahead == "!":
            self.advance()
            negated = not negated
        if self.ahead == "(":
            if depth == DEEPEST:
                raise ExpressionFault(f"more than {DEEPEST} parentheses inside one another: split the row")
            self.advance()
            node = self.either(negated, depth + 1)
            self.expect(")")
            return node
        if self.ahead in BOOLEANS:
            return Constant(BOOLEANS[self.advance()] is not negated)
        return self.word(negated)

    def word(self, negated: bool) -> Term:
        if self.ahead in PYTHON_WORDS:
            raise ExpressionFault(f"`{self.ahead}` is not Casbin; write `{PYTHON_WORDS[self.ahead]}`")
        if self.ahead in ("true", "false") or self.kind == "number":
            raise ExpressionFault(f"`{self.ahead}` is not a truth value here; write `True` or `False`")
        if self.kind != "name":
            raise ExpressionFault(f"`{self.ahead or 'the end'}` where a word `r.<noun>.<word>` is expected")
        path = self.advance()
        parts = path.split(".")
        if len(parts) != 3 or parts[0] != "r" or not all(parts):
            raise ExpressionFault(f"`{path}` is not a word; write `r.<noun>.<word>`")
        return Term(parts[1], parts[2], self.arguments() if self.ahead == "(" else None, negated)

    def arguments(self) -> tuple[tuple[str, str], ...]:
        self.advance()
        found = [] if self.ahead == ")" else [self.argument()]
        while self.ahead == ",":
            self.advance()
            found.append(self.argument())
        self.expect(")")
        return tuple(found)

    def argument(self) -> tuple[str, str]:
        kind, token = self.kind, self.ahead
        if kind == "text":
            self.advance()
            return "str", token[1:-1]
        if kind == "number":
            self.advance()
            return "int", token
        if token in NOUN_ARGUMENTS:
            self.advance()
            return NOUN_ARGUMENTS[token], token
        raise ExpressionFault(
            f"`{token or 'the end'}` is not an argument; give a number, a string in double quotes, `r.resource` or"
            " `r.purpose`"
        )

    def expect(self, mark: str) -> None:
        if self.ahead != mark:
            raise ExpressionFault(f"`{self.ahead or 'the end'}` where `{mark}` is expected in `{self.text}`")
        self.advance()


def _joined(parts: list[Node], kind: type[Both] | type[Either]) -> Node:
    """The parts as one node: nested nodes of the same kind folded in, constants worked out."""
    decisive = kind is Either  # `True || x` is True, `False && x` is False
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, Constant):
            if part.value is decisive:
                return part
        elif isinstance(part, kind):
            flat.extend(part.parts)
        else:
            flat.append(part)
    if not flat:
        return Constant(not decisive)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _term_faults(term: Term, nouns: Nouns, domains: Domains) -> Iterator[str]:
    name = f"r.{term.noun}.{term.word}"
    if term.noun not in nouns:
        yield f"unknown noun `r.{term.noun}`; the nouns are {', '.join(sorted(nouns))}"
        return
    word = nouns[term.noun].get(term.word)
    if word is None:
        yield f"unknown word `{name}`; the words of `r.{term.noun}` are {', '.join(sorted(nouns[term.noun]))}"
        return
    if word.args is None:
        if term.args is not None:
            yield f"`{name}` takes no arguments; write it without parentheses"
        return
    if term.args is None:
        yield f"`{name}` needs arguments ({', '.join(word.args)})"
        return
    if not _fits(tuple(kind for kind, _ in term.args), word.args):
        yield f"`{name}` takes ({', '.join(word.args)}), not ({', '.join(text for _, text in term.args)})"
        return
    if word.names:
        allowed = domains[word.names]
        for kind, text in term.args:
            if kind == "str" and text not in allowed:
                yield f'`{name}` knows no "{text}"; the {word.names} are {", ".join(sorted(allowed)) or "none"}'


def _fits(given: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether the argument types given are those wanted, where a last `strs` is one or more strings."""
    if wanted and wanted[-1] == "strs":
        fixed = wanted[:-1]
        rest = given[len(fixed) :]
        return given[: len(fixed)] == fixed and bool(rest) and all(kind == "str" for kind in rest)
    return given == wanted
