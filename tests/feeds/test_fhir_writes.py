"""An import as writes: small, the same for the same content, and complete only when it is."""

import json
from pathlib import Path

from msgspec import structs

from sidecar.core.model import Fact
from sidecar.facts.feeds.writes import BATCH, Write
from tests.feeds.hospital_by_hand import (
    FEED,
    HOSPITAL,
    NOON,
    a_part,
    a_patient,
    a_practitioner,
    a_role,
    a_team,
    an_encounter,
    imported,
    ndjson,
    ref,
)

DEMO = Path(__file__).parents[2] / "sidecar" / "demo" / "hospital.json"
EXPORT = [*HOSPITAL, a_role(), an_encounter(), a_team()]


def facts(writes: list[Write]) -> list[Fact]:
    return [fact for write in writes for fact in write.facts]


def test_the_same_files_make_the_same_requests():
    once, _ = imported(DEMO)
    again, _ = imported(DEMO)
    assert once == again
    assert len({write.request_id for write in once}) == len(once)


def test_a_later_import_of_the_same_says_the_same_at_a_later_instant():
    once, _ = imported(DEMO)
    later, _ = imported(DEMO, feed=structs.replace(FEED, as_of=NOON + 1))
    assert not {write.request_id for write in once} & {write.request_id for write in later}
    assert [structs.replace(fact, as_of=NOON) for fact in facts(later)] == facts(once)
    assert {fact.as_of for fact in facts(later)} == {NOON + 1}


def test_requests_are_small_and_completeness_comes_last(tmp_path: Path):
    patients = [a_patient(f"p{n}", f"P{n}") for n in range(2 * BATCH + 3)]
    ended = [a_team(f"t{n}", status="inactive") for n in range(BATCH + 1)]
    writes, report = imported(ndjson(tmp_path, *patients, *HOSPITAL[1:], *ended))
    assert [len(write.facts) for write in writes] == [BATCH, BATCH, 3, 0, 0, 0]
    assert [len(write.retract) for write in writes] == [0, 0, 0, BATCH, 1, 0]
    assert [len(write.watermarks) for write in writes] == [0, 0, 0, 0, 0, 1]
    assert report.taken_back == BATCH + 1


def test_a_whole_import_vouches_for_what_it_told_as_of_its_instant(tmp_path: Path):
    writes, report = imported(ndjson(tmp_path, *EXPORT))
    (mark,) = writes[-1].watermarks
    assert mark.kinds == report.vouched == ("assignment", "record_state", "relation", "stay")
    assert (mark.source, mark.complete_until) == ("fhir", NOON)
    assert "directive" not in mark.kinds, "FHIR says nothing of what the patient refused"
    assert "alias" not in mark.kinds, "nor which patient is a member of staff"


def test_a_partial_import_vouches_for_nothing_and_takes_nothing_back(tmp_path: Path):
    writes, report = imported(ndjson(tmp_path, *EXPORT), complete=False, known={"Encounter/e0/stay/UF-CARD": "stay"})
    assert not report.vouched
    assert not [write for write in writes if write.watermarks or write.retract]


def test_a_kind_no_resource_speaks_of_is_not_vouched_for(tmp_path: Path):
    _, report = imported(ndjson(tmp_path, *HOSPITAL, an_encounter()))
    assert report.vouched == ("record_state", "stay")


LOSSES = {
    "a patient nothing identifies": ({"resourceType": "Patient", "id": "px"}, {"record_state", "relation", "stay"}),
    "a malformed encounter": ({"resourceType": "Encounter", "id": "e9", "status": 3}, {"relation", "stay"}),
    "a role without a person": (a_role("r2", practitioner=ref("Practitioner/x")), {"assignment"}),
    "a team of an unknown patient": (a_team("t2", subject=ref("Patient/x")), {"relation"}),
    "what is not even a resource": ({"no": "type"}, {"assignment", "record_state", "relation", "stay"}),
    "a death without a date": (a_patient("pd", "PD", deceasedBoolean=True), {"record_state", "relation", "stay"}),
}


def test_a_kind_of_which_something_was_lost_is_not_vouched_for(tmp_path: Path):
    everything = {"assignment", "record_state", "relation", "stay"}
    for name, (resource, lost) in LOSSES.items():
        _, report = imported(ndjson(tmp_path, *EXPORT, resource))
        assert set(report.vouched) == everything - lost, name


def test_vouching_whatever_was_lost_would_make_unknown_restrictions_absent(tmp_path: Path):
    """The twin: an importer that forgets what it skipped vouches for a record state it never read."""
    breaches = 0
    for resource, lost in LOSSES.values():
        _, report = imported(ndjson(tmp_path, *EXPORT, resource))
        report.incomplete.clear()
        breaches += bool(lost & {"record_state"}) and "record_state" in report.tells_all()
    assert breaches > 0


def standing(*imports: tuple[list[Write], object]) -> dict[str, Fact]:
    """What a store would hold after these imports, by fact id."""
    held: dict[str, Fact] = {}
    for writes, _ in imports:
        for write in writes:
            held |= {fact.id: fact for fact in write.facts}
            for retraction in write.retract:
                held.pop(retraction.id, None)
    return held


def before_and_after(folder: Path) -> tuple[Path, Path]:
    """Two exports; between them one practitioner left the encounter and one patient's stay was deleted."""
    other = a_practitioner("dr2", "10000000002")
    parts = [a_part(), a_part("CON", "Practitioner/dr2")]
    before = ndjson(
        folder, *EXPORT[:4], other, an_encounter(participant=parts), an_encounter("e2"), a_team(), name="1.ndjson"
    )
    after = ndjson(folder, *EXPORT, other, name="2.ndjson")
    return before, after


def test_what_a_source_no_longer_tells_is_taken_back_by_its_next_whole_import(tmp_path: Path):
    before, after = before_and_after(tmp_path)
    first = imported(before)
    known = {fact.id: fact.kind for fact in standing(first).values()}
    held = standing(first, imported(after, known=known))
    assert set(held) == {fact.id for fact in facts(imported(after)[0])}
    again = imported(after, known={fact.id: fact.kind for fact in held.values()})
    assert again[1].taken_back == 0


def test_without_taking_back_somebody_who_left_would_keep_their_access(tmp_path: Path):
    """The twin: watermarks alone keep every fact of the source fresh, those of yesterday too."""
    before, after = before_and_after(tmp_path)
    held = standing(imported(before), imported(after))
    breaches = set(held) - {fact.id for fact in facts(imported(after)[0])}
    assert {"Encounter/e1/team/10000000002", "Encounter/e2/stay/UF-CARD"} <= breaches


def test_a_death_a_merge_or_what_the_patient_refused_is_never_taken_back_by_silence(tmp_path: Path):
    known = {"Patient/p0/record": "record_state", "Patient/merge/P0/P1": "alias", "d1": "directive"}
    assert imported(ndjson(tmp_path, *EXPORT), known=known)[1].taken_back == 0


def test_nothing_is_taken_back_of_a_kind_that_may_be_incomplete(tmp_path: Path):
    path = ndjson(tmp_path, *EXPORT, a_team("t2", subject=ref("Patient/x")))
    known = {"CareTeam/t0/10000000001": "relation", "Encounter/e0/stay/UF-CARD": "stay"}
    writes, _ = imported(path, known=known)
    assert [retraction.id for write in writes for retraction in write.retract] == [
        "CareTeam/t2/10000000001",
        "Encounter/e0/stay/UF-CARD",
    ], "the team of t2 holds for nobody known, the stay is gone, and t0 may be among what was lost"


def test_one_resource_told_twice_is_taken_once_and_told_differently_is_reported(tmp_path: Path):
    writes, report = imported(ndjson(tmp_path, *EXPORT, an_encounter()))
    assert len(facts(writes)) == len({fact.id for fact in facts(writes)})
    assert not report.incomplete
    moved = an_encounter(period={"start": "2026-02-01T00:00:00Z"})
    writes, report = imported(ndjson(tmp_path, *EXPORT, moved))
    assert ("Encounter", "told twice, differently: the first was kept") in report.skipped
    assert {"relation", "stay"} <= report.incomplete


def test_the_report_counts_what_was_read_taken_and_skipped(tmp_path: Path):
    _, report = imported(ndjson(tmp_path, *EXPORT, {"resourceType": "Observation", "id": "o1"}))
    assert report.resources["Observation"] == 1
    assert report.facts == {"record_state": 1, "assignment": 1, "stay": 1, "relation": 2}
    assert report.skipped == {("Observation", "not a type facts are made of"): 1}
    assert report.units == {"UF-CARD": 1}


def test_facts_and_requests_carry_no_name_of_a_person():
    bundle = json.loads(DEMO.read_text(encoding="utf-8"))
    names = {
        name["text"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
        for name in entry["resource"]["name"]
    }
    assert names
    writes, _ = imported(DEMO)
    assert not [name for name in names if name in repr(writes)]
