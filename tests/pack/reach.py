"""Where rows apply, as bits: which rows a question meets, which questions a row meets, and which faults nothing tells.

A fault tells nothing when no question can be answered otherwise for it: a ground where the matrix has no cell, an
obligation where nothing is permitted, a row beside another that says as much wherever it newly applies.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Generic, TypeVar

from sidecar.core.casbin_text import LINKS, Cell, Rows, Rule
from sidecar.core.compiled import gate_of
from sidecar.core.expression import Both, Constant, Node
from sidecar.core.groups import Members
from sidecar.core.index import ANY, Place
from sidecar.core.pack import Pack
from tests.pack.mutations import Mutant, Row, written

T = TypeVar("T")


class Bits(Generic[T]):
    """Rows by the names they apply to, as `core.index.Index` finds them; quick to make and to ask."""

    def __init__(self, members: Mapping[str, Members]) -> None:
        self.rows: list[T] = []
        self.above = [above(members[section]) for section in LINKS]
        self.stated: list[dict[str, int]] = [{} for _ in LINKS]
        self.masks: dict[tuple[int, str], int] = {}

    def add(self, placed: Iterable[tuple[Place, T]]) -> None:
        for place, row in placed:
            for stated, name in zip(self.stated, place, strict=True):
                stated[name] = stated.get(name, 0) | 1 << len(self.rows)
            self.rows.append(row)

    def met(self, names: Place) -> list[T]:
        found = ~0
        for column, name in enumerate(names):
            found &= self.mask(column, name)
        return [self.rows[place] for place in bits(found)]

    def mask(self, column: int, name: str) -> int:
        """The rows that apply to a name in this column."""
        key = column, name
        if key not in self.masks:
            stated, mask = self.stated[column], 0
            for group in (name, ANY, *self.above[column].get(name, ())):
                mask |= stated.get(group, 0)
            self.masks[key] = mask
        return self.masks[key]


def bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def above(members: Members) -> dict[str, set[str]]:
    """For each name, the groups it is in."""
    found: dict[str, set[str]] = {}
    for group, names in members.items():
        for name in names - {group}:
            found.setdefault(name, set()).add(group)
    return found


def place_of(row: Row) -> Place:
    """What a row states in each column."""
    return row.profile, row.category, row.action, ANY if isinstance(row, Cell) else row.purpose


class Reach:
    """Which of some questions a row meets."""

    def __init__(self, members: Mapping[str, Members], asked: Sequence[Place]) -> None:
        self.members, self.asked = members, asked
        self.masks: dict[tuple[int, str], int] = {}

    def met(self, row: Row) -> list[Place]:
        """The questions a row meets."""
        found = (1 << len(self.asked)) - 1
        for column, group in enumerate(place_of(row)):
            found &= self.mask(column, group)
        return [self.asked[place] for place in bits(found)]

    def mask(self, column: int, group: str) -> int:
        key = column, group
        if key not in self.masks:
            names = self.members[LINKS[column]].get(group, frozenset({group}))
            self.masks[key] = sum(
                1 << place for place, asked in enumerate(self.asked) if group == ANY or asked[column] in names
            )
        return self.masks[key]


class Telling:
    """Whether a widened row may be told from the row as it is. `pack` has its groups spelt out."""

    def __init__(self, pack: Pack, rows: Rows, members: Mapping[str, Members]) -> None:
        self.pack, self.members = pack, members
        self.index: Bits[Row] = Bits(members)
        every: tuple[Row, ...] = (*rows.rules, *rows.cells, *rows.duties)
        self.index.add((place_of(row), row) for row in every)
        vocabulary = pack.vocabulary
        known = (*vocabulary.purposes, *vocabulary.denied_purposes)
        self.found: dict[Place, list[Row]] = {}
        self.cells: dict[str, list[Place]] = {}
        self.names = (tuple(vocabulary.profiles), vocabulary.categories, vocabulary.actions, known)

    def tells(self, mutant: Mutant) -> bool:
        """Whether some question at a place where the row newly applies may be answered otherwise for it."""
        before, after = mutant.before, mutant.after
        assert isinstance(before, Row)
        assert isinstance(after, Row)
        return any(self.may_tell(before, after, names) for names in self.newly(before, after))

    def newly(self, before: Row, after: Row) -> Iterator[Place]:
        """Questions that meet the row now and did not: of those that meet the same rows, one."""
        columns = []
        for column, (old, new) in enumerate(zip(place_of(before), place_of(after), strict=True)):
            names = [name for name in self.names[column] if self.holds(column, new, name)]
            columns.append([name for name in names if old == new or not self.holds(column, old, name)])
        profiles, categories, actions, purposes = columns
        if not isinstance(before, Cell):
            yield from self.openings(before, after)
        for profile in profiles:
            allowed = [name for name in purposes if name in self.pack.vocabulary.profiles[profile].purposes]
            if isinstance(after, Rule) and after.deny:
                everything = purposes if self.is_firm(after) else allowed
                yield from product([profile], self.alike(1, categories), self.alike(2, actions), everything)
            elif isinstance(after, Cell):
                yield from product([profile], self.alike(1, categories), self.alike(2, actions), allowed[:1])
            else:
                opened = [each for each in self.opened(profile) if each[0] in categories and each[1] in actions]
                yield from ((profile, *each, purpose) for each in opened for purpose in allowed)
                if self.offers(after, profile) and self.pack.break_glass.purpose in purposes:
                    clinical = [name for name in categories if self.holds(1, self.pack.vocabulary.clinical, name)]
                    yield from product([profile], clinical, actions, [self.pack.break_glass.purpose])

    def alike(self, column: int, names: Iterable[str]) -> list[str]:
        """Of names that meet the same rows, one."""
        return list({self.index.mask(column, name): name for name in names}.values())

    def opened(self, profile: str) -> list[Place]:
        """The categories and actions for which the matrix has a cell of this profile."""
        if profile not in self.cells:
            purpose = self.pack.vocabulary.profiles[profile].purposes[:1]
            names = product([profile], self.names[1], self.names[2], purpose)
            self.cells[profile] = [
                place[1:3] for place in names if any(isinstance(row, Cell) and not row.deny for row in self.met(place))
            ]
        return self.cells[profile]

    def met(self, names: Place) -> list[Row]:
        if names not in self.found:
            self.found[names] = self.index.met(names)
        return self.found[names]

    def is_firm(self, row: Row) -> bool:
        return gate_of(row.rule, self.pack.order.gates) in self.pack.order.firm_gates

    def offers(self, row: Row, profile: str) -> bool:
        """Whether a refusal may offer a grant for this row."""
        rules = self.pack.break_glass
        return isinstance(row, Rule) and row.reason == rules.reason and profile in rules.eligible

    def openings(self, before: Row, after: Row) -> Iterator[Place]:
        """The same, of the openings of grants, which ask about a whole scope."""
        rules = self.pack.break_glass
        for profile, scope in rules.eligible.items():
            names = profile, scope, rules.action, rules.purpose
            if self.applies(after, names) and not self.applies(before, names):
                yield names

    def holds(self, column: int, group: str, name: str) -> bool:
        return group in (ANY, name) or name in self.members[LINKS[column]].get(group, ())

    def applies(self, row: Row, names: Place) -> bool:
        return all(self.holds(column, group, names[column]) for column, group in enumerate(place_of(row)))

    def may_tell(self, before: Row, after: Row, names: Place) -> bool:
        profile, category, _, purpose = names
        rules, met = self.pack.break_glass, [row for row in self.met(names) if row is not before]
        if any(says_as_much(other, after) for other in met):
            return False
        gates = [row for row in met if isinstance(row, Rule) and row.deny]
        gate = gate_of(after.rule, self.pack.order.gates) if isinstance(after, Rule) and after.deny else ""
        if gate in self.pack.order.firm_gates:
            return True
        if names[1:] == (rules.eligible.get(profile), rules.action, rules.purpose):
            return gate in rules.gates if gate else not isinstance(after, Rule)
        if purpose not in self.pack.vocabulary.profiles[profile].purposes:
            return False  # refused already, for its purpose
        if gate:
            return True
        if any(row.when.node == Constant(True) for row in gates):
            return False  # refused already, whatever the situation
        cells = any(isinstance(row, Cell) and not row.deny for row in met)
        if isinstance(after, Cell):
            return True
        if isinstance(after, Rule):
            clinical = self.holds(1, self.pack.vocabulary.clinical, category)
            return cells or (after.reason == rules.reason and profile in rules.eligible and clinical)
        return cells and any(isinstance(row, Rule) and not row.deny for row in met)


def says_as_much(other: Row, row: Row) -> bool:
    """Whether a row says what `row` says wherever that one holds."""
    if type(other) is not type(row) or not conjuncts(other.when.node) <= conjuncts(row.when.node):
        return False
    if isinstance(row, Rule) and isinstance(other, Rule):
        said = other.rule, other.deny, other.reason
        return said == (row.rule, row.deny, row.reason) and row.otherwise in (None, other.otherwise)
    if isinstance(row, Cell) and isinstance(other, Cell):
        return (other.deny, other.reason) == (row.deny, row.reason)
    return getattr(other, "obligation", None) == getattr(row, "obligation", "")


@cache
def conjuncts(node: Node) -> frozenset[str]:
    """What must hold for a condition to hold, as texts."""
    if node == Constant(True):
        return frozenset()
    return frozenset(written(part) for part in node.parts) if isinstance(node, Both) else frozenset({written(node)})
