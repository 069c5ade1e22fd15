"""Appointments and requests: who expects a patient, and which service is asked about one."""

from msgspec import structs

from sidecar.core.model import Period, Relation, Scope
from sidecar.facts.feeds import codes, periods
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.people import NO_PATIENT, NOBODY, NOT_STAFF, unit_named
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import Appointment, Attendee, Reference, ServiceRequest

APPOINTMENT, REQUEST = "REL_APPT", "REL_REQ"
# app-3 of FHIR R4: only a proposed or cancelled appointment, or one on a waiting list, may lack its instants.
AGREED = frozenset({"booked", "arrived", "checked-in", "fulfilled"})
ASKED = frozenset({"active", "on-hold", "completed"})
ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
PLACES = frozenset({"Organization", "HealthcareService", "Location"})


def appointment(told: Told, resource: Appointment, feed: Feed, directory: Directory) -> None:
    """REL_APPT with each practitioner and unit that expects the patient. Raises ValueError."""
    attending = [a for a in resource.participant if a.status != "declined" and a.actor is not None]
    patients = [directory.patient(a.actor) for a in attending if directory.kind(a.actor) == "Patient"]
    others = [a for a in attending if directory.kind(a.actor) != "Patient"]
    parties = [(patient, a, *_party(a.actor, feed, directory)) for patient in patients for a in others]
    names = [told.name_for(f"/{who}") for _, _, _, who in parties]
    if resource.status not in AGREED:
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
        return
    if not resource.start or not resource.end:
        told.skip("no start or no end")
        return
    if not all(patients):
        told.skip(NO_PATIENT)
    if not patients or not others:
        told.skip("nobody to expect the patient, or no patient", lost=False)
    # A day written alone counts to its end; an instant ends the appointment (periods).
    during = Period(periods.start(resource.start, feed.zone), periods.end(resource.end, feed.zone))
    for (patient, attendee, kind, who), name in zip(parties, names, strict=True):
        if patient:
            _engaged(told, name, Relation(APPOINTMENT, patient), kind, who, during, attendee)


def service_request(told: Told, resource: ServiceRequest, feed: Feed, directory: Directory) -> None:
    """REL_REQ with each practitioner and unit that is asked, for what the request is about, and with who signed it.

    Whoever signed it gets one more relation, for the objects that answer it and nothing else. Raises ValueError.
    """
    asked = resource.performer or resource.location_reference
    parties = [_party(reference, feed, directory) for reference in asked]
    names = [told.name_for(f"/{who}") for _, who in parties]
    patient_id = directory.patient(resource.subject)
    in_force, answers = _in_force(told, resource, patient_id), directory.answers.to(told.name, patient_id)
    # Silence about answers takes none back from who signed: only the end of the request does.
    signed = told.name_for("/signed") if answers or not in_force else ""
    if not in_force:
        return
    requester = _signer(told, resource, directory)
    if not parties:
        told.skip("asks nobody by name", lost=False)
    if not parties and not (requester and answers):
        return
    during = _asked_for(told, resource, feed)
    if during is None:
        return
    if requester and answers:
        results = Relation(REQUEST, patient_id, scope=Scope(documents=answers), requester_id=requester)
        told.facts.append(structs.replace(told.blank(signed, during), relation=results))
    categories = _categories(told, resource, feed) if parties else ()
    if not categories:
        return
    relation = Relation(REQUEST, patient_id, scope=Scope(categories=categories), requester_id=requester)
    for (kind, who), name in zip(parties, names, strict=True):
        _engaged(told, name, relation, kind, who, during)


def _in_force(told: Told, resource: ServiceRequest, patient_id: str) -> bool:
    """Whether somebody asks a service for something about this patient, or did; says why not."""
    if resource.status not in ASKED:
        told.skip(f"status {resource.status or 'not stated'}", lost=False)
    elif resource.intent not in ORDERS:
        told.skip(f"intent {resource.intent or 'not stated'}: asks no service", lost=False)
    elif not patient_id:
        told.skip(NO_PATIENT)
    else:
        return True
    return False


def _signer(told: Told, resource: ServiceRequest, directory: Directory) -> str:
    """The subject id of who signed a request; empty, having said why, for nobody these files identify.

    No fact is missing for it: it names who may read the answers later, and who is asked is told all the same.
    """
    if resource.requester is None:
        return ""
    kind, signer = directory.kind(resource.requester), directory.practitioner(resource.requester)
    if kind in NOT_STAFF:
        told.skip("signed by nobody of the staff", kind, lost=False)
        return ""
    if not signer:
        told.skip("signed by a person nothing identifies for sure", lost=False)
    return signer


def _categories(told: Told, resource: ServiceRequest, feed: Feed) -> tuple[str, ...]:
    """What the service that is asked may see of the record: the request itself, and what its codes are about.

    `ServiceRequest` in the mapping names the category of requests. Without any scope the relation would open the whole
    record, so then there is none.
    """
    concepts = (*resource.category, resource.code)
    found = list(filter(None, (codes.word(coding, feed.categories) for coding in codes.codings(concepts))))
    itself = feed.categories.get(resource.resource_type, "")
    if not found:
        told.skip("no category for what is asked: at most the request itself", codes.named(concepts), lost=not itself)
    return tuple(dict.fromkeys(([itself] if itself else []) + found))


def _asked_for(told: Told, resource: ServiceRequest, feed: Feed) -> Period | None:
    """From the request to its result; None, having said why, when one of them is not told.

    FHIR R4 does not say when a request was completed: the end of what was asked or, later, of the server's copy is.
    """
    planned = periods.period(resource.occurrence_period, feed.zone)
    first = periods.start(resource.authored_on, feed.zone) if resource.authored_on else planned.from_
    if first is None and resource.occurrence_date_time:
        first = periods.start(resource.occurrence_date_time, feed.zone)
    if first is None:
        told.skip("asked at no stated date")
        return None
    if resource.status != "completed":
        return Period(first)
    stated = (resource.occurrence_date_time, resource.meta.last_updated)
    ends = [periods.end(text, feed.zone) for text in stated if text] + [planned.to]
    known = [end for end in ends if end is not None and end > first]
    if not known:
        told.skip("completed, and nothing says when")
        return None
    return Period(first, max(known))


def _party(reference: Reference | None, feed: Feed, directory: Directory) -> tuple[str, str]:
    """The type and the name of a party: a unit's, or a person's; the name is empty for nobody."""
    kind = directory.kind(reference)
    if kind == "Location":
        return kind, unit_named(directory.unit_of_place(reference), feed)
    if kind in PLACES:
        return kind, unit_named(directory.unit(reference), feed)
    return kind, directory.practitioner(reference)


def _engaged(
    told: Told, name: str, relation: Relation, kind: str, who: str, during: Period, attendee: Attendee | None = None
) -> None:
    """The relation with one party, or why there is none."""
    if kind in NOT_STAFF - PLACES:
        told.skip("not a professional, nor a unit", kind, lost=False)
    elif not who:
        told.skip("a place without a unit" if kind in PLACES else NOBODY, kind, lost=kind not in PLACES)
    elif attendee is not None and attendee.required == "information-only":
        told.skip("informed only", lost=False)
    else:
        whose = structs.replace(relation, unit=who) if kind in PLACES else structs.replace(relation, subject_id=who)
        told.facts.append(structs.replace(told.blank(name, during), relation=whose))
