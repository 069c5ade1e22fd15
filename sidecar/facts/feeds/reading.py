"""What an import is told and what it gives, resource by resource."""

from collections.abc import Mapping
from datetime import tzinfo

from msgspec import Struct, field, structs

from sidecar.core.instants import Instant
from sidecar.core.model import Fact, Period, Resource, Retraction

RPPS = "https://rpps.esante.gouv.fr"
NPI = "http://hl7.org/fhir/sid/us-npi"


class Feed(Struct, frozen=True):
    """How to read one import. `as_of` is the instant of the import; `zone` the time zone of dates without a time.

    `profiles` maps `system|code` of a role, specialty or qualification to a profile of the pack; what is not in it
    gets `default_profile`, or is skipped when that is empty. `units` renames units; others keep their identifier.
    `categories`, `tags` and `flags` map codes of documents and requests, security labels, and flags to words of the
    pack. `parts` maps a participation type of an encounter to `responsible`, `care` or `other`, where an export does
    not mean by it what HL7 does. The identifier systems of patients and practitioners come the preferred first.
    """

    as_of: Instant
    zone: tzinfo
    source: str = "fhir"
    controller_id: str = ""
    profiles: Mapping[str, str] = field(default_factory=dict)
    default_profile: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    patient_systems: tuple[str, ...] = ()
    practitioner_systems: tuple[str, ...] = (RPPS, NPI)


class Skipped(Struct, frozen=True):
    """Something not taken, and why. `lost`: a fact may be missing because of it, so its kinds are not complete."""

    reason: str
    detail: str = ""
    lost: bool = True


class Reading(Struct, frozen=True):
    """What one resource gave. `resource` is its type, empty for what could not even be recognised.

    `document` is what the record system would send of a document with a question; it is no fact. `sort` is the class
    of an encounter, the former ones before it.
    """

    where: str
    resource: str
    facts: tuple[Fact, ...] = ()
    retract: tuple[Retraction, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    document: Resource | None = None
    sort: str = ""


class Told:
    """A resource being read: its name, and what it has given so far."""

    def __init__(self, feed: Feed, name: str) -> None:
        """`name` is the identity of the resource, as in `Encounter/17`: the facts are named after it."""
        self.name = name
        self.facts: list[Fact] = []
        self.document: Resource | None = None
        self.sort = ""
        self._ids: list[str] = []
        self._skipped: list[Skipped] = []
        self._feed = feed

    def name_for(self, suffix: str) -> str:
        """The id of the next fact of this suffix. A fact of this id not given in the end is taken back."""
        first = fact_id = self.name + suffix
        again = 1
        while fact_id in self._ids:
            again += 1
            fact_id = f"{first}/{again}"
        self._ids.append(fact_id)
        return fact_id

    def blank(self, fact_id: str, period: Period) -> Fact:
        """A fact of this import without its body."""
        feed = self._feed
        return Fact(fact_id, feed.source, feed.controller_id, feed.as_of, period)

    def skip(self, reason: str, detail: str = "", *, lost: bool = True) -> None:
        """Say that something is not taken."""
        self._skipped.append(Skipped(reason, detail, lost))

    def reading(self, where: str, resource: str) -> Reading:
        """What was given, and what is taken back because it no longer holds."""
        given = {fact.id for fact in self.facts}
        retract = tuple(Retraction(self._feed.source, fact_id) for fact_id in self._ids if fact_id not in given)
        skipped = tuple(self._skipped)
        return Reading(where, resource, tuple(self.facts), retract, skipped, self.document, self.sort)

    def nothing(self, where: str, resource: str, reason: str, detail: str) -> Reading:
        """The resource cannot be used: none of its facts hold."""
        self.facts.clear()
        self.skip(reason, detail)
        return structs.replace(self.reading(where, resource), facts=())
