"""`policy explain --decision-id`: a recorded decision, explained with the facts of then."""

import shutil
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.cli.world import PACK, World, question


@pytest.fixture(scope="module")
def refusal(world) -> str:
    """The id of a refusal of dr-nuit."""
    return world.run("check", world.file(question("dr-nuit", "UF-SAU")), "--json").json["decision_id"]


@pytest.fixture(scope="module")
def other_pack(tmp_path_factory) -> Path:
    """The pack, but for one thing: work in the unit of a stay gives nothing."""
    copy = tmp_path_factory.mktemp("packs") / "other"
    shutil.copytree(PACK, copy)
    grounds = copy / "rules/grounds.csv"
    kept = [line for line in grounds.read_text().splitlines(keepends=True) if not line.startswith("p, A-01,")]
    grounds.write_text("".join(kept))
    return copy


def explained(world: World, decision: str, *options: object, pack: Path = PACK, caller: str = "auditor"):
    return world.run("policy", "explain", pack, "--decision-id", decision, *options, caller=caller)


def test_a_recorded_refusal_is_explained_with_the_fact_that_was_missing(world, refusal):
    said = explained(world, refusal, "--json")
    assert said.code == 0, said
    found = said.json
    assert (found["outcome"]["true_reason"], found["agrees"], found["differences"]) == ("NO_RELATIONSHIP", True, [])
    assert found["question"]["subject_id"] == "dr-nuit"
    [first, *_] = found["missing"]["steps"]
    assert (first["body"]["assignment"]["subject_id"], first["reason"]) == ("dr-nuit", "ALLOW_CARE_TEAM")


def test_a_recorded_permit_names_the_facts_it_rested_on(world):
    decision = world.run("check", world.file(question()), "--json").json["decision_id"]
    found = explained(world, decision, "--json").json
    assert found["outcome"]["reason"] == "ALLOW_CARE_TEAM"
    rested = {(fact["kind"], fact["source"], fact["id"]) for fact in found["facts"]}
    assert found["outcome"]["relied"]
    assert {tuple(ref.replace("/", " ", 1).split(" ", 2)) for ref in found["outcome"]["relied"]} <= rested
    assert found["differences"] == []


def test_facts_that_came_later_do_not_count(world, refusal):
    assignment = {"subject_id": "dr-nuit", "unit": "UF-CARD", "profile": "medecin"}
    late = {"request_id": "late-1", "facts": [{"id": "late-1", "source": "fhir", "assignment": assignment}]}
    assert world.run("facts", "write", world.file(late)).code == 0
    assert explained(world, refusal, "--json").json["outcome"]["true_reason"] == "NO_RELATIONSHIP"
    ended = {"request_id": "ended-1", "retract": [{"source": "fhir", "id": "late-1"}]}
    assert world.run("facts", "write", world.file(ended)).code == 0


def test_the_reading_is_recorded_before_it_is_told(world, refusal):
    assert explained(world, refusal).code == 0
    [last] = world.run("ledger", "show", "--limit", 1, "--json", caller="auditor").json_lines
    assert (last["kind"], last["opened"]["filter"]) == ("consulted", f"recall {refusal}")


def test_another_pack_explains_only_when_it_is_asked_to_and_says_what_differs(world, other_pack):
    decision = world.run("check", world.file(question()), "--json").json["decision_id"]
    said = explained(world, decision, pack=other_pack)
    assert (said.code, said.out) == (4, "")
    assert "another pack decided" in said.err
    said = explained(world, decision, "--any-policy", "--language", "en", pack=other_pack)
    assert said.code == 1
    assert said.out.startswith("The record says otherwise")
    assert "NO_RELATIONSHIP" in said.out


def test_who_is_no_auditor_gets_no_explanation(world, refusal):
    assert explained(world, refusal, caller="dpi").code == 5


def test_a_decision_that_was_never_taken_is_not_found(world):
    assert explained(world, "nothing-of-this-name").code in (1, 4)


def test_without_a_token_a_record_is_not_reached(refusal):
    assert run("policy", "explain", PACK, "--decision-id", refusal).code == 2
