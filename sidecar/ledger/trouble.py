"""Why nothing can be recorded, and what is wrong around the journal's file before a write finds out."""

import errno
import os
from pathlib import Path

from msgspec import Struct

from sidecar.ledger import segment


class Trouble(Struct, frozen=True):
    """A word for metrics, and a sentence with the next step."""

    cause: str
    sentence: str


CLOSED = Trouble("closed", "the journal is not open")
FULL = Trouble("disk_full", "the journal's disk is full: make room")
SLOW = Trouble("disk_slow", "the journal's disk stores more slowly than records come: look for what holds it up")


def of_folder(folder: Path, directory: int) -> Trouble | None:
    """Whether the folder at its path is the one we hold. Raises OSError."""
    if same(folder, os.fstat(directory)):
        return None
    return Trouble("folder_gone", "the folder `journal/` was deleted, moved or replaced: put it back")


def of_file(path: Path, number: int, file: int) -> Trouble | None:
    """Whether the segment at its path is the one we write. Raises OSError."""
    if same(path, os.fstat(file)):
        return None
    if not path.exists():
        return gone(number)
    return Trouble("file_replaced", f"`journal/{path.name}` is another program's file: move it away")


def of_room(directory: int, needed: int) -> Trouble | None:
    """Whether the disk has `needed` bytes left. Raises OSError."""
    if free_bytes(directory) >= needed:
        return None
    return Trouble("disk_low", f"the journal's disk has less than {needed} bytes left: make room")


def of_write(fault: OSError) -> Trouble:
    """What a refusal of the file system means."""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return FULL
    return Trouble("io", f"the journal cannot be written: {fault.strerror}")


def gone(number: int) -> Trouble:
    """The open segment has no name any more."""
    return Trouble("file_gone", f"`journal/{segment.name(number)}` was deleted or moved")


def changed(number: int) -> Trouble:
    """The open segment is not as long as what was written makes it."""
    return Trouble("file_changed", f"`journal/{segment.name(number)}` was changed by another program")


def free_bytes(directory: int) -> int:
    """Room left on the disk of an open folder. Raises OSError."""
    disk = os.fstatvfs(directory)
    return disk.f_bavail * disk.f_frsize


def same(path: Path, ours: os.stat_result) -> bool:
    """Whether the file at a path is this one. Raises OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)
