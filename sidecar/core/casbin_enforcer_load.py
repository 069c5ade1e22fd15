"""A Casbin model and its rows → a CasbinPolicy, or every fault found in them, each with file and line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sidecar.core import casbin_matcher
from sidecar.core.casbin_enforcer import CasbinPolicy, Part, Row, Rule, Rules, Step, Way
from sidecar.core.casbin_enforcer_roles import Roles, flattened
from sidecar.core.casbin_functions import ARGUMENTS, FUNCTIONS, PatternFault
from sidecar.core.casbin_matcher import Arm, Names, Pattern, Written
from sidecar.core.casbin_matcher_tokens import Literals, MatcherFault, shape
from sidecar.core.casbin_model import Model, Policy, read_model, read_policy
from sidecar.errors import Fault, PolicyFault

AT_ONCE = 200  # rules compiled together: cheaper than one by one
Questions = dict[str, dict[str, Callable[..., object]]]  # function → pattern → what asks it


def load(
    model_text: str, policy_text: str, model_file: str = "model.conf", policy_file: str = "policy.csv"
) -> CasbinPolicy:
    """The policy, compiled. Raises PolicyFault with every fault found; a model at fault is told first, alone."""
    model, faults = read_model(model_text, model_file)
    if model is None:
        raise PolicyFault(faults)
    policy, faults = read_policy(policy_text, policy_file, model)
    loader = _Loader(model, policy, policy_file)
    try:
        arms = casbin_matcher.arms(model.matcher.value, loader.names)
    except MatcherFault as fault:
        raise PolicyFault([Fault(model_file, model.matcher.line, str(fault)), *faults]) from None
    rules = loader.rules(arms)
    for arm in arms:
        loader.patterns(arm.written, range(len(policy.rows)), Fault(model_file, model.matcher.line, ""))
    loader.roles(arms)
    faults += loader.faults
    if faults:
        raise PolicyFault(sorted(faults, key=lambda fault: (fault.file, fault.line)))
    effect = model.policy.index("eft") if "eft" in model.policy else None
    denying = frozenset(
        number for number, row in enumerate(policy.rows) if effect is not None and row[effect] == "deny"
    )
    ways = tuple(loader.way(arm, denying) for arm in arms)

    def place(number: int) -> str:
        return f"{policy_file}:{policy.lines[number]}" if policy.lines else f"{model_file}:{model.matcher.line}"

    # Casbin tells the first row that allows where that settles it, the last where a denial may follow.
    return CasbinPolicy(model.request, policy.rows, denying, rules, ways, model.denies, place)


class _Loader:
    """Gathers what the expressions of one policy need, and the faults of its rows."""

    def __init__(self, model: Model, policy: Policy, file: str) -> None:
        self.model, self.policy, self.file = model, policy, file
        self.faults: list[Fault] = []
        self.questions: Questions = {name: {} for name in FUNCTIONS}
        self.names = Names(_places(model.request), _places(model.policy), model.roles, ARGUMENTS, evals=True)
        self.flat: dict[str, Roles] = {}
        self.globals: dict[str, object] = {
            "__builtins__": {},
            "attribute": attribute,
            "answer": answer,
            "multiplied": multiplied,
            "remainder": remainder,
            **self.questions,
        }

    def rules(self, arms: Iterable[Arm]) -> list[Rules]:
        """The compiled rules of every row; empty when the matcher evaluates none."""
        fields = sorted(frozenset[int]().union(*(part.evals for arm in arms for part in arm.written)))
        if fields and not self.policy.rows:
            self.faults.append(Fault(self.file, 1, "no row of p, and `eval` of the matcher has no rule; add a row"))
        if not fields:
            return []
        names = Names(self.names.request, self.names.policy, self.names.roles, ARGUMENTS, evals=False)
        rows_of: dict[str, list[int]] = {}
        for number, row in enumerate(self.policy.rows):
            for field in fields:
                rows_of.setdefault(row[field], []).append(number)
        shared = _Shapes(names)
        kept: dict[str, tuple[str, Literals]] = {}
        for text, numbers in rows_of.items():
            try:
                kept[text] = shared.read(text)
            except MatcherFault as fault:
                self.faults += [self.fault(number, str(fault)) for number in numbers]
                continue
            self.patterns([shared.written[kept[text][0]]], numbers, self.fault(numbers[0], ""))
        made = dict(zip(shared.written, self.compiled([each.source for each in shared.written.values()]), strict=True))
        rules = {text: made[key](literals) for text, (key, literals) in kept.items()}
        return [{field: rules[row[field]] for field in fields if row[field] in rules} for row in self.policy.rows]

    def fault(self, number: int, text: str) -> Fault:
        """A fault of a row."""
        return Fault(self.file, self.policy.lines[number], text)

    def compiled(self, sources: Sequence[str]) -> Iterator[Callable[[Literals], Rule]]:
        """The rules as functions of their literals. `casbin_matcher` wrote them; no builtin is in reach."""
        for start in range(0, len(sources), AT_ONCE):
            together = "".join(f"lambda k: lambda r, p: {source},\n" for source in sources[start : start + AT_ONCE])
            yield from eval(compile(f"({together})", "<rules>", "eval"), self.globals)  # noqa: S307 - see above

    def patterns(self, parts: Iterable[Written], numbers: Iterable[int], at: Fault) -> None:
        """Make every pattern that these expressions match values with, in the rows of these numbers."""
        for pattern in frozenset[Pattern]().union(*(part.patterns for part in parts)):
            if pattern.text is not None:
                self.pattern(pattern.function, pattern.text, at)
            if pattern.field is not None:
                for number in numbers:
                    text = self.policy.rows[number][pattern.field]
                    if text not in self.questions[pattern.function]:
                        self.pattern(pattern.function, text, self.fault(number, ""))

    def pattern(self, function: str, text: str, at: Fault) -> None:
        """Make one pattern, or note the fault of its line."""
        try:
            self.questions[function][text] = FUNCTIONS[function](text)
        except PatternFault as fault:
            self.faults.append(Fault(at.file, at.line, f"{function}: {fault}"))

    def roles(self, arms: Iterable[Arm]) -> None:
        """Flatten the roles; both ways where the matcher looks for members."""
        members = {each.role for arm in arms for each in arm.linked if not each.up}
        for name in self.model.roles:
            self.flat[name], found = flattened(self.policy.links[name], name in members, self.file)
            self.faults += found
            self.globals[name] = self.flat[name].linked

    def way(self, arm: Arm, denying: frozenset[int]) -> Way:
        """One alternative, compiled, with its index."""
        key = [equal.value.source for equal in arm.equals]
        steps = tuple(
            Step(
                self.flat[each.role],
                self.function("r", each.name.source),
                self.function("r", each.domain.source if each.domain else "''"),
                each.up,
            )
            for each in arm.linked
        )
        allows, denies = self.index([equal.field for equal in arm.equals], [each.field for each in arm.linked], denying)
        return Way(
            guard=self.all_of(arm.guard),
            key=self.function("r", key[0] if len(key) == 1 else f"({''.join(f'{each}, ' for each in key)})"),
            steps=steps,
            rest=self.all_of(arm.rest),
            rowless=not any(part.of_row for part in arm.written),
            allows=allows,
            denies=denies,
            parts=tuple(self.function("r, p, e", part.source) for part in arm.written),
        )

    def all_of(self, parts: Sequence[Written]) -> Part | None:
        """A function that says whether all of these hold; None when there is none."""
        return self.function("r, p, e", " and ".join(f"({part.source})" for part in parts)) if parts else None

    def function(self, arguments: str, source: str) -> Callable[..., Any]:
        """An expression as a function. Its source was written by `casbin_matcher`; no builtin is in reach."""
        made: Callable[..., Any] = eval(compile(f"lambda {arguments}: {source}", "<matcher>", "eval"), self.globals)  # noqa: S307 - see above
        return made

    def index(
        self, equals: Sequence[int], linked: Sequence[int], denying: frozenset[int]
    ) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
        """The rows that allow and those that deny, by the values of these fields."""
        key: Callable[[Row], object] = itemgetter(*equals) if equals else lambda _: ()
        allows: dict[Any, Any] = {}
        denies: dict[Any, Any] = {}
        for number, row in enumerate(self.policy.rows):
            level = denies if number in denying else allows
            path: list[object] = [key(row), *(row[field] for field in linked)]
            for each in path[:-1]:
                level = level.setdefault(each, {})
            level.setdefault(path[-1], []).append(number)
        return _frozen(allows, len(linked)), _frozen(denies, len(linked))


class _Shapes:
    """The rules of rows, those that differ in their literals alone read and compiled once."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.written: dict[str, Written] = {}
        self.apart: set[str] = set()  # shapes that do not serve

    def read(self, text: str) -> tuple[str, Literals]:
        """The key of a rule in `written`, and its literals. Raises MatcherFault."""
        shaped, literals = shape(text)
        if literals and shaped not in self.written and shaped not in self.apart:
            try:
                self.written[shaped] = casbin_matcher.rule(shaped, self.names, literals)
            except MatcherFault:
                self.apart.add(shaped)  # the rule itself says what is wrong
        if shaped in self.written and literals:
            return shaped, literals
        self.written[text] = casbin_matcher.rule(text, self.names)
        return text, ()


def _frozen(level: dict[Any, Any], depth: int) -> dict[Any, Any]:
    if depth:
        return {name: _frozen(below, depth - 1) for name, below in level.items()}
    return {name: tuple(numbers) for name, numbers in level.items()}


def _places(fields: Sequence[str]) -> dict[str, int]:
    return {field: place for place, field in enumerate(fields)}


# What expressions call beside the functions of Casbin.


def attribute(value: object, name: str) -> object:
    """An attribute of a JSON object. Raises LookupError when there is none."""
    if not isinstance(value, Mapping) or name not in value:
        raise LookupError(f"no attribute `{name}`")
    return value[name]


def answer(value: object) -> bool:
    """A matcher's value as an answer: Casbin takes booleans and decimal numbers. Raises TypeError for another."""
    if isinstance(value, bool | float) or not value:
        return bool(value)
    raise TypeError(f"a matcher answers True or False, not {type(value).__name__}")


def multiplied(left: object, right: object) -> object:
    """The product of two numbers: Python would repeat a text. Raises TypeError."""
    return _number(left) * _number(right)


def remainder(left: object, right: object) -> object:
    """The remainder of two numbers: Python would format a text. Raises TypeError."""
    return _number(left) % _number(right)


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return value
    raise TypeError(f"a number is expected, not {type(value).__name__}")
