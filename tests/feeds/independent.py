"""A plain reading of FHIR bundles: was this practitioner inside this patient's care at this instant?

It knows nothing of facts, packs or the importer: json, datetime and what FHIR R4 says. An encounter counts for its
participants, and for everybody with a role in the organisation that provides it or runs its place.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

Where = Literal["inside", "between", "outside"]
FAR = timedelta(days=90)
PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Span:
    """A time somebody cared for somebody, its end excluded."""

    start: datetime
    end: datetime | None

    def holds(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)

    def near(self, instant: datetime) -> bool:
        """Not more than 90 days from it."""
        return self.start - FAR <= instant and (self.end is None or instant <= self.end + FAR)


@dataclass
class Bundles:
    """Everything read: spans by (practitioner, patient), and by (organisation, patient)."""

    own: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    units: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    lives: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    deaths: dict[str, datetime] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)

    def spans(self, practitioner: str, patient: str) -> list[Span]:
        """The times that tie these two."""
        found = list(self.own.get((practitioner, patient), ()))
        for organisation in self.roles.get(practitioner, ()):
            found += self.units.get((organisation, patient), ())
        return found

    def where(self, practitioner: str, patient: str, instant: datetime) -> Where:
        """Inside an encounter or an active care team, more than 90 days outside all of them, or in between."""
        spans = self.spans(practitioner, patient)
        if any(span.holds(instant) for span in spans):
            return "inside"
        return "between" if any(span.near(instant) for span in spans) else "outside"

    def unit_left(self, practitioner: str, patient: str, instant: datetime) -> datetime | None:
        """When the patient last left an organisation the practitioner has a role in, by this instant."""
        spans = [s for unit in self.roles.get(practitioner, ()) for s in self.units.get((unit, patient), ())]
        return max((s.end for s in spans if s.end is not None and s.end <= instant), default=None)

    def dead_for(self, patient: str, instant: datetime) -> int:
        """Calendar days of Paris since the patient died; less than 0 while alive."""
        death = self.deaths.get(patient)
        return -1 if death is None else (instant.astimezone(PARIS).date() - death.astimezone(PARIS).date()).days

    def endless(self) -> "Bundles":
        """A reading that forgot when care ends."""
        own = {pair: [Span(one.start, None) for one in spans] for pair, spans in self.own.items()}
        return replace(self, own=own)


def documents(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Each Bundle of these files."""
    for path in paths:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        yield from map(json.loads, text.splitlines() if ".ndjson" in path.suffixes else [text])


def number(reference: dict[str, Any]) -> str:
    """The value of a conditional or logical reference."""
    if "reference" in reference:
        return str(reference["reference"].rpartition("|")[2])
    return str(reference["identifier"]["value"])


def record_number(patient: dict[str, Any]) -> str:
    """The medical record number."""
    for identifier in patient["identifier"]:
        if any(coding["code"] == "MR" for coding in identifier.get("type", {}).get("coding", ())):
            return str(identifier["value"])
    raise AssertionError("a patient without a record number")


def read(paths: Iterable[Path]) -> Bundles:
    """What these bundles say."""
    told = Bundles()
    for bundle in documents(paths):
        resources = [entry["resource"] for entry in bundle["entry"]]
        names = {
            entry["fullUrl"]: record_number(entry["resource"])
            for entry in bundle["entry"]
            if entry["resource"]["resourceType"] == "Patient"
        }
        for resource in resources:
            kind = resource["resourceType"]
            told.types[kind] += 1
            if kind == "Patient" and "deceasedDateTime" in resource:
                told.deaths[record_number(resource)] = datetime.fromisoformat(resource["deceasedDateTime"])
            if kind == "PractitionerRole":
                told.roles.setdefault(number(resource["practitioner"]), set()).add(number(resource["organization"]))
            elif kind == "Location" and "managingOrganization" in resource:
                told.managers[resource["identifier"][0]["value"]] = number(resource["managingOrganization"])
            elif kind == "Encounter":
                note_encounter(told, resource, names[resource["subject"]["reference"]])
            elif kind == "CareTeam" and resource["status"] == "active":
                note_team(told, resource, names[resource["subject"]["reference"]])
    return told


def span(period: dict[str, str]) -> Span:
    end = period.get("end")
    return Span(datetime.fromisoformat(period["start"]), datetime.fromisoformat(end) if end else None)


def note_encounter(told: Bundles, encounter: dict[str, Any], patient: str) -> None:
    whole = span(encounter["period"])
    assert encounter["status"] == "finished" and whole.end is not None
    for participant in encounter["participant"]:
        told.own.setdefault((number(participant["individual"]), patient), []).append(span(participant["period"]))
    organisations = {number(encounter["serviceProvider"])}
    organisations |= {told.managers.get(number(place["location"]), "") for place in encounter["location"]}
    for organisation in organisations - {""}:
        told.units.setdefault((organisation, patient), []).append(whole)
    first, last = told.lives.get(patient, (whole.start, whole.end))
    told.lives[patient] = (min(first, whole.start), max(last, whole.end))


def note_team(told: Bundles, team: dict[str, Any], patient: str) -> None:
    for participant in team["participant"]:
        reference = participant["member"]["reference"]
        if reference.startswith("Practitioner?"):
            told.own.setdefault((number({"reference": reference}), patient), []).append(span(team["period"]))


Question = tuple[str, str, datetime]


def sample(told: Bundles, many: int, seed: int, *, after: bool = False) -> list[Question]:
    """(practitioner, patient, instant): a third inside, a third at edges, a third where the dice fall.

    Instants stay within the patient's recorded life: long after it, retention has something to say too. With `after`,
    every fifth lies 91 to 300 days after all that is recorded of the patient.
    """
    dice = random.Random(seed)
    pairs = sorted(told.own)
    practitioners = sorted({practitioner for practitioner, _ in pairs})
    questions: list[Question] = []
    while len(questions) < many:
        practitioner, patient = dice.choice(pairs)
        first, last = told.lives[patient]
        one = dice.choice(told.own[practitioner, patient])
        end = min(one.end or last, last)
        if one.start >= end:
            continue
        if after and len(questions) % 5 == 4:
            questions.append((practitioner, patient, last + FAR + timedelta(days=1 + dice.random() * 209)))
            continue
        way = len(questions) % 3
        if way == 0:
            instant = one.start + dice.random() * (end - one.start)
        elif way == 1:
            tick = timedelta(microseconds=dice.choice((-1, 0)))
            edge = dice.choice((one.start, end, one.start - FAR, end + FAR))
            instant = edge + tick
        else:
            practitioner = dice.choice((practitioner, dice.choice(practitioners)))
            instant = first + dice.random() * (last - first)
        questions.append((practitioner, patient, instant))
    return questions
