"""What a Consent says the patient wants: what it refuses, whom it opens the record to, and what is not taken."""

from pathlib import Path

import pytest
from msgspec import structs

from sidecar.core import instants
from sidecar.core.model import Directive, Period, Scope, Target
from sidecar.facts.feeds.reading import Reading
from tests.feeds.hospital_by_hand import (
    FEED,
    HOSPITAL,
    a_practitioner,
    an_organisation,
    coded,
    imported,
    ndjson,
    reading,
    reasons,
    ref,
    repository_data,
)

DR, SINCE = "10000000001", "2026-02-01T10:00:00+01:00"
LOINC, TYPES = "http://loinc.org", "http://hl7.org/fhir/resource-types"
MAPPED = structs.replace(FEED, categories={f"{LOINC}|18842-5": "cr", f"{TYPES}|MedicationRequest": "prescription"})
CHU = an_organisation("chu", "CHU", type=[coded("LEGAL-ENTITY", "fr-core-cs-v2-3307")])
CHU["identifier"] = [{"system": "https://finess.esante.gouv.fr", "value": "330000002"}]


def a_consent(rule: str = "", status: str = "active", scope: str = "patient-privacy", **provision: object) -> dict:
    said = {
        "resourceType": "Consent",
        "id": "c1",
        "status": status,
        "scope": coded(scope, "http://terminology.hl7.org/CodeSystem/consentscope"),
        "patient": ref("Patient/p1"),
        "dateTime": SINCE,
    }
    if rule:
        said["policyRule"] = coded(rule, "http://terminology.hl7.org/CodeSystem/v3-ActCode")
    return said | ({"provision": provision} if provision else {})


def an_actor(who: str, role: str = "PRCP") -> dict:
    return {"role": coded(role), "reference": ref(who)}


def told(folder: Path, consent: dict) -> Reading:
    return reading(folder, consent, CHU, an_organisation("rea", "UF-REA"), feed=MAPPED)


def directives(said: Reading) -> list[Directive]:
    return [fact.directive for fact in said.facts]


DENIED = {
    "a person, whole": ({"actor": [an_actor("Practitioner/dr")]}, "block", Target(DR), Scope()),
    "everyone": ({}, "opposition", Target(everyone=True), Scope()),
    "an establishment": (
        {"actor": [an_actor("Organization/chu")]},
        "opposition",
        Target(structure="330000002"),
        Scope(),
    ),
    "a document": (
        {"data": [{"meaning": "instance", "reference": ref("DocumentReference/d1")}]},
        "mask",
        Target(everyone=True),
        Scope(documents=("d1",)),
    ),
    "a category, to a person": (
        {"code": [coded("18842-5", LOINC)], "actor": [an_actor("Practitioner/dr")]},
        "mask",
        Target(DR),
        Scope(categories=("cr",)),
    ),
    "a type of resource": (
        {"class": [{"system": TYPES, "code": "MedicationRequest"}]},
        "mask",
        Target(everyone=True),
        Scope(categories=("prescription",)),
    ),
    "what this hospital keeps": (
        {"actor": [an_actor("Organization/chu", "CST")]},
        "opposition",
        Target(everyone=True),
        Scope(),
    ),
}


@pytest.mark.parametrize("name", DENIED)
def test_a_refusal_blocks_a_person_opposes_sharing_or_masks_a_part(tmp_path: Path, name: str):
    provision, kind, target, scope = DENIED[name]
    said = told(tmp_path, a_consent(type="deny", **provision))
    assert directives(said) == [Directive(kind, "P1", target=target, scope=scope, channel="fhir")]
    assert said.facts[0].period == Period(instants.parse(SINCE))
    assert not said.skipped


def test_a_refusal_of_an_organisation_holds_for_it_as_unit_and_as_establishment(tmp_path: Path):
    said = told(tmp_path, a_consent(type="deny", actor=[an_actor("Organization/rea")]))
    assert [one.target for one in directives(said)] == [Target(structure="UF-REA"), Target(unit="UF-REA")]


def test_the_policy_is_the_base_and_what_has_no_type_is_an_exception_to_it(tmp_path: Path):
    doctor = {"actor": [an_actor("Practitioner/dr")]}
    assert directives(told(tmp_path, a_consent("OPTOUT")))[0].target == Target(everyone=True)
    out = directives(told(tmp_path, a_consent("OPTOUT", **doctor)))
    assert [(one.kind, one.except_) for one in out] == [("opposition", (DR,))], "all are refused but the one named"
    assert not told(tmp_path, a_consent("OPTIN")).facts
    assert not told(tmp_path, a_consent("OPTIN", period={"start": "2026"})).facts, "how long it is valid"
    assert directives(told(tmp_path, a_consent("OPTIN", **doctor)))[0].kind == "block", (
        "all are permitted but the one named"
    )
    neither = told(tmp_path, a_consent())
    assert reasons(neither) == ["a provision that neither permits nor denies"]
    assert neither.skipped[0].lost


def test_a_permission_opens_the_record_to_who_is_named_and_to_nobody_else(tmp_path: Path):
    said = told(tmp_path, a_consent(type="permit", actor=[an_actor("Practitioner/dr")]))
    assert directives(said) == [Directive("consent", "P1", target=Target(DR), channel="fhir")]
    assert not told(tmp_path, a_consent(type="permit")).facts
    assert not told(tmp_path, a_consent(type="permit", actor=[an_actor("Practitioner/nobody")])).facts


def test_a_refusal_inside_a_permission_holds_for_whom_the_permission_names(tmp_path: Path):
    inner = {"type": "deny", "code": [coded("18842-5", LOINC)]}
    said = told(tmp_path, a_consent(type="permit", actor=[an_actor("Practitioner/dr")], provision=[inner]))
    assert {(one.kind, one.target.subject_id) for one in directives(said)} == {("consent", DR), ("mask", DR)}


def test_a_permission_inside_a_refusal_excepts_who_it_names_and_a_narrower_one_is_not_taken(tmp_path: Path):
    person = {"type": "permit", "actor": [an_actor("Practitioner/dr")]}
    [said] = directives(told(tmp_path, a_consent(type="deny", provision=[person])))
    assert (said.kind, said.except_) == ("opposition", (DR,))
    narrow = told(tmp_path, a_consent(type="deny", provision=[person | {"code": [coded("18842-5", LOINC)]}]))
    assert [one.except_ for one in directives(narrow)] == [()]
    assert not narrow.skipped[0].lost, "the refusal is wider than it was meant, never narrower"
    emergency = {"type": "permit", "purpose": [{"code": "ETREAT"}]}
    assert directives(told(tmp_path, a_consent(type="deny", provision=[emergency])))[0].modes == ("normal",)


LOST = {
    "somebody unknown": {"actor": [an_actor("Practitioner/nobody")]},
    "a code without a category": {"code": [coded("1", "urn:local")]},
    "a sensitivity": {"securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]},
    "what one author wrote": {"actor": [an_actor("Practitioner/dr", "AUT")]},
}


@pytest.mark.parametrize("name", LOST)
def test_a_refusal_that_cannot_be_read_whole_is_a_loss_and_directives_are_not_complete(tmp_path: Path, name: str):
    consent = a_consent(type="deny", **LOST[name])
    said = told(tmp_path, consent)
    assert not said.facts
    assert said.skipped[0].lost
    _, report = imported(ndjson(tmp_path, *HOSPITAL, CHU, consent), feed=MAPPED)
    assert "directive" not in report.vouched
    _, whole = imported(ndjson(tmp_path, *HOSPITAL, CHU, a_consent(type="deny")), feed=MAPPED)
    assert "directive" in whole.vouched


@pytest.mark.parametrize(
    ("consent", "kept"),
    [
        (a_consent("OPTOUT", "draft"), False),
        (a_consent("OPTOUT", "inactive"), False),
        (a_consent("OPTOUT", "entered-in-error"), False),
        (a_consent("OPTOUT", scope="research"), False),
        (a_consent(type="deny", purpose=[{"code": "HMARKT"}]), False),
        (a_consent(type="deny", purpose=[{"code": "TREAT"}]), True),
    ],
)
def test_a_consent_that_is_not_in_force_or_not_about_care_refuses_nothing(tmp_path: Path, consent: dict, kept: bool):
    said = told(tmp_path, consent)
    assert bool(said.facts) == kept
    assert kept or [retraction.id for retraction in said.retract] == ["Consent/c1/0"]


def test_a_refusal_for_emergencies_or_for_ordinary_care_alone_says_so(tmp_path: Path):
    modes = {}
    for code in ("ETREAT", "TREAT"):
        modes[code] = directives(told(tmp_path, a_consent(type="deny", purpose=[{"code": code}])))[0].modes
    assert modes == {"ETREAT": ("bris_de_glace", "centre_15"), "TREAT": ("normal",)}


def test_a_refusal_of_reading_or_of_writing_alone_says_so(tmp_path: Path):
    system = "http://terminology.hl7.org/CodeSystem/consentaction"
    rights = {}
    for codes in (("access",), ("correct",), ("access", "correct")):
        action = [coded(code, system) for code in codes]
        rights[codes] = directives(told(tmp_path, a_consent(type="deny", action=action)))[0].rights
    assert list(rights.values()) == [("read",), ("write",), ()]


def test_a_provision_lasts_as_long_as_it_says(tmp_path: Path):
    period = {"start": "2026-01-01", "end": "2026-01-31"}
    said = told(tmp_path, a_consent(type="deny", period=period))
    assert said.facts[0].period == Period(
        instants.parse("2026-01-01T00:00:00+01:00"), instants.parse("2026-02-01T00:00:00+01:00")
    )


def test_consent_that_is_no_longer_told_ends_and_a_refusal_that_is_no_longer_told_stays(tmp_path: Path):
    files = ndjson(tmp_path, *HOSPITAL, a_consent(type="deny"))
    writes, _ = imported(files, feed=MAPPED, known={"Consent/old/0": "consent", "Consent/gone/0": "directive"})
    assert {retraction.id for write in writes for retraction in write.retract} == {"Consent/old/0"}


def test_the_published_examples_are_read_or_their_reason_is_said(tmp_path: Path):
    """HL7's own examples, with patients and people these files identify."""
    folder = repository_data("fhir-r4-examples")
    people = [a_practitioner("f204", "20"), a_practitioner("13", "13"), an_organisation("f001", "UF-001")]
    patients = [
        {"resourceType": "Patient", "id": name, "identifier": [{"value": name}]}
        for name in ("f001", "xcda", "72", "example")
    ]
    said = {}
    for path in sorted(folder.glob("Consent-*.json")):
        parts = [ndjson(tmp_path, *people, *patients), path]
        writes, report = imported(*parts, feed=MAPPED)
        facts = [fact.directive.kind for write in writes for fact in write.facts if fact.directive]
        said[path.stem.removeprefix("Consent-consent-example-")] = (
            facts,
            [why for kind, why in report.skipped if kind == "Consent"],
        )
    assert all(kinds or whys for kinds, whys in said.values())
    assert {name: kinds for name, (kinds, _) in said.items() if kinds} == {
        "Emergency": ["opposition", "opposition"],
        "Out": ["opposition"],
        "grantor": ["opposition"],
        "notAuthor": ["opposition"],
        "notOrg": ["opposition", "opposition"],
        "notThem": ["block"],
        "notThis": ["mask"],
        "pkb": ["opposition"],
    }
