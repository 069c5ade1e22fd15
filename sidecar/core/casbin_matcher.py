"""A Casbin matcher, or the rule of a row under `eval`: strict text → checked tree → Python that this module wrote.

The language is Casbin's as PyCasbin reads it: `&&`, `||`, `!`, comparisons, `in`, arithmetic, texts, numbers,
`True`, `False`, `r.field`, `p.field`, attributes of JSON objects, roles and the built-in functions. Marks inside
texts are letters here. `!` reaches as far as Python's `not`: `!a == b` is `!(a == b)`.

Only what `Written` puts together reaches `compile`: names of a table, indices, and literals through `repr`.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from itertools import product

from msgspec import Struct

from sidecar.core.casbin_matcher_tokens import LONGEST, TOKEN, Literals, MatcherFault, check_spaced, meant, short

DEEPEST = 50  # brackets inside one another, or `!` in a row
MOST_SUMS = 200  # marks of arithmetic in one expression
MOST_ARMS = 16  # how far `||` inside `&&` is multiplied out to be indexed

AS_PYTHON = {"&&": " and ", "||": " or ", "!": " not "}
CONSTANTS = ("True", "False", "None")
ADVICE = {
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "true": "write `True`",
    "false": "write `False`",
    "nil": "write `None`",
    "null": "write `None`",
}
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in"}
COMPARISONS[ast.NotIn] = "not in"
ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Div: "/"}
GUARDED = {ast.Mult: "multiplied", ast.Mod: "remainder"}  # texts would be repeated, or formatted


class Names(Struct, frozen=True):
    """What an expression may speak of: fields and their places, roles and functions and their number of arguments."""

    request: Mapping[str, int]
    policy: Mapping[str, int]
    roles: Mapping[str, int]
    functions: Mapping[str, int]
    evals: bool  # whether `eval(p.field)` is allowed: in a matcher, not in a rule


class Pattern(Struct, frozen=True):
    """A pattern of a built-in function: the text itself, or the field of the row that holds it."""

    function: str
    text: str | None
    field: int | None


class Written(Struct, frozen=True):
    """An expression as Python over `r` and `p`, the values of the request and of the row, and `e`, its rules."""

    source: str
    of_row: bool  # whether it reads the row
    boolean: bool  # whether it is True or False whatever the values
    patterns: frozenset[Pattern]
    evals: frozenset[int]  # the fields that hold rules


class Equal(Struct, frozen=True):
    """A conjunct `value == p.field`: the value is not of the row."""

    field: int
    value: Written


class Linked(Struct, frozen=True):
    """A conjunct `g(member, p.field, domain)`, or the other way round: `up` says that the field is the role."""

    role: str
    field: int
    name: Written
    domain: Written | None
    up: bool


class Arm(Struct, frozen=True):
    """One of the alternatives of a matcher: all of its conjuncts hold."""

    equals: tuple[Equal, ...]
    linked: tuple[Linked, ...]
    guard: tuple[Written, ...]  # what is asked of the request alone
    rest: tuple[Written, ...]  # what is asked of each row left
    written: tuple[Written, ...]  # every conjunct, in its order


def rule(text: str, names: Names, literals: Literals = ()) -> Written:
    """The rule of a row, under `eval`; with literals, the rule of this shape, which reads them from `k`.

    Raises MatcherFault, also when the shape does not keep each literal apart.
    """
    writer = _Writer(text, names, kept_apart=bool(literals))
    written = writer.written()
    if writer.literals != len(literals):
        raise MatcherFault("texts beside each other are one to Python; put a mark between")
    return written


def arms(text: str, names: Names) -> tuple[Arm, ...]:
    """The alternatives of a matcher. Raises MatcherFault."""
    writer = _Writer(text, names)
    return tuple(writer.arm(parts) for parts in _alternatives(writer.tree))


def _alternatives(node: ast.expr) -> list[list[ast.expr]]:
    """The tree as `||` of `&&`; a part that would make too many alternatives stays whole."""
    if not isinstance(node, ast.BoolOp):
        return [[node]]
    parts = [_alternatives(value) for value in node.values]
    if isinstance(node.op, ast.Or):
        found = [arm for part in parts for arm in part]
        return found if len(found) <= MOST_ARMS else [[node]]
    count = 1
    for place, part in enumerate(parts):
        if count * len(part) > MOST_ARMS:
            parts[place] = [[node.values[place]]]
        count *= len(parts[place])
    return [[each for piece in chosen for each in piece] for chosen in product(*parts)]


class _Writer:
    """Reads one expression and writes its parts as Python."""

    def __init__(self, text: str, names: Names, kept_apart: bool = False) -> None:
        self.names, self.kept_apart, self.literals = names, kept_apart, 0
        self.paths: list[str] = []  # the names of the text, by the number they have in the tree
        if not text.strip():
            raise MatcherFault("an empty expression; write `True` for always")
        if len(text) > LONGEST:
            raise MatcherFault(f"an expression of {len(text)} characters; at most {LONGEST}")
        self.python = "".join(self._tokens(text)).strip()
        try:
            self.tree = ast.parse(f"({self.python})", mode="eval").body
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            raise MatcherFault(f"`{short(text)}` cannot be read; check its brackets, commas and marks") from None

    def _tokens(self, text: str) -> Iterator[str]:
        at, depth, refusals, sums = 0, 0, 0, 0
        end = len(text.rstrip())
        while at < end:
            found = TOKEN.match(text, at)
            if found is None:
                raise MatcherFault(self._unread(text[at:].lstrip()))
            kind, token = str(found.lastgroup), found[str(found.lastgroup)]
            if kind == "text" or token in ("&&", "||"):
                check_spaced(text, token, found.start(kind), found.end())
            depth += (token in ("(", "[")) - (token in (")", "]"))
            refusals = refusals + 1 if token == "!" else 0  # noqa: S105 - a mark
            sums += token in ("+", "-", "*", "/", "%")
            if sums > MOST_SUMS:
                raise MatcherFault(f"more than {MOST_SUMS} marks of arithmetic; write several rows")
            if depth > DEEPEST or refusals > DEEPEST:
                raise MatcherFault(f"more than {DEEPEST} brackets inside one another, or `!` in a row")
            yield self._python(kind, token, text[found.end() :])
            at = found.end()

    def _unread(self, rest: str) -> str:
        if rest[0] in "\"'":
            return f"the text `{short(rest)}` does not end"
        if rest[0] == "=":
            return "`=` is not a comparison; write `==`"
        if rest[0] in "&|":
            return f"`{rest[0]}` is not a mark; write `{rest[0] * 2}`"
        return f"`{short(rest)}` cannot be read"

    def _python(self, kind: str, token: str, rest: str) -> str:
        if kind == "text":
            return repr(meant(token))
        if kind != "name":
            return AS_PYTHON.get(token, token)
        if token in CONSTANTS:
            return f" {token} "
        if token == "in":  # noqa: S105 - an operator
            return " in "
        if token in ADVICE:
            raise MatcherFault(f"`{token}` is not Casbin as PyCasbin reads it; {ADVICE[token]}")
        head, _, tail = token.partition(".")
        called = rest.lstrip().startswith("(")
        if called:
            self._check_call(token)
        elif head not in ("r", "p") or not tail:
            raise MatcherFault(f"`{token}` is not a name; write `r.<field>`, `p.<field>` or a text in quotes")
        else:
            self._check_field(head, tail)
        self.paths.append(token)
        return f" N{len(self.paths) - 1} "

    def _check_call(self, name: str) -> None:
        if "." in name:
            raise MatcherFault(f"`{name}(…)` calls Python, not Casbin; the functions are {_list(self.names.functions)}")
        if name == "eval":
            if not self.names.evals:
                raise MatcherFault("`eval` inside a rule; write the rule out")
        elif name not in self.names.functions and name not in self.names.roles:
            known = _list([*self.names.functions, *self.names.roles])
            raise MatcherFault(f"unknown function `{name}`; the functions are {known}")

    def _check_field(self, head: str, tail: str) -> None:
        fields = self.names.request if head == "r" else self.names.policy
        first, *attributes = tail.split(".")
        if first not in fields:
            raise MatcherFault(f"unknown field `{head}.{first}`; the fields of `{head}` are {_list(fields)}")
        if head == "p" and attributes:
            raise MatcherFault(f"`p.{tail}`: a row holds texts, which have no attributes")
        if any(attribute.startswith("_") for attribute in attributes):
            raise MatcherFault(f"`{head}.{tail}`: an attribute starts with a letter")

    def written(self) -> Written:
        """The whole expression."""
        return self._write(self.tree)

    def arm(self, parts: list[ast.expr]) -> Arm:
        """The conjuncts of one alternative, by what can be done with each."""
        equals: list[Equal] = []
        linked: list[Linked] = []
        guard: list[Written] = []
        rest: list[Written] = []
        written = [self._write(part) for part in parts]
        if not written[-1].boolean:
            # PyCasbin takes a matcher's value as an answer only when it is a boolean or a decimal number.
            written[-1] = _made(f"answer({written[-1].source})", written[-1:], True)
        taken: set[int] = set()
        for part in parts:
            equal = self._equal(part)
            if equal and equal.field not in taken:
                equals.append(equal)
                taken.add(equal.field)
        by_field = {equal.field: equal for equal in equals}
        for part, whole in zip(parts, written, strict=True):
            equal, link = self._equal(part), self._linked(part, by_field)
            if equal and by_field[equal.field] == equal:
                continue
            if link and link.field not in taken:
                linked.append(link)
                taken.add(link.field)
                continue
            (rest if whole.of_row else guard).append(whole)
        return Arm(tuple(equals), tuple(linked), tuple(guard), tuple(rest), tuple(written))

    def _equal(self, node: ast.expr) -> Equal | None:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
            return None
        for field, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
            place, value = self._row_field(field), self._write(other)
            if place is not None and not value.of_row:
                return Equal(place, value)
        return None

    def _linked(self, node: ast.expr, equals: Mapping[int, Equal]) -> Linked | None:
        if not isinstance(node, ast.Call) or self._path(node.func) not in self.names.roles:
            return None
        member, role, *domains = node.args
        domain = self._domain(domains[0], equals) if domains else None
        if domain is not None and domain.of_row:
            return None
        for field, other, up in ((role, member, True), (member, role, False)):
            place, name = self._row_field(field), self._write(other)
            if place is not None and not name.of_row:
                return Linked(self._path(node.func), place, name, domain, up)
        return None

    def _domain(self, node: ast.expr, equals: Mapping[int, Equal]) -> Written:
        """The domain of a role; a field that another conjunct makes equal to a value is that value."""
        place = self._row_field(node)
        return equals[place].value if place is not None and place in equals else self._write(node)

    def _row_field(self, node: ast.expr) -> int | None:
        path = self._path(node)
        return self.names.policy[path[2:]] if path.startswith("p.") else None

    def _path(self, node: ast.expr) -> str:
        return self.paths[int(node.id[1:])] if isinstance(node, ast.Name) else ""

    def _write(self, node: ast.expr) -> Written:
        if isinstance(node, ast.Constant):
            if self.kept_apart and isinstance(node.value, str | int | float) and not isinstance(node.value, bool):
                self.literals += 1
                return Written(f"k[{self.literals - 1}]", False, False, frozenset(), frozenset())
            return Written(repr(node.value), False, isinstance(node.value, bool), frozenset(), frozenset())
        if isinstance(node, ast.Name):
            return self._field(self._path(node))
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BoolOp):
            parts = [self._write(value) for value in node.values]
            word = " and " if isinstance(node.op, ast.And) else " or "
            return _made(word.join(f"({part.source})" for part in parts), parts, all(part.boolean for part in parts))
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Tuple | ast.List):
            parts = [self._write(each) for each in node.elts]
            return _made(f"({' '.join(f'{part.source},' for part in parts)})", parts, False)
        raise MatcherFault("an index `[…]` or a `*` here is Python, not Casbin; name attributes with dots")

    def _field(self, path: str) -> Written:
        head, first, *attributes = path.split(".")
        source = f"{head}[{(self.names.request if head == 'r' else self.names.policy)[first]}]"
        for attribute in attributes:
            source = f"attribute({source}, {attribute!r})"
        return Written(source, head == "p", False, frozenset(), frozenset())

    def _call(self, node: ast.Call) -> Written:
        name = self._path(node.func)
        if name == "eval":
            field = self._row_field(node.args[0]) if len(node.args) == 1 else None
            if field is None:
                raise MatcherFault("`eval` takes a field of the row, as in `eval(p.rule)`")
            return Written(f"e[{field}](r, p)", True, False, frozenset(), frozenset({field}))
        wanted = self.names.roles.get(name) or self.names.functions.get(name)
        if wanted is None:
            raise MatcherFault("brackets after a value that is not a function; check the marks between")
        if len(node.args) != wanted:
            raise MatcherFault(f"`{name}` takes {wanted} arguments, not {len(node.args)}")
        parts = [self._write(each) for each in node.args]
        if name in self.names.roles:
            return _made(f"{name}({', '.join(part.source for part in parts)})", parts, True)
        pattern, field = node.args[1], self._row_field(node.args[1])
        text = pattern.value if isinstance(pattern, ast.Constant) and isinstance(pattern.value, str) else None
        if field is None and text is None:
            raise MatcherFault(
                f"the pattern of `{name}` comes from the request, which could make it cost anything; write a field of"
                " the row or a text"
            )
        asked = ", ".join(part.source for part in (parts[0], *parts[2:]))
        made = _made(f"{name}[{parts[1].source}]({asked})", parts, name.startswith(("keyMatch", "regex", "ip", "glob")))
        return Written(made.source, made.of_row, made.boolean, made.patterns | {Pattern(name, text, field)}, made.evals)

    def _unary(self, node: ast.UnaryOp) -> Written:
        part = self._write(node.operand)
        if isinstance(node.op, ast.Not):
            return _made(f"not ({part.source})", [part], True)
        return _made(f"{'-' if isinstance(node.op, ast.USub) else '+'}({part.source})", [part], False)

    def _compare(self, node: ast.Compare) -> Written:
        for operation, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operation, ast.In | ast.NotIn) and isinstance(right, ast.Constant):
                raise MatcherFault(f"`in {right.value!r}` would look inside the text; write `in [{right.value!r}]`")
        parts = [self._write(each) for each in (node.left, *node.comparators)]
        marks = [COMPARISONS[type(each)] for each in node.ops]
        source = f"({parts[0].source})"
        for mark, part in zip(marks, parts[1:], strict=True):
            source += f" {mark} ({part.source})"
        return _made(source, parts, True)

    def _binary(self, node: ast.BinOp) -> Written:
        parts = [self._write(node.left), self._write(node.right)]
        if type(node.op) in GUARDED:
            return _made(f"{GUARDED[type(node.op)]}({parts[0].source}, {parts[1].source})", parts, False)
        if type(node.op) not in ARITHMETIC:
            raise MatcherFault("`**`, `//`, `<<` and `>>` are Python, not Casbin")
        return _made(f"({parts[0].source}) {ARITHMETIC[type(node.op)]} ({parts[1].source})", parts, False)


def _made(source: str, parts: Collection[Written], boolean: bool) -> Written:
    patterns = frozenset[Pattern]().union(*(part.patterns for part in parts))
    evals = frozenset[int]().union(*(part.evals for part in parts))
    return Written(source, any(part.of_row for part in parts), boolean, patterns, evals)


def _list(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
