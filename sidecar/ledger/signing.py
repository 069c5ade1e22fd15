"""The keys that sign this ledger's checkpoints.

    keys/signing/key        `PRIVATE+KEY+origin+key id+base64`, file mode 0600: signs now
    keys/signing/next       the key that follows, while checkpoints are signed by both
    keys/signing/vkeys      the verifier keys of all that ever signed, one a line, the one that signs now last
    keys/signing/handover-* the checkpoint that both signed, by the id of the key that followed

Who verifies takes `vkeys` from whoever runs the sidecar, once and by another road than the records.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sidecar.core import checkpoint
from sidecar.core.checkpoint import SigningKey, VerifierKey
from sidecar.errors import CheckpointFault, LedgerUnavailable

FOLDER, KEY, NEXT, VKEYS = "signing", "key", "next", "vkeys"
SEED_BYTES = 32


class SigningKeys:
    """The signing keys in a folder. One process at a time writes here: the one that holds the journal."""

    def __init__(self, folder: Path, origin: str, random: Callable[[int], bytes]) -> None:
        """`folder` is `keys/signing`; `random` gives bytes fit for keys."""
        self._folder, self._origin, self._random = folder, origin, random

    @property
    def absent(self) -> bool:
        """Whether there is no signing key here, and no verifier key of one."""
        return not self._folder.exists()

    def have(self) -> bool:
        """Make the first key if there never was one; whether it was made now.

        Raises LedgerUnavailable when a key is gone or garbled: it is never made twice, or what was signed with it
        could be taken for another ledger's.
        """
        try:
            if not self.absent:
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
        """The keys that sign now: one, or two while one takes over from the other. Raises LedgerUnavailable."""
        key, following = self._read(KEY), self._following()
        return (key,) if following is None else (key, following)

    def successor(self) -> SigningKey:
        """The key that is to follow: the one that already signs beside the other, or a new one, kept nowhere yet.

        Raises LedgerUnavailable.
        """
        return self._following() or SigningKey(self._origin, self._random(SEED_BYTES))

    def begin(self, following: SigningKey) -> None:
        """Have this key sign beside the one that signs; who verifies may know it before. Raises LedgerUnavailable."""
        try:
            if following.public not in self.public():
                lines = "".join(f"{key.vkey}\n" for key in (*self.public(), following.public))
                self._put(VKEYS, lines)
            self._put(NEXT, f"{following.skey}\n")
        except OSError as fault:
            raise LedgerUnavailable(f"the signing key cannot be kept: {fault.strerror}") from None

    def finish(self, note: bytes) -> None:
        """Have the key that follows sign alone, from now on; `note` is a checkpoint that both signed.

        The private half of the other is gone. Raises LedgerUnavailable.
        """
        following = self._following()
        if following is None:
            return
        try:
            key_id = following.public.key_id(checkpoint.ED25519).hex()
            self._put(f"handover-{key_id}", note.decode())
            former = os.open(self._folder / KEY, os.O_WRONLY)
            (self._folder / NEXT).replace(self._folder / KEY)
            sync(self._folder)
            _overwrite(former)
        except OSError as fault:
            raise LedgerUnavailable(f"the signing key cannot be kept: {fault.strerror}") from None

    def _following(self) -> SigningKey | None:
        try:
            return self._read(NEXT)
        except LedgerUnavailable:
            if (self._folder / NEXT).exists():
                raise
            return None  # there is none, or it has just become the one that signs

    def _put(self, name: str, text: str) -> None:
        """A file that appears whole and on disk, or not at all. Raises OSError."""
        draft = self._folder / f".{name}"
        write(draft, text)
        draft.replace(self._folder / name)
        sync(self._folder)

    def _read(self, name: str) -> SigningKey:
        try:
            return checkpoint.signing_key((self._folder / name).read_text(encoding="utf-8"))
        except OSError as fault:
            raise LedgerUnavailable(
                f"the key `keys/{FOLDER}/{name}` cannot be read: {fault.strerror}: put it back from its copy"
            ) from None
        except (CheckpointFault, UnicodeDecodeError):
            raise LedgerUnavailable(f"the key `keys/{FOLDER}/{name}` is garbled: put it back from its copy") from None

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


def _overwrite(descriptor: int) -> None:
    """Leave nothing of a file that has no name any more. Raises OSError."""
    try:
        os.write(descriptor, bytes(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
