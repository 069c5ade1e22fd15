"""A witness keeps the last checkpoint where the log's keeper cannot reach it, and refuses a log that goes back."""

import pytest

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey
from sidecar.errors import InputFault
from sidecar.ledger import prove
from sidecar.ledger.witness import witness, witness_key
from tests.ledger.logs import AT, KEY, KEYS, OTHER_KEY, a_checkpoint, put, some_leaves, write_tree

LEAVES = some_leaves(600)
COSIGNER = SigningKey("witness.example/w1", bytes([7]) * 32)


@pytest.fixture
def logs(tmp_path):
    """The same log at several sizes, and two that were tampered with and signed again by its key."""
    told = {
        "at 300": LEAVES[:300],
        "at 600": LEAVES,
        "forked": [*LEAVES[:299], b"forged"],
        "rewritten": [*LEAVES[:10], b"forged", *LEAVES[11:]],
    }
    for name, leaves in told.items():
        write_tree(tmp_path / name, leaves)
    return tmp_path


def seen(logs, *names):
    return [witness(logs / name, logs / "kept", KEYS, None, AT) for name in names]


def test_a_log_that_grows_is_followed(logs):
    said = seen(logs, "at 300", "at 300", "at 600")
    assert [each.agreed for each in said] == [True] * 3
    assert said[0].sentence == "first seen: `hospital.example/ledger`, 300 records"
    assert "only grew: the 300 records signed earlier are the first of its 600" in said[2].sentence
    assert (logs / "kept").read_bytes() == (logs / "at 600/checkpoint").read_bytes()


@pytest.mark.parametrize(
    ("first", "then", "word"),
    [("at 600", "at 300", "rolled back"), ("at 300", "forked", "forked"), ("at 300", "rewritten", "rewritten")],
)
def test_a_log_that_goes_back_is_refused_and_what_is_kept_stays(logs, first, then, word):
    seen(logs, first)
    kept = (logs / "kept").read_bytes()
    [said] = seen(logs, then)
    assert (said.agreed, said.sentence.split(":")[0]) == (False, word)
    assert (logs / "kept").read_bytes() == kept
    assert not list(logs.glob("kept.*"))


def test_an_older_checkpoint_of_an_idle_log_is_refused(logs):
    put(
        logs / "at 300/checkpoint",
        a_checkpoint(300, checkpoint.read((logs / "at 300/checkpoint").read_bytes()).root, at=AT + 60),
    )
    seen(logs, "at 300")
    write_tree(logs / "at 300", LEAVES[:300])
    [said] = seen(logs, "at 300")
    assert (said.agreed, said.sentence) == (False, "rolled back: the log's checkpoint is older than the one kept")


def test_a_log_whose_checkpoint_is_gone_is_refused(logs):
    seen(logs, "at 300")
    (logs / "at 300/checkpoint").unlink()
    [said] = seen(logs, "at 300")
    assert (said.agreed, said.sentence) == (False, "rolled back: the log's checkpoint is missing")


def test_a_log_that_another_key_signed_is_refused(logs):
    write_tree(logs / "stolen", LEAVES, OTHER_KEY)
    for names in (["stolen"], ["at 300", "stolen"]):
        with pytest.raises(InputFault, match="not signed by a key"):
            seen(logs, *names)


def test_a_kept_checkpoint_that_was_changed_is_refused(logs):
    seen(logs, "at 300")
    for damaged in (b"", (logs / "kept").read_bytes().replace(b"300", b"200")):
        put(logs / "kept", damaged)
        with pytest.raises(InputFault, match="the earlier checkpoint"):
            seen(logs, "at 600")


def test_a_witness_that_compares_nothing_takes_every_log_that_goes_back(logs, monkeypatch):
    """The protection off: three logs that went back are kept as if nothing had happened."""
    cases = [("at 600", "at 300"), ("at 300", "forked"), ("at 300", "rewritten")]

    def accepted() -> int:
        count = 0
        for first, then in cases:
            (logs / "kept").unlink(missing_ok=True)
            count += seen(logs, first, then)[1].agreed
        return count

    assert accepted() == 0
    monkeypatch.setattr(prove, "_shrunk_or_forked", lambda *_: None)
    monkeypatch.setattr(prove.merkle, "verify_consistency", lambda *_: True)
    monkeypatch.setattr(prove.merkle, "consistency_proof", lambda *_: ())
    assert accepted() == 3


def test_a_witness_signs_what_it_keeps_and_says_when(logs):
    said = witness(logs / "at 300", logs / "kept", KEYS, COSIGNER, AT + 60)
    assert said.agreed
    kept = (logs / "kept").read_bytes()
    assert checkpoint.signed_at(kept, [COSIGNER.public]) == AT + 60
    assert checkpoint.signed_at(kept, KEYS) == AT
    said = witness(logs / "at 600", logs / "kept", KEYS, COSIGNER, AT + 120)
    assert said.agreed
    kept = (logs / "kept").read_bytes()
    assert checkpoint.opened(kept, [COSIGNER.public]).size == 600
    assert checkpoint.signed_at(kept, [COSIGNER.public]) == AT + 120


def test_the_key_of_a_witness_is_read_from_its_file(tmp_path):
    (tmp_path / "key").write_text(f"{COSIGNER.skey}\n")
    assert witness_key(tmp_path / "key").public == COSIGNER.public
    for wrong in (b"", b"\xff", KEY.public.vkey.encode()):
        (tmp_path / "key").write_bytes(wrong)
        with pytest.raises(InputFault):
            witness_key(tmp_path / "key")
