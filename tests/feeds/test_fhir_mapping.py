"""What FHIR resources say about who works where, who is in which unit and who takes part in whose care."""

from pathlib import Path

import pytest
from msgspec import structs

from sidecar.core import instants
from sidecar.core.model import Alias, Assignment, Period, Relation, Retraction, Stay
from sidecar.facts.feeds import fhir
from sidecar.facts.feeds.reading import RPPS
from tests.feeds.hospital_by_hand import (
    END,
    FEED,
    G15,
    HOSPITAL,
    START,
    a_part,
    a_patient,
    a_practitioner,
    a_role,
    a_team,
    an_encounter,
    an_organisation,
    coded,
    ndjson,
    reading,
    readings,
    reasons,
    ref,
)

WHOLE = Period(instants.parse(START), instants.parse(END))
DR = "10000000001"


def test_an_encounter_is_a_stay_in_the_unit_that_answers_and_names_its_practitioner_for_its_time(tmp_path: Path):
    said = reading(tmp_path, an_encounter(status="finished"))
    stay, member = said.facts
    assert stay.stay == Stay("P1", "UF-CARD", "active", "e1")
    assert stay.period == WHOLE, "a past encounter is active with both ends"
    assert member.relation == Relation("REL_TEAM", "P1", DR)
    assert member.period == WHOLE
    assert [fact.id for fact in said.facts] == ["Encounter/e1/stay/UF-CARD", f"Encounter/e1/team/{DR}"]


def test_taking_part_in_an_encounter_assigns_nobody_to_its_unit(tmp_path: Path):
    assert all(fact.assignment is None for fact in reading(tmp_path, an_encounter()).facts)


HOLDS = {
    "arrived": "active",
    "triaged": "active",
    "in-progress": "active",
    "onleave": "active",
    "finished": "active",
    "planned": "planned",
    "cancelled": None,
    "entered-in-error": None,
    "unknown": None,
    "in progress": None,
    "": None,
}


@pytest.mark.parametrize("status", HOLDS)
def test_the_status_of_an_encounter_decides_whether_it_holds(tmp_path: Path, status: str):
    said = reading(tmp_path, an_encounter(status=status))
    stays = [fact.stay.status for fact in said.facts if fact.stay]
    members = [fact for fact in said.facts if fact.relation]
    assert stays == ([HOLDS[status]] if HOLDS[status] else [])
    assert len(members) == (1 if HOLDS[status] == "active" else 0), "nobody has cared for a planned patient yet"


def test_what_an_encounter_gave_is_taken_back_when_it_turns_out_void(tmp_path: Path):
    before = {fact.id for fact in reading(tmp_path, an_encounter()).facts}
    for status in ("cancelled", "entered-in-error", "unknown"):
        void = reading(tmp_path, an_encounter(status=status))
        assert not void.facts
        assert {retraction.id for retraction in void.retract} == before
        assert {retraction.source for retraction in void.retract} == {"fhir"}


@pytest.mark.parametrize(
    ("status", "period", "kept"),
    [
        ("finished", {"start": START, "end": END}, True),
        ("finished", {"start": START}, False),
        ("finished", {"end": END}, False),
        ("finished", {}, False),
        ("in-progress", {"start": START}, True),
        ("in-progress", {}, True),
        ("planned", {"start": START}, True),
        ("planned", {}, False),
        ("in-progress", {"start": END, "end": START}, False),
        ("in-progress", {"start": START, "end": START}, False),
        ("in-progress", {"start": "yesterday"}, False),
        ("in-progress", {"start": "2026-02-30"}, False),
        ("in-progress", {"start": "2026-02-27T08:00:00"}, False),
    ],
)
def test_a_stay_never_begins_or_lasts_by_an_end_nobody_wrote(tmp_path: Path, status: str, period: dict, kept: bool):
    said = reading(tmp_path, an_encounter(status=status, period=period))
    assert bool(said.facts) == kept
    assert bool(said.skipped) != kept
    assert kept or {retraction.id for retraction in said.retract} == {
        "Encounter/e1/stay/UF-CARD",
        f"Encounter/e1/team/{DR}",
    }


def test_the_bed_adds_the_unit_that_runs_it_for_the_time_in_the_bed(tmp_path: Path):
    moved = "2026-02-28T09:00:00+01:00"
    said = reading(
        tmp_path,
        an_encounter(
            location=[
                {"location": ref("Location/bed-7"), "period": {"start": moved}},
                {"location": ref("Location/bed-1"), "period": {"start": START, "end": moved}},
                {"location": ref("Location/bed-9"), "status": "reserved"},
                {"location": ref("Location/bed-8"), "status": "planned", "period": {"start": "2026-03-02"}},
            ]
        ),
        {"resourceType": "Location", "id": "bed-7", "partOf": ref("Location/ward")},
        {"resourceType": "Location", "id": "ward", "managingOrganization": ref("Organization/rea")},
        {"resourceType": "Location", "id": "bed-1", "managingOrganization": ref("Organization/card")},
        {"resourceType": "Location", "id": "bed-8", "managingOrganization": ref("Organization/ssr")},
        an_organisation("rea", "UF-REA"),
        an_organisation("ssr", "UF-SSR"),
    )
    stays = {(fact.stay.unit, fact.stay.status): fact.period for fact in said.facts if fact.stay}
    assert stays[("UF-CARD", "active")] == WHOLE
    assert stays[("UF-REA", "active")] == Period(instants.parse(moved), WHOLE.to)
    assert stays[("UF-SSR", "planned")].from_ == instants.parse("2026-03-02T00:00:00+01:00")
    assert len(stays) == 3
    assert reasons(said) == ["a place held free"]


def test_a_legal_entity_is_not_a_unit_whose_staff_all_care_for_the_patient(tmp_path: Path):
    hospital = an_organisation("chu", "350005179", type=[coded("LEGAL-ENTITY", "fr-core-cs-v2-3307")])
    said = reading(tmp_path, an_encounter(serviceProvider=ref("Organization/chu")), hospital)
    assert not [fact for fact in said.facts if fact.stay]
    assert [fact for fact in said.facts if fact.relation], "the practitioner is named all the same"
    assert "no unit: no organisation, or a legal entity" in reasons(said)
    role = reading(tmp_path, a_role(organization=ref("Organization/chu")), hospital)
    assert not role.facts


@pytest.mark.parametrize(
    ("code", "cares"),
    [
        *[(code, True) for code in ("ATND", "PPRF", "SPRF", "CON", "ADM", "DIS")],
        *[(code, False) for code in ("ESC", "REF", "CALLBCK", "translator", "emergency", "PART", "")],
    ],
)
def test_only_a_part_that_is_care_names_somebody_in_the_care(tmp_path: Path, code: str, cares: bool):
    said = reading(tmp_path, an_encounter(participant=[a_part(code)]))
    assert bool([fact for fact in said.facts if fact.relation]) == cares
    assert bool(said.skipped) != cares


def test_the_attender_alone_is_responsible_for_the_stay(tmp_path: Path):
    other = a_practitioner("dr2", "10000000002")

    def responsible(*parts: dict) -> list[str]:
        said = reading(tmp_path, an_encounter(participant=list(parts)), other)
        return [fact.stay.responsible_id for fact in said.facts if fact.stay]

    assert responsible(a_part("ATND")) == [DR]
    assert responsible(a_part("PPRF")) == [""]
    assert responsible(a_part("ATND"), a_part("PPRF", "Practitioner/dr2")) == [DR]
    assert responsible(a_part("ATND"), a_part("ATND", "Practitioner/dr2")) == [""]


def test_a_part_lasts_no_longer_than_the_encounter(tmp_path: Path):
    part = a_part(period={"start": "2026-02-20", "end": "2026-02-28T00:00:00+01:00"})
    said = reading(tmp_path, an_encounter(participant=[part]))
    assert [fact.period for fact in said.facts if fact.relation] == [
        Period(WHOLE.from_, instants.parse("2026-02-28T00:00:00+01:00"))
    ]
    outside = reading(tmp_path, an_encounter(participant=[a_part(period={"end": "2026-02-20"})]))
    assert not [fact for fact in outside.facts if fact.relation]
    assert reasons(outside) == ["a part outside the period of the whole"]


def test_a_practitioner_who_left_and_came_back_has_two_parts(tmp_path: Path):
    parts = [
        a_part(period={"end": "2026-02-28T00:00:00+01:00"}),
        a_part(period={"start": "2026-03-01T00:00:00+01:00"}),
    ]
    said = reading(tmp_path, an_encounter(participant=parts))
    assert [fact.id for fact in said.facts if fact.relation] == [
        f"Encounter/e1/team/{DR}",
        f"Encounter/e1/team/{DR}/2",
    ]


def test_an_active_care_team_names_its_practitioners_and_nobody_else(tmp_path: Path):
    members = [
        {"member": ref("Practitioner/dr")},
        {"member": ref("Organization/card")},
        {"member": ref("Patient/p1")},
        {"member": ref("PractitionerRole/r9")},
        {"member": ref("RelatedPerson/x")},
        {"member": ref("Practitioner/stranger")},
        {},
    ]
    role = a_role("r9", practitioner=ref("Practitioner/dr2"))
    said = reading(tmp_path, a_team(participant=members), role, a_practitioner("dr2", "10000000002"))
    assert [fact.relation for fact in said.facts] == [
        Relation("REL_TEAM", "P1", DR),
        Relation("REL_TEAM", "P1", "10000000002"),
    ]
    assert {fact.period for fact in said.facts} == {Period(WHOLE.from_, None)}
    assert reasons(said).count("not a named professional") == 3
    assert reasons(said).count("a person nothing identifies for sure") == 2


@pytest.mark.parametrize("status", ["inactive", "proposed", "suspended", "entered-in-error", ""])
def test_a_care_team_that_is_not_active_takes_its_relations_back(tmp_path: Path, status: str):
    active = reading(tmp_path, a_team())
    ended = reading(tmp_path, a_team(status=status))
    assert not ended.facts
    assert ended.retract == tuple(Retraction("fhir", fact.id) for fact in active.facts)


def test_a_role_is_an_assignment_under_the_profile_of_its_code(tmp_path: Path):
    said = reading(tmp_path, a_role(code="60", period={"start": "2025-01-01", "end": "2026-12-31"}))
    (fact,) = said.facts
    assert fact.assignment == Assignment(DR, "UF-CARD", "infirmier")
    assert fact.period == Period(
        instants.parse("2025-01-01T00:00:00+01:00"), instants.parse("2027-01-01T00:00:00+01:00")
    ), "the last day is worked to its end"


def test_a_profile_comes_from_the_role_then_the_specialty_then_the_qualification(tmp_path: Path):
    qualified = a_practitioner("dr2", "10000000002", qualification=[{"code": coded("60", G15)}])
    by = ref("Practitioner/dr2")
    both = a_role(practitioner=by, code="", specialty=[coded("10", G15)])
    assert reading(tmp_path, both, qualified).facts[0].assignment.profile == "medecin"
    assert reading(tmp_path, a_role(practitioner=by, code=""), qualified).facts[0].assignment.profile == "infirmier"


def test_a_role_nobody_mapped_is_skipped_unless_a_default_is_given(tmp_path: Path):
    unmapped = reading(tmp_path, a_role(code="99"))
    assert not unmapped.facts
    assert unmapped.retract == (Retraction("fhir", "PractitionerRole/r1"),)
    assert reasons(unmapped) == ["no profile for the codes of this role"]
    assert f"{G15}|99" in unmapped.skipped[0].detail
    given = reading(tmp_path, a_role(code="99"), feed=structs.replace(FEED, default_profile="infirmier"))
    assert given.facts[0].assignment.profile == "infirmier"


@pytest.mark.parametrize("which", ["role", "person"])
def test_a_role_that_is_not_active_is_taken_back(tmp_path: Path, which: str):
    gone = a_practitioner("dr3", "10000000003", active=which != "person")
    said = reading(tmp_path, a_role(practitioner=ref("Practitioner/dr3"), active=which != "role"), gone)
    assert not said.facts
    assert said.retract == (Retraction("fhir", "PractitionerRole/r1"),)


def test_units_are_renamed_by_the_mapping(tmp_path: Path):
    feed = structs.replace(FEED, units={"UF-CARD": "3101"})
    assert reading(tmp_path, a_role(), feed=feed).facts[0].assignment.unit == "3101"
    assert reading(tmp_path, an_encounter(), feed=feed).facts[0].stay.unit == "3101"


# ---- patients


def record(folder: Path, patient: dict, *others: dict):
    path = ndjson(folder, patient, *HOSPITAL[1:], *others)
    return next(iter(fhir.read([path], FEED)))


def test_a_patient_is_a_record_state_with_the_last_care(tmp_path: Path):
    said = record(tmp_path, a_patient(birthDate="1951-03-14"), an_encounter(status="finished"))
    state = said.facts[0].record_state
    assert (state.patient_id, state.birth_date, state.death_date) == ("P1", "1951-03-14", "")
    assert state.last_care == instants.parse(END)


@pytest.mark.parametrize(
    ("told", "day", "lost"),
    [
        ({"deceasedDateTime": "2026-02-28T23:30:00Z"}, "2026-03-01", False),
        ({"deceasedDateTime": "2026-02"}, "2026-02-01", False),
        ({"deceasedBoolean": True, "meta": {"lastUpdated": "2026-02-28T10:00:00Z"}}, "2026-02-28", False),
        ({"deceasedBoolean": True}, "", True),
        ({"deceasedBoolean": False}, "", False),
    ],
)
def test_a_death_is_recorded_by_its_day_here(tmp_path: Path, told: dict, day: str, lost: bool):
    said = record(tmp_path, a_patient(**told))
    assert said.facts[0].record_state.death_date == day
    assert any(skipped.lost for skipped in said.skipped) == lost, "a death without a day makes the kind incomplete"


def test_a_birth_date_without_a_day_is_left_out(tmp_path: Path):
    assert record(tmp_path, a_patient(birthDate="1951")).facts[0].record_state.birth_date == ""


def test_a_merge_told_from_both_ends_is_one_fact(tmp_path: Path):
    survivor = a_patient("p1", "P1", link=[{"other": ref("Patient/p2"), "type": "replaces"}])
    merged = a_patient("p2", "P2", link=[{"other": ref("Patient/p1"), "type": "replaced-by"}])
    said = list(fhir.read([ndjson(tmp_path, survivor, merged)], FEED))
    aliases = [fact for one in said for fact in one.facts if fact.alias]
    assert [fact.alias for fact in aliases] == [Alias("P1", "P2", "merge")] * 2
    assert aliases[0] == aliases[1]


def test_a_link_that_only_points_elsewhere_merges_nobody(tmp_path: Path):
    said = record(tmp_path, a_patient(link=[{"other": ref("Patient/p2"), "type": "seealso"}]), a_patient("p2", "P2"))
    assert all(fact.alias is None for fact in said.facts)
    assert reasons(said) == ["a link that does not merge"]


@pytest.mark.parametrize(
    ("identifiers", "chosen"),
    [
        ([{"system": "a", "value": "1"}, {"type": coded("MR"), "system": "b", "value": "2"}], "2"),
        ([{"type": coded("PI"), "system": "a", "value": "1"}, {"type": coded("MR"), "system": "b", "value": "2"}], "2"),
        ([{"type": coded("SS"), "system": "a", "value": "1"}], None),
        ([{"type": coded("SS"), "system": "a", "value": "1"}, {"system": "b", "value": "2"}], "2"),
        ([{"use": "old", "system": "a", "value": "1"}, {"system": "b", "value": "2"}], "2"),
        ([{"system": "a", "value": "1"}, {"use": "official", "system": "b", "value": "2"}], "2"),
        ([], None),
    ],
)
def test_a_patient_goes_by_the_medical_record_number_never_by_a_social_security_number(
    tmp_path: Path, identifiers: list, chosen: str | None
):
    said = record(tmp_path, {"resourceType": "Patient", "id": "p1", "identifier": identifiers})
    assert [fact.record_state.patient_id for fact in said.facts] == ([chosen] if chosen else [])
    assert bool(said.skipped) == (chosen is None)


def test_every_identity_is_found_by_the_system_the_import_prefers(tmp_path: Path):
    both = [{"type": coded("MR"), "system": "urn:ipp", "value": "P1"}, {"system": "urn:ins", "value": "1510375"}]
    patient = {"resourceType": "Patient", "id": "p1", "identifier": both}
    path = ndjson(tmp_path, patient, *HOSPITAL[1:], an_encounter())
    said = list(fhir.read([path], structs.replace(FEED, patient_systems=("urn:ins",))))
    assert {fact.patient_id for one in said for fact in one.facts} == {"1510375"}


# ---- references


URN = "urn:uuid:0b3c4c0e-6e0a-4c57-9d0e-5d4a3d3f1a11"


def test_every_way_to_point_at_a_practitioner_finds_the_same_one(tmp_path: Path):
    ways = [
        ref("Practitioner/dr"),
        ref("Practitioner/dr/_history/3"),
        ref(f"Practitioner?identifier={RPPS}|{DR}"),
        {"identifier": {"system": RPPS, "value": DR}},
        ref(f"Practitioner?identifier=urn:local|{'77'}"),
    ]
    known = a_practitioner("dr")
    known["identifier"].append({"system": "urn:local", "value": "77"})
    for way in ways:
        path = ndjson(
            tmp_path, a_patient(), known, an_organisation(), an_encounter(participant=[a_part() | {"individual": way}])
        )
        said = list(fhir.read([path], FEED))[-1]
        assert [fact.relation.subject_id for fact in said.facts if fact.relation] == [DR], way


@pytest.mark.parametrize(
    "way",
    [
        ref("https://elsewhere.example/fhir/Practitioner/dr"),
        ref("Practitioner/unknown"),
        ref("#contained"),
        ref("Practitioner?identifier=urn:local|77"),
        {"identifier": {"system": "urn:local", "value": "77"}},
        ref(""),
        {},
    ],
)
def test_a_reference_that_names_nobody_for_sure_names_nobody(tmp_path: Path, way: dict):
    said = reading(tmp_path, an_encounter(participant=[a_part() | {"individual": way}]))
    assert not [fact for fact in said.facts if fact.relation]
    assert "a person nothing identifies for sure" in reasons(said)


def test_a_relative_or_an_organisation_who_takes_part_is_not_staff_and_nothing_is_lost(tmp_path: Path):
    for way in ("Patient/p1", "RelatedPerson/x", "Organization/card", "https://a.example/fhir/RelatedPerson/7"):
        said = reading(tmp_path, an_encounter(participant=[a_part("CON", way)]))
        assert not [fact for fact in said.facts if fact.relation]
        assert [(skipped.reason, skipped.lost) for skipped in said.skipped] == [("not a named professional", False)]


def test_a_person_the_files_do_not_describe_is_known_by_a_national_number(tmp_path: Path):
    way = ref(f"Practitioner?identifier={RPPS}|10000000009")
    said = reading(tmp_path, an_encounter(participant=[a_part() | {"individual": way}]))
    assert [fact.relation.subject_id for fact in said.facts if fact.relation] == ["10000000009"]


def test_a_number_two_systems_give_to_two_people_names_neither(tmp_path: Path):
    """The twin is in the same test: with one system the number names somebody."""
    same = a_practitioner("other", DR, system=RPPS)
    clash = a_practitioner("other", DR, system="urn:local")
    assert [f for f in readings(tmp_path, an_encounter(), same)[0].facts if f.relation]
    disputed = readings(tmp_path, an_encounter(), clash)[0]
    assert not [fact for fact in disputed.facts if fact.relation]
    assert "a person nothing identifies for sure" in reasons(disputed)
    twins = [a_patient("p1", "P1"), a_patient("p2", "P1")]
    twins[1]["identifier"][0]["system"] = "urn:other"
    said = list(fhir.read([ndjson(tmp_path, *twins)], FEED))
    assert not [fact for one in said for fact in one.facts]
