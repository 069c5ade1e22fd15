"""The rows of one pack, compiled: in the order they are read, found by name, and asked by generated functions."""

import re
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import TypeVar

from msgspec.structs import replace

from sidecar.core import expression, generated, groups, obligations
from sidecar.core.casbin_text import NONE, Cell, Condition, Duty, Rows, Rule
from sidecar.core.expression import Constant
from sidecar.core.groups import Members
from sidecar.core.index import Index, Place
from sidecar.core.model import NO_OFFER, Offer
from sidecar.core.pack import Pack, Strings
from sidecar.core.slices import (
    GATES_PASSED,
    Contribution,
    Ground,
    MatrixCell,
    Prohibition,
    Row,
    Section,
    Situation,
    Slice,
)
from sidecar.core.words import Words

SLICES_KEPT = 8192  # the vocabularies are closed: a hospital meets some thousands of combinations
SLICES_WARMED = 1 << 18  # combinations looked at when a policy is built; those that meet the same rows share all
CODES_KEPT = 16_384  # distinct sections; a pack with more writes those beyond anew when their slice is forgotten
GRANT_OPEN = "r.context.grant_open"
ALWAYS = Condition("True", Constant(True))

R = TypeVar("R", Prohibition, Ground, MatrixCell, Contribution)
# Whether dated, and the texts of a section's conditions in order → the code that asks them.
Codes = dict[tuple[str, ...], CodeType]


class Compiled:
    """Gives the slice of a question. `pack` has its groups flattened to names.

    A function is generated for each distinct section of rows, and slices that meet the same rows share it.
    """

    def __init__(self, pack: Pack, members: Mapping[str, Members], words: Words) -> None:
        """`members` are the flattened sections g, g2, g3, g4. Rows are added to `index`, in their order."""
        self.pack, self.members, self._words = pack, members, words
        self.codes: Codes = {}
        self.index: Index[Row] = Index(members)
        self._functions: dict[tuple[str, ...], generated.Ask] = {}
        vocabulary = pack.vocabulary
        self.known_purposes = frozenset(vocabulary.purposes) | frozenset(vocabulary.denied_purposes)
        self.known_categories, self.known_actions = frozenset(vocabulary.categories), frozenset(vocabulary.actions)
        self._clinical = members["g2"].get(vocabulary.clinical, frozenset({vocabulary.clinical}))
        self._slices: dict[Place, Slice] = {}
        self._opening_slices: dict[Place, Slice] = {}

    def warm(self) -> None:
        """Generate what slices need, so that no question waits for it; a vocabulary beyond SLICES_WARMED is cut."""
        vocabulary = self.pack.vocabulary
        names = vocabulary.profiles, vocabulary.categories, vocabulary.actions, sorted(self.known_purposes)
        for place, met in self.index.distinct(names, SLICES_WARMED):
            self._sliced(met, place)
        for profile in vocabulary.profiles:
            self.opening_slice(profile)

    def slice(self, profile: str, category: str, action: str, purpose: str) -> Slice | None:
        """The rows of a question; None when one of the four names is not in the pack's vocabulary."""
        names = profile, category, action, purpose
        found = self._slices.get(names)
        if found is None and self.knows(*names):
            found = self._kept(self._slices, names, self._sliced(self.index.met(names), names))
        return found

    def knows(self, profile: str, category: str, action: str, purpose: str) -> bool:
        """Whether the four names are in the pack's vocabulary."""
        return (
            profile in self.pack.vocabulary.profiles
            and category in self.known_categories
            and action in self.known_actions
            and purpose in self.known_purposes
        )

    @property
    def met(self) -> tuple[Place, ...]:
        """The names of every question that was asked so far and is remembered."""
        return tuple(self._slices)

    def opening_slice(self, profile: str) -> Slice:
        """The rows met by who opens a grant: a gate of any category in its scope is met, if the pack asks that gate.

        3.0.4: opening is not refused for a patient-will reason; each access under the grant is.
        """
        rules = self.pack.break_glass
        scope = rules.eligible.get(profile, self.pack.vocabulary.clinical)
        names = profile, scope, rules.action, rules.purpose
        found = self._opening_slices.get(names)
        if found is None:
            met = self.index.met(names)
            inside = {
                id(row)
                for category in self.members["g2"].get(scope, frozenset({scope}))
                for row in self.index.met((profile, category, rules.action, rules.purpose))
                if isinstance(row, Prohibition)
            }
            inside.update(map(id, met))
            met = [row for row in self.index.rows if id(row) in inside]
            asked = [
                row
                for row in met
                if not isinstance(row, Prohibition) or (row.gate in rules.gates and not row.discloses)
            ]
            found = self._kept(self._opening_slices, names, self._sliced(asked, names))
        return found

    def grant_open(self, situation: Situation) -> bool:
        """Whether the grant the request names is open."""
        return self._words["context"]["grant_open"](situation) is True

    def blocked(self, situation: Situation) -> bool:
        """Whether the patient is known to have shut the subject out."""
        word = self._words["patient"].get("blocked_subject")
        return word is not None and word(situation) is True

    def alone(self, row: Row) -> generated.Ask:
        """The function that asks one row."""
        return self._function([row.when])

    def _sliced(self, met: list[Row], names: Place) -> Slice:
        profile, category, action, _ = names
        prohibitions = [row for row in met if isinstance(row, Prohibition)]
        grounds = [row for row in met if isinstance(row, Ground)]
        asked = frozenset(self.pack.order.delegator_gates)
        return Slice(
            firm=self._section([row for row in prohibitions if row.firm]),
            gates=self._section([row for row in prohibitions if not row.firm]),
            delegator=self._section([row for row in prohibitions if row.gate in asked]),
            cells=self._section([row for row in met if isinstance(row, MatrixCell)]),
            grounds=self._section(grounds),
            otherwise=self._otherwise([row for row in grounds if row.otherwise]),
            contributions=self._section([row for row in met if isinstance(row, Contribution)]),
            will=min((row.stage for row in prohibitions if row.discloses), default=GATES_PASSED),
            clinical=category in self._clinical,
            offer=self._offer(profile, category, action),
            settled={},
        )

    def _section(self, rows: Sequence[R]) -> Section[R]:
        dated = bool(rows) and isinstance(rows[0], Prohibition)
        return Section(tuple(rows), self._function([row.when for row in rows], dated))

    def _otherwise(self, grounds: Sequence[Ground]) -> Section[Ground]:
        return Section(tuple(grounds), self._function([row.otherwise_when or ALWAYS for row in grounds]))

    def _function(self, conditions: Sequence[Condition], dated: bool = False) -> generated.Ask:
        texts = (str(dated), *(condition.text for condition in conditions))
        found = self._functions.get(texts)
        if found is None:
            code = self.codes.get(texts)
            if code is None:
                code = generated.code([condition.node for condition in conditions], dated)
                if len(self.codes) < CODES_KEPT:
                    self.codes[texts] = code
            found = self._functions[texts] = generated.function(code, self._words)
        return found

    def _kept(self, slices: dict[Place, Slice], names: Place, made: Slice) -> Slice:
        if len(slices) >= SLICES_KEPT:
            slices.clear()
            self._functions.clear()
        slices[names] = made
        return made

    def _offer(self, profile: str, category: str, action: str) -> Offer:
        """What a refusal may offer: the profile is eligible, and a grant has a ground for this action."""
        rules = self.pack.break_glass
        if profile not in rules.eligible:
            return NO_OFFER
        met = self.index.met((profile, category, action, rules.purpose))
        if not any(isinstance(row, Ground) and row.reason == rules.reason for row in met):
            return NO_OFFER
        return Offer(available=True, motives=rules.motives, scope=rules.eligible[profile])


class _Ordered:
    """Rows of a pack's text as compiled rows, in the order they are read."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.reasons = {reason: place for place, reason in enumerate(pack.reasons)}
        self.gates = {gate: place for place, gate in enumerate(pack.order.gates)}

    def rows(self, rows: Rows) -> list[tuple[Place, Row]]:
        prohibitions = sorted((row for row in rows.rules if row.deny), key=self.gate_key)
        grounds = sorted((row for row in rows.rules if not row.deny), key=self.ground_key)
        placed: list[tuple[Place, Row]] = [(_place(row), self.prohibition(row)) for row in prohibitions]
        placed += [(_place(row), self.ground(row)) for row in grounds]
        placed += [(_place(row), _cell(row)) for row in sorted(rows.cells, key=_row_key)]
        placed += [(_place(row), self.contribution(row)) for row in sorted(rows.duties, key=_duty_key)]
        return placed

    def prohibition(self, row: Rule) -> Prohibition:
        gate = gate_of(row.rule, self.pack.order.gates)
        discloses, firm = self.pack.reasons[row.reason].discloses, gate in self.pack.order.firm_gates
        return Prohibition(row.when, row.rule, row.reason, gate, self.gates[gate], firm, discloses)

    def ground(self, row: Rule) -> Ground:
        otherwise = row.otherwise
        if otherwise is None:
            return Ground(row.when, row.rule, row.reason, "", None, 0)
        rank = self.pack.order.otherwise_rank.index(otherwise.reason)
        return Ground(row.when, row.rule, row.reason, otherwise.reason, otherwise.when, rank)

    def contribution(self, row: Duty) -> Contribution:
        return Contribution(row.when, row.rule, obligations.template(row.obligation, self.pack.obligations))

    def gate_key(self, row: Rule) -> tuple[object, ...]:
        # Two reasons of one rule: the one pack.toml names first, so that the order of rows never decides.
        gate = self.gates[gate_of(row.rule, self.pack.order.gates)]
        return (gate, number(row.rule), self.reasons[row.reason], row.when.text)

    def ground_key(self, row: Rule) -> tuple[object, ...]:
        return (self.pack.order.allow_rank.index(row.reason), number(row.rule), row.when.text)


def ordered(pack: Pack, rows: Rows) -> list[tuple[Place, Row]]:
    """The rows as they are read, and where each applies. They were checked against the pack."""
    return _Ordered(pack).rows(rows)


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
            write_categories=categories(job.write_categories),
        )
        for name, job in pack.jobs.items()
    }
    flat = replace(
        vocabulary,
        profiles=profiles,
        without_patient=without,
        write_actions=written,
        consent_categories=categories(vocabulary.consent_categories),
        with_request=categories(vocabulary.with_request),
    )
    return replace(pack, vocabulary=flat, jobs=jobs)


def gate_of(rule: str, gates: tuple[str, ...]) -> str:
    """The gate a rule id belongs to, the longest prefix that is one; empty when there is none."""
    return max((gate for gate in gates if rule == gate or rule.startswith(f"{gate}-")), key=len, default="")


def number(rule: str) -> tuple[tuple[int, str], ...]:
    """A rule id as it is counted: G-SUB-2 before G-SUB-10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", rule) if part)


def _place(row: Rule | Cell | Duty) -> Place:
    return row.profile, row.category, row.action, NONE if isinstance(row, Cell) else row.purpose


def _cell(row: Cell) -> MatrixCell:
    widened = any(f"r.{term.noun}.{term.word}" == GRANT_OPEN for term in expression.terms(row.when.node))
    return MatrixCell(row.when, row.rule, row.deny, row.reason, widened)


def _row_key(row: Cell) -> tuple[object, ...]:
    return (number(row.rule), row.reason, row.when.text)


def _duty_key(row: Duty) -> tuple[object, ...]:
    return (row.obligation, number(row.rule), row.when.text)
