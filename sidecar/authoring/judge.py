"""Stock PyCasbin with the rows of one pack: whether a row holds, asked of it alone, and what the rows make together.

PyCasbin reads the same files with its own reader and evaluates the same matcher with its own evaluator; only its
parse of one expression is kept. Words are given as fixed values. A row whose words are partly unknown is tried
with each of them True and False: where PyCasbin's answer differs, the row is unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from operator import contains
from typing import Any

from casbin import Enforcer
from casbin.core_enforcer import EnforceContext
from casbin.model import Model
from casbin.persist.adapters.string_adapter import StringAdapter
from casbin.util import SimpleEval
from msgspec import Struct

from sidecar.core import expression
from sidecar.core.casbin_text import FIELDS, MODEL_FILE, ROLES_FILE, At
from sidecar.errors import Fault, PolicyFault

KINDS = {"p": "m", "p2": "m2", "p3": "m3"}
NOUNS = ("subject", "authentication", "device", "caller", "resource", "patient", "context")

Names = tuple[str, str, str, str]  # profile, category, action, purpose
Key = tuple[str, str, tuple[str, ...] | None]  # noun, word, texts of its arguments
Values = Mapping[Key, bool | None]


class Row(Struct, frozen=True):
    """One row as PyCasbin read it; `words` are those of its `when`."""

    number: int
    kind: str
    rule: str
    deny: bool
    fields: tuple[str, ...]
    words: tuple[Key, ...]
    at: At

    def field(self, name: str) -> str:
        """One of its fields."""
        return self.fields[FIELDS[self.kind].index(name)]


class Pycasbin:
    """Every row of a pack in one stock enforcer, asked one row at a time."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Loads the texts of a pack. Raises PolicyFault where PyCasbin keeps other rows than the files hold."""
        lines = _lines(files)
        model = Model()
        model.load_model_from_text(files[MODEL_FILE])
        text = "\n".join(line for _, line in lines)
        self._enforcer = _Parsing(model, StringAdapter(text))
        self._kept = self._enforcer.model.model["p"]
        self.rows = self._read(lines)
        self._contexts = {kind: EnforceContext("r", kind, "e", matcher) for kind, matcher in KINDS.items()}
        self._met: dict[Names, tuple[Row, ...]] = {}
        self._links: dict[tuple[str, int, str, str], bool] = {}
        self._held: dict[tuple[int, tuple[bool | None, ...]], bool | None] = {}
        # The groups that rows of each kind state, by place.
        self._stated = {
            kind: [{row.fields[place] for row in self.rows if row.kind == kind} for place in range(1, _when(kind))]
            for kind in KINDS
        }
        self.asked = 0

    def answers(self, names: Names, values: Values) -> list[tuple[Row, bool | None]]:
        """Every row that matches or may match, alone; None when that depends on a word that is unknown."""
        found = [(row, self._holds(row, names, values)) for row in self._about(names)]
        return [(row, answer) for row, answer in found if answer is not False]

    def _holds(self, row: Row, names: Names, values: Values) -> bool | None:
        said = tuple([values[word] for word in row.words])
        key = (row.number, said)  # the row is about these names: what is left of it is its `when`
        if key not in self._held:
            self._held[key] = self._tried(row, names, said)
        return self._held[key]

    def permits(self, rows: Iterable[Row], names: Names, values: Values) -> bool:
        """What these rows, whose words are all known, make together: p allows, nothing in p denies, p3 allows."""
        given = list(rows)
        for kind in ("p", "p3"):
            own = [row for row in given if row.kind == kind]
            known: dict[Key, bool] = {word: values[word] is True for row in own for word in row.words}
            if not own or not self._enforce(kind, [row.fields for row in own], names, known):
                return False
        return True

    def _about(self, names: Names) -> tuple[Row, ...]:
        """The rows about this profile, category, action and purpose, whatever their `when` says."""
        # The matcher joins its parts with `&&`, and the loader takes no other: where one is False the row is False.
        # Each of the four is asked with the others fulfilled: a name is linked to itself.
        if names not in self._met:
            linked = {
                kind: [
                    {group for group in groups if self._linked(kind, place, group, names)}
                    for place, groups in enumerate(stated, 1)
                ]
                for kind, stated in self._stated.items()
            }
            self._met[names] = tuple(row for row in self.rows if all(map(contains, linked[row.kind], row.fields[1:])))
        return self._met[names]

    def _linked(self, kind: str, place: int, group: str, names: Names) -> bool:
        key = (kind, place, group, names[place - 1])
        if key not in self._links:
            fields = list(self._sample(kind, names))
            fields[place] = group
            self._links[key] = self._enforce(kind, [fields], names, {})
        return self._links[key]

    def _sample(self, kind: str, names: Names) -> list[str]:
        """An allowing row about exactly these names."""
        said = dict(zip(("profile", "category", "action", "purpose"), names, strict=True))
        return [said.get(field, {"when": "True", "eft": "allow"}.get(field, "-")) for field in FIELDS[kind]]

    def _tried(self, row: Row, names: Names, said: Sequence[bool | None]) -> bool | None:
        ways = [(True, False) if answer is None else (answer,) for answer in said]
        fields = [*row.fields]
        if row.deny:  # whether a prohibition matches is what `enforce` answers of its allowing twin
            fields[FIELDS[row.kind].index("eft")] = "allow"
        seen = {
            self._enforce(row.kind, [fields], names, dict(zip(row.words, way, strict=True))) for way in product(*ways)
        }
        return seen.pop() if len(seen) == 1 else None

    def _enforce(self, kind: str, rows: Sequence[Sequence[str]], names: Names, values: Mapping[Key, bool]) -> bool:
        self.asked += 1
        self._kept[kind].policy = [list(row) for row in rows]
        allowed: bool = self._enforcer.enforce(self._contexts[kind], *_nouns(names, values))
        return allowed

    def _read(self, lines: Sequence[tuple[At, str]]) -> tuple[Row, ...]:
        """The rows as PyCasbin keeps them, each with its place; it drops what it does not know without a word."""
        places = {kind: [at for at, line in lines if line.split(",", 1)[0].strip() == kind] for kind in KINDS}
        rows: list[Row] = []
        for kind, found in places.items():
            kept = self._kept[kind].policy
            if len(kept) != len(found):
                raise PolicyFault(
                    [Fault(MODEL_FILE, 1, f"PyCasbin keeps {len(kept)} of the {len(found)} rows of {kind}")]
                )
            for at, fields in zip(found, kept, strict=True):
                when = fields[_when(kind)]
                words = tuple(dict.fromkeys(map(key_of, expression.terms(expression.parse(when)))))
                deny = "eft" in FIELDS[kind] and fields[FIELDS[kind].index("eft")] == "deny"
                rows.append(Row(len(rows), kind, fields[0], deny, tuple(fields), words, at))
        return tuple(rows)


class _Parsing(Enforcer):  # type: ignore[misc]  # casbin has no types
    """The stock enforcer, keeping its parse of each expression: it would parse one again for every row and call."""

    parsed: dict[str, SimpleEval]

    def _get_expression(self, expr: str, functions: Mapping[str, Callable[..., Any]] | None = None) -> SimpleEval:
        kept = self.__dict__.setdefault("parsed", {})
        if expr not in kept:
            kept[expr] = Enforcer._get_expression(expr, functions)
        return kept[expr]


class _Noun:
    """A noun whose words answer what they are given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


class _Purpose(str):
    """The purpose of the request, told from a string of the same letters in a rule."""

    __slots__ = ()


def _when(kind: str) -> int:
    """The place of a row's `when`, which follows the names it is about."""
    return FIELDS[kind].index("when")


def key_of(term: expression.Term) -> Key:
    """What a word is known by: its arguments count, its negation does not."""
    return term.noun, term.word, None if term.args is None else tuple(text for _, text in term.args)


def _nouns(names: Names, values: Mapping[Key, bool]) -> list[object]:
    """The request as the matcher sees it: four names, and words that answer the values given."""
    profile, category, action, purpose = names
    said: dict[str, dict[str, Any]] = {noun: {} for noun in NOUNS}
    calls: dict[tuple[str, str], dict[tuple[str, ...], bool]] = {}
    for (noun, word, args), value in values.items():
        if args is None:
            said[noun][word] = value
        else:
            calls.setdefault((noun, word), {})[args] = value
    said["subject"]["profile"], said["resource"]["category"] = profile, category
    for (noun, word), answers in calls.items():
        said[noun][word] = _method(answers)
    made = {noun: _Noun(words) for noun, words in said.items()}
    return [
        made["subject"], made["authentication"], made["device"], made["caller"], action, made["resource"],
        _Purpose(purpose), made["patient"], made["context"],
    ]  # fmt: skip


def _method(answers: Mapping[tuple[str, ...], bool]) -> Callable[..., bool]:
    def answer(*args: object) -> bool:
        return answers[tuple(_text(arg) for arg in args)]

    return answer


def _text(arg: object) -> str:
    if isinstance(arg, _Noun):
        return "r.resource"
    return "r.purpose" if isinstance(arg, _Purpose) else str(arg)


def _lines(files: Mapping[str, str]) -> list[tuple[At, str]]:
    """The rows of the pack's files with their places, comments and empty lines left out."""
    names = [ROLES_FILE, *sorted(name for name in files if name.startswith("rules/"))]
    return [
        (At(name, number), line)
        for name in names
        for number, line in enumerate(files[name].split("\n"), 1)
        if line and not line.startswith("#")
    ]
