"""The keys that sign this ledger's checkpoints.

    keys/signing/key        `PRIVATE+KEY+origin+key id+base64`, file mode 0600: signs now
    keys/signing/vkeys      the verifier keys of all that ever signed, one a line, the one that signs now last

Who verifies takes `vkeys` from whoever runs the sidecar, once and by another road than the records.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey, VerifierKey
from sidecar.errors import CheckpointFault, LedgerUnavailable

FOLDER, KEY, VKEYS = "signing", "key", "vkeys"
SEED_BYTES = 32


class SigningKeys:
    """The signing keys in a folder. One process at a time writes here: the one that holds the journal."""

    def __init__(self, folder: Path, origin: str, random: Callable[[int], bytes]) -> None:
        """`folder` is `keys/signing`; `random` gives bytes fit for keys."""
        self._folder, self._origin, self._random = folder, origin, random

    def have(self) -> bool:
        """Make the first key if there never was one; whether it was made now.

        Raises LedgerUnavailable when a key is gone or garbled: it is never made twice, or what was signed with it
        could be taken for another ledger's.
        """
        try:
            if self._folder.exists():
                self.current()
                return False
            key = SigningKey(self._origin, self._random(SEED_BYTES))
            draft = self._folder.with_name(f".{self._folder.name}")
            draft.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(draft / KEY, f"{key.skey}\n")
            write(draft / VKEYS, f"{key.public.vkey}\n")
            draft.rename(self._folder)
            sync(self._folder.parent)
        except OSError as fault:
            raise LedgerUnavailable(f"the signing key cannot be used: {fault.strerror}") from None
        except CheckpointFault as fault:
            raise LedgerUnavailable(f"`ledger.origin`: {fault}") from None
        return True

    def current(self) -> tuple[SigningKey, ...]:
        """The keys that sign now. Raises LedgerUnavailable."""
        try:
            key = checkpoint.signing_key((self._folder / KEY).read_text(encoding="utf-8"))
        except OSError as fault:
            raise LedgerUnavailable(
                f"the key `keys/{FOLDER}/{KEY}` cannot be read: {fault.strerror}: put it back from its copy"
            ) from None
        except (CheckpointFault, UnicodeDecodeError):
            raise LedgerUnavailable(f"the key `keys/{FOLDER}/{KEY}` is garbled: put it back from its copy") from None
        return (key,)

    def public(self) -> tuple[VerifierKey, ...]:
        """The verifier keys of all that ever signed, the one that signs now last. Raises LedgerUnavailable."""
        try:
            lines = (self._folder / VKEYS).read_text(encoding="utf-8").splitlines()
            return tuple(checkpoint.verifier_key(line) for line in lines if line)
        except OSError as fault:
            raise LedgerUnavailable(
                f"`keys/{FOLDER}/{VKEYS}` cannot be read: {fault.strerror}: put it back from its copy"
            ) from None
        except (CheckpointFault, UnicodeDecodeError):
            raise LedgerUnavailable(f"`keys/{FOLDER}/{VKEYS}` is garbled: put it back from its copy") from None


def write(path: Path, text: str) -> None:
    """Keep a text of our own in a file of mode 0600, on disk. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(folder: Path) -> None:
    """Have the names in a folder on disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
