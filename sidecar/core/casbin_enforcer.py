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

    guard: Callable[[Values], object] | None  # what is asked of the request alone
    key: Callable[[Values], object]
    steps: tuple[Step, ...]
    rest: Callable[[Values, Row, Rules], object] | None
    rowless: bool  # asks nothing of a row: holds without any
    allows: Mapping[Any, Any]
    denies: Mapping[Any, Any]


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
        places: Callable[[int], str],
        rules: Sequence[Rules],
        ways: tuple[Way, ...],
        denies: bool,
        any_deny: bool,
    ) -> None:
        self._request, self._rows, self._places = request, rows, places
        self._rules, self._ways, self._denies, self._any_deny = rules, ways, denies, any_deny

    def enforce(self, values: Sequence[object]) -> Enforced:
        """The answer to one request, its values in the order of the model: texts, numbers, booleans, JSON objects.

        A row that denies decides; else a row that allows; else the answer is no. Raises InvalidRequest for another
        number of values, and EvaluationFault when something that might decide cannot be evaluated.
        """
        if len(values) != len(self._request):
            expected = f"{len(self._request)} ({', '.join(self._request)})"
            raise InvalidRequest("values", f"{len(values)} values where the model asks {expected}")
        asked = tuple(values)
        met, doubt = self._met(asked)
        if not self._rows:
            return _settled(Enforced(any(each.way.rowless for each in met), ()), doubt)
        if self._any_deny:
            denied, unsure = self._match(asked, [(each, each.way.denies) for each in met], last=False)
            if denied is not None:
                return Enforced(False, self._rows[denied])
            doubt = unsure or doubt
            if doubt:
                raise doubt
        # Casbin tells the first row that allows where that settles it, the last where a denial may follow.
        allowed, unsure = self._match(asked, [(each, each.way.allows) for each in met], last=self._denies)
        explain = () if allowed is None else self._rows[allowed]
        return _settled(Enforced(allowed is not None, explain), unsure or doubt)

    def _met(self, asked: Values) -> tuple[list[Met], EvaluationFault | None]:
        """The alternatives whose guard holds, and what could not be evaluated."""
        met, doubt = [], None
        for way in self._ways:
            try:
                if way.guard is None or way.guard(asked):
                    met.append(Met(way, way.key(asked), tuple([step.names(asked) for step in way.steps])))
            except RAISED as error:
                doubt = EvaluationFault(f"the matcher cannot be evaluated for this request: {_said(error)}")
        return met, doubt

    def _match(
        self, asked: Values, indexes: Iterable[tuple[Met, Mapping[Any, Any]]], last: bool
    ) -> tuple[int | None, EvaluationFault | None]:
        """The first row that matches, or the last, and what could not be evaluated."""
        best, doubt = None, None
        for met, index in indexes:
            leaves = _leaves(index, met)
            if not leaves:
                continue
            if met.way.rest is None:
                row = max(leaf[-1] for leaf in leaves) if last else min(leaf[0] for leaf in leaves)
                best = row if best is None else max(best, row) if last else min(best, row)
                continue
            numbers = leaves[0] if len(leaves) == 1 else sorted(chain.from_iterable(leaves))
            for number in reversed(numbers) if last else numbers:
                if best is not None and (number < best) is last:
                    break
                try:
                    if met.way.rest(asked, self._rows[number], self._rules[number] if self._rules else {}):
                        best = number
                        break
                except RAISED as error:
                    doubt = EvaluationFault(f"{self._places(number)}: cannot be evaluated: {_said(error)}")
        return best, doubt


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


def _settled(answer: Enforced, doubt: EvaluationFault | None) -> Enforced:
    """The answer; a yes stands whatever else could not be evaluated, a no does not."""
    if doubt and not answer.allow:
        raise doubt
    return answer


def _said(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
