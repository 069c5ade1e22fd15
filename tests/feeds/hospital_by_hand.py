"""FHIR resources by hand: name only what matters."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sidecar.core import instants
from sidecar.facts.feeds import fhir
from sidecar.facts.feeds.reading import RPPS, Feed, Reading
from sidecar.facts.feeds.writes import Report, Write, writes

PARIS = ZoneInfo("Europe/Paris")
NOON = instants.parse("2026-03-01T12:00:00+01:00")
G15 = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
FAMILY_DOCTOR = {"http://nucc.org/provider-taxonomy|208D00000X": "medecin"}  # what Synthea gives every practitioner
FEED = Feed(NOON, PARIS, profiles={f"{G15}|10": "medecin", f"{G15}|60": "infirmier"})
START, END = "2026-02-27T08:00:00+01:00", "2026-03-02T10:00:00+01:00"

Json = dict[str, Any]


def repository_data(name: str) -> Path:
    """A folder of the shared input data, which lies beside the repository (`../shared/data`)."""
    folder = Path(__file__).parents[3] / "shared" / "data" / name
    assert folder.is_dir(), f"this test reads {folder}: put the shared input data beside the repository"
    return folder


def ref(literal: str) -> Json:
    return {"reference": literal}


def coded(code: str, system: str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType") -> Json:
    return {"coding": [{"system": system, "code": code}]}


def a_patient(id: str = "p1", number: str = "P1", **more: Any) -> Json:
    identifier = [{"type": coded("MR"), "system": "urn:ipp", "value": number}]
    return {"resourceType": "Patient", "id": id, "identifier": identifier, **more}


def a_practitioner(id: str = "dr", number: str = "10000000001", system: str = RPPS, **more: Any) -> Json:
    return {"resourceType": "Practitioner", "id": id, "identifier": [{"system": system, "value": number}], **more}


def an_organisation(id: str = "card", number: str = "UF-CARD", **more: Any) -> Json:
    return {"resourceType": "Organization", "id": id, "identifier": [{"value": number}], **more}


def a_role(id: str = "r1", code: str = "10", **more: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": ref("Practitioner/dr"),
        "organization": ref("Organization/card"),
        "code": [coded(code, G15)] if code else [],
        **more,
    }


def a_part(code: str = "PPRF", who: str = "Practitioner/dr", **more: Any) -> Json:
    return {"type": [coded(code)] if code else [], "individual": ref(who), **more}


def an_encounter(id: str = "e1", status: str = "in-progress", **more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": status,
        "subject": ref("Patient/p1"),
        "participant": [a_part()],
        "period": {"start": START, "end": END},
        "serviceProvider": ref("Organization/card"),
        **more,
    }


def a_team(id: str = "t1", status: str = "active", **more: Any) -> Json:
    return {
        "resourceType": "CareTeam",
        "id": id,
        "status": status,
        "subject": ref("Patient/p1"),
        "period": {"start": START},
        "participant": [{"member": ref("Practitioner/dr")}],
        **more,
    }


HOSPITAL = [a_patient(), a_practitioner(), an_organisation()]


def ndjson(folder: Path, *resources: Json, name: str = "export.ndjson") -> Path:
    """A file with one of these on each line."""
    path = folder / name
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
    return path


def readings(folder: Path, *resources: Json, feed: Feed = FEED) -> list[Reading]:
    """What these resources say, in a hospital with one patient, one practitioner and one unit."""
    return list(fhir.read([ndjson(folder, *HOSPITAL, *resources)], feed))[len(HOSPITAL) :]


def reading(folder: Path, resource: Json, *others: Json, feed: Feed = FEED) -> Reading:
    """What the first of these resources says."""
    return readings(folder, resource, *others, feed=feed)[0]


def reasons(one: Reading) -> list[str]:
    return [skipped.reason for skipped in one.skipped]


def imported(
    *paths: Path, feed: Feed = FEED, complete: bool = True, known: Mapping[str, str] | None = None
) -> tuple[list[Write], Report]:
    """The writes of an import and its report. `known`: fact id → kind."""
    report = Report()
    before = [(kind, id) for id, kind in (known or {}).items()]
    return list(writes(fhir.read(paths, feed), feed, report, complete=complete, known=before)), report
