"""Rows compiled, and the few of them that one question meets: a slice (profile, category, action, purpose)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from sidecar.core import expression, groups, obligations
from sidecar.core.bundle import Snapshot
from sidecar.core.casbin_text import Cell, Condition, Duty, Rows, Rule
from sidecar.core.expression import When
from sidecar.core.groups import Members
from sidecar.core.model import NO_OFFER, Caller, Known, Offer, Request
from sidecar.core.pack import Pack, Strings

SLICES_KEPT = 8192  # the vocabularies are closed: a hospital meets some thousands of combinations
GATES_PASSED = 1 << 30  # the stage of matrix and grounds, after every gate
GRANT_OPEN = "r.context.grant_open"

Ask = Callable[[Request, str], bool | None]


class Situation(Protocol):
    """The nouns of one question, and what their words rested on so far."""

    relied: list[Known]
    ends: int  # the earliest end of anything a known word rested on, microseconds
    unknown: list[str]  # words that answered None, or would have but for a lenient reading
    delegate: Ask | None  # what a delegator may do

    def without_will(self) -> Self:
        """The same with the patient's directives and visibility values taken away."""

    def value(self, name: str) -> str:
        """`delegator`, `senior` or `until`; empty when the situation has none."""


class Situations(Protocol):
    """Makes the nouns of a question; `lenient` reads an unknown restriction as absent."""

    def __call__(
        self,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        pack: Pack,
        lenient: bool = False,
    ) -> Situation:
        """The nouns."""


class Prohibition(Struct, frozen=True):
    """A deny row of p. `stage` is the place of its gate."""

    when: When
    rule: str
    reason: str
    gate: str
    stage: int
    firm: bool
    discloses: bool


class Ground(Struct, frozen=True):
    """An allow row of p, with what a refusal says instead; `otherwise_rank` orders those, 0 first."""

    when: When
    rule: str
    reason: str
    otherwise: str
    otherwise_when: When | None
    otherwise_rank: int


class MatrixCell(Struct, frozen=True):
    """A row of p3."""

    when: When
    rule: str
    deny: bool
    reason: str
    widened: bool  # an open grant may make it hold


class Contribution(Struct, frozen=True):
    """A row of p2; in a slice, all the rows of one `when` together, so that it is asked once."""

    when: When
    rules: tuple[str, ...]
    templates: tuple[obligations.Template, ...]


Row = Prohibition | Ground | MatrixCell | Contribution


class Slice(Struct, frozen=True):
    """The rows one question meets, in the order they are read."""

    firm: tuple[Prohibition, ...]
    gates: tuple[Prohibition, ...]
    delegator: tuple[Prohibition, ...]
    forbidden: tuple[MatrixCell, ...]
    cells: tuple[MatrixCell, ...]
    grounds: tuple[Ground, ...]  # by rank of their reason
    duties: tuple[Contribution, ...]
    advice: tuple[Contribution, ...]
    will: int  # the stage from which the patient's will may have decided
    clinical: bool
    offer: Offer  # what a refusal may offer: a grant that would open this


class Placed(Struct, frozen=True):
    """A compiled row and where it applies."""

    row: Row
    profiles: frozenset[str]
    categories: frozenset[str]
    actions: frozenset[str]
    purposes: frozenset[str] | None  # None: any (the matrix knows no purpose)

    def meets(self, profile: str, category: str, action: str, purpose: str) -> bool:
        """Whether this row is a candidate for the question."""
        return (
            profile in self.profiles
            and category in self.categories
            and action in self.actions
            and (self.purposes is None or purpose in self.purposes)
        )


class Compiled:
    """The rows of one pack, compiled; gives the slice of a question. `pack` has its groups flattened to names."""

    def __init__(self, pack: Pack, rows: Rows, members: Mapping[str, Members]) -> None:
        """`members` are the flattened sections g, g2, g3, g4. The rows were checked against the pack."""
        self.pack, self._members = flat_pack(pack, members), members
        self._functions: dict[str, When] = {}
        self._reasons = {reason: place for place, reason in enumerate(pack.reasons)}
        prohibitions = sorted((row for row in rows.rules if row.deny), key=self._gate_key)
        grounds = sorted((row for row in rows.rules if not row.deny), key=self._ground_key)
        self._rules = [self._placed(row, self._prohibition(row)) for row in prohibitions]
        self._rules += [self._placed(row, self._ground(row)) for row in grounds]
        self._rules += [self._placed(row, self._cell(row)) for row in sorted(rows.cells, key=_row_key)]
        self._rules += [self._placed(row, self._contribution(row)) for row in sorted(rows.duties, key=_duty_key)]
        vocabulary = pack.vocabulary
        self.known_purposes = frozenset(vocabulary.purposes) | frozenset(vocabulary.denied_purposes)
        self.known_categories, self.known_actions = frozenset(vocabulary.categories), frozenset(vocabulary.actions)
        self._clinical = members["g2"].get(vocabulary.clinical, frozenset({vocabulary.clinical}))
        self.grant_open = expression.compiled(expression.parse(GRANT_OPEN))
        self._slices: dict[tuple[str, str, str, str], Slice] = {}

    def slice(self, profile: str, category: str, action: str, purpose: str) -> Slice | None:
        """The rows of a question; None when one of the four names is not in the pack's vocabulary."""
        found = self._slices.get((profile, category, action, purpose))
        if found is None and self.knows(profile, category, action, purpose):
            met = [placed.row for placed in self._rules if placed.meets(profile, category, action, purpose)]
            found = self._sliced(met, profile, category, action)
            if len(self._slices) >= SLICES_KEPT:
                self._slices.clear()
            self._slices[profile, category, action, purpose] = found
        return found

    def knows(self, profile: str, category: str, action: str, purpose: str) -> bool:
        """Whether the four names are in the pack's vocabulary."""
        return (
            profile in self.pack.vocabulary.profiles
            and category in self.known_categories
            and action in self.known_actions
            and purpose in self.known_purposes
        )

    def opening_slice(self, profile: str, scope: str, action: str, purpose: str) -> Slice:
        """The rows met by who opens a grant on a category group: a gate of any category in it is met. Not kept."""
        categories = self._named("g2", scope)
        met = [
            placed.row
            for placed in self._rules
            if placed.meets(profile, scope, action, purpose)
            or (
                isinstance(placed.row, Prohibition)
                and any(placed.meets(profile, category, action, purpose) for category in categories)
            )
        ]
        return self._sliced(met, profile, scope, action)

    def _sliced(self, met: list[Row], profile: str, category: str, action: str) -> Slice:
        prohibitions = [row for row in met if isinstance(row, Prohibition)]
        cells = [row for row in met if isinstance(row, MatrixCell)]
        contributions = [row for row in met if isinstance(row, Contribution)]
        asked = frozenset(self.pack.order.delegator_gates)
        return Slice(
            firm=tuple(row for row in prohibitions if row.firm),
            gates=tuple(row for row in prohibitions if not row.firm),
            delegator=tuple(row for row in prohibitions if row.gate in asked),
            forbidden=tuple(row for row in cells if row.deny),
            cells=tuple(row for row in cells if not row.deny),
            grounds=tuple(row for row in met if isinstance(row, Ground)),
            duties=_together(row for row in contributions if not row.templates[0].advice),
            advice=_together(row for row in contributions if row.templates[0].advice),
            will=min((row.stage for row in prohibitions if row.discloses), default=GATES_PASSED),
            clinical=category in self._clinical,
            offer=self._offer(profile, category, action),
        )

    def _offer(self, profile: str, category: str, action: str) -> Offer:
        """What a refusal may offer: the profile is eligible, and a grant has a ground for this action."""
        rules = self.pack.break_glass
        opened = any(
            isinstance(placed.row, Ground)
            and placed.row.reason == rules.reason
            and placed.meets(profile, category, action, rules.purpose)
            for placed in self._rules
        )
        if profile not in rules.eligible or not opened:
            return NO_OFFER
        return Offer(available=True, motives=rules.motives, scope=rules.eligible[profile])

    def _function(self, condition: Condition) -> When:
        if condition.text not in self._functions:
            self._functions[condition.text] = expression.compiled(condition.node)
        return self._functions[condition.text]

    def _placed(self, row: Rule | Cell | Duty, compiled: Row) -> Placed:
        return Placed(
            compiled,
            self._named("g", row.profile),
            self._named("g2", row.category),
            self._named("g3", row.action),
            None if isinstance(row, Cell) else self._named("g4", row.purpose),
        )

    def _named(self, section: str, name: str) -> frozenset[str]:
        return self._members[section].get(name, frozenset({name}))

    def _prohibition(self, row: Rule) -> Prohibition:
        order = self.pack.order
        gate = gate_of(row.rule, order.gates)
        discloses = self.pack.reasons[row.reason].discloses
        firm = gate in order.firm_gates
        return Prohibition(
            self._function(row.when), row.rule, row.reason, gate, order.gates.index(gate), firm, discloses
        )

    def _ground(self, row: Rule) -> Ground:
        otherwise = row.otherwise
        if otherwise is None:
            return Ground(self._function(row.when), row.rule, row.reason, "", None, 0)
        when = self._function(otherwise.when) if otherwise.when else None
        rank = self.pack.order.otherwise_rank.index(otherwise.reason)
        return Ground(self._function(row.when), row.rule, row.reason, otherwise.reason, when, rank)

    def _cell(self, row: Cell) -> MatrixCell:
        widened = any(f"r.{term.noun}.{term.word}" == GRANT_OPEN for term in expression.terms(row.when.node))
        return MatrixCell(self._function(row.when), row.rule, row.deny, row.reason, widened)

    def _contribution(self, row: Duty) -> Contribution:
        template = obligations.template(row.obligation, self.pack.obligations)
        return Contribution(self._function(row.when), (row.rule,), (template,))

    def _gate_key(self, row: Rule) -> tuple[object, ...]:
        # Two reasons of one rule: the one pack.toml names first, so that the order of rows never decides.
        gates = self.pack.order.gates
        return (gates.index(gate_of(row.rule, gates)), number(row.rule), self._reasons[row.reason], row.when.text)

    def _ground_key(self, row: Rule) -> tuple[object, ...]:
        return (self.pack.order.allow_rank.index(row.reason), number(row.rule), row.when.text)


def flat_pack(pack: Pack, members: Mapping[str, Members]) -> Pack:
    """The pack with the groups in its lists of purposes, categories and actions replaced by their names."""
    vocabulary = pack.vocabulary

    def purposes(listed: Strings) -> Strings:
        return groups.names(listed, members["g4"], {*vocabulary.purposes, *vocabulary.denied_purposes})

    def categories(listed: Strings) -> Strings:
        return groups.names(listed, members["g2"], vocabulary.categories)

    def actions(listed: Strings) -> Strings:
        return groups.names(listed, members["g3"], vocabulary.actions)

    profiles = {
        name: replace(profile, purposes=purposes(profile.purposes)) for name, profile in vocabulary.profiles.items()
    }
    without = replace(
        vocabulary.without_patient,
        actions=actions(vocabulary.without_patient.actions),
        categories=categories(vocabulary.without_patient.categories),
    )
    written = actions(vocabulary.write_actions)
    jobs = {
        name: replace(
            job,
            purposes=purposes(job.purposes),
            categories=categories(job.categories),
            actions=actions(job.actions),
        )
        for name, job in pack.jobs.items()
    }
    flat = replace(vocabulary, profiles=profiles, without_patient=without, write_actions=written)
    return replace(pack, vocabulary=flat, jobs=jobs)


def gate_of(rule: str, gates: tuple[str, ...]) -> str:
    """The gate a rule id belongs to, the longest prefix that is one; empty when there is none."""
    return max((gate for gate in gates if rule == gate or rule.startswith(f"{gate}-")), key=len, default="")


def number(rule: str) -> tuple[tuple[int, str], ...]:
    """A rule id as it is counted: G-SUB-2 before G-SUB-10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", rule) if part)


def _together(rows: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """The rows that share their `when` as one, in the order of their first."""
    found: dict[When, Contribution] = {}
    for row in rows:
        first = found.get(row.when)
        found[row.when] = (
            row if first is None else Contribution(row.when, first.rules + row.rules, first.templates + row.templates)
        )
    return tuple(found.values())


def _row_key(row: Cell) -> tuple[object, ...]:
    return (number(row.rule), row.reason, row.when.text)


def _duty_key(row: Duty) -> tuple[object, ...]:
    return (row.obligation, number(row.rule), row.when.text)
