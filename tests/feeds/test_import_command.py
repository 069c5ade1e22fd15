"""The import command without a sidecar: what a dry run says, its mapping and its files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import cli
from sidecar.cli.importing import mapping_of
from sidecar.core import instants
from sidecar.core.model import Resource
from sidecar.errors import InputFault
from tests.feeds.hospital_by_hand import G15, HOSPITAL, a_role, a_team, an_encounter, coded, ndjson, ref
from tests.feeds.running import PACK
from tests.feeds.test_fhir_engagements import a_document

LETTER = a_document(securityLabel=[coded("N", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality")])
LOCAL = '[profiles]\n"urn:local|IDE" = "infirmier"\n[units]\n"UF-CARD" = "UF-2101"\n'


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    ndjson(folder, *HOSPITAL, a_role(), an_encounter(), a_team(), LETTER, {"resourceType": "Basic", "id": "b"})
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["facts", "import", "--dry-run", *map(str, arguments)], standalone_mode=False)


def test_a_dry_run_reports_what_an_import_would_do_and_needs_no_sidecar(export: Path):
    said = json.loads(run("--complete", "--json", export).stdout)
    assert said["facts"] == {"assignment": 1, "record_state": 1, "relation": 2, "stay": 1}
    assert said["documents"] == {"cr": 1}
    assert said["encounters"] == {"": {"read": 1, "stays": 1, "responsible": 0, "why": {}}}
    assert said["skipped"] == [
        {
            "type": "Basic",
            "reason": "not a type facts are made of",
            "count": 1,
            "examples": [f"{export}/export.ndjson:8"],
        }
    ]
    assert said["versions"] == {"changed": 0, "unchanged": 0, "retracted": 0}
    assert said["complete"] == ["assignment", "record_state", "relation", "stay"]


def test_the_report_is_a_table_of_what_was_read_taken_and_skipped_by_type_and_reason(export: Path):
    lines = [" ".join(line.split()) for line in run("--partial", export).stdout.splitlines()]
    assert "Encounter 1" in lines
    assert "stay 1" in lines
    assert "(none) 1 1 0" in lines
    assert f"Basic not a type facts are made of 1 {export}/export.ndjson:8" in lines
    assert lines[-2:] == ["nothing was written", "vouched complete: nothing"]


def test_documents_are_written_one_a_line_in_the_form_a_question_has(export: Path, tmp_path: Path):
    out = tmp_path / "documents.ndjson"
    run("--partial", "--documents", out, export)
    [line] = out.read_text().splitlines()
    said = instants.decode(Resource, json.loads(line))
    assert (said.category, said.patient_id, said.id, said.tags) == ("cr", "P1", "d1", ())
    assert "created_at" in json.loads(line)
    assert list(tmp_path.glob("*.part")) == []


def test_ones_own_codes_go_before_those_of_the_pack(tmp_path: Path):
    own = tmp_path / "mapping.toml"
    own.write_text(LOCAL + '[flags]\n"urn:local|VIP" = "personnalite"\n[categories]\n"urn:local|CR" = "cr"\n')
    mapped = mapping_of(own)
    assert mapped.profiles["urn:local|IDE"] == "infirmier"
    assert mapped.profiles["TRE_G15|10"] == "medecin", "the pack's own still counts"
    assert mapped.units == {"UF-CARD": "UF-2101"}


def test_the_mapping_of_the_pack_knows_the_usual_french_codes_by_any_of_their_addresses():
    mapped = mapping_of(None)
    assert {mapped.profiles[f"TRE_G15|{code}"] for code in ("10", "50", "60", "93")} == {
        "medecin",
        "sage_femme",
        "infirmier",
        "psychologue",
    }
    assert mapped.profiles["TRE_R21|FON-48"] == "interne"
    assert mapped.profiles["TRE_R38|SM44"] == "radiologue"
    assert mapped.categories["TRE_A03|10"] == "cr"
    assert G15.rpartition("/")[2].startswith("TRE-G15")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[profiles]\n"urn:local|X" = "docteur"\n', "the pack has no `docteur`"),
        ('[categories]\n"urn:local|X" = "lettre"\n', "the pack has no `lettre`"),
        ('[flags]\n"urn:local|X" = "vip"\n', "the pack has no `vip`"),
        ('[unit]\n"a" = "b"\n', "[unit] is no table of a mapping"),
        ("[units", "Expected ']'"),
    ],
)
def test_a_mapping_with_a_word_the_pack_does_not_have_is_refused_before_anything_is_read(
    tmp_path: Path, text: str, why: str
):
    own = tmp_path / "mapping.toml"
    own.write_text(text)
    with pytest.raises(InputFault, match=r"mapping\.toml") as fault:
        mapping_of(own, PACK)
    assert why in str(fault.value)


def test_a_local_code_gives_the_profile_and_the_unit_of_the_record_system(export: Path, tmp_path: Path):
    own = tmp_path / "mapping.toml"
    own.write_text(LOCAL)
    role = a_role("r2", practitioner=ref("Practitioner/dr")) | {"code": [coded("IDE", "urn:local")]}
    ndjson(export, role, name="roles.ndjson")
    said = json.loads(run("--partial", "--json", "--mapping", own, export).stdout)
    assert said["facts"]["assignment"] == 2
