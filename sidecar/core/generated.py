"""Rows → one function that asks them all: the Python it is written in, and how that is made to run.

A section is the rows of one kind that a question meets, in order. Its function takes the situation and gives an
integer of two bits a row: bit n, the n-th row holds; bit `rows` + n, it is not known whether it does. A word that
a row certainly asks is kept for the rows after it. With `dated`, the situation is told for each row that holds, or
may, how long what was asked up to then lasts: `held_at`, by the bits of the rows that state the condition.

Only text written by this module reaches `compile`: names found in the vocabulary, integers, and strings of letters,
digits, `_`, `:` and `-`, all checked by `expression`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from sidecar.core.expression import Both, Constant, Either, Node, Term
from sidecar.core.vocabulary import NOUNS
from sidecar.core.words import Words, values

Ask = Callable[[Any], int]  # situation → two bits a row


def code(conditions: Sequence[Node], dated: bool = False) -> CodeType:
    """The compiled body of the function that asks these conditions, in this order."""
    module = compile(source(conditions, dated), "<section>", "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def function(body: CodeType, words: Words) -> Ask:
    """The function, with the words it asks in reach and nothing else."""
    reach = {_name(noun, word): words[noun][word] for noun in words for word in words[noun]}
    return FunctionType(body, {**reach, "__builtins__": {}})


def source(conditions: Sequence[Node], dated: bool = False) -> str:
    """The function that asks these conditions, as Python."""
    writer = _Writer(len(conditions), dated)
    places: dict[Node, int] = {}
    for place, condition in enumerate(conditions):
        places[condition] = places.get(condition, 0) | 1 << place
    for condition, bits in places.items():
        writer.row(bits, condition)
    return writer.text()


def _name(noun: str, word: str) -> str:
    return f"{noun}__{word}"


class _Writer:
    """Writes the statements of one function, row after row."""

    def __init__(self, rows: int, dated: bool) -> None:
        self.rows, self.dated = rows, dated
        self.always = 0  # the bits of rows that hold whatever the situation
        self.lines: list[str] = []
        self.depth = 1
        self.count = 0
        self.asked: dict[Term, tuple[str, int]] = {}  # terms asked on the way here: where the answer is kept, how deep

    def text(self) -> str:
        return "\n".join(["def ask(s):", f" bits = {self.always}", *self.lines, " return bits"])

    def row(self, held: int, node: Node) -> None:
        """Asks one condition; `held` has the bit of every row that states it."""
        if isinstance(node, Constant):
            if node.value:
                self.always |= held
                self.date(held)
            return
        parts = node.parts if isinstance(node, Both) else (node,)
        with self.block():
            names = self.chain(parts, decisive=False)
            self.say(f"bits |= {held << self.rows} if {_none_of(names)} else {held}")
            self.date(held)

    def date(self, held: int) -> None:
        if self.dated:
            self.say(f"s.held_at = {{**s.held_at, {held}: s.ends}}")

    def chain(self, parts: Sequence[Node], decisive: bool) -> list[str]:
        """Asks the parts one inside the other, as long as none is `decisive`; gives the names of their answers."""
        names = []
        for part in parts:
            name, turned = self.value(part)
            names.append(name)
            # A negated word decides when the word itself answers the opposite: no negation is computed.
            self.say(f"if {name} is not {decisive is not turned}:")
            self.depth += 1
        return names

    def value(self, node: Node) -> tuple[str, bool]:
        """Where the answer of a part is kept, and whether it is the opposite of what the part says."""
        if isinstance(node, Term):
            return self.term(node), node.negated
        if isinstance(node, Constant):
            return repr(node.value), False
        return self.joined(node), False

    def joined(self, node: Both | Either) -> str:
        """Kleene's `and` (`or`): False (True) as soon as a part is, else unknown if a part is, else True (False)."""
        decisive, name = isinstance(node, Either), self.fresh()
        self.say(f"{name} = {decisive}")
        with self.block():
            names = self.chain(node.parts, decisive)
            self.say(f"{name} = None if {_none_of(names)} else {not decisive}")
        return name

    def term(self, term: Term) -> str:
        plain = Term(term.noun, term.word, term.args, negated=False)
        if plain not in self.asked:
            name = self.fresh()
            self.asked[plain] = name, self.depth
            arguments = ", ".join(["s", *map(repr, values(term))])
            without = _without(term)
            unless = f"False if s.{without} else " if without else ""
            self.say(f"{name} = {unless}{_name(term.noun, term.word)}({arguments})")
            self.say(f"if {name} is None: {name} = s.unanswered({term.noun!r}, {term.word!r})")
        return self.asked[plain][0]

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is asked deeper inside is not certainly asked by the time the block ends."""
        depth = self.depth
        yield
        self.asked = {term: asked for term, asked in self.asked.items() if asked[1] <= depth}
        self.depth = depth

    def say(self, statement: str) -> None:
        self.lines.append(" " * self.depth + statement)

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"


def _without(term: Term) -> str:
    """What makes the word False before it is asked, as the vocabulary says; empty for nothing."""
    word = NOUNS.get(term.noun, {}).get(term.word)
    return "" if word is None else word.without


def _none_of(names: Sequence[str]) -> str:
    return " or ".join(f"{name} is None" for name in dict.fromkeys(names))
