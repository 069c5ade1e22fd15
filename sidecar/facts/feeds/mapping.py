"""FHIR R4 resources as facts: who works where, which patient is in which unit, who takes part in whose care.

- Encounter → a stay in each unit that answers for the patient or lodges them, and REL_TEAM for each practitioner, for
  the time they took part: they are named in that patient's care (L.1110-12 CSP), nothing is said of other patients.
- `responsible_id` of a stay is the attender alone (HL7 ATND: responsible for the patient's care in the encounter).
  A primary performer did the act; REL_RESP would keep the record open to them 90 days longer.
- CareTeam → REL_TEAM for each practitioner, while the team is active. A member that is an organisation names nobody.
- PractitionerRole → an assignment. Taking part in an encounter is not one: it would open the whole unit.
- Appointment → REL_APPT, ServiceRequest → REL_REQ, Consent → directives, Flag → a record flag.
- Patient → a record state; `replaces` and `replaced-by` links → a merge.
- Composition, DocumentReference → what the record system would send of the document; no fact.

What no longer holds is taken back, and what is not taken is said.
"""

from msgspec import structs

from sidecar.core.model import Alias, Assignment, Period, RecordState, Relation
from sidecar.facts.feeds import codes, periods
from sidecar.facts.feeds.consents import consent
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.documents import document
from sidecar.facts.feeds.engagements import appointment, service_request
from sidecar.facts.feeds.people import NO_PATIENT, NO_UNIT, NOBODY, TEAM, member, unit_named
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import (
    Appointment,
    CareTeam,
    Composition,
    Consent,
    DocumentReference,
    Encounter,
    Flag,
    Link,
    Patient,
    PractitionerRole,
    Resource,
    ServiceRequest,
)
from sidecar.facts.feeds.stays import encounter


def take(told: Told, resource: Resource, feed: Feed, directory: Directory) -> None:
    """Tell what a resource says. Others but these are only pointed at. Raises ValueError for an unusable date."""
    match resource:
        case Patient():
            _patient(told, resource, feed, directory)
        case PractitionerRole():
            _role(told, resource, feed, directory)
        case Encounter():
            encounter(told, resource, feed, directory)
        case CareTeam():
            _team(told, resource, feed, directory)
        case Appointment():
            appointment(told, resource, feed, directory)
        case ServiceRequest():
            service_request(told, resource, feed, directory)
        case Consent():
            consent(told, resource, feed, directory)
        case Flag():
            _flag(told, resource, feed, directory)
        case Composition() | DocumentReference():
            document(told, resource, feed, directory)


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
        flags=tuple(dict.fromkeys(filter(None, (codes.word(label, feed.flags) for label in resource.meta.security)))),
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
    unit = unit_named(directory.unit(resource.organization), feed)
    qualifications = tuple(q.code for q in about.qualification) if about else ()
    stated = resource.code + resource.specialty + qualifications
    profile = codes.profile(stated, feed.profiles) or feed.default_profile
    if not subject:
        told.skip(NOBODY)
    elif not unit:
        told.skip(NO_UNIT)
    elif not profile:
        told.skip("no profile for the codes of this role", codes.named(stated))
    else:
        fact = told.blank(name, periods.period(resource.period, feed.zone))
        told.facts.append(structs.replace(fact, assignment=Assignment(subject, unit, profile)))


def _flag(told: Told, resource: Flag, feed: Feed, directory: Directory) -> None:
    """A record flag, where the mapping knows the code."""
    name = told.name_for("")
    if resource.status != "active":
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
        return
    flag = codes.first_word((resource.code,), feed.flags)
    if not flag:
        told.skip("no record flag for this code", codes.named((resource.code,)), lost=False)
        return
    patient_id = directory.patient(resource.subject)
    if not patient_id:
        told.skip(NO_PATIENT)
        return
    fact = told.blank(name, periods.period(resource.period, feed.zone))
    told.facts.append(structs.replace(fact, record_state=RecordState(patient_id, flags=(flag,))))


def _team(told: Told, resource: CareTeam, feed: Feed, directory: Directory) -> None:
    """A relation for each practitioner of an active care team, for the time the team and their part in it last."""
    members = [(p, directory.practitioner(p.member)) for p in resource.participant]
    names = [told.name_for(f"/{subject}") if subject else "" for _, subject in members]
    if resource.status != "active":
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
        return
    patient_id = directory.patient(resource.subject)
    if not patient_id:
        told.skip(NO_PATIENT)
        return
    if not members:
        told.skip("a team of nobody", lost=False)
    whole = periods.period(resource.period, feed.zone)
    for (part, subject), name in zip(members, names, strict=True):
        relation = Relation(TEAM, patient_id, subject)
        member(told, name, relation, directory.kind(part.member), part.period, whole, feed)
