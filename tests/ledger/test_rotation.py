"""A signing key follows another: recorded, signed by both at the hand-over, and never two ledgers for who verifies."""

import os

import pytest

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey
from sidecar.errors import CheckpointFault, LedgerUnavailable
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.signing import SigningKeys
from sidecar.ledger.verify import verify
from tests.ledger.builders import CALLER, NOW, a_check
from tests.ledger.dying import STEP, dies_at, killed


def a_ledger(folder, **settings):
    room = LedgerRoom(folder, "sidecar-1", min_free_bytes=0, flush_s=0.01, **{"checkpoint_s": 0.02} | settings)
    room.open(NOW)
    return room


def signers(folder, *vkeys):
    """Which of these verifier keys signed the checkpoint on disk."""
    note = (folder / "tree/checkpoint").read_bytes()
    return {vkey for vkey in vkeys if signed_by(note, vkey)}


def signed_by(note, vkey):
    try:
        return bool(checkpoint.opened(note, [checkpoint.verifier_key(vkey)]))
    except CheckpointFault:
        return False


def findings(folder, *vkeys):
    return [str(each) for each in verify(folder, [checkpoint.verifier_key(vkey) for vkey in vkeys]).findings]


def test_the_new_key_signs_alone_and_the_hand_over_is_signed_by_both(tmp_path):
    room = a_ledger(tmp_path)
    room.record([a_check()], NOW)
    done = room.rotate(CALLER, NOW)
    room.record([a_check()], NOW)
    room.close()
    assert room.vkeys == (done.former_vkey, done.vkey)
    assert signers(tmp_path, done.former_vkey, done.vkey) == {done.vkey}
    assert findings(tmp_path, done.vkey) == findings(tmp_path, *room.vkeys) == []
    assert findings(tmp_path, done.former_vkey) != []
    note = done.handover.encode()
    assert signed_by(note, done.former_vkey)
    assert signed_by(note, done.vkey)
    assert checkpoint.read(note).size > done.record.index
    kept = tmp_path / "keys/signing" / f"handover-{done.vkey.split('+')[1]}"
    assert kept.read_bytes() == note


def test_the_record_of_it_names_both_keys(tmp_path):
    room = a_ledger(tmp_path)
    done = room.rotate(CALLER, NOW)
    entries = dict(room.entries())
    room.close()
    entry = entries[done.record.index]
    assert (entry.what, entry.caller) == ("rotate_key", CALLER)
    assert entry.detail == f"{done.former_vkey} -> {done.vkey}"


def test_nothing_is_left_of_the_former_private_key(tmp_path):
    room = a_ledger(tmp_path)
    former = (tmp_path / "keys/signing/key").read_text()
    held = os.open(tmp_path / "keys/signing/key", os.O_RDONLY)
    room.rotate(CALLER, NOW)
    room.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and former.encode() in path.read_bytes()] == []
    assert os.pread(held, 1000, 0).strip(b"\0") == b""
    os.close(held)
    assert (tmp_path / "keys/signing/key").stat().st_mode & 0o777 == 0o600


def test_keys_follow_one_another_over_restarts(tmp_path):
    vkeys = []
    for _ in range(4):
        room = a_ledger(tmp_path)
        room.record([a_check()] * 3, NOW)
        done = room.rotate(CALLER, NOW)
        vkeys = vkeys or [done.former_vkey]
        vkeys.append(done.vkey)
        room.close()
    assert tuple(vkeys) == room.vkeys
    assert len(set(vkeys)) == 5
    assert findings(tmp_path, *vkeys) == []
    assert (tmp_path / "keys/signing/vkeys").read_text().split() == vkeys


def rotating(folder, at):
    room = a_ledger(folder, checkpoint_s=1000)
    room.record([a_check()], NOW)
    dies_at(at)
    room.rotate(CALLER, NOW)


def test_killed_anywhere_the_ledger_opens_and_verifies_and_the_change_of_key_is_whole_or_not_at_all(tmp_path):
    outcomes, dead = [], True
    while dead:
        at = len(outcomes) * STEP
        folder = tmp_path / str(at)
        dead = killed(rotating, folder, at)
        before = (folder / "keys/signing/vkeys").read_text().split()
        room = a_ledger(folder)
        room.record([a_check()], NOW)
        room.close()
        assert findings(folder, *room.vkeys) == [], at
        assert list(signers(folder, *room.vkeys)) == [signing_key(folder, "key").public.vkey], at
        assert set(before) <= set(room.vkeys)
        assert not (folder / "keys/signing/next").exists()
        outcomes.append((len(before), signers(folder, before[0]) == set()))
    assert {(1, False), (2, False), (2, True)} == set(outcomes)


def strangers(folder):
    """How many hand-overs a reader who trusts the former key cannot follow."""
    room = a_ledger(folder)
    done = [room.rotate(CALLER, NOW) for _ in range(3)]
    room.close()
    return sum(not signed_by(each.handover.encode(), each.former_vkey) for each in done)


def test_who_trusts_the_former_key_can_follow_every_hand_over(tmp_path, monkeypatch):
    assert strangers(tmp_path / "both") == 0
    monkeypatch.setattr(SigningKeys, "current", lambda self: (self._following() or self._read("key"),))
    assert strangers(tmp_path / "one") == 3


def test_a_change_that_cannot_be_signed_goes_on_when_it_is_asked_again(tmp_path):
    room = a_ledger(tmp_path, checkpoint_s=1000)
    (tmp_path / "tree").rename(tmp_path / "away")
    (tmp_path / "tree").touch()
    with pytest.raises(LedgerUnavailable):
        room.rotate(CALLER, NOW)
    (tmp_path / "tree").unlink()
    (tmp_path / "away").rename(tmp_path / "tree")
    following = signing_key(tmp_path, "next")
    done = room.rotate(CALLER, NOW)
    room.close()
    assert done.vkey == following.public.vkey
    assert findings(tmp_path, *room.vkeys) == []


def signing_key(folder, name) -> SigningKey:
    return checkpoint.signing_key((folder / "keys/signing" / name).read_text())
