"""A witness: keeps a log's last checkpoint where the log's keeper cannot reach it, and sees if the log goes back.

INVARIANT: what is kept is only ever replaced by a checkpoint whose log begins with the one kept.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey, VerifierKey
from sidecar.errors import InputFault
from sidecar.ledger.prove import consistency
from sidecar.ledger.verify_files import LogFolder


class Witnessed(Struct, frozen=True):
    """Whether the log is what it was or has only grown, in a sentence; the note that is kept now when it has."""

    agreed: bool
    sentence: str
    note: bytes = b""


def witness(path: Path, keep: Path, keys: Sequence[VerifierKey], sign: SigningKey | None, now: int) -> Witnessed:
    """Compare a log's folder with the checkpoint kept in the file `keep`, and keep the new one there.

    The first checkpoint is kept as it is. With `sign` a cosignature is added, given at `now` seconds since the epoch.
    Raises InputFault: a checkpoint is garbled or not signed by these keys; OSError.
    """
    note = LogFolder(path).checkpoint()
    if note is None:
        return Witnessed(False, "rolled back: the log's checkpoint is missing")
    new = checkpoint.opened(note, keys)
    kept = keep.read_bytes() if keep.exists() else None
    if kept is None:
        sentence = f"first seen: `{new.origin}`, {new.size} records"
    else:
        verdict, proof = consistency(path, kept, keys)
        if not verdict.holds or proof is None:
            return Witnessed(False, verdict.sentence)
        note = proof.new.encode()  # the one that was compared: the log may have gone on since
        before, now_told = checkpoint.signed_at(kept, keys), checkpoint.signed_at(note, keys)
        if before is not None and (now_told is None or now_told < before):
            return Witnessed(False, "rolled back: the log's checkpoint is older than the one kept")
        sentence = verdict.sentence
    if sign is not None:
        text = checkpoint.note(checkpoint.read(note))
        note = checkpoint.with_line(note, sign.timestamped_line(text, now))
    _replace(keep, note)
    return Witnessed(True, sentence, note)


def witness_key(path: Path) -> SigningKey:
    """The key of a witness from its file, `PRIVATE+KEY+name+key id+base64`. Raises InputFault, OSError."""
    try:
        return checkpoint.signing_key(path.read_text(encoding="utf-8").strip())
    except UnicodeDecodeError:
        raise InputFault(f"`{path}` holds no signing key") from None


def _replace(path: Path, data: bytes) -> None:
    """Have these bytes on disk under this name, or what was there before. Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
