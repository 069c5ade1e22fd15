"""Who and what the references of a FHIR import mean: one identifier for each person, patient and unit.

The identifier that counts is the first of the systems the import names; then, for a patient, the medical record
number; then an official one; then the first. A number that two systems give to two persons names neither: one of
them would read the other's patients.
"""

from collections.abc import Sequence

from msgspec import Struct

from sidecar.facts.feeds.answers import Answers
from sidecar.facts.feeds.resources import (
    Encounter,
    HealthcareService,
    Identifier,
    Location,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    Reference,
    Resource,
)

MEDICAL_RECORD = ("MR", "PI")  # HL7 v2-0203: medical record number; patient internal identifier (the French IPP)
SOCIAL_SECURITY = frozenset({"SS", "NIR"})  # never the name of a patient in a care context
LEGAL_ENTITY = "LEGAL-ENTITY"  # fr-core-cs-v2-3307: an establishment is not a medical unit
FINESS = ("finess", "1.2.250.1.71.4.2.2")  # in the identifier systems of establishments
_DEPTH = 8  # partOf is followed this far: bed, room, ward, wing, building, site; movement, stay
_URN = "urn:uuid:"


class Named(Struct, frozen=True):
    """What stands behind a reference. `id` is empty when nothing identifies it for sure."""

    id: str
    resource: Resource


class Directory:
    """The resources other resources point at, by every way to point at them."""

    def __init__(self, patient_systems: Sequence[str], practitioner_systems: Sequence[str]) -> None:
        """Both: identifier systems, the preferred first."""
        self._systems = {"Patient": tuple(patient_systems), "Practitioner": tuple(practitioner_systems)}
        self._behind: dict[str, Named] = {}
        self._holders: dict[tuple[str, str], str] = {}  # (type, identifier value) → `system|value` it came from
        self._disputed: set[tuple[str, str]] = set()
        self.last_care: dict[str, int] = {}  # patient id → latest end, or start, of an encounter
        self._numbers: dict[str, str] = {}  # reference to an encounter → its number, where the reference hides it
        self._wholes: dict[str, Reference] = {}  # reference to a movement → the stay it is part of
        self._called: dict[str, str] = {}  # full URL of any other resource → its id, where the URL hides it
        self.answers = Answers()

    def add(self, resource: Resource, full_url: str) -> None:
        """Remember a resource that others may point at."""
        kind = resource.resource_type
        identifiers = getattr(resource, "identifier", ())
        chosen = self._chosen(kind, identifiers)
        name = chosen.value if chosen else ""
        if chosen is not None:
            if self._holders.setdefault((kind, name), chosen.key) != chosen.key:
                self._disputed.add((kind, name))
        elif kind in ("Organization", "Location"):
            name = resource.id
        named = Named(name, resource)
        if resource.id:
            self._point(f"{kind}/{resource.id}", named)
        if full_url:
            self._point(full_url, named)
        for identifier in identifiers:
            self._point(f"{kind}?identifier={identifier.key}", named)

    def numbered(self, encounter: Encounter, full_url: str) -> None:
        """Remember the number of an encounter, and the stay it is part of."""
        number = next((identifier.value for identifier in encounter.identifier if identifier.value), encounter.id)
        keys = [key for key in (f"Encounter/{encounter.id}" if encounter.id else "", full_url) if key]
        keys += [f"Encounter?identifier={identifier.key}" for identifier in encounter.identifier if identifier.value]
        for key in keys:
            if number != _last(key):
                self._numbers[key] = number
            if encounter.part_of is not None:
                self._wholes[key] = encounter.part_of

    def called(self, header: Resource, full_url: str) -> None:
        """Remember what a resource is called by the URL of its entry."""
        if header.id and full_url and _last(full_url) != header.id:
            self._called[full_url] = header.id

    def stay(self, reference: Reference | None) -> str:
        """The number of the stay an encounter is, or is a movement of; empty when no reference is made."""
        number = ""
        for _ in range(_DEPTH):
            if reference is None:
                return number
            literal = reference.reference
            if not literal:
                identified = _identifier(reference, "Encounter")
                literal = f"Encounter?identifier={identified}" if identified else ""
            number = self._numbers.get(literal) or _last(literal) or number
            reference = self._wholes.get(literal)
        return number

    def document(self, reference: Reference) -> str:
        """The id of the document or other object a reference names, or empty."""
        if not reference.reference:
            return reference.identifier.value if reference.identifier is not None else ""
        return self._called.get(reference.reference) or _last(reference.reference)

    def patient(self, reference: Reference | None) -> str:
        """The patient a reference names, or empty."""
        named = self._named(reference, "Patient")
        return self._undisputed("Patient", named.id) if named else ""

    def patient_of(self, resource: Patient) -> str:
        """The identifier of this patient, or empty."""
        chosen = self._chosen("Patient", resource.identifier)
        return self._undisputed("Patient", chosen.value) if chosen else ""

    def practitioner(self, reference: Reference | None) -> str:
        """The subject id of the person a reference names, directly or through a PractitionerRole, or empty."""
        role = self._named(reference, "PractitionerRole")
        if role is not None and isinstance(role.resource, PractitionerRole):
            reference = role.resource.practitioner
        named = self._named(reference, "Practitioner")
        if named is not None:
            return self._undisputed("Practitioner", named.id)
        # A person these files do not describe is taken at the word of an identifier whose system is a known one.
        system, _, value = _identifier(reference, "Practitioner").rpartition("|")
        return self._undisputed("Practitioner", value) if system in self._systems["Practitioner"] else ""

    def kind(self, reference: Reference | None) -> str:
        """The type of resource a reference points at, as found or as it says itself; empty when neither."""
        literal = reference.reference if reference else ""
        if named := self._behind.get(literal):
            return named.resource.resource_type
        return literal.partition("?")[0] if "?" in literal else literal.rpartition("/")[0].rpartition("/")[2]

    def about(self, reference: Reference | None) -> Practitioner | None:
        """The Practitioner a reference names, when the files describe them."""
        named = self._named(reference, "Practitioner")
        return named.resource if named and isinstance(named.resource, Practitioner) else None

    def organization_of(self, reference: Reference | None) -> Reference | None:
        """Where somebody works, when the reference is to a PractitionerRole."""
        role = self._named(reference, "PractitionerRole")
        return role.resource.organization if role and isinstance(role.resource, PractitionerRole) else None

    def structure(self, reference: Reference | None) -> str:
        """The establishment a reference to an Organization names, by its FINESS number where it has one, or empty."""
        named = self._named(reference, "Organization")
        if named is None or not isinstance(named.resource, Organization):
            return _identifier(reference, "Organization").rpartition("|")[2]
        usable = [i for i in named.resource.identifier if i.value and i.use != "old"]
        numbers = [i.value for i in usable if any(sign in i.system.lower() for sign in FINESS)]
        return self._undisputed("Organization", numbers[0] if numbers else named.id)

    def unit(self, reference: Reference | None) -> str:
        """The unit a reference to an Organization, or to what it offers, names; empty for a legal entity: no unit."""
        service = self._named(reference, "HealthcareService")
        if service is not None and isinstance(service.resource, HealthcareService):
            reference = service.resource.provided_by
        named = self._named(reference, "Organization")
        if named is None:
            return _identifier(reference, "Organization").rpartition("|")[2]
        organization = named.resource
        if isinstance(organization, Organization) and any(
            coding.code == LEGAL_ENTITY for concept in organization.type for coding in concept.coding
        ):
            return ""
        return self._undisputed("Organization", named.id)

    def unit_of_place(self, reference: Reference | None) -> str:
        """The unit that runs a Location, or the place it is part of; empty when these files do not say."""
        for _ in range(_DEPTH):
            named = self._named(reference, "Location")
            if named is None or not isinstance(named.resource, Location):
                return ""
            if unit := self.unit(named.resource.managing_organization):
                return unit
            reference = named.resource.part_of
        return ""

    def cared(self, encounter: Encounter, instant: int) -> None:
        """Remember that the patient of an encounter was cared for until `instant`."""
        if patient := self.patient(encounter.subject):
            self.last_care[patient] = max(instant, self.last_care.get(patient, instant))

    def _chosen(self, kind: str, identifiers: Sequence[Identifier]) -> Identifier | None:
        """The identifier that counts."""
        usable = [i for i in identifiers if i.value and i.use != "old"]
        for system in self._systems.get(kind, ()):
            for identifier in usable:
                if identifier.system == system:
                    return identifier
        if kind == "Patient":
            usable = [i for i in usable if not _typed(i, SOCIAL_SECURITY)]
            for code in MEDICAL_RECORD:
                for identifier in usable:
                    if _typed(identifier, {code}):
                        return identifier
        official = [i for i in usable if i.use == "official"]
        return next(iter(official or usable), None)

    def _point(self, key: str, named: Named) -> None:
        """Let `key` point at a resource, unless it points at another one already: then it points at nobody."""
        before = self._behind.get(key)
        if before is not None and (before.id != named.id or (not named.id and before.resource != named.resource)):
            named = Named("", Resource(named.resource.resource_type))
        self._behind[key] = named

    def _named(self, reference: Reference | None, kind: str) -> Named | None:
        if reference is None:
            return None
        literal = reference.reference
        # An absolute URL counts only as the full URL of an entry: another server's Practitioner/1 is somebody else.
        if literal and (named := self._behind.get(literal.partition("/_history/")[0])):
            return named if named.resource.resource_type == kind else None
        identifier = _identifier(reference, kind)
        return self._behind.get(f"{kind}?identifier={identifier}") if identifier else None

    def _undisputed(self, kind: str, name: str) -> str:
        return "" if (kind, name) in self._disputed else name


def _identifier(reference: Reference | None, kind: str) -> str:
    """`system|value` of a conditional or logical reference to this kind, or empty."""
    if reference is None:
        return ""
    asked = f"{kind}?identifier="
    if reference.reference.startswith(asked):
        return reference.reference.removeprefix(asked)
    if not reference.reference and reference.identifier is not None and reference.identifier.value:
        return reference.identifier.key
    return ""


def _last(literal: str) -> str:
    """What a literal reference ends with: the id, the UUID, the value of an identifier."""
    _, conditional, value = literal.rpartition("|")
    return value if conditional else literal.partition("/_history/")[0].rpartition("/")[2].removeprefix(_URN)


def _typed(identifier: Identifier, codes: set[str] | frozenset[str]) -> bool:
    return any(coding.code in codes for coding in identifier.type.coding)
