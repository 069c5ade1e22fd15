"""`replay`: a recorded decision comes out the same when it is taken again, or what differs is named."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from sidecar.authoring import bundle
from tests.cli.world import PACK, World, a_world, question

NIGHT = ("dr-nuit", "UF-SAU")


@pytest.fixture(scope="module")
def other_pack(tmp_path_factory) -> Path:
    """The pack, but for one thing: no one leaves the care team before 24 h."""
    copy = tmp_path_factory.mktemp("packs") / "other"
    shutil.copytree(PACK, copy)
    grounds = copy / "rules/grounds.csv"
    lines = grounds.read_text().splitlines(keepends=True)
    grounds.write_text("".join(line for line in lines if not line.startswith("p, A-01,")))
    return copy


def asked(world: World, *who: str) -> str:
    """The id of a decision about a question of this physician."""
    said = world.run("check", world.file(question(*who)), "--json")
    return said.json["decision_id"]


def again(world: World, *arguments: object, pack: Path = PACK) -> object:
    return world.run("replay", "--pack", pack, *arguments, caller="auditor")


def test_a_permit_and_a_refusal_come_out_the_same(world):
    for who in ((), NIGHT):
        said = again(world, "--decision-id", asked(world, *who))
        assert said.code == 0, said
        assert "the same" in said.out


def test_the_reading_is_recorded_before_it_is_told(world):
    decision = asked(world)
    assert again(world, "--decision-id", decision).code == 0
    [last] = world.run("ledger", "show", "--limit", 1, "--json", caller="auditor").json_lines
    assert last["kind"] == "consulted"
    assert last["opened"]["filter"] == f"recall {decision}"


def test_facts_that_came_later_do_not_count(world):
    decision = asked(world, "dr-nuit", "UF-SAU")
    assignment = {"subject_id": "dr-nuit", "unit": "UF-CARD", "profile": "medecin"}
    late = {"request_id": "late", "facts": [{"id": "late", "source": "fhir", "assignment": assignment}]}
    assert world.run("facts", "write", world.file(late)).code == 0
    assert world.run("check", world.file(question("dr-nuit", "UF-SAU"))).code == 0
    assert again(world, "--decision-id", decision).code == 0
    ended = {"request_id": "ended", "retract": [{"source": "fhir", "id": "late"}]}
    assert world.run("facts", "write", world.file(ended)).code == 0


def test_another_pack_is_refused_by_both_digests_unless_it_is_asked_for(world, other_pack):
    decision = asked(world)
    refused = again(world, "--decision-id", decision, pack=other_pack)
    assert refused.code == 4
    digests = [bundle.read_folder(pack).digest for pack in (PACK, other_pack)]
    assert all(digest in refused.err for digest in digests)
    compared = again(world, "--decision-id", decision, "--any-policy", "--json", pack=other_pack)
    assert compared.code == 1
    parts = {each["name"]: (each["recorded"], each["again"]) for each in compared.json["differences"]}
    assert parts["effect"] == ("PERMIT", "DENY")
    assert {"reason", "true_reason", "rule", "relied"} <= parts.keys()


def test_a_stretch_is_taken_again_whole_and_summed_up(world):
    [before] = world.run("ledger", "show", "--limit", 1, "--json", caller="auditor").json_lines
    decisions = {asked(world), asked(world, *NIGHT)}
    since = ("--from-index", before["index"] + 1)
    assert "2 decisions taken again: 2 same" in again(world, *since).out
    said = again(world, *since, "--json")
    assert {each["decision_id"] for each in said.json_lines} == decisions
    assert {each["outcome"] for each in said.json_lines} == {"same"}


def test_one_that_is_not_there_and_one_who_may_not_are_told(world):
    assert again(world, "--decision-id", "00" * 20).code == 1
    assert again(world, "--decision-id", f"{asked(world)}.0").code == 1
    assert world.run("replay", "--pack", PACK, "--decision-id", asked(world)).code == 5
    assert again(world).code == 2
    assert again(world, "--decision-id", "x", "--from-index", 0).code == 2


def test_facts_that_were_taken_out_of_the_store_are_named(short_folder):
    with a_world(short_folder) as world:
        decision = asked(world)
        assert again(world, "--decision-id", decision).code == 0
        store = sqlite3.connect(short_folder / "data/facts.db")
        with store:
            store.execute("UPDATE facts SET superseded_seq = recorded_seq WHERE kind IN ('stay', 'relation')")
        store.close()
        moved = again(world, "--decision-id", decision, "--json")
        assert moved.code == 1
        assert {"effect", "reason", "true_reason"} <= {each["name"] for each in moved.json["differences"]}
