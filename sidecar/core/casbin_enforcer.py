"""Any Casbin model of the effects allow-override and allow-and-deny: `CasbinPolicy.enforce`.

Conjuncts `value == p.field` and `g(value, p.field)` of the matcher are an index, so a question meets only the rows
that these leave; what remains of the matcher is asked of each. A policy never changes once loaded
(`casbin_enforcer_load`): any number of threads may ask it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from sidecar.core.casbin_enforcer_roles import Roles
from sidecar.errors import EvaluationFault, InvalidRequest

Values = tuple[object, ...]
Row = tuple[str, ...]
Rule = Callable[[Values, Row], object]
Rules = Mapping[int, Rule]  # the rules of a row, by the field that holds them
Part = Callable[[Values, Row, Rules], object]  # a conjunct, or several
Leaf = tuple[int, ...]  # numbers of rows, in their order
Names = tuple[object, frozenset[str]]  # a name, and those it is linked with

# What a value of the request may make an expression raise; anything else is an error of ours.
RAISED = (TypeError, ValueError, LookupError, ArithmeticError)


class Enforced(Struct, frozen=True):
    """An answer, and the row it rests on as Casbin tells it: empty when no row matched."""

    allow: bool
    explain: Row


class Step(Struct, frozen=True):
    """A role in an index: whose roles (or members, `up` false) are looked up, in which domain."""

    roles: Roles
    name: Callable[[Values], object]
    domain: Callable[[Values], object]
    up: bool

    def names(self, asked: Values) -> Names:
        """The name itself, and those it is linked with."""
        name, domain = self.name(asked), self.domain(asked)
        return name, self.roles.roles(name, domain) if self.up else self.roles.members(name, domain)


class Way(Struct, frozen=True):
    """One alternative of the matcher, compiled: how rows are found, and what is left to ask of each.

    `allows` and `denies` lead from the values of the indexed fields to the rows: first one dictionary for all
    equalities, then one for each step.
    """

    guard: Part | None  # what is asked of the request alone
    key: Callable[[Values], object]
    steps: tuple[Step, ...]
    rest: Part | None
    rowless: bool  # asks nothing of a row: holds without any
    allows: Mapping[Any, Any]
    denies: Mapping[Any, Any]
    parts: tuple[Part, ...]  # every conjunct


class Met(Struct, frozen=True):
    """An alternative that this request may hold by, with what its rows are found by."""

    way: Way
    key: object
    names: tuple[Names, ...]


class CasbinPolicy:
    """A loaded model and policy."""

    def __init__(
        self,
        request: tuple[str, ...],
        rows: tuple[Row, ...],
        denying: frozenset[int],
        rules: Sequence[Rules],
        ways: tuple[Way, ...],
        told_last: bool,
        place: Callable[[int], str],
    ) -> None:
        self._request, self._rows, self._rules, self._ways = request, rows, rules, ways
        self._denying, self._told_last, self._place = denying, told_last, place

    def enforce(self, values: Sequence[object]) -> Enforced:
        """The answer to one request, its values in the order of the model: texts, numbers, booleans, JSON objects.

        A row that denies decides; else a row that allows; else the answer is no. Raises InvalidRequest for another
        number of values, and EvaluationFault when a row that might decide cannot be evaluated.
        """
        if len(values) != len(self._request):
            expected = f"{len(self._request)} ({', '.join(self._request)})"
            raise InvalidRequest("values", f"{len(values)} values where the model asks {expected}")
        asked = tuple(values)
        try:
            return self._indexed(asked)
        except RAISED:
            return self._row_by_row(asked)

    def _indexed(self, asked: Values) -> Enforced:
        """The answer from the rows that the index leaves."""
        met = [
            Met(way, way.key(asked), tuple([step.names(asked) for step in way.steps]))
            for way in self._ways
            if way.guard is None or way.guard(asked, (), {})
        ]
        if not self._rows:
            return Enforced(any(each.way.rowless for each in met), ())
        if self._denying:
            denied = self._match(asked, [(each, _leaves(each.way.denies, each)) for each in met], last=False)
            if denied is not None:
                return Enforced(False, self._rows[denied])
        allowed = self._match(asked, [(each, _leaves(each.way.allows, each)) for each in met], last=self._told_last)
        return Enforced(allowed is not None, () if allowed is None else self._rows[allowed])

    def _match(self, asked: Values, found: Iterable[tuple[Met, list[Leaf]]], last: bool) -> int | None:
        """The first row that matches, or the last."""
        best: int | None = None
        for met, leaves in found:
            rest = met.way.rest
            numbers = leaves[0] if len(leaves) == 1 else sorted(chain.from_iterable(leaves))
            for number in reversed(numbers) if last else numbers:
                if best is not None and (number < best) is last:
                    break
                if rest is None or rest(asked, self._rows[number], self._rules[number] if self._rules else {}):
                    best = number
                    break
        return best

    def _row_by_row(self, asked: Values) -> Enforced:
        """The answer when something could not be evaluated: whether that matters is asked of every row.

        Kleene's logic decides, so the order of rows and of conjuncts does not: a conjunct that cannot be evaluated
        is unknown, and so is its row unless another conjunct is false.
        """
        rows = self._rows or ((),)
        verdicts = [self._verdict(asked, number) for number in range(len(rows))]
        denied = [number for number in range(len(rows)) if number in self._denying and verdicts[number]]
        allowed = [number for number in range(len(rows)) if number not in self._denying and verdicts[number]]
        for numbers, allow in ((denied, False), (allowed, True)):
            sure = [number for number in numbers if verdicts[number] is True]
            if sure:
                return Enforced(allow, rows[sure[-1 if allow and self._told_last else 0]])
            if numbers:
                raise EvaluationFault(f"{self._place(numbers[0])}: cannot be evaluated: {verdicts[numbers[0]]}")
        return Enforced(False, ())

    def _verdict(self, asked: Values, number: int) -> bool | str:
        """Whether a row matches; a sentence when that cannot be said."""
        row = self._rows[number] if self._rows else ()
        rules = self._rules[number] if self._rules else {}
        unknown = ""
        for way in self._ways:
            if not self._rows and not way.rowless:
                continue
            said = _holds(way.parts, asked, row, rules)
            if said is True:
                return True
            unknown = unknown or said or ""
        return unknown or False


def _holds(parts: Iterable[Part], asked: Values, row: Row, rules: Rules) -> bool | str:
    """Whether all of these hold; a sentence when that cannot be said, and none of them is false."""
    unknown = ""
    for part in parts:
        try:
            if not part(asked, row, rules):
                return False
        except RAISED as error:
            unknown = unknown or (str(error.args[0]) if error.args else type(error).__name__)
    return unknown or True


def _leaves(index: Mapping[Any, Any], met: Met) -> list[Leaf]:
    """The rows that the indexed fields leave. A value that cannot be a key is no text, so it equals no field."""
    try:
        found = index.get(met.key)
    except TypeError:
        return []
    levels: list[Any] = [] if found is None else [found]
    for name, linked in met.names:
        # The shorter of the two is gone through: a name may have many roles, a place many rows.
        levels = [
            below
            for level in levels
            for each in ((linked if len(linked) < len(level) else level.keys() & linked), (name,))
            for key in each
            if isinstance(key, str) and (below := level.get(key)) is not None
        ]
    return levels
