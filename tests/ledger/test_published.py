"""Published implementations accept our checkpoints, proofs and tiles, refuse tampered ones, and make the same proofs.

They are golang.org/x/mod (notes, proofs, tiles) and github.com/transparency-dev/merkle (proofs), which must agree with
each other too: tests/ledger/thirdparty.
"""

import base64

import pytest

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.checkpoint import Checkpoint, SigningKey
from sidecar.ledger import prove
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.signing import VKEYS
from sidecar.ledger.witness import witness
from tests.ledger.builders import NOW, a_batch, a_check
from tests.ledger.logs import AT, KEY, ORIGIN, OTHER_KEY, a_checkpoint, nodes, put, some_leaves, write_tree
from tests.ledger.published import asked, hashes

SIZES = [(1, 2), (2, 3), (3, 7), (7, 8), (8, 600), (255, 256), (256, 257), (300, 600), (512, 600)]


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    leaves = some_leaves(600)
    leaves[300] = b"large" * 20_000
    return leaves


def note_of(leaves) -> bytes:
    return a_checkpoint(len(leaves), merkle.root([merkle.leaf_hash(tiles.entry(leaf)) for leaf in leaves]))


def inclusion(leaves, index) -> dict[str, object]:
    proof = merkle.inclusion_proof(index, len(leaves), nodes(leaves))
    return {
        "do": "inclusion", "keys": [KEY.public.vkey], "note": note_of(leaves).decode(), "index": index,
        "entry": tiles.entry(leaves[index]), "hashes": proof,
    }  # fmt: skip


def consistency(leaves, old, new) -> dict[str, object]:
    return {
        "do": "consistency", "keys": [KEY.public.vkey], "note": note_of(leaves[:new]).decode(),
        "old": note_of(leaves[:old]).decode(), "hashes": merkle.consistency_proof(old, new, nodes(leaves)),
    }  # fmt: skip


def test_they_accept_our_checkpoints_by_either_signature_and_name_who_signed(leaves):
    note = note_of(leaves).decode()
    keys = [[KEY.public.vkey], [KEY.public.cosigner_vkey], [KEY.public.vkey, KEY.public.cosigner_vkey]]
    answers = asked([{"do": "checkpoint", "keys": each, "note": note} for each in keys])
    assert [(each["ok"], each["origin"], each["size"]) for each in answers] == [(True, ORIGIN, 600)] * 3
    signers = [f"{ORIGIN}+{KEY.public.key_id(kind).hex()}" for kind in (checkpoint.ED25519, checkpoint.COSIGNATURE)]
    assert [each["signers"] for each in answers] == [[signers[0]], [signers[1]], signers]


def test_they_refuse_a_checkpoint_with_any_letter_changed(leaves):
    note = note_of(leaves).decode()
    [text, below] = note.split("\n\n")
    changed = [
        *(note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :] for at in range(len(text))),
        text + "\n\n" + below.splitlines(keepends=True)[0].replace("A", "B"),
        text + "\n\n",
        note_of(leaves[:599]).decode().split("\n\n")[0] + "\n\n" + below,
    ]
    questions = [{"do": "checkpoint", "keys": [KEY.public.vkey], "note": each} for each in changed]
    other = {"do": "checkpoint", "keys": [OTHER_KEY.public.vkey], "note": note}
    assert [each["ok"] for each in asked([*questions, other])] == [False] * (len(changed) + 1)
    for each in changed:
        with pytest.raises(checkpoint.CheckpointFault):
            checkpoint.opened(each.encode(), [KEY.public])


def test_they_accept_our_proofs_of_inclusion(leaves):
    questions = [inclusion(leaves, index) for index in (0, 1, 255, 256, 299, 300, 511, 512, 598, 599)]
    questions += [inclusion(leaves[:size], size - 1) for size in (1, 2, 3, 255, 256, 257)]
    assert [each for each in asked(questions) if not each["ok"]] == []


def test_they_accept_our_proofs_of_consistency(leaves):
    assert [each for each in asked([consistency(leaves, *sizes) for sizes in SIZES]) if not each["ok"]] == []


def test_they_refuse_a_proof_with_anything_changed(leaves):
    right = inclusion(leaves, 257)
    proof = right["hashes"]
    assert isinstance(proof, tuple)
    wrong = [
        {**right, "index": 256},
        {**right, "index": 258},
        {**right, "index": 600},
        {**right, "entry": leaves[256]},
        {**right, "entry": leaves[257] + b"\0"},
        {**right, "note": note_of(leaves[:599]).decode()},
        {**right, "hashes": proof[:-1]},
        {**right, "hashes": (*proof, proof[-1])},
        {**right, "hashes": proof[::-1]},
        *({**right, "hashes": (*proof[:n], _flipped(proof[n]), *proof[n + 1 :])} for n in range(len(proof))),
    ]
    for old, new in SIZES:
        grown = consistency(leaves, old, new)
        steps = grown["hashes"]
        assert isinstance(steps, tuple)
        wrong += [{**grown, "hashes": (*steps[:n], _flipped(steps[n]), *steps[n + 1 :])} for n in range(len(steps))]
        wrong += [{**grown, "hashes": steps[:-1]}, {**grown, "hashes": (*steps, bytes(32))}]
        wrong += [{**grown, "old": a_checkpoint(old, bytes(32)).decode()}]
    assert [each for each, told in zip(wrong, asked(wrong), strict=True) if told["ok"]] == []


def test_they_read_our_tiles_and_make_the_same_proofs_from_them(tmp_path, leaves):
    write_tree(tmp_path, leaves)
    questions = [
        {"do": "tiles", "keys": [KEY.public.vkey], "note": note_of(leaves).decode(), "folder": str(tmp_path),
         "index": index, "size": size}
        for index, size in ((0, 1), (256, 255), (300, 512), (599, 599))
    ]  # fmt: skip
    for question, told in zip(questions, asked(questions), strict=True):
        assert told["ok"], told
        index, size = int(str(question["index"])), int(str(question["size"]))
        assert hashes(told["inclusion"]) == merkle.inclusion_proof(index, 600, nodes(leaves))
        assert hashes(told["consistency"]) == merkle.consistency_proof(size, 600, nodes(leaves))
    put(tmp_path / "tile/0/001", bytes(8192))
    assert not asked(questions[:1])[0]["ok"]


def test_they_read_what_a_ledger_leaves_on_disk_and_check_the_proof_of_a_decision(tmp_path):
    room = LedgerRoom(tmp_path / "ledger", ORIGIN)
    room.open(NOW)
    for n in range(20):
        room.record([a_check(patient=f"P{n}-{m}") for m in range(30)], NOW)
    [batch] = room.record([a_batch(400)], NOW)
    room.close()
    vkeys = (tmp_path / "ledger/keys/signing" / VKEYS).read_text().split()
    proof = prove.inclusion(tmp_path / "ledger", f"{batch.id}.17")
    assert isinstance(proof, prove.Inclusion)
    note = proof.checkpoint
    told = asked(
        [
            {"do": "tiles", "keys": vkeys, "note": note, "folder": str(tmp_path / "ledger/tree"), "index": 600},
            {"do": "inclusion", "keys": vkeys, "note": note, "index": proof.index, "entry": tiles.entry(proof.leaf),
             "hashes": proof.hashes},
        ]
    )  # fmt: skip
    assert [each["ok"] for each in told] == [True, True], told
    assert hashes(told[0]["inclusion"]) == proof.hashes


def test_they_accept_what_a_witness_adds(tmp_path, leaves):
    write_tree(tmp_path / "log", leaves)
    key = SigningKey("witness.example/w1", bytes([7]) * 32)
    assert witness(tmp_path / "log", tmp_path / "kept", [KEY.public], key, AT + 60).agreed
    note = (tmp_path / "kept").read_text()
    answers = asked(
        [
            {"do": "checkpoint", "keys": [KEY.public.vkey, key.public.cosigner_vkey], "note": note},
            {"do": "checkpoint", "keys": [key.public.cosigner_vkey], "note": note.replace("\n600\n", "\n601\n")},
        ]
    )
    assert [each["ok"] for each in answers] == [True, False]
    assert f"witness.example/w1+{key.public.key_id(checkpoint.COSIGNATURE).hex()}" in str(answers[0]["signers"])


def test_the_example_of_the_specification_is_read_as_it_says():
    """The checkpoint printed in c2sp.org/tlog-checkpoint: its size and root, by us and by the rule for them."""
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
        "+xeMcTOAYQ8=\n"
    )
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert checkpoint.read(note.encode()) == Checkpoint("example.com/behind-the-sofa", 20852163, root)


def _flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]
