"""What the rows of a slice say of one question: gates, matrix, grounds, obligations, in the order of 3.0.4.

Every row that is reached is asked, so that the order and repetition of rows mean nothing and a row that raises
is never skipped. What the rows answered is an integer for each section; what follows from the same integers is
worked out once for a slice and kept.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sidecar.core import obligations
from sidecar.core.bundle import FOREVER
from sidecar.core.instants import SECOND
from sidecar.core.model import Obligation
from sidecar.core.pack import Pack
from sidecar.core.slices import Contribution, Prohibition, Section, Settled, Situation, Slice

# Reasons the product gives by itself; every pack has their sentences.
FACTS_UNAVAILABLE = "FACTS_UNAVAILABLE"
PROFILE_CATEGORY = "PROFILE_CATEGORY"
NO_RULE = "NO_RULE"
NO_RELATIONSHIP = "NO_RELATIONSHIP"

CACHE_MAX_AGE, SECONDS = "CACHE_MAX_AGE", "s"  # the obligation that shortens an answer's life, and its parameter

VERDICTS_KEPT = 4096  # in one slice: what its rows can answer is far fewer, unless somebody tries

# Which sections the integers of a key are of.
FIRM, GATES, DELEGATOR, MATRIX, GROUNDS, OTHERWISE, WHOLE = range(7)


def gates(found: Slice, strict: Situation, loose: Situation) -> tuple[Settled, int] | None:
    """The refusal of the gate that decides, and how long it lasts; None when all are passed.

    What no grant changes is asked of `strict`. What is read after the deciding row must not shorten its answer:
    it would tell of the patient's will to who is refused for something else.
    """
    firm = found.firm.ask(strict)
    if firm:
        held = _prohibited(found, (FIRM, firm), found.firm, strict)
        found.gates.ask(loose)  # whatever raises is not skipped
        return held
    others = found.gates.ask(loose)
    return _prohibited(found, (GATES, others), found.gates, loose) if others else None


def _prohibited(
    found: Slice, key: tuple[int, int], section: Section[Prohibition], situation: Situation
) -> tuple[Settled, int]:
    settled = found.settled.get(key) or _keep(found, key, _refused(section, key[1]))
    ends = next(ends for bits, ends in situation.held_at.items() if bits >> settled.place & 1)
    situation.held_at = {}
    return settled, ends


def merits(found: Slice, situation: Situation) -> tuple[Settled, int, int]:
    """What matrix and grounds say once the gates are passed, and what they answered."""
    kept, cells = found.settled, found.cells.ask(situation)
    matrix = kept.get((MATRIX, cells)) or _keep(found, (MATRIX, cells), _matrix(found, cells))
    if not matrix.permit:
        return matrix, cells, 0
    grounds = found.grounds.ask(situation)
    key = GROUNDS, cells, grounds
    settled = kept.get(key) or _keep(found, key, _ground(found, matrix.rules, grounds))
    if settled.permit or settled.reason:
        return settled, cells, grounds
    said = found.otherwise.ask(situation)
    return kept.get((OTHERWISE, said)) or _keep(found, (OTHERWISE, said), _otherwise(found, said)), cells, grounds


def whole(found: Slice, pack: Pack, settled: Settled, cells: int, grounds: int, strict: Situation) -> Settled:
    """The permit with what comes with it. `cells` and `grounds` are what matrix and grounds answered."""
    said = found.contributions.ask(strict)
    key = WHOLE, cells, grounds, said
    made = found.settled.get(key)
    if made is None:
        rows = came(found.contributions, said)
        made = with_contributions(settled, rows, pack, strict.value)
        if all(row.template.fixed for row in rows):
            _keep(found, key, made)
    return made


def may(found: Slice, situation: Situation) -> bool | None:
    """What a delegator may do: the gates that concern them, matrix and grounds; None when it is not known."""
    answered = found.delegator.ask(situation)
    if answered:
        held = _refused(found.delegator, answered)
        return None if held.reason == FACTS_UNAVAILABLE else False
    settled, _, _ = merits(found, situation)
    if settled.permit:
        return True
    return None if settled.reason == FACTS_UNAVAILABLE else False


def doubtful(sections: Iterable[Section[Any]], strict: Situation) -> bool:
    """Whether some row of these sections is unknown where nothing is read leniently. Asks every row."""
    unknown = [section.unknown(section.ask(strict)) for section in sections]
    return any(unknown)


def came(section: Section[Contribution], answered: int) -> list[Contribution]:
    """The rows that contribute. 3.0.1: in p2 unknown counts as present, the obligation comes."""
    return section.held(answered | answered >> len(section.rows))


def with_contributions(settled: Settled, rows: list[Contribution], pack: Pack, value: Callable[[str], str]) -> Settled:
    """The same with what comes with it. `value` fills in what rows leave open."""
    made = [(row.template.advice, row.template.fixed or obligations.value(row.template, value)) for row in rows]
    duties = obligations.merged([each for advice, each in made if not advice], pack.obligations)
    advice = obligations.merged([each for advice, each in made if advice], pack.obligations)
    # Duties before advice, each in the order of their rows.
    ordered = sorted(rows, key=lambda row: row.template.advice)
    return Settled(
        permit=True,
        reason=settled.reason,
        rule=settled.rule,
        rules=tuple(dict.fromkeys((*settled.rules, *(row.rule for row in ordered)))),
        also=settled.also,
        duties=duties,
        advice=obligations.advised(advice),
        age=_age(duties),
    )


def _age(duties: tuple[Obligation, ...]) -> int:
    ages = [obligations.seconds(duty.params.get(SECONDS, "")) or 0 for duty in duties if duty.id == CACHE_MAX_AGE]
    return min((age * SECOND for age in ages), default=FOREVER)


def _refused(section: Section[Prohibition], answered: int) -> Settled:
    """The refusal of the first gate that holds or may: known before unknown, then by rule number."""
    known, unknown = section.held(answered), section.unknown(answered)
    stage = min(row.stage for row in known + unknown)
    known = [row for row in known if row.stage == stage]
    if known:
        row, reason = known[0], known[0].reason
        rules = tuple(dict.fromkeys(each.rule for each in known))
    else:
        row, reason = next(row for row in unknown if row.stage == stage), FACTS_UNAVAILABLE
        rules = (row.rule,)
    return Settled(False, reason, row.rule, rules, stage=stage, firm=row.firm, place=section.rows.index(row))


def _matrix(found: Slice, answered: int) -> Settled:
    """What the matrix says: a permit carries the rules of its cells."""
    known, unknown = found.cells.held(answered), found.cells.unknown(answered)
    forbidden = [cell for cell in known if cell.deny]
    allowed = [cell for cell in known if not cell.deny]
    doubts = [cell for cell in unknown if cell.deny]
    if not allowed:
        doubts += [cell for cell in unknown if not cell.deny]
    if forbidden:
        return Settled(False, forbidden[0].reason or PROFILE_CATEGORY, forbidden[0].rule, (forbidden[0].rule,))
    if doubts:
        return Settled(False, FACTS_UNAVAILABLE, doubts[0].rule, (doubts[0].rule,))
    if not allowed:
        return Settled(False, PROFILE_CATEGORY)
    if not found.grounds.rows:
        return Settled(False, NO_RULE)
    return Settled(True, "", rules=tuple(cell.rule for cell in allowed))


def _ground(found: Slice, cells: tuple[str, ...], answered: int) -> Settled:
    """What the grounds say; a refusal without a reason when none holds and none may: `otherwise` has it."""
    held, unknown = found.grounds.held(answered), found.grounds.unknown(answered)
    if held:
        best = held[0]
        also = dict.fromkeys(row.reason for row in held if row.reason != best.reason)
        return Settled(True, best.reason, best.rule, (*(row.rule for row in held), *cells), tuple(also))
    if unknown:
        return Settled(False, FACTS_UNAVAILABLE, unknown[0].rule, (unknown[0].rule,))
    return Settled(False, "")


def _otherwise(found: Slice, answered: int) -> Settled:
    """The refusal of the highest-ranked `otherwise` that is known to hold; NO_RELATIONSHIP when none is."""
    said = min(found.otherwise.held(answered), key=lambda row: row.otherwise_rank, default=None)
    if said is None:
        return Settled(False, NO_RELATIONSHIP)
    return Settled(False, said.otherwise, said.rule, (said.rule,))


def _keep(found: Slice, key: tuple[int, ...], settled: Settled) -> Settled:
    if len(found.settled) >= VERDICTS_KEPT:
        found.settled.clear()
    found.settled[key] = settled
    return settled
