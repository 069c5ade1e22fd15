"""ledger verify, prove, verify-proof, consistency, witness: what an inspector types, and the exit codes."""

import os
import shutil
import time

import pytest

from sidecar.core.checkpoint import SigningKey
from sidecar.ledger.room import LedgerRoom
from tests.cli.commands import finish, run, start
from tests.ledger.builders import NOW, a_batch, a_check
from tests.ledger.logs import KEY, ORIGIN, OTHER_KEY, some_leaves, write_tree

VKEY = KEY.public.vkey


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A ledger of real records, closed; its folder and the ids recorded."""
    folder = tmp_path_factory.mktemp("inspected") / "ledger"
    room = LedgerRoom(folder, ORIGIN)
    room.open(NOW)
    ids = [each.id for each in room.record([*(a_check(patient=f"P{n}") for n in range(300)), a_batch(3)], NOW)]
    room.close()
    return folder, ids


@pytest.fixture
def copy(ledger, tmp_path):
    """The same, to be tampered with."""
    return shutil.copytree(ledger[0], tmp_path / "ledger")


@pytest.fixture
def vkeys(ledger, tmp_path):
    """The verifier keys, as they were handed out."""
    return shutil.copy(ledger[0] / "keys/signing/vkeys", tmp_path / "vkeys")


def test_a_sound_ledger_is_said_to_be_as_signed(ledger, vkeys):
    folder, _ = ledger
    said = run("ledger", "verify", folder, "--key", vkeys)
    assert said.code == 0, said
    assert f"{ORIGIN}: 301 records signed, at " in said.out
    assert said.out.endswith("as signed\n")
    text = (folder / "keys/signing/vkeys").read_text().strip()
    assert run("ledger", "verify", folder / "tree", "--key", text, "--jobs", 1).code == 0


def test_every_finding_is_a_line_that_names_the_file_and_the_record(copy, vkeys):
    bundle = copy / "tree/tile/entries/000"
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    (copy / "tree/tile/0/000").unlink()
    said = run("ledger", "verify", copy, "--key", vkeys)
    assert said.code == 1
    assert "missing: tree/tile/0/000: the file is missing: the hashes of records 0 to 255\n" in said.out
    assert "modified: tree/tile/entries/000: " in said.out
    assert said.out.endswith("not as signed\n")
    told = run("ledger", "verify", copy, "--key", vkeys, "--json")
    assert told.code == 1
    assert {each["what"] for each in told.json["findings"]} == {"missing", "modified"}
    assert (told.json["origin"], told.json["size"], told.json["unsigned"]) == (ORIGIN, 301, 0)


def test_a_finding_cannot_steer_the_terminal(copy, vkeys):
    (copy / "tree/tile/0/\x1b[2J\nas signed").write_bytes(b"")
    said = run("ledger", "verify", copy, "--key", vkeys)
    assert said.code == 1
    assert "\x1b" not in said.out
    assert "\nas signed" not in said.out


def test_a_thousand_findings_are_counted_and_not_all_printed(copy, vkeys):
    for n in range(60):
        (copy / f"tree/stray-{n}").write_bytes(b"")
    said = run("ledger", "verify", copy, "--key", vkeys)
    assert "and 10 findings more" in said.out
    assert len(run("ledger", "verify", copy, "--key", vkeys, "--json").json["findings"]) == 60


def test_a_key_that_is_none_and_a_folder_that_holds_no_log_are_malformed_input(ledger, tmp_path):
    said = run("ledger", "verify", ledger[0], "--key", "nonsense")
    assert (said.code, "--key: a verifier key is" in said.err) == (4, True), said
    said = run("ledger", "verify", tmp_path, "--key", VKEY)
    assert (said.code, "holds no log" in said.err) == (4, True), said
    assert run("ledger", "verify", ledger[0]).code == 2


def test_a_ledger_that_fell_silent_is_refused_where_an_age_is_set(ledger, vkeys):
    folder, _ = ledger
    assert run("ledger", "verify", folder, "--key", vkeys, "--max-age", 3600).code == 0
    write_tree(folder.parent / "old", some_leaves(3))
    said = run("ledger", "verify", folder.parent / "old", "--key", VKEY, "--max-age", 3600)
    assert (said.code, "too old: the last checkpoint was given " in said.out) == (1, True), said


def test_a_decision_is_proved_and_the_proof_checked_elsewhere(ledger, vkeys, tmp_path):
    folder, ids = ledger
    proof = tmp_path / "proof.json"
    assert run("ledger", "prove", folder, "--decision-id", ids[257], "--out", proof).code == 0
    said = run("ledger", "verify-proof", proof, "--key", vkeys)
    assert said.code == 0, said
    assert f"record 257 of `{ORIGIN}` is as it was signed, among 301 (signed at " in said.out
    assert "effect: PERMIT" in said.out
    assert run("ledger", "verify-proof", proof, "--key", OTHER_KEY.public.vkey).code == 1
    text = tmp_path / "proof.tlog-proof"
    text.write_text(run("ledger", "prove", folder, "--decision-id", f"{ids[300]}.2", "--tlog-proof").out)
    said = run("ledger", "verify-proof", text, "--key", vkeys, "--json")
    assert (said.code, said.json["holds"], said.json["kind"], len(said.json["items"])) == (0, True, "batch.1", 3)


def test_a_proof_that_was_changed_does_not_hold_and_one_that_is_none_is_malformed(ledger, vkeys, tmp_path):
    folder, ids = ledger
    proof = tmp_path / "proof.json"
    told = run("ledger", "prove", folder, "--decision-id", ids[7]).out
    proof.write_text(told.replace('"index":7', '"index":8'))
    said = run("ledger", "verify-proof", proof, "--key", vkeys)
    assert (said.code, said.out) == (1, "does not hold: the record, or its place, is not what was signed\n")
    proof.write_text("{}")
    assert run("ledger", "verify-proof", proof, "--key", vkeys).code == 4


def test_what_is_not_recorded_is_not_found_and_what_is_not_yet_signed_is_not_available(ledger, copy):
    _, ids = ledger
    said = run("ledger", "prove", copy, "--decision-id", "00" * 20)
    assert (said.code, said.err) == (1, f"no record of `{'00' * 20}`\n")
    assert run("ledger", "prove", copy, "--decision-id", "P1").code == 4
    room = LedgerRoom(copy, ORIGIN)
    room.open(NOW)
    room.close()
    signed = (copy / "tree/checkpoint").read_bytes()
    room = LedgerRoom(copy, ORIGIN)
    room.open(NOW)
    [more] = room.record([a_check()], NOW)
    room.close()
    (copy / "tree/checkpoint").write_bytes(signed)
    said = run("ledger", "prove", copy, "--decision-id", more.id)
    assert (said.code, "not yet signed" in said.err) == (3, True), said
    assert run("ledger", "prove", copy, "--decision-id", ids[0]).code == 0


def test_growth_is_shown_and_going_back_refused(ledger, copy, vkeys, tmp_path):
    kept = tmp_path / "kept"
    said = run("ledger", "witness", copy, "--keep", kept, "--key", vkeys)
    assert (said.code, said.out) == (0, f"first seen: `{ORIGIN}`, 301 records\n")
    room = LedgerRoom(copy, ORIGIN)
    room.open(NOW)
    room.record([a_check()] * 10, NOW)
    room.close()
    proof = tmp_path / "growth.json"
    said = run("ledger", "consistency", kept, copy, "--key", vkeys, "--out", proof)
    assert (said.code, "only grew: the 301 records" in said.out) == (0, True), said
    assert run("ledger", "verify-proof", proof, "--key", vkeys).code == 0
    assert run("ledger", "witness", copy, "--keep", kept, "--key", vkeys).code == 0
    said = run("ledger", "witness", ledger[0], "--keep", kept, "--key", vkeys)
    assert (said.code, said.err.startswith("refused: rolled back: ")) == (1, True), said
    said = run("ledger", "consistency", kept, ledger[0], "--key", vkeys)
    assert (said.code, said.out.startswith("does not hold: rolled back: ")) == (1, True), said


def test_a_witness_signs_with_a_key_of_its_own_and_keeps_outside_the_ledger(copy, vkeys, tmp_path):
    key = SigningKey("witness.example/w1", os.urandom(32))
    (tmp_path / "key").write_text(f"{key.skey}\n")
    kept = tmp_path / "kept"
    assert run("ledger", "witness", copy, "--keep", kept, "--key", vkeys, "--sign", tmp_path / "key").code == 0
    assert "— witness.example/w1 " in kept.read_text()
    before = time.time()
    said = run("ledger", "witness", copy, "--keep", copy / "kept", "--key", vkeys)
    assert (said.code, "outside the ledger's folder" in said.err) == (4, True), said
    assert kept.stat().st_mtime <= before


def test_progress_is_shown_on_a_terminal_alone(ledger, vkeys):
    said = finish(start("ledger", "verify", ledger[0], "--key", vkeys))
    assert (said.code, said.err) == (0, ""), said
