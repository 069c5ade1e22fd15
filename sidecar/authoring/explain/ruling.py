"""The order of 3.0.4 read row by row: gates, matrix, grounds, duties; which row decided, and by which rule of order.

This is a plain reading, made to be followed with a finger and not to be fast. The policy set decides; a test holds
the two together on every ask of every story, and an explanation that differs from its decision says so.
"""

from enum import StrEnum

from msgspec import Struct

from sidecar.authoring.explain.rows import Met, Row
from sidecar.authoring.explain.walk import GRANT_OPEN, TELLING_NOTHING, Reading, Readings, Words, first_held, held
from sidecar.core import break_glass
from sidecar.core.judgement import FACTS_UNAVAILABLE, NO_RELATIONSHIP, NO_RULE, PROFILE_CATEGORY
from sidecar.core.question import MASK_DISCLOSURE, NOT_AVAILABLE, POLICY_ERROR


class Why(StrEnum):
    """Which rule of order made the reason."""

    UNKNOWN_NAME = "unknown_name"
    RAISED = "raised"
    GATE = "gate"
    GATE_UNKNOWN = "gate_unknown"
    CELL_FORBIDS = "cell_forbids"
    CELL_UNKNOWN = "cell_unknown"
    CELL_WITHOUT = "cell_without"
    NO_GROUND_ROWS = "no_ground_rows"
    GROUND = "ground"
    GROUND_UNKNOWN = "ground_unknown"
    INSTEAD = "instead"
    NO_GROUND = "no_ground"
    OPENING = "opening"
    OPENED = "opened"


class Ruling(Struct, frozen=True):
    """What the rows say. `deciding` is None where no single row decided; `gates` and `rest` are the words they were
    read with, which differ under an open grant that reads unknown restrictions as absent.
    """

    permit: bool
    reason: str
    why: Why
    deciding: Row | None = None
    rules: tuple[str, ...] = ()
    reached: str = ""  # the last part that counted: a gate's name, `matrix`, `grounds`, `duties`


class Heard(Struct, frozen=True):
    """What is true, what the caller is shown of it, and the readings both come from."""

    met: Met | None
    truth: Ruling
    shown: Ruling
    firm: Words
    rest: Words

    def words_for(self, row: Row) -> Words:
        """The reading a row was asked in: gates no grant touches, and duties, are read strictly."""
        return self.firm if row.firm or row.kind in ("duty", "advice") else self.rest


def hear(readings: Readings) -> Heard:
    """What the rows say of a question."""
    met = readings.met()
    strict = readings.words()
    if met is None:
        request, rules = readings.asked.request, readings.rules
        reason = rules.unknown_name(request.subject.profile, request.resource.category, request.action, request.purpose)
        ruling = Ruling(False, reason, Why.UNKNOWN_NAME)
        return Heard(None, ruling, ruling, strict, strict)
    try:
        rest = _rest(readings)
        if readings.asked.opening is not None:
            truth = _opening(readings, met, strict, rest)
            return Heard(met, truth, truth, strict, rest)
        truth = _settled(met, strict, rest)
        if _willed(met, truth):
            alone = readings.words(alone=True), _rest(readings, alone=True)
            own = _settled(met, *alone)
            if own.permit:  # 3.0.4: who needs no delegation is not under one
                return Heard(met, own, own, *alone)
        shown = _shown(readings, met, truth)
    except Exception:  # as the policy set does: a word that raises is a refusal
        raised = Ruling(False, POLICY_ERROR, Why.RAISED)
        return Heard(met, raised, raised, strict, strict)
    return Heard(met, truth, shown, strict, rest)


def conceals(readings: Readings, met: Met, truth: Ruling) -> bool:
    """Whether a refusal at this place is put in other words, for the patient's will may have caused it (3.0.4)."""
    setting = readings.rules.pack.settings.get(MASK_DISCLOSURE)
    if truth.permit or (setting is not None and setting.value != "none"):
        return False
    if not _willed(met, truth):
        return False
    resource, patient = readings.asked.request.resource, readings.asked.snapshot.patient
    stated = resource.visibility or resource.masked_for or resource.tags or readings.asked.request.facts
    return bool(stated) or resource.announced_since is not None or (patient is not None and bool(patient.directives))


def _willed(met: Met, truth: Ruling) -> bool:
    """Whether a refusal stands where the patient's will may have caused it."""
    disclosing = [row.stage for row in met.gates if row.discloses]
    if truth.permit or not disclosing:
        return False
    row = truth.deciding
    return row is None or row.kind != "gate" or row.stage >= min(disclosing)


def _shown(readings: Readings, met: Met, truth: Ruling) -> Ruling:
    if not conceals(readings, met, truth):
        return truth
    for reading in TELLING_NOTHING:
        without = _settled(met, readings.words(reading=reading), _rest(readings, reading))
        if not without.permit:
            return without
    return Ruling(False, NOT_AVAILABLE, truth.why)


def _rest(readings: Readings, reading: Reading = Reading.WHOLE, alone: bool = False) -> Words:
    """The words for what a grant touches: leniently read when one is open and the pack says so (`bg_unknown`)."""
    strict, given, asked = readings.words(reading=reading, alone=alone), readings.rules.pack.break_glass, readings.asked
    if given.unknown != "open":
        return strict
    if asked.opening is not None:
        return readings.words(lenient=True)
    if asked.request.context.access_mode in given.modes and strict.value(GRANT_OPEN) is True:
        return readings.words(lenient=True, reading=reading, alone=alone)
    return strict


def _settled(met: Met, strict: Words, rest: Words) -> Ruling:
    firm = first_held([row for row in met.gates if row.firm], strict)
    loose = first_held([row for row in met.gates if not row.firm], rest)
    if firm is not None:
        return _refused(firm, met, strict)
    if loose is not None:
        return _refused(loose, met, rest)
    ruling = _merits(met, rest)
    if not ruling.permit:
        return ruling
    duties = tuple(row.rule for row in met.duties if strict.value(row.node) is not False)
    return Ruling(
        True, ruling.reason, ruling.why, ruling.deciding, tuple(dict.fromkeys(ruling.rules + duties)), "duties"
    )


def _refused(row: Row, met: Met, words: Words) -> Ruling:
    """A gate's refusal, with the other rows of the gate that hold too."""
    known = words.value(row.node) is True
    too = [
        other.rule
        for other in met.gates
        if known and other.stage == row.stage and other.firm is row.firm and words.value(other.node) is True
    ]
    reason = row.reason if known else FACTS_UNAVAILABLE
    why = Why.GATE if known else Why.GATE_UNKNOWN
    return Ruling(False, reason, why, row, tuple(dict.fromkeys((row.rule, *too))), row.gate)


def _merits(met: Met, words: Words) -> Ruling:
    forbidden, cells = held(met.forbidden, words), held(met.cells, words)
    if True in forbidden:
        row = met.forbidden[forbidden.index(True)]
        return Ruling(False, row.reason or PROFILE_CATEGORY, Why.CELL_FORBIDS, row, (row.rule,), "matrix")
    if None in forbidden or (None in cells and True not in cells):
        row = met.forbidden[forbidden.index(None)] if None in forbidden else met.cells[cells.index(None)]
        return Ruling(False, FACTS_UNAVAILABLE, Why.CELL_UNKNOWN, row, (row.rule,), "matrix")
    if True not in cells:
        return Ruling(False, PROFILE_CATEGORY, Why.CELL_WITHOUT, reached="matrix")
    if not met.grounds:
        return Ruling(False, NO_RULE, Why.NO_GROUND_ROWS, reached="grounds")
    grounds = held(met.grounds, words)
    if True in grounds:
        best = met.grounds[grounds.index(True)]
        rules = [row.rule for row, value in zip(met.grounds, grounds, strict=True) if value is True]
        rules += [row.rule for row, value in zip(met.cells, cells, strict=True) if value is True]
        return Ruling(True, best.reason, Why.GROUND, best, tuple(dict.fromkeys(rules)), "grounds")
    if None in grounds:
        row = met.grounds[grounds.index(None)]
        return Ruling(False, FACTS_UNAVAILABLE, Why.GROUND_UNKNOWN, row, (row.rule,), "grounds")
    told = [row for row in met.grounds if row.instead and words.value(row.instead_when) is True]
    if not told:
        return Ruling(False, NO_RELATIONSHIP, Why.NO_GROUND, reached="grounds")
    row = min(told, key=lambda row: row.instead_rank)
    return Ruling(False, row.instead, Why.INSTEAD, row, (row.rule,), "grounds")


def _opening(readings: Readings, met: Met, strict: Words, rest: Words) -> Ruling:
    given = readings.rules.pack.break_glass
    asked = opening_gates(readings, met)
    firm = first_held([row for row in asked if row.firm], strict)
    loose = first_held([row for row in asked if not row.firm], rest)
    only = Met(asked, (), (), (), ())
    if firm is not None:
        return _refused(firm, only, strict)
    if loose is not None:
        return _refused(loose, only, rest)
    opening = readings.asked.opening
    if opening is not None:
        asked_of = readings.asked
        before = break_glass.openings_of_a_day(
            asked_of.snapshot.tenant.grants.values(), asked_of.controller_id, opening.subject.id, asked_of.now
        )
        reason = break_glass.refusal(given, opening, asked_of.now, before)
        if reason:
            return Ruling(False, reason, Why.OPENING, reached="opening")
    duties = tuple(row.rule for row in met.duties if strict.value(row.node) is not False)
    return Ruling(True, given.reason, Why.OPENED, None, tuple(dict.fromkeys(duties)), "duties")


def opening_gates(readings: Readings, met: Met) -> tuple[Row, ...]:
    """The gates an opening is asked: those the pack lists, the patient's will left to each access (3.0.4)."""
    return tuple(row for row in met.gates if row.gate in readings.rules.pack.break_glass.gates and not row.discloses)
