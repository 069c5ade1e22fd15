"""An Encounter as stays, and as relations of those who took part in the care."""

from typing import Literal

from msgspec import structs

from sidecar.core.model import Period, Relation, Stay
from sidecar.facts.feeds import periods
from sidecar.facts.feeds.codes import codings
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.people import NO_PATIENT, NO_UNIT, TEAM, member, unit_named
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import Encounter, FhirPeriod, Participant

# HL7 v3-ParticipationType: who answers for the patient, and those who care. The others are escorts, translators,
# referrers, call-backs or emergency contacts. A mapping may read an export otherwise.
RESPONSIBLE, CARE, OTHER = "responsible", "care", "other"
PARTS = {"ATND": RESPONSIBLE} | dict.fromkeys(("PPRF", "SPRF", "CON", "ADM", "DIS"), CARE)
UNDER_WAY = frozenset({"arrived", "triaged", "in-progress", "onleave"})
VOID = frozenset({"cancelled", "entered-in-error", "unknown"})
RESERVED = "reserved"  # EncounterLocationStatus: held free, nobody lies there
NOT_THERE = VOID | {"planned"}  # a spell of the status history in which the patient was not there


def encounter(told: Told, resource: Encounter, feed: Feed, directory: Directory) -> None:
    """Stays in the units of an encounter, and a relation for each practitioner who takes part. Raises ValueError."""
    told.sort = _sort(resource)
    performers = [(p, directory.practitioner(p.individual)) for p in resource.participant]
    members = [told.name_for(f"/team/{subject}") if subject else "" for _, subject in performers]
    units = _units(resource, feed, directory)
    stays = [(unit, told.name_for(f"/stay/{unit}"), stated, planned) for unit, stated, planned in units]
    patient_id = directory.patient(resource.subject)
    whole = _whole(told, resource, feed)
    if whole is None:
        return
    if not patient_id:
        told.skip(NO_PATIENT)
        return
    if not stays:
        told.skip(NO_UNIT)
    if any(place.status == RESERVED for place in resource.location):
        told.skip("a place held free", lost=False)
    absent = _absent(resource, feed)
    answering = {subject for p, subject in performers if subject and _part(p, feed) == RESPONSIBLE}
    number = directory.stay(resource.part_of) or next((i.value for i in resource.identifier if i.value), resource.id)
    for unit, name, stated, planned in stays:
        status: Literal["planned", "active"] = "planned" if planned or resource.status == "planned" else "active"
        stay = Stay(patient_id, unit, status, number, next(iter(answering)) if len(answering) == 1 else "")
        _stay(told, name, stay, periods.within(periods.period(stated, feed.zone), whole), absent)
    if resource.status == "planned":
        return  # Nobody has cared for the patient yet.
    for (participant, subject), name in zip(performers, members, strict=True):
        if _part(participant, feed) == OTHER:
            told.skip("a participant whose part is not stated to be care", lost=False)
            continue
        kind = directory.kind(participant.individual)
        relation = Relation(TEAM, patient_id, subject)
        member(told, name, relation, kind, participant.period, whole, feed, absent)


def _stay(told: Told, name: str, stay: Stay, period: Period | None, absent: list[Period]) -> None:
    """A stay for each spell the patient was there; a planned one is kept whole."""
    if period is None:
        told.skip("a place outside the period of its encounter", lost=False)
        return
    spells = periods.without(period, absent) if stay.status == "active" else [period]
    if not spells:
        told.skip("not there for any of its time, by the status history", lost=False)
    for n, spell in enumerate(spells):
        fact = told.blank(told.name_for(f"/stay/{stay.unit}") if n else name, spell)
        told.facts.append(structs.replace(fact, stay=stay))


def _whole(told: Told, resource: Encounter, feed: Feed) -> Period | None:
    """The period of an encounter, by its status; None, having said why, when none of it holds."""
    status = resource.status
    stated = periods.period(resource.period, feed.zone)
    if status in VOID:
        told.skip(f"status {status}", lost=False)
    elif status not in UNDER_WAY and status not in ("planned", "finished"):
        told.skip("a status that is not of FHIR R4", f"`{status}`")
    elif status == "finished" and (stated.from_ is None or stated.to is None):
        # Without both ends it would be a stay that never began, or one that never ends.
        told.skip("finished, without a start or an end")
    elif status == "planned" and stated.from_ is None:
        told.skip("planned, without a start", lost=False)
    else:
        return stated
    return None


def _absent(resource: Encounter, feed: Feed) -> list[Period]:
    """The spells in which the patient was not there, by the status history. One without an end says nothing."""
    ended = [s.period for s in resource.status_history if s.status in NOT_THERE and s.period.end != s.period.start]
    return [periods.period(stated, feed.zone) for stated in ended if stated.end]


def _units(resource: Encounter, feed: Feed, directory: Directory) -> list[tuple[str, FhirPeriod | None, bool]]:
    """The units of an encounter: (unit, its own period, whether only planned). The one that answers comes first.

    In French records the service provider is the unit with medical responsibility, and a place (bed, room) is run by
    the unit that lodges or nurses the patient: both care. A place run by the unit that answers anyway adds nothing.
    """
    answers = unit_named(directory.unit(resource.service_provider), feed)
    units: list[tuple[str, FhirPeriod | None, bool]] = [(answers, None, False)] if answers else []
    for place in resource.location:
        unit = unit_named(directory.unit_of_place(place.location), feed)
        if place.status == RESERVED:
            continue
        if unit and unit != answers and (unit, place.period, place.status == "planned") not in units:
            units.append((unit, place.period, place.status == "planned"))
    return units


def _part(participant: Participant, feed: Feed) -> str:
    """What somebody did in an encounter: the most that any of their types says."""
    said = {feed.parts.get(c.code) or PARTS.get(c.code, OTHER) for c in codings(participant.type)}
    return next((part for part in (RESPONSIBLE, CARE) if part in said), OTHER)


def _sort(resource: Encounter) -> str:
    """The classes of an encounter, the former ones first: `EMER, IMP`."""
    former = [spell.class_.code for spell in resource.class_history]
    return ", ".join(dict.fromkeys(code for code in (*former, resource.class_.code) if code))
