"""A proof stands by itself: with the public key it shows a decision in the log, or that the log only grew."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.leaf import BatchLeaf, CheckLeaf
from sidecar.errors import InputFault
from sidecar.ledger import prove
from sidecar.ledger.prove import Inclusion, NotYetSigned
from sidecar.ledger.room import LedgerRoom
from tests.ledger.builders import NOW, a_batch, a_change, a_check, frames_on_disk
from tests.ledger.logs import AT, KEYS, ORIGIN, OTHER_KEY, a_log, nodes, some_leaves, write_tree


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A log of real leaves, all but the last three signed, and the ids of its decisions by index."""
    folder = tmp_path_factory.mktemp("proofs")
    room = LedgerRoom(folder / "room", ORIGIN)
    room.open(NOW)
    ids = [each.id for n in range(30) for each in room.record([a_check(patient=f"P{n}-{m}") for m in range(10)], NOW)]
    ids += [each.id for each in room.record([a_batch(3), a_batch(700, author="x" * 200)], NOW)]
    ids.append(room.append_change(room.change_leaf(a_change(), NOW)).id)
    room.close()
    leaves = [leaf for _, leaf in room_leaves(folder / "room")]
    assert len(leaves) == len(ids) == 303
    return a_log(folder / "log", leaves[:300] + leaves[300:302], leaves[302:], journal_from=256), ids, leaves


def room_leaves(folder):
    """The leaves of a ledger by index, from its tree, or from its journal where that still has them all."""
    return list(enumerate(frames_on_disk(folder / "journal")))


def proof_of(log, decision_id) -> Inclusion:
    proof = prove.inclusion(log, decision_id)
    assert isinstance(proof, Inclusion)
    return proof


def test_a_decision_is_proved_to_who_has_the_public_key_alone(recorded):
    log, ids, leaves = recorded
    for index in (0, 1, 255, 256, 299):
        proof = proof_of(log, ids[index])
        assert (proof.index, proof.leaf) == (index, leaves[index])
        verdict = prove.checked(prove.read(msgspec.json.encode(proof)), KEYS)
        assert verdict.holds, verdict
        assert isinstance(verdict.leaf, CheckLeaf)
        assert verdict.leaf.id.hex() == ids[index]


def test_an_item_of_a_batch_is_proved_by_the_record_of_the_batch(recorded):
    log, ids, _ = recorded
    verdict = prove.checked(proof_of(log, f"{ids[300]}.2"), KEYS)
    assert verdict.holds
    assert isinstance(verdict.leaf, BatchLeaf)
    verdict = prove.checked(proof_of(log, f"{ids[300]}.3"), KEYS)
    assert not verdict.holds
    assert "another decision" in verdict.sentence


def test_a_record_that_no_bundle_holds_is_proved_with_its_bytes(recorded):
    log, ids, leaves = recorded
    assert len(leaves[301]) > tiles.LONGEST_ENTRY
    proof = proof_of(log, f"{ids[301]}.699")
    assert proof.leaf == leaves[301]
    assert prove.checked(proof, KEYS).holds


def test_a_decision_that_is_recorded_and_not_yet_signed_is_said_to_be_so(recorded):
    log, ids, _ = recorded
    assert prove.inclusion(log, ids[302]) == NotYetSigned(302)


def test_an_id_that_nothing_has_is_not_proved(recorded):
    log, ids, _ = recorded
    assert prove.inclusion(log, "00" * 20) is None
    for wrong in ("", "P1", ids[0][:-2], ids[0].upper() + ".1", f"{ids[0]}.x", f"{ids[0]}."):
        with pytest.raises(InputFault, match="no decision id"):
            prove.inclusion(log, wrong)


def test_the_text_of_a_proof_is_read_back_as_the_same_proof(recorded):
    log, ids, _ = recorded
    proof = proof_of(log, ids[257])
    told = prove.text(proof)
    assert told.startswith("c2sp.org/tlog-proof@v1\nextra ")
    read = prove.read(told.encode())
    assert read == msgspec.structs.replace(proof, decision_id="")
    assert prove.checked(read, KEYS).holds


def test_a_proof_is_worth_nothing_under_another_key_or_another_decisions_id(recorded):
    log, ids, _ = recorded
    proof = proof_of(log, ids[257])
    assert not prove.checked(proof, [OTHER_KEY.public]).holds
    told = prove.checked(msgspec.structs.replace(proof, decision_id=ids[258]), KEYS)
    assert not told.holds
    assert "another decision" in told.sentence


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_no_proof_holds_with_a_byte_changed(recorded, data):
    log, ids, _ = recorded
    whole = prove.text(proof_of(log, ids[257])).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    new = data.draw(st.binary(max_size=2).filter(lambda each: each != whole[at : at + 1]))
    try:
        told = prove.read(whole[:at] + new + whole[at + 1 :])
    except InputFault:
        return
    # What is the same proof after all: a line of a signer that nobody asked about.
    same = isinstance(told, Inclusion) and told.checkpoint.split("\n\n")[0] == whole.decode().split("\n\n")[1]
    assert not prove.checked(told, KEYS).holds or same


def test_a_proof_that_trusts_its_own_hashes_would_hold_for_a_forged_record(recorded, monkeypatch):
    """The protection off: with the tree not reckoned, every forged record passes."""
    log, ids, leaves = recorded
    forged = [msgspec.structs.replace(proof_of(log, ids[n]), leaf=leaves[n + 1], decision_id="") for n in range(5)]
    assert sum(prove.checked(each, KEYS).holds for each in forged) == 0
    monkeypatch.setattr(merkle, "verify_inclusion", lambda *_: True)
    assert sum(prove.checked(each, KEYS).holds for each in forged) == 5


def test_what_is_no_proof_is_refused_with_a_sentence():
    for data in (
        b"",
        b"{}",
        b'{"proof": "inclusion.9"}',
        b"c2sp.org/tlog-proof@v1\n",
        b"\xff",
        b"c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx",
    ):
        with pytest.raises(InputFault, match="this is no proof"):
            prove.read(data)


def test_files_that_were_tampered_with_prove_nothing(tmp_path, recorded):
    log, ids, leaves = recorded
    forged = [*leaves[:302]]
    forged[5] = leaves[6]
    write_tree(tmp_path / "tree", forged)
    (tmp_path / "tree/checkpoint").write_bytes((log / "tree/checkpoint").read_bytes())
    with pytest.raises(InputFault, match="ledger verify"):
        prove.inclusion(tmp_path, ids[9])


# ---- growth


@pytest.mark.parametrize(("old", "new"), [(0, 5), (1, 5), (5, 5), (255, 256), (256, 600), (300, 600), (512, 70_000)])
def test_a_log_is_shown_to_have_only_grown(tmp_path, old, new):
    leaves = some_leaves(new, 1)
    write_tree(tmp_path / "old", leaves[:old])
    write_tree(tmp_path / "new", leaves)
    verdict, proof = prove.consistency(tmp_path / "new", (tmp_path / "old/checkpoint").read_bytes(), KEYS)
    assert verdict.holds, verdict
    assert proof is not None
    again = prove.checked(prove.read(msgspec.json.encode(proof)), KEYS)
    assert (again.holds, again.sentence) == (True, verdict.sentence)


def test_a_log_that_went_back_was_forked_or_rewritten_is_said_to_be_so(tmp_path):
    leaves = some_leaves(600)
    for name, told in {
        "whole": leaves,
        "shorter": leaves[:500],
        "other": [*leaves[:100], b"forged", *leaves[101:]],
        "longer": [*leaves[:100], b"forged", *leaves[101:], b"more"],
    }.items():
        write_tree(tmp_path / name, told)
    kept = (tmp_path / "whole/checkpoint").read_bytes()
    said = {name: prove.consistency(tmp_path / name, kept, KEYS) for name in ("shorter", "other", "longer")}
    assert {
        name: (verdict.holds, verdict.sentence.split(":")[0], proof) for name, (verdict, proof) in said.items()
    } == {
        "shorter": (False, "rolled back", None),
        "other": (False, "forked", None),
        "longer": (False, "rewritten", None),
    }


def test_damaged_tiles_are_told_apart_from_a_rewritten_log(tmp_path):
    leaves = some_leaves(600)
    write_tree(tmp_path / "old", leaves[:300])
    write_tree(tmp_path / "new", leaves)
    kept = (tmp_path / "old/checkpoint").read_bytes()
    tile = tmp_path / "new/tile/0/001"
    tile.write_bytes(bytes(8192))
    with pytest.raises(InputFault, match="`tile/0/001` was changed"):
        prove.consistency(tmp_path / "new", kept, KEYS)
    tile.unlink()
    with pytest.raises(InputFault, match="`tile/0/001` is missing"):
        prove.consistency(tmp_path / "new", kept, KEYS)
    (tmp_path / "new/tile/1/000.p/2").write_bytes(bytes(64))
    with pytest.raises(InputFault, match="tiles do not fit"):
        prove.consistency(tmp_path / "new", kept, KEYS)


def test_a_proof_of_growth_does_not_hold_for_other_checkpoints(tmp_path):
    leaves = some_leaves(600)
    notes = {}
    for size in (299, 300, 600):
        write_tree(tmp_path / str(size), leaves[:size])
        notes[size] = (tmp_path / str(size) / "checkpoint").read_text()
    hashes = merkle.consistency_proof(300, 600, nodes(leaves))
    assert prove.checked(prove.Consistency(notes[300], notes[600], hashes), KEYS).holds
    for old, new in ((299, 600), (300, 299), (600, 300), (300, 300)):
        assert not prove.checked(prove.Consistency(notes[old], notes[new], hashes), KEYS).holds
    assert checkpoint.signed_at(notes[300].encode(), KEYS) == AT
