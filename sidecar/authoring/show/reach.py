"""What the matrix opens to a profile once gates, grounds and the pack's own settings are counted in.

Nothing is decided here: a mark says what a reader may expect of a cell, whoever asks and about whichever patient.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from sidecar.authoring.explain.rows import Placed, Row, Rulebook
from sidecar.core.expression import Constant, Either, Node, Term

Value = bool | None
Assumed = Callable[[Term], Value]
Spot = tuple[str, str, str]  # profile, category, action

UNDER_GRANT = frozenset({
    "grant_open", "grant_ended", "grant_for_other_patient", "vital_motive", "vital_override",
    "single_factor_allowed", "blocked_override",
})  # fmt: skip


class Mark(StrEnum):
    """What opens a cell, the widest first."""

    OPEN = "open"  # once there is a ground
    TAGGED = "tagged"  # the same, but for objects with a sensitive tag, which ask for more
    CONDITION = "condition"  # under a condition of its own
    GLASS = "glass"  # under an emergency grant alone
    IDLE = "idle"  # the matrix opens it and no ground leads there
    CLOSED = "closed"


WIDEST = tuple(Mark)
SIGNS = {Mark.OPEN: "", Mark.TAGGED: "*", Mark.CONDITION: "°", Mark.GLASS: "!", Mark.IDLE: "…"}  # after a letter


class Ground(Struct, frozen=True):
    """A ground that a cell can be reached by."""

    row: Row
    purpose: str


class Reach:
    """Answers for one pack; the matrix is laid out once."""

    def __init__(self, book: Rulebook) -> None:
        self.pack = book.pack
        self._cells: dict[Spot, list[Row]] = {}
        self._grounds: dict[Spot, list[Placed]] = {}
        self._gates: dict[str, list[Placed]] = {}
        self._duties: dict[str, list[Placed]] = {}
        self._open_purposes: dict[Spot, frozenset[str]] = {}
        self._settings: Mapping[str, Value] = {
            name: setting.value for name, setting in self.pack.settings.items() if isinstance(setting.value, bool)
        }
        for placed in book.placed:
            if placed.row.kind in ("cell", "forbidden"):
                for spot in self._spots(placed):
                    self._cells.setdefault(spot, []).append(placed.row)
        for placed in book.placed:
            if placed.row.kind == "ground":
                for spot in self._spots(placed):
                    if spot in self._cells:
                        self._grounds.setdefault(spot, []).append(placed)
            elif placed.row.kind in ("gate", "duty"):
                kept = self._gates if placed.row.kind == "gate" else self._duties
                for profile in placed.profiles:
                    kept.setdefault(profile, []).append(placed)

    def cells(self, profile: str) -> dict[Spot, list[Row]]:
        """The cells written for a profile, with their rows."""
        return {spot: rows for spot, rows in self._cells.items() if spot[0] == profile}

    def mark(self, profile: str, category: str, action: str, tag: str | None = None) -> Mark:
        """What opens this; of objects that carry `tag` and no other, where one is named."""
        spot = profile, category, action
        rows = self._cells.get(spot)
        if rows is None:
            return Mark.CLOSED
        usual = self._usual(profile, category, action)
        untagged = _tagged(usual, tag) if tag else _tagged(usual, "")
        asked = untagged if tag else usual
        if _any(rows, "forbidden", usual) is True or _any(rows, "cell", asked) is False:
            return Mark.CLOSED
        plainly = _without_grant(asked)
        purposes = self._purposes(profile, category, action)
        if _any(rows, "cell", plainly) is False or not self._led(spot, purposes, plainly):
            return Mark.GLASS if self._led(spot, purposes, asked) else Mark.IDLE
        if _any(rows, "cell", plainly) is True:
            return Mark.OPEN
        return Mark.TAGGED if not tag and _any(rows, "cell", _without_grant(untagged)) is True else Mark.CONDITION

    def grounds(self, profile: str, category: str, action: str) -> list[Ground]:
        """The grounds written for this, and the purposes each may be asked for."""
        usual = self._usual(profile, category, action)
        return [
            Ground(placed.row, purpose)
            for placed in self._grounds.get((profile, category, action), ())
            for purpose in self._purposes(profile, category, action)
            if (placed.purposes is None or purpose in placed.purposes) and evaluate(placed.row.node, usual) is not False
        ]

    def granted(self, profile: str, category: str, action: str, tag: str = "") -> bool:
        """Whether an open emergency grant, for a vital motive, opens this; of objects with `tag` alone, if named."""
        spot = profile, category, action
        assumed = _with_grant(_tagged(self._usual(*spot), tag))
        reason = self.pack.break_glass.reason
        if _any(self._cells.get(spot, ()), "cell", assumed) is not True:
            return False
        return any(
            placed.row.reason == reason and evaluate(placed.row.node, assumed) is True
            for placed in self._grounds.get(spot, ())
        ) and not self._barred(profile, category, action, assumed)

    def redacted(self, profile: str, category: str, action: str) -> bool:
        """Whether only some fields are shown, whatever the case, outside an emergency grant."""
        usual = _without_grant(self._usual(profile, category, action))
        return any(
            placed.row.obligation.startswith("REDACT_FIELDS")
            and category in placed.categories
            and action in placed.actions
            and evaluate(placed.row.node, usual) is True
            for placed in self._duties.get(profile, ())
        )

    def _spots(self, placed: Placed) -> Iterable[Spot]:
        vocabulary = self.pack.vocabulary
        for profile in vocabulary.profiles:
            if profile in placed.profiles:
                for category in vocabulary.categories:
                    if category in placed.categories:
                        for action in vocabulary.actions:
                            if action in placed.actions:
                                yield profile, category, action

    def _led(self, spot: Spot, purposes: frozenset[str], assumed: Assumed) -> bool:
        return any(
            (placed.purposes is None or not placed.purposes.isdisjoint(purposes))
            and evaluate(placed.row.node, assumed) is not False
            for placed in self._grounds.get(spot, ())
        )

    def _purposes(self, profile: str, category: str, action: str) -> frozenset[str]:
        """The purposes of the profile at which no gate shuts this whatever the case."""
        spot = profile, category, action
        if spot not in self._open_purposes:
            usual = self._usual(*spot)
            gates = (placed for placed in self._gates.get(profile, ()) if category in placed.categories)
            shut = [each for each in gates if action in each.actions and evaluate(each.row.node, usual) is True]
            vocabulary = self.pack.vocabulary
            self._open_purposes[spot] = frozenset(
                purpose
                for purpose in vocabulary.profiles[profile].purposes
                if purpose not in vocabulary.denied_purposes
                and not any(each.purposes is None or purpose in each.purposes for each in shut)
            )
        return self._open_purposes[spot]

    def _barred(self, profile: str, category: str, action: str, assumed: Assumed) -> bool:
        """Whether a gate shuts this even with a grant, for whoever has no other tie to it."""

        def alone(term: Term) -> Value:
            known = assumed(term)
            return False if known is None and term.noun == "subject" else known

        return any(
            category in placed.categories and action in placed.actions and evaluate(placed.row.node, alone) is True
            for placed in self._gates.get(profile, ())
            if not placed.row.firm
        )

    def _usual(self, profile: str, category: str, action: str) -> Assumed:
        """What is known of any such question: the settings, the list of a machine job, who never has a grant."""
        job = self.pack.jobs.get(profile)
        listed = job is not None and category in job.categories and action in job.actions
        eligible = profile in self.pack.break_glass.eligible

        def usual(term: Term) -> Value:
            if term.noun == "context" and term.word in UNDER_GRANT and not eligible:
                return False
            if term.word == "setting" and term.args:
                return self._settings.get(term.args[0][1])
            if term.word == "job_allows":
                return None if listed else False
            return None

        return usual


def evaluate(node: Node, assumed: Assumed) -> Value:
    """A condition in Kleene's logic, with what is assumed of its words."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Term):
        value = assumed(node)
        return value if value is None else value is not node.negated
    values = [evaluate(part, assumed) for part in node.parts]
    decisive = isinstance(node, Either)
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _any(rows: Iterable[Row], kind: str, assumed: Assumed) -> Value:
    return evaluate(Either(tuple(row.node for row in rows if row.kind == kind)), assumed)


def _without_grant(assumed: Assumed) -> Assumed:
    return lambda term: False if term.noun == "context" and term.word in UNDER_GRANT else assumed(term)


def _with_grant(assumed: Assumed) -> Assumed:
    """The grant is open, for a vital motive; neither masks nor blocks are passed."""
    opened: Mapping[str, Value] = {
        "grant_open": True, "vital_motive": True, "vital_override": False, "blocked_override": False,
    }  # fmt: skip
    return lambda term: opened.get(term.word) if term.word in opened else assumed(term)


def _tagged(assumed: Assumed, tag: str) -> Assumed:
    """The object carries this sensitive tag alone; none when it is empty."""

    def tagged(term: Term) -> Value:
        if term.noun != "resource":
            return assumed(term)
        if term.word == "sensitive":
            return bool(tag)
        if term.word == "tagged" and term.args:
            return term.args[0][1] == tag
        if term.word == "only_tagged" and term.args and tag:
            return tag in [text for _, text in term.args]
        return assumed(term)

    return tagged
