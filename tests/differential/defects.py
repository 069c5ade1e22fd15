"""Seeded defects: production with one thing wrong, never in the product itself.

A defect is a pack read wrongly (a window one second too long, a gate or a link missing), facts held wrongly (a period
one microsecond too long), or a function of the product replaced while it answers. Each comes with the condition of a
small pack that only it can spoil.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from msgspec import structs

from sidecar.core import civil, groups
from sidecar.core.evidence import Evidence
from sidecar.core.model import Fact, Period
from tests.differential.chance import SECOND
from tests.differential.packs import Written
from tests.differential.vocabulary import ROOTS
from tests.differential.worlds import Case

Pack = Callable[[Written], Written]
Hold = Callable[[Case], Case]
During = Callable[[], AbstractContextManager[object]]


def _same(thing: Any) -> Any:
    return thing


@dataclass(frozen=True)
class Defect:
    """What is wrong, and the condition it spoils: of a ground, or of a gate where `denies`."""

    name: str
    when: str
    denies: bool = False
    pack: Pack = _same
    hold: Hold = _same
    during: During = nullcontext
    opening: bool = False
    relations: tuple[str, ...] = ("REL_TEAM", "REL_APPT", "REL_REQ")


def parameter(*path: str, more: int = 1) -> Pack:
    """A number of pack.toml that is one too high."""

    def changed(written: Written) -> Written:
        parameters: Any = deepcopy(written.parameters)
        table = parameters
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = table.get(path[-1], 0) + more
        return Written(parameters, written.files)

    return changed


def written_otherwise(old: str, new: str, file: str = "rules/all.csv") -> Pack:
    """A text of the pack that is read otherwise."""
    return lambda written: Written(written.parameters, {**written.files, file: written.files[file].replace(old, new)})


def held_until(kind: str, end: int = 0, start: int = 0) -> Hold:
    """Periods of a kind of fact that end, or start, some microseconds late."""

    def late(fact: Fact) -> Fact:
        if getattr(fact, kind) is None:
            return fact
        period = fact.period
        to = None if period.to is None else period.to + end
        return structs.replace(fact, period=Period(None if period.from_ is None else period.from_ + start, to))

    return lambda case: structs.replace(
        case, world=replace(case.world, facts=tuple(late(fact) for fact in case.world.facts))
    )


def signed_by_who_was_asked(case: Case) -> Case:
    """Requests whose two people are held to be one."""

    def held(fact: Fact) -> Fact:
        asked = fact.relation
        if asked is None or asked.kind != "REL_REQ":
            return fact
        return structs.replace(fact, relation=structs.replace(asked, requester_id=asked.subject_id))

    return structs.replace(case, world=replace(case.world, facts=tuple(map(held, case.world.facts))))


def granted(**late: int) -> Hold:
    """Grants whose instants are some microseconds late."""

    def moved(case: Case) -> Case:
        grants = tuple(
            structs.replace(
                grant,
                **{name: getattr(grant, name) + by for name, by in late.items() if getattr(grant, name) is not None},
            )
            for grant in case.world.grants
        )
        return structs.replace(case, world=replace(case.world, grants=grants))

    return moved


@contextmanager
def calendar(**wrong: Any) -> Iterator[None]:
    """The product's calendar with constants or functions replaced."""
    for kept in (civil.midnight, civil.retention):
        kept.cache_clear()
    with patch.multiple(civil, **wrong):
        yield
    for kept in (civil.midnight, civil.retention):
        kept.cache_clear()


def _holds_at_its_end(self: Evidence, start: int, end: int) -> bool:
    return start <= self.now <= end


def _holds_after_its_start(self: Evidence, start: int, end: int) -> bool:
    return start < self.now < end


_midnight = civil._midnight


def window(kind: str, side: str, when: str) -> Defect:
    """A window of a relation that is a second too long."""
    relations = (kind,) if kind in ("REL_APPT", "REL_REQ", "REL_CASE") else ()
    return Defect(f"{kind} {side}", when, pack=parameter("vocabulary", "relations", kind, side), relations=relations)


def age(kind: str, when: str) -> Defect:
    """A kind of fact that counts a second longer than it may."""
    return Defect(f"age of {kind}", when, pack=parameter("freshness", "facts_max_age", kind), relations=("REL_APPT",))


TEAM, WARD = "r.subject.in_care_team", "r.subject.in_establishment"
WILL = "r.patient.blocked_subject || r.resource.masked_for_subject || r.patient.opposed_to_subject"
EXPIRED = "r.resource.expired || r.resource.archived"
OPEN_GRANT = "r.context.grant_open"

WINDOWS = (
    Defect("end of every window", TEAM, during=lambda: patch.object(Evidence, "holds", _holds_at_its_end)),
    Defect("start of every window", TEAM, during=lambda: patch.object(Evidence, "holds", _holds_after_its_start)),
    Defect("end of a stay", TEAM, hold=held_until("stay", end=1)),
    Defect("start of a stay", TEAM, hold=held_until("stay", start=1)),
    Defect("end of an assignment", WARD, hold=held_until("assignment", end=1)),
    Defect("start of an assignment", WARD, hold=held_until("assignment", start=1)),
    Defect("end of a roster slot", "r.subject.on_call_here", hold=held_until("assignment", end=1)),
    Defect("end of a relation", "r.subject.named_in_care", hold=held_until("relation", end=1)),
    Defect("start of a directive", WILL, denies=True, hold=held_until("directive", start=1)),
    Defect("end of a directive", WILL, denies=True, hold=held_until("directive", end=1)),
    Defect(
        "end of a delegation",
        "r.subject.delegated_for(r.resource) || r.subject.is_author",
        hold=held_until("delegation", end=1),
    ),
    Defect("end of a record state", "r.patient.protected_record", denies=True, hold=held_until("record_state", end=1)),
    Defect("end of an alias", "r.subject.has_appointment || r.subject.in_care_team", hold=held_until("alias", end=1)),
    Defect("end of a contract", "r.subject.under_contract", hold=held_until("contract", end=1)),
    window("REL_RESP", "after", "r.subject.responsible_for_stay"),
    window("REL_APPT", "before", "r.subject.has_appointment"),
    window("REL_APPT", "after", "r.subject.has_appointment"),
    window("REL_REQ", "after", "r.subject.named_in_care"),
    Defect(
        "REL_REQ, who signed it",
        "r.subject.signed_request_for(r.resource)",
        hold=signed_by_who_was_asked,
        relations=("REL_REQ",),
    ),
    window("REL_TRANSFER", "before", "r.subject.expecting_transfer"),
    window("REL_TRANSFER", "after", "r.subject.expecting_transfer"),
    window("REL_CASE", "after", 'r.context.has_ref("case")'),
    Defect(
        "REL_POST",
        "r.subject.left_unit_less_than(30)",
        pack=written_otherwise("left_unit_less_than(30)", "left_unit_less_than(31)"),
    ),
    Defect("REL_POST, its end", "r.subject.left_unit_less_than(7)", hold=held_until("stay", end=1)),
    age("stay", TEAM),
    age("relation", "r.subject.has_appointment"),
    age("record_state", "r.patient.in_litigation"),
    age("assignment", WARD),
    age("delegation", "r.subject.delegation_covers(r.resource)"),
    age("contract", "r.subject.under_contract"),
    Defect("age of a roster slot", "r.subject.on_call_here", pack=parameter("freshness", "on_call_max_age")),
    Defect(
        "age of a watermark",
        WILL,
        denies=True,
        pack=parameter("freshness", "watermark_max_age"),
    ),
    Defect("end of a grant", OPEN_GRANT, hold=granted(until=1)),
    Defect("start of a grant", OPEN_GRANT, hold=granted(opened_at=1)),
    Defect("closing of a grant", OPEN_GRANT, hold=granted(closed_at=1)),
    Defect("login for a grant", OPEN_GRANT, pack=parameter("break_glass", "reauth"), opening=True),
    Defect(
        "login of a session",
        "!r.authentication.younger_than(300)",
        denies=True,
        pack=written_otherwise("younger_than(300)", "younger_than(301)"),
    ),
    Defect(
        "silence", "!r.authentication.idle_within_limit", denies=True, pack=parameter("settings", "idle_limit", "value")
    ),
    Defect("retention, 20 years", EXPIRED, denies=True, during=lambda: calendar(CARE_YEARS=civil.CARE_YEARS + 1)),
    Defect(
        "retention, 28th birthday",
        "r.resource.expired",
        denies=True,
        during=lambda: calendar(BIRTHDAY=civil.BIRTHDAY - 1),
    ),
    Defect("retention, 10 years", EXPIRED, denies=True, during=lambda: calendar(DEATH_YEARS=civil.DEATH_YEARS + 1)),
    Defect(
        "midnight in Paris",
        f"{EXPIRED} || r.patient.deceased_since_more_than(7)",
        denies=True,
        during=lambda: calendar(_midnight=lambda day: _midnight(day) + 1),
    ),
    Defect(
        "midnight in London",
        f"{EXPIRED} || r.patient.deceased_since_more_than(7)",
        denies=True,
        during=lambda: calendar(_midnight=lambda day: _midnight(day) + 3600 * SECOND),
    ),
    Defect(
        "days since a death",
        "r.patient.deceased_since_more_than(7)",
        denies=True,
        pack=written_otherwise("more_than(7)", "more_than(8)"),
    ),
)


def without(row: str) -> Pack:
    """A rule file from which one row was lost."""
    return written_otherwise(row, f"# {row}")


def exchanged(section: str, one: str, other: str) -> Pack:
    """Groups in which two names stand in each other's place."""

    def changed(written: Written) -> Written:
        links = written.files["roles.csv"].split("\n")
        turn = {one: other, other: one}
        for at, link in enumerate(links):
            kind, member, group = link.split(", ")
            if kind == section:
                links[at] = f"{kind}, {turn.get(member, member)}, {group}"
        return Written(written.parameters, {**written.files, "roles.csv": "\n".join(links)})

    return changed


def _shallow(links: Any, roots: frozenset[str] = frozenset(ROOTS)) -> Any:
    """A closure that follows one link only, but for the roots."""
    found = tuple(links)
    members, faults = _flattened(found)
    direct = {(link.group, link.member) for link in found}
    return {
        group: frozenset(name for name in names if group in roots or name == group or (group, name) in direct)
        for group, names in members.items()
    }, faults


_flattened = groups.flattened

CLOSURES: tuple[tuple[str, Pack, During], ...] = (
    ("two profiles exchanged", exchanged("g", "medecin", "secretaire"), nullcontext),
    ("two categories exchanged", exchanged("g2", "cr", "sejour"), nullcontext),
    ("two actions exchanged", exchanged("g3", "read", "create"), nullcontext),
    ("two purposes exchanged", exchanged("g4", "soins", "urgence"), nullcontext),
    ("a closure of one link", _same, lambda: patch.object(groups, "flattened", _shallow)),
)
