"""The commands that write, import and read what the sidecar knows."""

from tests.cli.world import HOSPITAL, PACK

MAPPING = ("--mapping", PACK / "pack.toml")


def appointment(name: str, patient: str = "P7") -> dict[str, object]:
    return {
        "id": name,
        "source": "rdv",
        "relation": {"kind": "REL_APPT", "patient_id": patient, "subject_id": "dr-cardio"},
        "period": {"from": "2026-03-01T22:00:00+01:00", "to": "2026-03-01T22:30:00+01:00"},
    }


def test_facts_are_written_once_and_the_same_request_again_changes_nothing(world):
    told = {"request_id": "rdv-1", "facts": [appointment("rdv-1")]}
    first = world.run("facts", "write", world.file(told))
    assert (first.code, first.json["changed"], first.json["unchanged"]) == (0, 1, 0)
    assert world.run("facts", "write", world.file(told)).json["consistency_token"] == first.json["consistency_token"]
    again = world.run("facts", "write", world.file(told | {"request_id": "rdv-2"}))
    assert (again.json["changed"], again.json["unchanged"]) == (0, 1)


def test_one_fact_at_fault_keeps_all_of_them_out(world):
    wrong = appointment("rdv-9", "P9") | {"relation": {"kind": "REL_NONE", "patient_id": "P9", "subject_id": "x"}}
    said = world.run(
        "facts", "write", world.file({"request_id": "rdv-8", "facts": [appointment("rdv-8", "P9"), wrong]})
    )
    assert said.code == 4
    assert "INVALID_ARGUMENT: facts[1]" in said.err
    assert world.run("facts", "read", "--patient", "P9", "--json").out == ""


def test_a_fact_with_a_key_nobody_knows_is_named_by_its_place(world):
    path = world.file({"request_id": "rdv-3", "facts": [appointment("rdv-1") | {"until": "2026-03-01"}]})
    said = world.run("facts", "write", path)
    assert said.code == 4
    assert said.err == f"dpi-sidecar: {path}: Object contains unknown field `until` - at `$.facts[0]`\n"


def test_what_is_known_of_a_patient_is_a_line_a_fact_in_a_pipe(world):
    said = world.run("facts", "read", "--patient", "P1", caller="feed")
    head, *lines = said.out.splitlines()
    assert head.split() == ["kind", "says", "from", "to", "told", "by"]
    [stay] = [line for line in lines if line.startswith("stay ")]
    assert "patient_id=P1" in stay and "unit=UF-CARD" in stay and stay.endswith("fhir Encounter/sejour-1/stay/UF-CARD")


def test_facts_are_read_by_kind_and_id_as_json(world):
    found = world.run("facts", "read", "--kind", "stay", "--json").json_lines
    assert found and all("stay" in version["fact"] for version in found)
    name = found[0]["fact"]["id"]
    assert [version["fact"]["id"] for version in world.run("facts", "read", "--id", name, "--json").json_lines] == [
        name
    ]


def test_facts_are_read_as_they_stood(world):
    assert world.run("facts", "read", "--patient", "P1", "--as-of", "2020-01-01T00:00:00Z", "--json").out == ""


def test_a_kind_that_does_not_exist_is_answered_with_those_that_do(world):
    said = world.run("facts", "read", "--kind", "sejour")
    assert said.code == 4
    assert "`sejour` is none of assignment, stay, relation" in said.err


def test_an_instant_without_an_offset_is_refused_by_option(world):
    said = world.run("facts", "read", "--as-of", "2026-03-01T22:00:00")
    assert said.code == 4
    assert said.err.startswith("dpi-sidecar: --as-of: not an RFC 3339 instant with an offset")


def test_an_import_says_what_it_took_and_a_second_one_changes_nothing(world):
    said = world.run("facts", "import", "--complete", HOSPITAL, *MAPPING, caller="feed")
    assert said.code == 0
    words = [line.split() for line in said.out.splitlines()]
    assert ["stay", "3"] in words and ["assignment", "3"] in words
    assert "0 new versions, 14 unchanged, 0 taken back" in said.out
    assert "vouched complete: assignment, record_state, relation, stay" in said.out


def test_an_import_report_comes_as_json(world):
    said = world.run("facts", "import", "--complete", HOSPITAL, *MAPPING, "--json", caller="feed")
    assert said.json["facts"]["stay"] == 3
    assert said.json["versions"] == {"changed": 0, "unchanged": 14, "retracted": 0}


def test_staff_whose_code_means_nothing_are_skipped_and_the_report_says_where(world):
    export = world.file(HOSPITAL.read_text().replace("TRE-G15-ProfessionSante", "x").replace("TRE_G15", "urn:local"))
    said = world.run("facts", "import", export, "--source", "essai", "--partial", caller="feed")
    assert said.code == 0
    assert "Skipped" in said.out and "PractitionerRole" in said.out and f"{export.name}" in said.out
    assert "no profile for the codes of this role" in said.out
    assert "vouched complete: nothing" in said.out


def test_an_import_names_what_is_wrong_with_its_options(world):
    assert "is no time zone" in world.run("facts", "import", "--complete", HOSPITAL, "--zone", "Mars/Olympus").err
    assert world.run("facts", "import", "--complete", HOSPITAL, "--zone", "Mars/Olympus").code == 4
    mapping = world.file("profiles = 3\n")
    said = world.run("facts", "import", "--complete", HOSPITAL, "--mapping", mapping)
    assert said.code == 4
    assert said.err.startswith(f"dpi-sidecar: {mapping}: ")
    assert world.run("facts", "import", "--complete", world.folder / "none.json").code == 2


def test_an_import_must_be_told_whether_it_is_the_whole(world):
    said = world.run("facts", "import", "--dry-run", HOSPITAL)
    assert said.code == 2
    assert "--complete or --partial" in said.err


def test_a_word_of_a_mapping_that_the_pack_does_not_have_is_named_with_what_is_expected(world):
    reading = ("facts", "import", "--dry-run", "--complete", HOSPITAL)
    assert "--default-profile: the pack has no `docteur`" in world.run(*reading, "--default-profile", "docteur").err
    for text, fault in (
        ('default_profile = "docteur"', "default_profile: the pack has no `docteur`"),
        ('[profils]\n"10" = "medecin"', "[profils] is no table of a mapping; expected profiles, units"),
        ('[profiles]\n"10" = "docteur"', "[profiles] `10`: the pack has no `docteur`"),
    ):
        mapping = world.file(text)
        said = world.run(*reading, "--mapping", mapping)
        assert (said.code, said.err) == (4, f"dpi-sidecar: {mapping}: {said.err.partition(f'{mapping}: ')[2]}")
        assert fault in said.err


def test_what_cannot_be_read_is_an_exit_code_and_a_sentence_with_file_and_line(world):
    whole = world.folder / "whole.ndjson"
    whole.write_text('{"resourceType": "Patient", "id": "p1"}\n{"resourceType": "Patient", "id"\n')
    said = world.run("facts", "import", "--dry-run", "--complete", whole)
    assert said.code == 4
    assert f"1 of the input cannot be read, the first {whole}:2: Input data was truncated" in said.err
    assert "(unknown)" in said.out
    assert "Taken: nothing" in said.out
    empty = world.folder / "empty"
    empty.mkdir()
    said = world.run("facts", "import", "--dry-run", "--complete", empty)
    assert (said.code, "no file in this folder" in said.err) == (4, True)


def test_stays_without_a_responsible_physician_are_counted_with_what_to_do(world):
    reading = ("facts", "import", "--dry-run", "--partial")
    nobody = world.file(HOSPITAL.read_text().replace('"ATND"', '"PPRF"'))
    hint = "stays name no responsible physician; [parts] of the mapping says who is"
    assert f"3 {hint}" in world.run(*reading, nobody).out
    assert hint not in world.run(*reading, HOSPITAL).out


def test_a_file_that_is_no_fhir_is_skipped_with_its_name_and_nothing_is_vouched_for(world):
    path = world.file("not even JSON")
    said = world.run("facts", "import", "--complete", path, "--source", "essai", caller="feed")
    assert said.code == 4
    assert path.name in said.out
    assert "vouched complete: nothing" in said.out


def test_a_caller_that_may_not_write_is_refused(world):
    said = world.run(
        "facts", "write", world.file({"request_id": "rdv-4", "facts": [appointment("rdv-1")]}), caller="auditor"
    )
    assert (said.code, said.out) == (5, "")
    assert "this method is for the role feed" in said.err
