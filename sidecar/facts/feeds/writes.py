"""An import as requests of the facts service: small, in order, and the same for the same content.

Facts come first, what is taken back next, completeness last: an import that breaks off vouches for nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct, structs

from sidecar.core.model import Fact, Retraction, Watermark
from sidecar.facts.feeds.reading import Feed, Reading

BATCH = 500  # facts and retractions of one request
EXAMPLES = 3  # places named for each reason

# The type of resource each kind is told by: without a single one, the import says nothing of that kind.
TELLER = {
    "assignment": "PractitionerRole",
    "directive": "Consent",
    "record_state": "Patient",
    "relation": "CareTeam",
    "stay": "Encounter",
}
# What gives access ends when its source no longer tells it. A death, a merge or a refusal does not: it restricts, and
# stays. Each with the kind that must be told whole for its silence to mean something.
GROUNDS = {"assignment": "assignment", "consent": "directive", "relation": "relation", "stay": "stay"}
# The kinds that may lack a fact when a resource of this type is lost; of an unknown type, any.
LOST_WITH = {
    "Patient": ("directive", "record_state", "relation", "stay"),
    "Practitioner": ("assignment", "directive", "relation", "stay"),
    "PractitionerRole": ("assignment",),
    "Organization": ("assignment", "stay"),
    "Location": ("stay",),
    "Encounter": ("relation", "stay"),
    "HealthcareService": ("relation",),
    "CareTeam": ("relation",),
    "Appointment": ("relation",),
    "ServiceRequest": ("relation",),
    "Consent": ("directive",),
    "Flag": ("record_state",),
    "Composition": (),
    "DocumentReference": (),
}


class Write(Struct, frozen=True):
    """One WriteFacts request."""

    request_id: str
    controller_id: str
    facts: tuple[Fact, ...] = ()
    retract: tuple[Retraction, ...] = ()
    watermarks: tuple[Watermark, ...] = ()


class Encounters:
    """What became of the encounters of one class."""

    def __init__(self) -> None:
        """None yet."""
        self.read = 0
        self.stays = 0  # those with at least one stay: a patient, a unit, a period
        self.responsible = 0  # of these, those that name who answers for the patient
        self.why: Counter[str] = Counter()  # the first reason of each of the others

    def note(self, reading: Reading) -> None:
        """Count one encounter."""
        stays = [fact.stay for fact in reading.facts if fact.stay is not None]
        self.read += 1
        self.stays += bool(stays)
        self.responsible += any(stay.responsible_id for stay in stays)
        if not stays:
            self.why[reading.skipped[0].reason if reading.skipped else "no stay"] += 1


class Report:
    """What an import took, what it skipped and why; complete once its writes have all been drawn."""

    def __init__(self) -> None:
        """Empty."""
        self.resources: Counter[str] = Counter()  # read, by type; empty for what could not be recognised
        self.facts: Counter[str] = Counter()  # by kind
        self.units: Counter[str] = Counter()  # stays by unit: one that holds nearly all is an establishment
        self.documents: Counter[str] = Counter()  # by category
        self.encounters: dict[str, Encounters] = {}  # by class, the former ones before it
        self.taken_back = 0
        self.skipped: Counter[tuple[str, str]] = Counter()  # by type and reason
        self.examples: dict[tuple[str, str], list[str]] = {}  # the first places, with their detail
        self.incomplete: set[str] = set()  # kinds some fact of which may be missing
        self.vouched: tuple[str, ...] = ()  # kinds a watermark was given for

    def note(self, reading: Reading) -> None:
        """Count one resource."""
        self.resources[reading.resource] += 1
        if reading.document is not None:
            self.documents[reading.document.category] += 1
        if reading.resource == "Encounter":
            self.encounters.setdefault(reading.sort, Encounters()).note(reading)
        for fact in reading.facts:
            self.facts[fact.kind] += 1
            if fact.stay is not None:
                self.units[fact.stay.unit] += 1
        for skipped in reading.skipped:
            self.skip(reading, skipped.reason, skipped.detail, lost=skipped.lost)

    def skip(self, reading: Reading, reason: str, detail: str, *, lost: bool) -> None:
        """Count something not taken."""
        key = (reading.resource, reason)
        self.skipped[key] += 1
        places = self.examples.setdefault(key, [])
        if len(places) < EXAMPLES:
            places.append(f"{reading.where}: {detail}" if detail else reading.where)
        if lost:
            self.incomplete.update(LOST_WITH.get(reading.resource, TELLER))

    def tells_all(self) -> tuple[str, ...]:
        """The kinds these files tell whole: told by at least one resource, and none lost."""
        return tuple(kind for kind, teller in TELLER.items() if self.resources[teller] and kind not in self.incomplete)


def writes(
    readings: Iterable[Reading], feed: Feed, report: Report, *, complete: bool, known: Iterable[tuple[str, str]] = ()
) -> Iterator[Write]:
    """The requests of an import. `report` fills while they are drawn.

    `complete`: these files are all that the source knows. Then the last request vouches, as of the import, for
    every kind of which nothing was lost; and of `known`, the (kind, id) this source has told before, the grounds
    it no longer tells are taken back, since a watermark would otherwise keep them fresh for ever. A directive that
    consents is known as `consent`, any other as `directive`.
    """
    batch: list[Fact] = []
    retract: dict[str, Retraction] = {}
    given: dict[str, bytes] = {}
    for reading in readings:
        report.note(reading)
        retract.update((retraction.id, retraction) for retraction in reading.retract)
        for fact in reading.facts:
            content = hashlib.blake2b(msgspec.msgpack.encode(fact), digest_size=16).digest()
            if fact.id not in given:
                given[fact.id] = content
                batch.append(fact)
            elif given[fact.id] != content:
                report.skip(reading, "told twice, differently: the first was kept", "", lost=True)
        while len(batch) >= BATCH:
            yield _write(feed, facts=tuple(batch[:BATCH]))
            del batch[:BATCH]
    if batch:
        yield _write(feed, facts=tuple(batch))
    if complete:
        report.vouched = report.tells_all()
        gone = [name for kind, name in known if GROUNDS.get(kind) in report.vouched and name not in given]
        retract.update((name, Retraction(feed.source, name)) for name in gone)
    report.taken_back = len(retract)
    over = tuple(retract.values())
    for first in range(0, len(over), BATCH):
        yield _write(feed, retract=over[first : first + BATCH])
    if report.vouched:
        mark = Watermark(feed.source, report.vouched, feed.as_of, feed.controller_id)
        yield _write(feed, watermarks=(mark,))


def _write(
    feed: Feed,
    facts: tuple[Fact, ...] = (),
    retract: tuple[Retraction, ...] = (),
    watermarks: tuple[Watermark, ...] = (),
) -> Write:
    """A request named by its content: sent again after a failure, it is the same write."""
    unnamed = Write("", feed.controller_id, facts, retract, watermarks)
    return structs.replace(unnamed, request_id="fhir-" + hashlib.sha256(msgspec.msgpack.encode(unnamed)).hexdigest())
