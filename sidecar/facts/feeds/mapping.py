"""FHIR R4 resources as facts: who works where, which patient is in which unit, who takes part in whose care.

- Encounter → a stay in each unit that answers for the patient or lodges them, and REL_TEAM for each practitioner, for
  the time they took part: they are named in that patient's care (L.1110-12 CSP), nothing is said of other patients.
- `responsible_id` of a stay is the attender alone (HL7 ATND: responsible for the patient's care in the encounter).
  A primary performer did the act; REL_RESP would keep the record open to them 90 days longer.
- CareTeam → REL_TEAM for each practitioner, while the team is active. A member that is an organisation names nobody.
- PractitionerRole → an assignment. Taking part in an encounter is not one: it would open the whole unit.
- Patient → a record state; `replaces` and `replaced-by` links → a merge.

What no longer holds is taken back, and what is not taken is said.
"""

from msgspec import structs

from sidecar.core.model import Alias, Assignment, Period, RecordState, Relation, Stay
from sidecar.facts.feeds import periods
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import (
    CareTeam,
    Concept,
    Encounter,
    FhirPeriod,
    Link,
    Patient,
    PractitionerRole,
    Resource,
)

TEAM = "REL_TEAM"
ATTENDER = "ATND"
# HL7 v3-ParticipationType, those who care: not escorts, translators, referrers, call-backs or emergency contacts.
CARING = frozenset({ATTENDER, "PPRF", "SPRF", "CON", "ADM", "DIS"})
UNDER_WAY = frozenset({"arrived", "triaged", "in-progress", "onleave"})
VOID = frozenset({"cancelled", "entered-in-error", "unknown"})
NOT_STAFF = frozenset({"Patient", "RelatedPerson", "Organization", "CareTeam", "Device", "Group"})

NO_UNIT = "no unit: no organisation, or a legal entity"
NOBODY = "a person nothing identifies for sure"


def take(told: Told, resource: Resource, feed: Feed, directory: Directory) -> None:
    """Tell what a resource says. Others but these are only pointed at. Raises ValueError for an unusable date."""
    match resource:
        case Patient():
            _patient(told, resource, feed, directory)
        case PractitionerRole():
            _role(told, resource, feed, directory)
        case Encounter():
            _encounter(told, resource, feed, directory)
        case CareTeam():
            _team(told, resource, feed, directory)


def _patient(told: Told, resource: Patient, feed: Feed, directory: Directory) -> None:
    """A record state, and a merge for each link that says so."""
    patient_id = directory.patient_of(resource)
    if not patient_id:
        told.skip("a patient nothing identifies for sure")
        return
    birth = resource.birth_date if periods.whole_day(resource.birth_date) else ""
    if resource.birth_date and not birth:
        told.skip("a birth date without a day", lost=False)
    state = RecordState(
        patient_id,
        birth_date=periods.calendar_day(birth, feed.zone) if birth else "",
        death_date=_death(told, resource, feed),
        last_care=directory.last_care.get(patient_id),
    )
    told.facts.append(structs.replace(told.blank(told.name_for("/record"), Period()), record_state=state))
    for link in resource.link:
        _link(told, patient_id, link, directory)


def _death(told: Told, patient: Patient, feed: Feed) -> str:
    """The calendar day of a recorded death, or empty."""
    if patient.deceased_date_time:
        return periods.calendar_day(patient.deceased_date_time, feed.zone)
    if patient.deceased_boolean and patient.meta.last_updated:
        # The day is not told: it was no later than the day the server learned of it.
        return periods.calendar_day(patient.meta.last_updated, feed.zone)
    if patient.deceased_boolean:
        told.skip("a death without any date")
    return ""


def _link(told: Told, patient_id: str, link: Link, directory: Directory) -> None:
    """The merge a Patient.link states, when it states one."""
    if link.type not in ("replaces", "replaced-by"):
        told.skip("a link that does not merge", f"`{link.type}`", lost=False)
        return
    other = directory.patient(link.other)
    if not other:
        told.skip("a merge with a patient these files do not name")
    elif other != patient_id:
        survivor, merged = (patient_id, other) if link.type == "replaces" else (other, patient_id)
        # Both ends may tell of one merge: it is one fact under one name.
        fact = told.blank(f"Patient/merge/{survivor}/{merged}", Period())
        told.facts.append(structs.replace(fact, alias=Alias(survivor, merged, "merge")))


def _role(told: Told, resource: PractitionerRole, feed: Feed, directory: Directory) -> None:
    """An assignment to the organisation of a role."""
    name = told.name_for("")
    about = directory.about(resource.practitioner)
    if not resource.active or (about is not None and not about.active):
        told.skip("not active", lost=False)
        return
    subject = directory.practitioner(resource.practitioner)
    unit = _unit(directory.unit(resource.organization), feed)
    qualifications = tuple(q.code for q in about.qualification) if about else ()
    keys = _keys(resource.code + resource.specialty + qualifications)
    profile = next((feed.profiles[key] for key in keys if key in feed.profiles), feed.default_profile)
    if not subject:
        told.skip(NOBODY)
    elif not unit:
        told.skip(NO_UNIT)
    elif not profile:
        told.skip("no profile for the codes of this role", ", ".join(keys) or "no code")
    else:
        fact = told.blank(name, periods.period(resource.period, feed.zone))
        told.facts.append(structs.replace(fact, assignment=Assignment(subject, unit, profile)))


def _encounter(told: Told, resource: Encounter, feed: Feed, directory: Directory) -> None:
    """Stays in the units of an encounter, and a relation for each practitioner who takes part in the care."""
    performers = [(p, directory.practitioner(p.individual)) for p in resource.participant]
    members = [told.name_for(f"/team/{subject}") if subject else "" for _, subject in performers]
    units = _units(resource, feed, directory, told)
    stays = [(unit, told.name_for(f"/stay/{unit}"), stated, planned) for unit, stated, planned in units]
    patient_id = directory.patient(resource.subject)
    whole = _whole(told, resource, feed)
    if whole is None:
        return
    if not patient_id:
        told.skip("a patient these files do not identify")
        return
    if not stays:
        told.skip(NO_UNIT)
    attenders = [subject for p, subject in performers if subject and ATTENDER in _codes(p.type)]
    for unit, name, stated, planned in stays:
        period = periods.within(periods.period(stated, feed.zone), whole)
        if period is None:
            told.skip("a place outside the period of its encounter", lost=False)
            continue
        stay = Stay(
            patient_id,
            unit,
            "planned" if planned or resource.status == "planned" else "active",
            next((identifier.value for identifier in resource.identifier if identifier.value), resource.id),
            attenders[0] if len(attenders) == 1 else "",
        )
        told.facts.append(structs.replace(told.blank(name, period), stay=stay))
    if resource.status == "planned":
        return  # Nobody has cared for the patient yet.
    for (participant, subject), name in zip(performers, members, strict=True):
        if _codes(participant.type) & CARING:
            kind = directory.kind(participant.individual)
            _member(told, name, Relation(TEAM, patient_id, subject), kind, participant.period, whole, feed)
        else:
            told.skip("a participant whose part is not stated to be care", lost=False)


def _whole(told: Told, encounter: Encounter, feed: Feed) -> Period | None:
    """The period of an encounter, by its status; None, having said why, when none of it holds."""
    status = encounter.status
    stated = periods.period(encounter.period, feed.zone)
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


def _units(
    encounter: Encounter, feed: Feed, directory: Directory, told: Told
) -> list[tuple[str, FhirPeriod | None, bool]]:
    """The units of an encounter: (unit, its own period, whether only planned). The one that answers comes first.

    In French records the service provider is the unit with medical responsibility, and a place (bed, room) is run by
    the unit that lodges or nurses the patient: both care. A place run by the unit that answers anyway adds nothing.
    """
    answers = _unit(directory.unit(encounter.service_provider), feed)
    units: list[tuple[str, FhirPeriod | None, bool]] = [(answers, None, False)] if answers else []
    for place in encounter.location:
        unit = _unit(directory.unit_of_place(place.location), feed)
        if place.status == "reserved":
            told.skip("a place held free", lost=False)
        elif unit and unit != answers and (unit, place.period, place.status == "planned") not in units:
            units.append((unit, place.period, place.status == "planned"))
    return units


def _team(told: Told, resource: CareTeam, feed: Feed, directory: Directory) -> None:
    """A relation for each practitioner of an active care team, for the time the team and their part in it last."""
    members = [(p, directory.practitioner(p.member)) for p in resource.participant]
    names = [told.name_for(f"/{subject}") if subject else "" for _, subject in members]
    if resource.status != "active":
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
        return
    patient_id = directory.patient(resource.subject)
    if not patient_id:
        told.skip("a patient these files do not identify")
        return
    whole = periods.period(resource.period, feed.zone)
    for (member, subject), name in zip(members, names, strict=True):
        kind = directory.kind(member.member)
        _member(told, name, Relation(TEAM, patient_id, subject), kind, member.period, whole, feed)


def _member(
    told: Told, name: str, relation: Relation, kind: str, stated: FhirPeriod | None, whole: Period, feed: Feed
) -> None:
    """A practitioner is named in the care of a patient, for what their own period and the whole one share."""
    if kind in NOT_STAFF:
        told.skip("not a named professional", kind, lost=False)
        return
    if not relation.subject_id:
        told.skip(NOBODY, kind)
        return
    period = periods.within(periods.period(stated, feed.zone), whole)
    if period is None:
        told.skip("a part outside the period of the whole", lost=False)
        return
    told.facts.append(structs.replace(told.blank(name, period), relation=relation))


def _unit(unit: str, feed: Feed) -> str:
    return feed.units.get(unit, unit)


def _codes(concepts: tuple[Concept, ...]) -> set[str]:
    return {coding.code for concept in concepts for coding in concept.coding}


def _keys(concepts: tuple[Concept, ...]) -> list[str]:
    return [coding.key for concept in concepts for coding in concept.coding]
