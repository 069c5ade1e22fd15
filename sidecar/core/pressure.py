"""How often the glass is broken, where, and which relation would have made it unnecessary (L-88 to L-90).

An emergency that a relation would have avoided points at a feed: the roster, the appointments, the requests. What is
counted here is for mending the feeds; nothing of it is ever asked before a grant is opened.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from sidecar.core import care
from sidecar.core.bundle import Snapshot
from sidecar.core.evidence import Evidence
from sidecar.core.instants import DAY
from sidecar.core.model import Caller, Grant, Request, Resource, Subject
from sidecar.core.pack import Pack

# Relations of care that a feed states by themselves (3.1.1), the most telling first.
STATED = ("REL_APPT", "REL_REQ", "REL_RCP", "REL_REFERENT", "REL_TEAM")


class Missing(Struct, frozen=True):
    """The relation that would have avoided a grant. `known` when a fact says so by now, else the motive suggests it."""

    kind: str = ""
    known: bool = False


NOTHING_MISSING = Missing()


class Emergency(Struct, frozen=True):
    """One opening, as the pressure counts it: where, why, and what was missing."""

    unit: str
    motive: str
    missing: Missing = NOTHING_MISSING


class UnitPressure(Struct, frozen=True):
    """The openings of one unit in a period.

    `index` is openings a week that a relation would have avoided: what the unit gains when its feeds are mended.
    `relations` counts those by relation kind, the most frequent first, and `known` how many of them a fact proves.
    """

    unit: str
    openings: int
    per_week: float
    index: float
    motives: tuple[tuple[str, int], ...]
    relations: tuple[tuple[str, int], ...]
    known: int


def pressure(emergencies: Iterable[Emergency], start: int, end: int) -> tuple[UnitPressure, ...]:
    """The units of these openings, which are all those of [start, end), the highest index first."""
    weeks = max((end - start) / (7 * DAY), 1 / 7)  # of less than a day nobody can tell a rate
    by_unit: dict[str, list[Emergency]] = {}
    for emergency in emergencies:
        by_unit.setdefault(emergency.unit, []).append(emergency)
    found = [_of_unit(unit, opened, weeks) for unit, opened in by_unit.items()]
    return tuple(sorted(found, key=lambda each: (-each.index, -each.openings, each.unit)))


def missing(pack: Pack, grant: Grant, snapshot: Snapshot, opened_seq: int) -> Missing:
    """The relation that held when this grant was opened, if a fact said so after sequence `opened_seq`.

    Else the one that its motive speaks of, as the pack has it.
    """
    kind = _told_since(pack, grant, snapshot, opened_seq)
    if kind:
        return Missing(kind, known=True)
    return Missing(pack.break_glass.missing_relation.get(grant.motive, ""))


def _told_since(pack: Pack, grant: Grant, snapshot: Snapshot, opened_seq: int) -> str:
    opener = grant.opener or Subject(grant.subject_id, "", grant.profile)
    # The units the subject stated count: they were stated before anybody knew what for.
    caller = Caller("", controllers=(grant.controller_id,), may_assert=frozenset(("identity",)))
    request = Request(opener, "", Resource(patient_id=grant.patient_id), "")
    ties: dict[str, Callable[[Evidence], bool | None]] = {
        "REL_ENC": _stays_in_a_unit,
        "REL_RESP": lambda evidence: care.responsible(evidence, opener.id),
        "REL_GARDE": lambda evidence: care.on_call(evidence, opener.id),
        "REL_TRANSFER": lambda evidence: care.expecting_transfer(evidence, evidence.units),
    }
    for kind in STATED:
        ties[kind] = lambda evidence, kind=kind: care.related(evidence, kind, opener.id, evidence.units)  # type: ignore[misc]
    for kind, holds in ties.items():
        evidence = Evidence(request, caller, grant.controller_id, snapshot, grant.opened_at, pack)
        if holds(evidence) and any(known.seq > opened_seq for known in evidence.relied):
            return kind
    return ""


def _stays_in_a_unit(evidence: Evidence) -> bool:
    for unit in evidence.units:
        if care.open_stay(evidence, unit):
            evidence.rest_on_unit(evidence.units, unit)
            return True
    return False


def _of_unit(unit: str, opened: list[Emergency], weeks: float) -> UnitPressure:
    avoidable = [each.missing for each in opened if each.missing.kind]
    return UnitPressure(
        unit,
        len(opened),
        len(opened) / weeks,
        len(avoidable) / weeks,
        _counted(Counter(each.motive for each in opened)),
        _counted(Counter(each.kind for each in avoidable)),
        sum(each.known for each in avoidable),
    )


def _counted(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
