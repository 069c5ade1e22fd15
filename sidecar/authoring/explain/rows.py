"""The rows of a pack as their author wrote them, with file, line and source, and those one question meets."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from sidecar.authoring.bundle import Bundle
from sidecar.core import casbin_text, groups, loading, obligations
from sidecar.core.casbin_text import LINKS, ROLES_FILE, Cell, Duty, Rule
from sidecar.core.compiled import flat_pack, gate_of, number
from sidecar.core.expression import Constant, Node
from sidecar.core.vocabulary import NOUNS

Kind = Literal["gate", "forbidden", "cell", "ground", "duty", "advice"]
ALWAYS = Constant(True)


class Row(Struct, frozen=True):
    """One row: what it says, where it stands and what it rests on.

    `stage` is the place of a gate in the pack's order. `instead` is what a refusal says when a ground does not hold,
    under the condition `instead_when`, in the order of `instead_rank`.
    """

    kind: Kind
    rule: str
    reason: str
    when: str
    node: Node
    file: str
    line: int
    source: str
    gate: str = ""
    stage: int = 0
    firm: bool = False
    discloses: bool = False
    instead: str = ""
    instead_when: Node = ALWAYS
    instead_rank: int = 0
    obligation: str = ""


class Met(Struct, frozen=True):
    """The rows a question meets, each list in the order it is read."""

    gates: tuple[Row, ...]
    forbidden: tuple[Row, ...]
    cells: tuple[Row, ...]
    grounds: tuple[Row, ...]
    duties: tuple[Row, ...]


class Placed(Struct, frozen=True):
    """A row and where it applies: the groups it names and all that is in them; `purposes` is None for all."""

    row: Row
    profiles: frozenset[str]
    categories: frozenset[str]
    actions: frozenset[str]
    purposes: frozenset[str] | None
    written: tuple[str, str, str, str]  # profile, category, action and purpose as the row names them; "" for none


class Rulebook:
    """Every row of a pack and where it applies; `pack` has its groups flattened to names."""

    def __init__(self, bundle: Bundle) -> None:
        """The bundle was compiled before: its rows have no fault."""
        csv = {name: text for name, text in bundle.files.items() if name == ROLES_FILE or name.startswith("rules/")}
        rows, _ = casbin_text.read_rows(csv, NOUNS, loading.domains(bundle.pack))
        self._members = {
            section: groups.flattened(link for link in rows.links if link.section == section)[0] for section in LINKS
        }
        self.pack = flat_pack(bundle.pack, self._members)
        self.digest, self.revision = bundle.digest, bundle.revision
        self._lines = {name: text.split("\n") for name, text in csv.items()}
        self._met: dict[tuple[str, str, str, str], Met] = {}
        self.placed = [self._place(row, self._rule(row)) for row in rows.rules]
        self.placed += [self._place(row, self._cell(row)) for row in rows.cells]
        self.placed += [self._place(row, self._duty(row)) for row in rows.duties]

    def members(self, section: str) -> groups.Members:
        """Every group of a section (g, g2, g3, g4) and the names under it."""
        return self._members[section]

    def met(self, profile: str, category: str, action: str, purpose: str) -> Met | None:
        """The rows of a question; None when one of the four names is not in the pack's vocabulary."""
        if self.unknown_name(profile, category, action, purpose):
            return None
        names = (profile, category, action, purpose)
        if names not in self._met:
            self._met[names] = self._sorted(
                placed.row for placed in self.placed if _meets(placed, profile, [category], action, purpose)
            )
        return self._met[names]

    def met_by_opening(self, profile: str, scope: str, action: str, purpose: str) -> Met:
        """The rows met by who opens a grant on a category group: a gate of any category in it is met."""
        inside = [scope, *self._members["g2"].get(scope, ())]
        return self._sorted(
            placed.row
            for placed in self.placed
            if _meets(placed, profile, inside if placed.row.kind == "gate" else [scope], action, purpose)
        )

    def unknown_name(self, profile: str, category: str, action: str, purpose: str) -> str:
        """The reason that says which of the four names is not in the vocabulary; empty when all are."""
        vocabulary = self.pack.vocabulary
        for reason, name, known in (
            ("UNKNOWN_PROFILE", profile, tuple(vocabulary.profiles)),
            ("UNKNOWN_CATEGORY", category, vocabulary.categories),
            ("UNKNOWN_PURPOSE", purpose, (*vocabulary.purposes, *vocabulary.denied_purposes)),
            ("UNKNOWN_ACTION", action, vocabulary.actions),
        ):
            if name not in known:
                return reason
        return ""

    def _sorted(self, rows: Iterable[Row]) -> Met:
        found = tuple(rows)

        def of(kinds: tuple[Kind, ...], key: Callable[[Row], tuple[object, ...]]) -> tuple[Row, ...]:
            return tuple(sorted((row for row in found if row.kind in kinds), key=key))

        reasons = {reason: place for place, reason in enumerate(self.pack.reasons)}
        ranks = self.pack.order.allow_rank
        return Met(
            gates=of(("gate",), lambda row: (row.stage, number(row.rule), reasons[row.reason], row.when)),
            forbidden=of(("forbidden",), lambda row: (number(row.rule), row.reason, row.when)),
            cells=of(("cell",), lambda row: (number(row.rule), row.when)),
            grounds=of(("ground",), lambda row: (ranks.index(row.reason), number(row.rule), row.when)),
            duties=of(("duty", "advice"), lambda row: (row.kind, row.obligation, number(row.rule), row.when)),
        )

    def _place(self, row: Rule | Cell | Duty, seen: Row) -> Placed:
        def named(section: str, name: str) -> frozenset[str]:
            members: Mapping[str, frozenset[str]] = self._members[section]
            return members.get(name, frozenset({name}))

        return Placed(
            seen,
            named("g", row.profile),
            named("g2", row.category),
            named("g3", row.action),
            None if isinstance(row, Cell) else named("g4", row.purpose),
            (row.profile, row.category, row.action, "" if isinstance(row, Cell) else row.purpose),
        )

    def _rule(self, row: Rule) -> Row:
        order = self.pack.order
        if row.deny:
            gate = gate_of(row.rule, order.gates)
            return Row(
                "gate",
                *self._told(row, row.reason),
                gate=gate,
                stage=order.gates.index(gate),
                firm=gate in order.firm_gates,
                discloses=self.pack.reasons[row.reason].discloses,
            )
        otherwise = row.otherwise
        if otherwise is None:
            return Row("ground", *self._told(row, row.reason))
        return Row(
            "ground",
            *self._told(row, row.reason),
            instead=otherwise.reason,
            instead_when=otherwise.when.node if otherwise.when else ALWAYS,
            instead_rank=order.otherwise_rank.index(otherwise.reason),
        )

    def _cell(self, row: Cell) -> Row:
        return Row("forbidden" if row.deny else "cell", *self._told(row, row.reason))

    def _duty(self, row: Duty) -> Row:
        advice = obligations.template(row.obligation, self.pack.obligations).advice
        return Row("advice" if advice else "duty", *self._told(row, ""), obligation=row.obligation)

    def _told(self, row: Rule | Cell | Duty, reason: str) -> tuple[str, str, str, Node, str, int, str]:
        """Rule, reason, condition, file, line and source: the last is the last field of the line itself."""
        fields = casbin_text.split(self._lines[row.at.file][row.at.line - 1]) or [""]
        return row.rule, reason, row.when.text, row.when.node, row.at.file, row.at.line, fields[-1]


def _meets(placed: Placed, profile: str, categories: Iterable[str], action: str, purpose: str) -> bool:
    return (
        profile in placed.profiles
        and not placed.categories.isdisjoint(categories)
        and action in placed.actions
        and (placed.purposes is None or purpose in placed.purposes)
    )
