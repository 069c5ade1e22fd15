"""Checkpoints and keys in C2SP's formats (a published implementation reads them in tests/ledger/thirdparty)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core import checkpoint
from sidecar.core.checkpoint import Checkpoint, SigningKey
from sidecar.errors import CheckpointFault

KEY = SigningKey("log.example/dpi", bytes(range(32)))
OTHER = SigningKey("log.example/dpi", bytes(range(1, 33)))
HEAD = Checkpoint("log.example/dpi", 20852163, bytes(range(32)))
AT = 1_790_000_000

# The example of golang.org/x/mod/sumdb/note: a verifier key and a note it signed.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


def a_note(*, keys=(KEY,), at=AT, head=HEAD):
    return checkpoint.signed(checkpoint.note(head), keys, at)


def test_a_note_and_a_key_published_elsewhere_are_accepted():
    (found,) = checkpoint.signatures(PUBLISHED_NOTE, [checkpoint.verifier_key(PUBLISHED_KEY)])
    assert found.key.name == "PeterNeumann"
    assert checkpoint.verifier_key(PUBLISHED_KEY).vkey == PUBLISHED_KEY


def test_a_checkpoint_is_read_back_with_the_time_it_was_given():
    assert checkpoint.opened(a_note(), [KEY.public]) == HEAD
    assert checkpoint.signed_at(a_note(), [KEY.public]) == AT
    assert checkpoint.signed_at(a_note(at=None), [KEY.public]) is None


def test_keys_are_read_back_from_their_texts():
    assert checkpoint.verifier_key(KEY.public.vkey) == KEY.public
    assert checkpoint.verifier_key(KEY.public.cosigner_vkey) == KEY.public
    assert checkpoint.signing_key(KEY.skey + "\n").skey == KEY.skey


def test_a_note_of_another_key_is_refused_and_lines_of_others_are_passed_over():
    with pytest.raises(CheckpointFault, match="not signed by a key of"):
        checkpoint.opened(a_note(keys=(OTHER,)), [KEY.public])
    assert checkpoint.opened(a_note(keys=(OTHER, KEY)), [KEY.public]) == HEAD


def test_extension_lines_are_signed_with_the_rest():
    head = Checkpoint("log", 0, bytes(32), ("one more",))
    assert checkpoint.opened(a_note(head=head), [KEY.public]) == head


@given(st.data())
def test_any_changed_byte_of_a_note_is_refused(data):
    note = a_note()
    at = data.draw(st.integers(0, len(note) - 1))
    changed = note[:at] + bytes([note[at] ^ data.draw(st.integers(1, 255))]) + note[at + 1 :]
    with pytest.raises(CheckpointFault):
        # Both signatures must be there: a change may take one line away and leave the other good.
        if len(checkpoint.signatures(changed, [KEY.public])) < 2:
            raise CheckpointFault("a signature is missing")


@given(st.data())
def test_any_changed_character_of_a_verifier_key_is_refused_or_names_another(data):
    at = data.draw(st.integers(0, len(KEY.public.vkey) - 1))
    text = KEY.public.vkey
    changed = text[:at] + data.draw(st.sampled_from("+/ aZ0")) + text[at + 1 :]
    try:
        assert (checkpoint.verifier_key(changed) == KEY.public) == (changed == text)
    except CheckpointFault:
        assert changed != text


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a b", "line\nbreak"])
def test_a_name_that_no_note_can_hold_is_refused(name):
    with pytest.raises(CheckpointFault):
        SigningKey(name, bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        "log\n01\n" + "A" * 43 + "=\n",
        "log\n-1\n" + "A" * 43 + "=\n",
        "log\n1\nAAAA\n",
        "log\n1\n" + "A" * 43 + "=\n\nafter an empty line\n",
        "log\n\u0661\n" + "A" * 43 + "=\n",
        "log\n" + "9" * 5000 + "\n" + "A" * 43 + "=\n",
    ],
)
def test_a_note_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(CheckpointFault):
        checkpoint.opened(checkpoint.signed(text.encode(), [KEY]), [KEY.public])


@pytest.mark.parametrize("data", [b"", b"\xff\n\n", b"a\n\n", b"a\tb\n\n- x y\n", b"log\n1\n", b"\n" * 70_000])
def test_bytes_that_are_no_note_are_refused(data):
    with pytest.raises(CheckpointFault):
        checkpoint.opened(data, [KEY.public])


def test_an_origin_cannot_bring_other_lines_with_it():
    with pytest.raises(CheckpointFault):
        checkpoint.note(Checkpoint("log\n99", 1, bytes(32)))


def test_the_fault_of_a_garbled_signing_key_does_not_show_it():
    with pytest.raises(CheckpointFault) as caught:
        checkpoint.signing_key(KEY.skey[:-3] + "AA=")
    assert KEY.skey[-20:-4] not in str(caught.value)
