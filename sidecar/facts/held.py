"""Changes of grants that the store could not take: in files beside it, until it can.

An emergency does not wait for a disk that is full or a database that is locked. What is held is on disk before its
leaf is, so that neither a stop nor a crash loses a grant, its notices or its review.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from sidecar.core.change import GrantChange
from sidecar.errors import FactsUnavailable

FOLDER = "held"


class Held(Struct, frozen=True):
    """A change that waits for the store; `shown` once its leaf is known to be on disk."""

    change: GrantChange
    leaf: bytes
    shown: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Held).decode


class HeldChanges:
    """The changes that wait, oldest first, each in a file of its own."""

    def __init__(self, folder: Path) -> None:
        """Reads what an earlier process left. Raises FactsUnavailable for a file that cannot be read."""
        self._folder = folder / FOLDER
        self._files: dict[str, Path] = {}
        self.changes: dict[str, Held] = {}
        self._last = 0
        for path in sorted(self._folder.glob("*.json")):
            try:
                held = _decode(path.read_bytes())
            except (OSError, msgspec.DecodeError) as fault:
                raise FactsUnavailable(f"{path} cannot be read: {fault}") from None
            self.changes[held.change.change_id] = held
            self._files[held.change.change_id] = path
            self._last = int(path.stem)

    def add(self, change: GrantChange, leaf: bytes) -> None:
        """Put a change on disk. Raises FactsUnavailable when that cannot be."""
        self._last += 1
        path = self._folder / f"{self._last:012d}.json"
        held = Held(change, leaf)
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            _put(path, _encode(held))
        except OSError as fault:
            raise FactsUnavailable(f"{path} cannot be written: {fault.strerror}") from None
        self._files[change.change_id], self.changes[change.change_id] = path, held

    def show(self, change_id: str) -> Held:
        """The leaf of a change is on disk: it counts from now on, in this process."""
        held = self.changes[change_id] = msgspec.structs.replace(self.changes[change_id], shown=True)
        return held

    def drop(self, change_id: str) -> None:
        """The store has the change. A file that cannot be removed is taken again at the next start, once."""
        del self.changes[change_id]
        path = self._files.pop(change_id)
        try:
            path.unlink(missing_ok=True)
            _sync(self._folder)
        except OSError:
            return


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner alone, on disk when this returns."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
