"""What the rows of a slice say of one question: gates, matrix, grounds, obligations, in the order of 3.0.4.

Every row that is reached is asked, so that the order and repetition of rows mean nothing and a row that raises
is never skipped. What the answer rested on is noted when it is settled, not after: the rest must not shorten it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sidecar.core import obligations
from sidecar.core.model import Obligation
from sidecar.core.slices import GATES_PASSED, Compiled, Contribution, Ground, MatrixCell, Prohibition, Situation, Slice

# Reasons the product gives by itself; every pack has their sentences.
FACTS_UNAVAILABLE = "FACTS_UNAVAILABLE"
PROFILE_CATEGORY = "PROFILE_CATEGORY"
NO_RULE = "NO_RULE"
NO_RELATIONSHIP = "NO_RELATIONSHIP"

Row = TypeVar("Row", MatrixCell, Ground)


class Settled(Struct, frozen=True):
    """What the rows say, before it is put in words for the caller.

    `stage` is the place of the gate that decided, GATES_PASSED after all of them; `firm` a gate no grant opens.
    `unknown` lists the words that were read as absent under an open grant.
    """

    permit: bool
    reason: str
    ends: int
    rule: str = ""
    rules: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    stage: int = GATES_PASSED
    firm: bool = False
    duties: tuple[Obligation, ...] = ()
    advice: tuple[Obligation, ...] = ()
    overlooked: bool = False


class Held(Struct, frozen=True):
    """The prohibition that decides: known, or unknown and therefore a refusal too."""

    row: Prohibition
    known: bool
    ends: int
    rules: tuple[str, ...]


def settle(compiled: Compiled, found: Slice, strict: Situation, lenient: Callable[[], Situation] | None) -> Settled:
    """What the rows of the slice say of this situation.

    `lenient` makes the same situation with unknown restrictions read as absent; it is asked for under an open
    grant, for the gates a grant may touch, the matrix and the grounds (`bg_unknown`). None: never.
    """
    firm = first(found.firm, strict)
    loose = strict
    if lenient is not None and compiled.grant_open(strict) is True:
        loose = lenient()
    held = first(found.gates, loose)
    if firm is not None:
        return refused(firm)
    if held is not None:
        return _with_ends(refused(held), strict, loose)
    settled = _merits(found, loose)
    if not settled.permit:
        return _with_ends(settled, strict, loose)
    duties, said = contributions(found.duties, strict, strict.value, compiled)
    advice, also_said = contributions(found.advice, strict, strict.value, compiled)
    return Settled(
        permit=True,
        reason=settled.reason,
        ends=min(strict.ends, loose.ends),
        rule=settled.rule,
        rules=tuple(dict.fromkeys(settled.rules + said + also_said)),
        also=settled.also,
        duties=duties,
        advice=advice,
        overlooked=loose is not strict and bool(loose.unknown),
    )


def first(rows: Sequence[Prohibition], situation: Situation) -> Held | None:
    """The prohibition that decides, by gate, then known before unknown, then by rule number. Asks every row."""
    held: Held | None = None
    for row in rows:
        answer = row.when(situation)
        if answer is False:
            continue
        if held is None:
            held = Held(row, answer is not None, situation.ends, (row.rule,))
        elif answer is not None and row.stage == held.row.stage:
            if held.known:
                held = Held(held.row, True, held.ends, (*held.rules, row.rule))
            else:
                held = Held(row, True, situation.ends, (row.rule,))
    return held


def refused(held: Held) -> Settled:
    """The refusal a prohibition makes."""
    row = held.row
    reason = row.reason if held.known else FACTS_UNAVAILABLE
    return Settled(False, reason, held.ends, row.rule, tuple(dict.fromkeys(held.rules)), (), row.stage, row.firm)


def may(found: Slice, situation: Situation) -> bool | None:
    """What a delegator may do: the gates that concern them, matrix and grounds; None when it is not known."""
    held = first(found.delegator, situation)
    if held is not None:
        return False if held.known else None
    settled = _merits(found, situation)
    if settled.permit:
        return True
    return None if settled.reason == FACTS_UNAVAILABLE else False


def contributions(
    rows: Sequence[Contribution], situation: Situation, value: Callable[[str], str], compiled: Compiled
) -> tuple[tuple[Obligation, ...], tuple[str, ...]]:
    """What comes with a yes, and the ids of the rows it comes from. `value` fills in what rows leave open."""
    values: list[Obligation] = []
    rules: tuple[str, ...] = ()
    for row in rows:
        # 3.0.1: in p2 unknown counts as present, the obligation comes.
        if row.when(situation) is not False:
            values += [each.fixed or obligations.value(each, value) for each in row.templates]
            rules += row.rules
    return obligations.merged(values, compiled.pack.obligations), rules


def _merits(found: Slice, situation: Situation) -> Settled:
    """What matrix and grounds say once the gates are passed."""
    forbidden, forbidden_maybe = _held(found.forbidden, situation)
    allowed, allowed_maybe = _held(found.cells, situation)
    if forbidden:
        cell = forbidden[0]
        return Settled(False, cell.reason or PROFILE_CATEGORY, situation.ends, cell.rule, (cell.rule,))
    if forbidden_maybe or (allowed_maybe and not allowed):
        cell = (forbidden_maybe or allowed_maybe)[0]
        return Settled(False, FACTS_UNAVAILABLE, situation.ends, cell.rule, (cell.rule,))
    if not allowed:
        return Settled(False, PROFILE_CATEGORY, situation.ends)
    if not found.grounds:
        return Settled(False, NO_RULE, situation.ends)
    held, maybe = _held(found.grounds, situation)
    if held:
        best = held[0]
        also = dict.fromkeys(row.reason for row in held if row.reason != best.reason)
        rules = (*(row.rule for row in held), *(cell.rule for cell in allowed))
        return Settled(True, best.reason, situation.ends, best.rule, rules, tuple(also))
    if maybe:
        return Settled(False, FACTS_UNAVAILABLE, situation.ends, maybe[0].rule, (maybe[0].rule,))
    return _otherwise(found, situation)


def _held(rows: Sequence[Row], situation: Situation) -> tuple[list[Row], list[Row]]:
    """The rows that hold, and those of which it is not known. Asks every row."""
    held, maybe = [], []
    for row in rows:
        answer = row.when(situation)
        if answer is True:
            held.append(row)
        elif answer is None:
            maybe.append(row)
    return held, maybe


def _otherwise(found: Slice, situation: Situation) -> Settled:
    """The refusal of the highest-ranked `otherwise` that is known to hold; NO_RELATIONSHIP when none is."""
    said: Ground | None = None
    for row in found.grounds:
        if not row.otherwise:
            continue
        holds = row.otherwise_when is None or row.otherwise_when(situation) is True
        if holds and (said is None or row.otherwise_rank < said.otherwise_rank):
            said = row
    if said is None:
        return Settled(False, NO_RELATIONSHIP, situation.ends)
    return Settled(False, said.otherwise, situation.ends, said.rule, (said.rule,))


def _with_ends(settled: Settled, strict: Situation, loose: Situation) -> Settled:
    """The same, resting on the grant too when it was read leniently."""
    if loose is strict:
        return settled
    return replace(settled, ends=min(settled.ends, strict.ends))
