"""The parts of FHIR R4 (4.0.1) resources that facts are made of. Other elements are read past.

FHIR JSON has no null outside arrays of primitives (R4 2.6.2), so a null here is a fault with its path.
"""

import msgspec
from msgspec import Raw, Struct, field


class Coding(Struct, frozen=True):
    """A code in its system."""

    system: str = ""
    code: str = ""

    @property
    def key(self) -> str:
        """`system|code`, as mapping tables name it."""
        return f"{self.system}|{self.code}"


class Concept(Struct, frozen=True):
    """CodeableConcept."""

    coding: tuple[Coding, ...] = ()


class Identifier(Struct, frozen=True):
    """A business identifier."""

    system: str = ""
    value: str = ""
    use: str = ""
    type: Concept = Concept()

    @property
    def key(self) -> str:
        """`system|value`, as a search would name it."""
        return f"{self.system}|{self.value}"


class Reference(Struct, frozen=True):
    """A reference: literal (`Type/id`, `urn:uuid:…`), conditional (`Type?identifier=system|value`) or logical."""

    reference: str = ""
    identifier: Identifier | None = None


class FhirPeriod(Struct, frozen=True):
    """Period, as text."""

    start: str = ""
    end: str = ""


class Meta(Struct, frozen=True, rename="camel"):
    """What a server says of its copy."""

    last_updated: str = ""
    security: tuple[Coding, ...] = ()


class Resource(Struct, frozen=True, rename="camel"):
    """What every resource has, and enough to know which one it is."""

    resource_type: str = ""
    id: str = ""


class Link(Struct, frozen=True):
    """Patient.link."""

    other: Reference
    type: str


class Patient(Resource, frozen=True, rename="camel"):
    """Patient."""

    identifier: tuple[Identifier, ...] = ()
    birth_date: str = ""
    deceased_boolean: bool = False
    deceased_date_time: str = ""
    link: tuple[Link, ...] = ()
    meta: Meta = Meta()


class Qualification(Struct, frozen=True):
    """Practitioner.qualification."""

    code: Concept


class Practitioner(Resource, frozen=True, rename="camel"):
    """Practitioner."""

    identifier: tuple[Identifier, ...] = ()
    active: bool = True
    qualification: tuple[Qualification, ...] = ()


class PractitionerRole(Resource, frozen=True, rename="camel"):
    """PractitionerRole: a person in a place under a profession."""

    identifier: tuple[Identifier, ...] = ()
    active: bool = True
    period: FhirPeriod | None = None
    practitioner: Reference | None = None
    organization: Reference | None = None
    code: tuple[Concept, ...] = ()
    specialty: tuple[Concept, ...] = ()


class Organization(Resource, frozen=True, rename="camel"):
    """Organization: an establishment, a service, a medical unit."""

    identifier: tuple[Identifier, ...] = ()
    type: tuple[Concept, ...] = ()


class Location(Resource, frozen=True, rename="camel"):
    """Location: a site, a ward, a bed."""

    identifier: tuple[Identifier, ...] = ()
    managing_organization: Reference | None = None
    part_of: Reference | None = None


class Participant(Struct, frozen=True):
    """Encounter.participant."""

    type: tuple[Concept, ...] = ()
    period: FhirPeriod | None = None
    individual: Reference | None = None


class Place(Struct, frozen=True):
    """Encounter.location."""

    location: Reference
    status: str = ""
    period: FhirPeriod | None = None


class Spell(Struct, frozen=True):
    """Encounter.statusHistory: a state the encounter was in, and when."""

    status: str
    period: FhirPeriod


class ClassSpell(Struct, frozen=True):
    """Encounter.classHistory: a class the encounter had, and when."""

    class_: Coding = field(name="class")


class HealthcareService(Resource, frozen=True, rename="camel"):
    """HealthcareService: what an organisation offers, as appointments and requests name it."""

    identifier: tuple[Identifier, ...] = ()
    provided_by: Reference | None = None


class Encounter(Resource, frozen=True, rename="camel"):
    """Encounter."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    status_history: tuple[Spell, ...] = ()
    class_: Coding = field(default=Coding(), name="class")
    class_history: tuple[ClassSpell, ...] = ()
    part_of: Reference | None = None
    subject: Reference | None = None
    participant: tuple[Participant, ...] = ()
    period: FhirPeriod | None = None
    location: tuple[Place, ...] = ()
    service_provider: Reference | None = None


class Member(Struct, frozen=True):
    """CareTeam.participant."""

    member: Reference | None = None
    period: FhirPeriod | None = None


class CareTeam(Resource, frozen=True, rename="camel"):
    """CareTeam."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    subject: Reference | None = None
    period: FhirPeriod | None = None
    participant: tuple[Member, ...] = ()


class Attendee(Struct, frozen=True):
    """Appointment.participant."""

    actor: Reference | None = None
    required: str = ""
    status: str = ""


class Appointment(Resource, frozen=True, rename="camel"):
    """Appointment."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    start: str = ""
    end: str = ""
    participant: tuple[Attendee, ...] = ()


class ServiceRequest(Resource, frozen=True, rename="camel"):
    """ServiceRequest: somebody asks a service for something about a patient."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    intent: str = ""
    category: tuple[Concept, ...] = ()
    code: Concept = Concept()
    subject: Reference | None = None
    occurrence_date_time: str = ""
    occurrence_period: FhirPeriod | None = None
    authored_on: str = ""
    requester: Reference | None = None
    performer: tuple[Reference, ...] = ()
    location_reference: tuple[Reference, ...] = ()
    meta: Meta = Meta()


class Actor(Struct, frozen=True):
    """Consent.provision.actor."""

    reference: Reference | None = None
    role: Concept = Concept()


class ConsentData(Struct, frozen=True):
    """Consent.provision.data."""

    reference: Reference
    meaning: str = ""


class Provision(Struct, frozen=True, rename="camel"):
    """Consent.provision: who is permitted or refused what, with what narrows it."""

    type: str = ""
    period: FhirPeriod | None = None
    actor: tuple[Actor, ...] = ()
    action: tuple[Concept, ...] = ()
    security_label: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = field(default=(), name="class")
    code: tuple[Concept, ...] = ()
    data: tuple[ConsentData, ...] = ()
    provision: "tuple[Provision, ...]" = ()


class Consent(Resource, frozen=True, rename="camel"):
    """Consent: the patient's will."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    scope: Concept = Concept()
    patient: Reference | None = None
    date_time: str = ""
    policy_rule: Concept = Concept()
    provision: Provision | None = None


class Flag(Resource, frozen=True, rename="camel"):
    """Flag: a warning on a patient."""

    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    code: Concept = Concept()
    subject: Reference | None = None
    period: FhirPeriod | None = None


class Composition(Resource, frozen=True, rename="camel"):
    """Composition: a structured document."""

    identifier: Identifier | None = None
    status: str = ""
    type: Concept = Concept()
    category: tuple[Concept, ...] = ()
    subject: Reference | None = None
    encounter: Reference | None = None
    date: str = ""
    author: tuple[Reference, ...] = ()
    confidentiality: str = ""
    custodian: Reference | None = None


class DocumentContext(Struct, frozen=True):
    """DocumentReference.context."""

    encounter: tuple[Reference, ...] = ()


class DocumentReference(Resource, frozen=True, rename="camel"):
    """DocumentReference: what is known of a document that lies elsewhere."""

    master_identifier: Identifier | None = None
    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    doc_status: str = ""
    type: Concept = Concept()
    category: tuple[Concept, ...] = ()
    subject: Reference | None = None
    date: str = ""
    author: tuple[Reference, ...] = ()
    custodian: Reference | None = None
    security_label: tuple[Concept, ...] = ()
    context: DocumentContext = DocumentContext()


class ResultContext(Struct, frozen=True):
    """DocumentReference.context, of which only what the document is about."""

    related: tuple[Reference, ...] = ()


class Result(Resource, frozen=True, rename="camel"):
    """DiagnosticReport or DocumentReference, as what answers a request."""

    identifier: tuple[Identifier, ...] = ()
    subject: Reference | None = None
    based_on: tuple[Reference, ...] = ()
    context: ResultContext = ResultContext()


class Asked(Struct, frozen=True):
    """Bundle.entry.request."""

    method: str = ""
    url: str = ""


class Entry(Struct, frozen=True, rename="camel"):
    """Bundle.entry; the resource stays as bytes until its turn."""

    full_url: str = ""
    resource: Raw = Raw(b"")
    request: Asked | None = None


class Bundle(Struct, frozen=True):
    """Bundle."""

    type: str = ""
    entry: tuple[Entry, ...] = ()


# What other resources point at: read before anything else.
POINTED: dict[str, type[Resource]] = {
    "Patient": Patient,
    "Practitioner": Practitioner,
    "PractitionerRole": PractitionerRole,
    "Organization": Organization,
    "HealthcareService": HealthcareService,
    "Location": Location,
    "Encounter": Encounter,
}
READ: dict[str, type[Resource]] = POINTED | {
    "CareTeam": CareTeam,
    "Appointment": Appointment,
    "ServiceRequest": ServiceRequest,
    "Consent": Consent,
    "Flag": Flag,
    "Composition": Composition,
    "DocumentReference": DocumentReference,
}
DOCUMENTS = frozenset({"Composition", "DocumentReference"})
RESULTS = frozenset({"DiagnosticReport", "DocumentReference"})

HEADER = msgspec.json.Decoder(Resource)
BUNDLE = msgspec.json.Decoder(Bundle)
RESULT = msgspec.json.Decoder(Result)
DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in READ.items()}
