"""What appointments, requests, flags, the history of an encounter and documents say."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from sidecar.core import instants
from sidecar.core.model import Period, RecordState, Relation, Resource, Scope
from sidecar.facts.feeds import fhir
from tests.feeds.hospital_by_hand import (
    END,
    FEED,
    HOSPITAL,
    START,
    a_part,
    a_patient,
    a_practitioner,
    a_role,
    an_encounter,
    an_organisation,
    coded,
    imported,
    ndjson,
    reading,
    readings,
    reasons,
    ref,
)

DR = "10000000001"
LAB, SECRET = "http://snomed.info/sct|108252007", "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY"
MAPPED = structs.replace(
    FEED,
    categories={"ServiceRequest": "demande", LAB: "biologie", "http://loinc.org|18842-5": "cr"},
    tags={"v3-ActCode|PSY": "psy"},
    flags={"v3-ActCode|CEL": "personnalite"},
)
WHOLE = Period(instants.parse(START), instants.parse(END))
MORNING, NOON = "2026-03-10T09:00:00+01:00", "2026-03-10T09:30:00+01:00"


def an_appointment(status: str = "booked", *who: str, **more: object) -> dict:
    parties = who or ("Patient/p1", "Practitioner/dr")
    attending = [{"actor": ref(one), "status": "accepted"} for one in parties]
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": status,
        "start": MORNING,
        "end": NOON,
        "participant": attending,
        **more,
    }


def a_request(status: str = "active", **more: object) -> dict:
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": status,
        "intent": "order",
        "category": [coded("108252007", "http://snomed.info/sct")],
        "subject": ref("Patient/p1"),
        "authoredOn": START,
        "performer": [ref("Organization/card")],
        **more,
    }


def test_an_appointment_ties_whoever_expects_the_patient_for_its_time(tmp_path: Path):
    said = reading(tmp_path, an_appointment())
    assert [fact.relation for fact in said.facts] == [Relation("REL_APPT", "P1", DR)]
    assert said.facts[0].period == Period(instants.parse(MORNING), instants.parse(NOON))


def test_an_appointment_in_a_place_or_with_a_service_ties_the_unit_that_runs_it(tmp_path: Path):
    said = reading(
        tmp_path,
        an_appointment("booked", "Patient/p1", "Location/room", "HealthcareService/consult"),
        {"resourceType": "Location", "id": "room", "managingOrganization": ref("Organization/card")},
        {"resourceType": "HealthcareService", "id": "consult", "providedBy": ref("Organization/rea")},
        an_organisation("rea", "UF-REA"),
    )
    assert {fact.relation.unit for fact in said.facts} == {"UF-CARD", "UF-REA"}


@pytest.mark.parametrize("status", ["proposed", "pending", "waitlist", "cancelled", "noshow", "entered-in-error", ""])
def test_an_appointment_that_does_not_take_place_is_taken_back(tmp_path: Path, status: str):
    said = reading(tmp_path, an_appointment(status))
    assert not said.facts
    assert [retraction.id for retraction in said.retract] == [f"Appointment/a1/{DR}"]


def test_who_declined_or_is_only_informed_is_not_expecting_the_patient(tmp_path: Path):
    declined = {"actor": ref("Practitioner/dr"), "status": "declined"}
    informed = {"actor": ref("Practitioner/dr"), "status": "accepted", "required": "information-only"}
    patient = {"actor": ref("Patient/p1"), "status": "accepted"}
    for other in (declined, informed):
        assert not reading(tmp_path, an_appointment(participant=[patient, other])).facts


def test_an_appointment_without_its_instants_is_a_loss(tmp_path: Path):
    said = reading(tmp_path, an_appointment(end=""))
    assert reasons(said) == ["no start or no end"]
    assert said.skipped[0].lost


def test_a_request_ties_the_service_that_is_asked_to_what_is_asked(tmp_path: Path):
    said = reading(tmp_path, a_request(), feed=MAPPED)
    scope = Scope(categories=("demande", "biologie"))
    assert [fact.relation for fact in said.facts] == [Relation("REL_REQ", "P1", unit="UF-CARD", scope=scope)]
    assert said.facts[0].period == Period(instants.parse(START)), "until there is a result"


def test_a_request_for_what_no_mapping_knows_opens_the_request_and_never_the_whole_record(tmp_path: Path):
    local = a_request(category=[coded("1", "urn:local")])
    [fact] = reading(tmp_path, local, feed=MAPPED).facts
    assert fact.relation.scope == Scope(categories=("demande",))
    unmapped = reading(tmp_path, local)
    assert not unmapped.facts
    assert unmapped.retract
    assert unmapped.skipped[0].lost


@pytest.mark.parametrize("status", ["draft", "revoked", "entered-in-error", "unknown", ""])
def test_a_request_that_is_not_asked_or_no_longer_is_taken_back(tmp_path: Path, status: str):
    said = reading(tmp_path, a_request(status), feed=MAPPED)
    assert not said.facts
    assert {retraction.id for retraction in said.retract} == {"ServiceRequest/s1/UF-CARD", "ServiceRequest/s1/signed"}


def test_a_plan_asks_no_service(tmp_path: Path):
    assert not reading(tmp_path, a_request(intent="plan"), feed=MAPPED).facts


def test_a_completed_request_ends_when_something_says_so_and_is_lost_otherwise(tmp_path: Path):
    done = reading(tmp_path, a_request("completed", meta={"lastUpdated": END}), feed=MAPPED)
    assert done.facts[0].period == WHOLE
    unsaid = reading(tmp_path, a_request("completed"), feed=MAPPED)
    assert reasons(unsaid) == ["completed, and nothing says when"]
    assert unsaid.skipped[0].lost


def a_report(*requests: dict, id: str = "res-1", patient: str = "p1", **more: object) -> dict:
    about = {"subject": ref(f"Patient/{patient}"), "basedOn": list(requests)}
    return {"resourceType": "DiagnosticReport", "id": id, "status": "final", **about, **more}


SIGNED = {"requester": ref("Practitioner/dr")}
RESULT = Relation("REL_REQ", "P1", scope=Scope(documents=("res-1",)), requester_id=DR)


def test_a_request_names_who_signed_it_beside_each_that_is_asked(tmp_path: Path):
    asked = [ref("Organization/card"), ref("Practitioner/other")]
    other = a_practitioner("other", "10000000002")
    scope = Scope(categories=("demande", "biologie"))
    each = [
        Relation("REL_REQ", "P1", unit="UF-CARD", scope=scope, requester_id=DR),
        Relation("REL_REQ", "P1", "10000000002", scope=scope, requester_id=DR),
    ]
    for signer in ("Practitioner/dr", "PractitionerRole/r1"):
        told = a_request(performer=asked, requester=ref(signer))
        said = reading(tmp_path, told, other, a_role(), feed=MAPPED)
        assert [fact.relation for fact in said.facts] == each


@pytest.mark.parametrize("signer", ["Organization/card", "Patient/p1", "RelatedPerson/x", "Device/x", "Practitioner/x"])
def test_who_is_no_practitioner_or_is_unknown_signs_nothing_and_the_service_is_asked_all_the_same(
    tmp_path: Path, signer: str
):
    said = reading(tmp_path, a_request(requester=ref(signer)), a_report(ref("ServiceRequest/s1")), feed=MAPPED)
    assert [(fact.relation.unit, fact.relation.requester_id) for fact in said.facts] == [("UF-CARD", "")]
    [why] = said.skipped
    assert why.reason.startswith("signed by")
    assert not why.lost


def test_what_says_it_answers_a_request_is_open_to_who_signed_it_and_to_nobody_who_was_asked(tmp_path: Path):
    request = a_request(identifier=[{"system": "urn:order", "value": "D-1"}], **SIGNED)
    by_number = {"identifier": {"system": "urn:order", "value": "D-1"}}
    for way in (ref("ServiceRequest/s1"), ref("ServiceRequest?identifier=urn:order|D-1"), by_number):
        letter = {"resourceType": "DocumentReference", "id": "res-1", "subject": ref("Patient/p1")}
        for answer in (a_report(way), letter | {"context": {"related": [way]}}):
            signed, service = reading(tmp_path, request, answer, feed=MAPPED).facts
            assert (signed.id, signed.relation) == ("ServiceRequest/s1/signed", RESULT)
            assert signed.period == Period(instants.parse(START))
            assert service.relation.scope == Scope(categories=("demande", "biologie")), "as without an answer"


def test_a_request_that_asks_nobody_by_name_is_told_for_its_answers_alone(tmp_path: Path):
    unasked = a_request(performer=[], category=[], **SIGNED)
    said = reading(tmp_path, unasked, a_report(ref("ServiceRequest/s1")), feed=MAPPED)
    assert [fact.relation for fact in said.facts] == [RESULT]
    assert not reading(tmp_path, unasked, feed=MAPPED).facts
    assert reasons(said) == ["asks nobody by name"]


def test_an_answer_about_another_patient_or_to_a_request_of_elsewhere_is_no_answer(tmp_path: Path):
    request = a_request(identifier=[{"system": "urn:order", "value": "D-1"}], performer=[], **SIGNED)
    strangers = (
        a_report(ref("ServiceRequest/s1"), patient="p2"),
        a_report(ref("ServiceRequest/s2")),
        a_report(ref("https://elsewhere.example/fhir/ServiceRequest/s1")),
        a_report({"identifier": {"system": "urn:other", "value": "D-1"}}),
        a_report({"display": "the request"}),
    )
    for stranger in strangers:
        assert not reading(tmp_path, request, stranger, a_patient("p2", "P2"), feed=MAPPED).facts


def test_an_answer_points_at_its_request_by_the_url_of_its_entry_too(tmp_path: Path):
    for url in ("urn:uuid:0b6f8a4e-2f0c-4c55-9a52-6f6c1f0e7a11", "https://ours.example/fhir/ServiceRequest/s1"):
        told = [*HOSPITAL, a_report(ref(f"{url}/_history/1" if "https" in url else url))]
        entries = [
            {"fullUrl": url, "resource": a_request(performer=[], **SIGNED)},
            *({"resource": one} for one in told),
        ]
        path = tmp_path / "bundle.json"
        path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
        assert [fact.relation for fact in next(iter(fhir.read([path], MAPPED))).facts] == [RESULT]


def test_a_number_that_two_requests_have_is_the_number_of_neither(tmp_path: Path):
    number = {"identifier": [{"system": "urn:order", "value": "D-1"}]}
    twin = a_request(**number) | {"id": "s2", "requester": ref("Practitioner/dr")}
    by_number = a_report({"identifier": number["identifier"][0]})
    said = readings(tmp_path, a_request(performer=[], **number, **SIGNED), twin, by_number, feed=MAPPED)
    assert [fact.id for told in said for fact in told.facts] == ["ServiceRequest/s2/UF-CARD"]


def test_silence_about_the_answers_takes_none_back_and_the_end_of_the_request_does(tmp_path: Path):
    assert not reading(tmp_path, a_request(**SIGNED), feed=MAPPED).retract
    revoked = reading(tmp_path, a_request("revoked", **SIGNED), a_report(ref("ServiceRequest/s1")), feed=MAPPED)
    assert "ServiceRequest/s1/signed" in [retraction.id for retraction in revoked.retract]


def a_flag(status: str = "active", code: str = "CEL") -> dict:
    concept = coded(code, "http://terminology.hl7.org/CodeSystem/v3-ActCode")
    return {"resourceType": "Flag", "id": "f1", "status": status, "code": concept, "subject": ref("Patient/p1")}


def test_a_flag_the_mapping_knows_is_a_record_flag_while_it_is_active(tmp_path: Path):
    assert reading(tmp_path, a_flag(), feed=MAPPED).facts[0].record_state == RecordState("P1", flags=("personnalite",))
    over = reading(tmp_path, a_flag("inactive"), feed=MAPPED)
    assert [retraction.id for retraction in over.retract] == ["Flag/f1"]
    assert reasons(reading(tmp_path, a_flag(code="ALLERGY"), feed=MAPPED)) == ["no record flag for this code"]


def test_a_security_label_of_the_patient_is_a_record_flag_too(tmp_path: Path):
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "CEL"}
    said = fhir.read([ndjson(tmp_path, a_patient(meta={"security": [label]}))], MAPPED)
    assert next(iter(said)).facts[0].record_state.flags == ("personnalite",)


def spell(status: str, start: str, end: str | None = None) -> dict:
    return {"status": status, "period": {"start": start} | ({"end": end} if end else {})}


BACK = "2026-02-28T10:00:00+01:00"


def test_the_status_history_cuts_out_the_time_the_patient_was_not_there(tmp_path: Path):
    history = [spell("planned", START, BACK), spell("in-progress", BACK, END)]
    said = reading(tmp_path, an_encounter(status="finished", statusHistory=history))
    assert {fact.period for fact in said.facts} == {Period(instants.parse(BACK), WHOLE.to)}
    middle = [spell("cancelled", "2026-02-28T00:00:00+01:00", BACK)]
    parts = reading(tmp_path, an_encounter(statusHistory=middle)).facts
    stays = [fact for fact in parts if fact.stay]
    assert [fact.period.to for fact in stays] == [instants.parse("2026-02-28T00:00:00+01:00"), WHOLE.to]
    assert [fact.id for fact in stays] == ["Encounter/e1/stay/UF-CARD", "Encounter/e1/stay/UF-CARD/2"]
    assert len([fact for fact in parts if fact.relation]) == 2


def test_a_history_that_leaves_nothing_leaves_no_stay(tmp_path: Path):
    said = reading(tmp_path, an_encounter(statusHistory=[spell("planned", START, END)]))
    assert not said.facts
    assert len(said.retract) == 2


def test_a_spell_without_an_end_or_of_no_length_cuts_nothing(tmp_path: Path):
    for history in ([spell("planned", START)], [spell("planned", START, START)], [spell("onleave", START, BACK)]):
        assert reading(tmp_path, an_encounter(statusHistory=history)).facts[0].period == WHOLE


def test_a_movement_has_the_number_of_its_stay_and_the_report_counts_classes_with_their_history(tmp_path: Path):
    emer, imp = {"code": "EMER"}, {"code": "IMP"}
    whole = an_encounter("venue", identifier=[{"value": "S-2026-1"}], serviceProvider=None)
    del whole["serviceProvider"]
    move = an_encounter(partOf=ref("Encounter/venue"), classHistory=[{"class": emer}], **{"class": imp})
    said = readings(tmp_path, move, whole)
    assert said[0].facts[0].stay.stay_id == "S-2026-1"
    _, report = imported(ndjson(tmp_path, *HOSPITAL, move, whole))
    moves, wholes = report.encounters["EMER, IMP"], report.encounters[""]
    assert (moves.read, moves.stays, moves.responsible) == (1, 1, 0)
    assert wholes.why == {"no unit: no organisation, or a legal entity": 1}


def test_an_export_whose_performers_answer_for_the_patient_can_say_so(tmp_path: Path):
    feed = structs.replace(FEED, parts={"PPRF": "responsible", "ATND": "other"})
    assert reading(tmp_path, an_encounter(), feed=feed).facts[0].stay.responsible_id == DR
    assert not reading(tmp_path, an_encounter(participant=[a_part("ATND")]), feed=feed).facts[1:]


def a_document(**more: object) -> dict:
    return {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "type": coded("18842-5", "http://loinc.org"),
        "subject": ref("Patient/p1"),
        "date": MORNING,
        "author": [ref("PractitionerRole/r1")],
        "custodian": ref("Organization/chu"),
        "context": {"encounter": [ref("Encounter/e1")]},
        **more,
    }


CHU = an_organisation("chu", "CHU", type=[coded("LEGAL-ENTITY", "fr-core-cs-v2-3307")])
CHU["identifier"] = [{"value": "CHU"}, {"system": "https://finess.esante.gouv.fr", "value": "330000001"}]


def test_a_document_is_told_as_the_record_system_would_ask_about_it_and_is_no_fact(tmp_path: Path):
    more = (a_role(), CHU, an_encounter(identifier=[{"value": "S-1"}]))
    said = reading(tmp_path, a_document(), *more, feed=MAPPED)
    assert not said.facts
    assert said.document == Resource(
        "cr", "P1", "DocumentReference", "d1", None, DR, "330000001", instants.parse(MORNING), "UF-CARD", "S-1",
        None, lifecycle="actif",
    )  # fmt: skip


A07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
V3 = "http://terminology.hl7.org/CodeSystem/v3-"
LABELS = {
    "normal": ([coded("N", V3 + "Confidentiality")], (), ()),
    "hidden from the patient": ([coded("INVISIBLE_PATIENT", A07)], (), ("INVISIBLE_PATIENT",)),
    "masked": ([coded("N", V3 + "Confidentiality"), coded("MASQUE_PS", A07)], (), ("MASQUE_PS",)),
    "restricted": ([coded("V", V3 + "Confidentiality")], ("v3-Confidentiality|V",), ()),
    "psychiatry": ([coded("PSY", V3 + "ActCode")], ("psy",), ()),
    "unheard of": ([coded("X", "urn:local")], ("urn:local|X",), ()),
    "confidentiality under the address of visibility": ([coded("N", A07)], (), ()),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_label_is_a_tag_or_a_visibility_and_none_of_it_is_guessed(tmp_path: Path, name: str):
    labels, tags, visibility = LABELS[name]
    said = reading(tmp_path, a_document(securityLabel=labels), feed=MAPPED).document
    assert (said.tags, said.visibility) == (tags, visibility)


def test_a_composition_is_told_with_its_confidentiality_and_a_draft_is_a_draft(tmp_path: Path):
    composition = {
        "resourceType": "Composition",
        "id": "c1",
        "status": "preliminary",
        "type": coded("18842-5", "http://loinc.org"),
        "subject": ref("Patient/p1"),
        "encounter": ref("Encounter/e9"),
        "date": MORNING,
        "author": [ref("Practitioner/dr")],
        "confidentiality": "N",
    }
    said = reading(tmp_path, composition, feed=MAPPED).document
    assert (said.type, said.tags, said.lifecycle, said.stay, said.author) == ("Composition", (), "brouillon", "e9", DR)


def test_a_document_of_an_unknown_type_or_patient_is_counted_and_no_kind_is_less_complete(tmp_path: Path):
    files = ndjson(tmp_path, *HOSPITAL, a_document(type=coded("1", "urn:local")), a_document(subject=ref("Patient/x")))
    _, report = imported(files, feed=MAPPED)
    assert not report.documents
    assert report.vouched == ("record_state",)


FRENCH = "https://mos.esante.gouv.fr/NOS/TRE_{}/FHIR/TRE-{}"
G15, R21, R38 = (
    FRENCH.format(name, name) for name in ("G15-ProfessionSante", "R21-Fonction", "R38-SpecialiteOrdinale")
)
PROFILES = {
    "TRE_G15|10": "medecin",
    "TRE_R21|FON-48": "interne",
    "TRE_R38|SM44": "radiologue",
    "TRE_R38|SM*": "medecin",
}


@pytest.mark.parametrize(
    ("codes", "profile"),
    [
        ([coded("10", G15)], "medecin"),
        ([coded("10", G15), coded("FON-48", R21)], "interne"),
        ([coded("10", G15), coded("SM44", R38)], "radiologue"),
        ([coded("SM04", R38)], "medecin"),
        ([coded("FON-AU", R21)], ""),
    ],
)
def test_a_function_or_a_specialty_says_more_of_a_role_than_the_profession(tmp_path: Path, codes: list, profile: str):
    feed = structs.replace(FEED, profiles=PROFILES)
    facts = reading(tmp_path, a_role() | {"code": codes}, feed=feed).facts
    assert [fact.assignment.profile for fact in facts] == ([profile] if profile else [])


def test_the_profession_of_the_person_counts_where_the_role_tells_none(tmp_path: Path):
    person = a_practitioner("dr9", "9", qualification=[{"code": coded("10", G15)}])
    role = a_role(practitioner=ref("Practitioner/dr9")) | {"code": [coded("GENR01", "urn:local")]}
    facts = reading(tmp_path, role, person, feed=structs.replace(FEED, profiles=PROFILES)).facts
    assert facts[0].assignment.profile == "medecin"
