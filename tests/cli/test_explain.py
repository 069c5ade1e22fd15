"""`policy explain --decision-id`: a recorded decision, explained with the facts of then."""

import shutil
from pathlib import Path

import pytest

from sidecar.api.shape import message
from sidecar.authoring.story import Batch
from sidecar.cli.connect import open_channel
from sidecar.core import instants
from sidecar.v1 import access_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from tests.cli.commands import run
from tests.cli.world import PACK, World, opening, question


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
    assert said.out.splitlines()[:2] == [decision, "The record says otherwise"]
    assert "NO_RELATIONSHIP" in said.out


def test_who_is_no_auditor_gets_no_explanation(world, refusal):
    assert explained(world, refusal, caller="dpi").code == 5


def test_a_decision_that_was_never_taken_is_not_found(world):
    assert explained(world, "nothing-of-this-name").code in (1, 4)


def test_without_a_token_a_record_is_not_reached(refusal):
    assert run("policy", "explain", PACK, "--decision-id", refusal).code == 2


def test_an_opening_and_what_it_opened_are_explained(world):
    opened = world.run("break-glass", "open", world.file(opening("dr-nuit", request_id="explained")), "--json").json
    found = explained(world, opened["answer"]["decision_id"], "--json").json
    assert (found["question"]["opening"], found["outcome"]["reason"]) == (True, "ALLOW_BREAK_GLASS")
    assert (found["agrees"], found["differences"], found["why"]["code"]) == (True, [], "opened")
    grant = opened["grant"]["id"]
    asked = question("dr-nuit", "UF-SAU", "soins_urgence", access_mode="bris_de_glace", grant=grant)
    decision = world.run("check", world.file(asked), "--json").json["decision_id"]
    found = explained(world, decision, "--json").json
    assert (found["outcome"]["reason"], found["agrees"], found["differences"]) == ("ALLOW_BREAK_GLASS", True, [])
    [seen] = [fact for fact in found["facts"] if fact["kind"] == "grant"]
    assert (seen["id"], seen["says"]["motive"]) == (grant, "URGENCE_VITALE")
    assert "non joignable" not in str(found)


def test_an_item_of_a_batch_is_explained_by_its_number(world):
    one = question()
    shared = {name: one[name] for name in ("subject", "authentication", "device", "purpose")}
    resource = {key: value for key, value in one["resource"].items() if key != "patient_id"}
    items = [{"action": action, "resource": resource} for action in ("read", "delete")]
    batch = instants.decode(Batch, {**shared, "patient_id": "P1", "items": items})
    channel, metadata = open_channel(world.address, str(world.folder / "dpi.token"), None, None, None)
    with channel:
        said = AccessServiceStub(channel).CheckAccessBatch(
            message(access_pb2.CheckAccessBatchRequest, batch), metadata=metadata, timeout=60
        )
    decision = said.results[1].answer.decision_id
    found = explained(world, decision, "--json").json
    assert (found["question"]["action"], found["outcome"]["reason"], found["agrees"]) == (
        "delete",
        "DELETE_FORBIDDEN",
        True,
    )
