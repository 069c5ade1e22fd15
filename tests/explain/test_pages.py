"""`policy explain` on the command line: the pages people read, the JSON programs read, and what it refuses."""

import json
import os
import re
from pathlib import Path

import msgspec
import pytest

from sidecar.authoring.explain import ruling, values
from tests.cli.commands import ROOT, run

PACK = "policies/hospital"
GOLDEN = ROOT / "tests" / "golden" / "explain"
PAGES = {
    "permit_by_the_care_team": ("care_team", 1, "fr"),
    "no_relationship": ("care_team", 0, "en"),
    "masked": ("masks", 4, "fr"),
    "feed_that_is_silent": ("will_not_reported", 0, "en"),
    "delegated": ("delegation", 1, "fr"),
    "opening": ("will_not_reported", 4, "en"),
}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    """Files are named as in a terminal opened in the source tree."""
    monkeypatch.chdir(ROOT)


def story(name, ask, *options):
    return run("policy", "explain", PACK, "--story", f"{PACK}/tests/{name}.yaml", "--ask", ask, *options)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_what_it_said(page):
    name, ask, language = PAGES[page]
    said = story(name, ask, "--language", language)
    assert (said.code, said.err) == (0, "")
    out = re.sub(r"\b[0-9a-f]{16}\b", "<digest>", said.out)  # any change of the pack would change it
    golden = GOLDEN / f"{page}.{language}.txt"
    if os.environ.get("GOLDEN") == "rewrite":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(out)
    assert out == golden.read_text()


def test_the_pack_s_own_language_is_spoken_where_none_is_asked_for():
    assert story("care_team", 0).out == story("care_team", 0, "--language", "fr").out


def test_the_page_shows_what_the_caller_sees_and_what_is_true():
    lines = story("masks", 3, "--language", "en").out.splitlines()
    assert lines[1] == "DENY  MASKED"
    [seen] = [line for line in lines if "Seen by the caller" in line]
    assert "NOT_AVAILABLE" in seen


def test_an_explanation_that_does_not_agree_with_its_decision_is_no_success(monkeypatch):
    monkeypatch.setattr(ruling, "conceals", lambda readings, met, truth: False)
    said = story("masks", 3, "--language", "en")
    assert said.code == 1
    assert "does not agree with the decision: the decision counts" in said.out


QUESTION = {
    "subject": {"id": "dr-sau", "kind": "professionnel", "profile": "medecin", "units": ["UF-SAU"]}
    | {"account_type": "nominatif", "status": "actif"},
    "authentication": {"mfa": True, "time": "2026-03-10T10:00:00+01:00", "idle_s": 0, "remote": "none"},
    "device": {"class": "workstation", "managed": True, "compromised": False},
    "action": "read",
    "resource": {"patient_id": "P1", "category": "cr", "tags": []},
    "purpose": "soins",
}
STAY = {"id": "s1", "source": "adt", "stay": {"patient_id": "P1", "unit": "UF-CARD", "status": "active"}}


def asked(facts=None, request=QUESTION, *options, at="2026-03-10T10:00:00+01:00"):
    known = () if facts is None else ("--facts", facts)
    return run("policy", "explain", PACK, "--request", json.dumps(request), *known, "--at", at, "--json", *options)


def test_a_request_is_explained_with_the_facts_told_beside_it(tmp_path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps([STAY]))
    found = asked(file).json
    assert (found["outcome"]["reason"], found["agrees"]) == ("NO_RELATIONSHIP", True)
    assert found["missing"]["steps"][0]["body"]["assignment"]["unit"] == "UF-CARD"
    fact = {"source": "rh", "id": "a1", "assignment": {"subject_id": "dr-sau", "unit": "UF-CARD", "profile": "medecin"}}
    file.write_text(json.dumps([STAY, fact]))
    found = asked(file).json
    assert found["outcome"]["reason"] == "ALLOW_CARE_TEAM"
    assert {fact["ref"] for fact in found["facts"]} == {"stay adt/s1", "assignment rh/a1"}


def test_what_one_change_would_do_is_done_by_the_fact_as_it_is_printed(tmp_path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps([STAY]))
    step = asked(file).json["missing"]["steps"][0]
    file.write_text(json.dumps([STAY, step["body"]]))
    outcome = asked(file).json["outcome"]
    assert (outcome["effect"], outcome["reason"]) == (step["effect"], step["reason"])


def test_a_facts_file_may_be_yaml_and_say_which_feeds_told_everything(tmp_path):
    file = tmp_path / "facts.yaml"
    file.write_text(
        "complete: [record_state, alias]\n"
        "facts:\n"
        "  - {id: s1, source: adt, stay: {patient_id: P1, unit: UF-SAU, status: active}}\n"
    )
    assert asked(file).json["outcome"]["reason"] == "FACTS_UNAVAILABLE"
    file.write_text(
        file.read_text()
        + "watermarks:\n  - {source: feed, kinds: [directive], complete_until: 2026-03-10T10:00:00+01:00}\n"
    )
    found = asked(file).json
    assert found["outcome"]["reason"] == "ALLOW_CARE_TEAM"


def test_the_caller_counts():
    nobody = {"may_assert": [], "hds": "missing"}
    found = asked(None, QUESTION, "--caller", json.dumps(nobody)).json
    assert found["outcome"]["reason"] == "PROFILE_NOT_HELD"
    assert asked(None, QUESTION, "--caller", '{"controllers": ["a", "b"]}').code == 4


def test_an_item_of_a_batch_is_named():
    every = story("batches", 0)
    assert every.code == 4 and "say which with --item, from 0" in every.err
    first, second = story("batches", 0, "--item", 0, "--json"), story("batches", 0, "--item", 1, "--json")
    assert (first.code, second.code) == (0, 0)
    assert first.json["question"] != second.json["question"]
    assert story("batches", 0, "--item", 99).code == 4


def test_an_instant_and_a_name_that_are_none_are_refused_by_name(tmp_path):
    assert asked(at="yesterday").err.startswith("dpi-sidecar: --at: not an RFC 3339 instant")
    said = asked(None, QUESTION | {"whim": 1})
    assert (said.code, "whim" in said.err) == (4, True)
    said = asked(None, {key: value for key, value in QUESTION.items() if key != "purpose"})
    assert (said.code, "purpose" in said.err) == (4, True)
    file = tmp_path / "facts.json"
    file.write_text(json.dumps([{"id": "x", "source": "rh"}]))
    assert (asked(file).code, "exactly one of" in asked(file).err) == (4, True)
    file.write_text(json.dumps({"complete": ["weather"]}))
    assert "unknown kind of fact `weather`" in asked(file).err
    assert asked(None, QUESTION | {"purpose": ""}).err.startswith("dpi-sidecar: --request: purpose: required")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--ask", 1),
        ("--story", f"{PACK}/tests/care_team.yaml"),
        ("--story", f"{PACK}/tests/care_team.yaml", "--ask", 0, "--request", "{}"),
        ("--story", f"{PACK}/tests/care_team.yaml", "--ask", 0, "--at", "2026-03-10T10:00:00Z"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_command_line(options):
    assert run("policy", "explain", PACK, *options).code == 2


def test_a_step_that_asks_nothing_is_told_so():
    assert "puts no question to the rules" in story("care_team", 8).err
    assert "has asks 0 to 12, not 99" in story("care_team", 99).err


def test_every_field_of_the_json_is_described_and_no_other():
    page = (ROOT / "docs/explain.md").read_text()
    described = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE))
    assert described == {*_fields(values.Explanation, "", set()), "decision_id", "differences"}


def _fields(struct, prefix, seen):
    """The path of every field; what stands in two places is described in the first."""
    seen.add(struct)
    for field in msgspec.structs.fields(struct):
        yield prefix + field.encode_name
        for kind in _kinds(field.type):
            if getattr(kind, "__module__", "") == values.__name__ and isinstance(kind, type) and kind not in seen:
                yield from _fields(kind, f"{prefix}{field.encode_name}.", seen)


def _kinds(kind):
    yield kind
    for inner in getattr(kind, "__args__", ()):
        yield from _kinds(inner)


def test_the_json_holds_the_fields_it_is_described_to_hold():
    found = story("delegation", 1, "--json").json
    assert set(found) == {field.encode_name for field in msgspec.structs.fields(values.Explanation)}
    assert found["explanation"] == values.VERSION
    assert Path(found["parts"][0]["rows"][0]["file"]).suffix == ".csv"
