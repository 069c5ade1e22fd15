"""The journal's folder as it is found: held for one process, its segments in order, a torn tail cut."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import segment
from sidecar.ledger.segment import HEADER_BYTES, Segment

BLOCK = 512  # the least a disk writes


def held(folder: Path) -> int:
    """A descriptor of the folder, locked for this process. Raises OSError, LedgerUnavailable."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(directory)
        raise LedgerUnavailable(
            f"another process holds `{folder}`: one sidecar, one data folder; stop it or give this one its own"
        ) from None
    return directory


def segments(folder: Path) -> list[Segment]:
    """The segments in order; a file whose header is not whole is left out. Raises LedgerUnavailable."""
    found = []
    try:
        for number, path in segment.numbered(folder):
            with suppress(FileNotFoundError):  # let go since the folder was listed: its leaves are in bundles
                found.append(segment.read_header(number, path))
    except OSError as fault:
        raise _unreadable(fault) from None
    return [part for part in found if part is not None]


def read(part: Segment, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of the leaves [start, end) of a segment. Raises LedgerUnavailable, also for damage."""
    try:
        data = part.path.read_bytes()
    except OSError as fault:
        raise _unreadable(fault) from None
    index = part.first
    for begin, stop in segment.whole_frames(data):
        if index >= end:
            return
        if index >= start:
            yield index, data[begin:stop]
        index += 1
    if index < end:
        raise LedgerUnavailable(f"`journal/{part.path.name}` is damaged: record {index} is not whole")


def continuation(folder: Path, notices: list[str]) -> tuple[int, int]:
    """Number and first index of the next segment, after cutting what a crash left unfinished.

    A segment without leaves, left by a run that recorded nothing, is to be replaced.

    Adds a sentence to `notices` for each thing found. Raises OSError, LedgerUnavailable for damage.
    """
    for draft in segment.drafts(folder):
        draft.unlink()
    files = segment.numbered(folder)
    _note_gaps(files, notices)
    if not files:
        return 1, 0
    number, path = files[-1]
    part = segment.read_header(number, path)
    if part is None:
        raise LedgerUnavailable(f"`journal/{path.name}` has a damaged header: put the file back from its copy")
    count = _cut_torn_tail(part, notices)
    return (number + 1, part.first + count) if count else (number, part.first)


def begun(folder: Path, directory: int, number: int, run: bytes, data: bytes, sync_file: Callable[[int], None]) -> int:
    """A descriptor of the fresh segment `number` with these bytes, its name and content on disk. Raises OSError."""
    final, draft = segment.name(number), segment.draft(number)
    # A name for the draft: a crash in the middle leaves the old segment the last one, whole.
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600, dir_fd=directory)
    try:
        if os.write(file, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync_file(file)
        _refuse_foreign(number, folder / final, run)
        os.rename(draft, final, src_dir_fd=directory, dst_dir_fd=directory)
        sync_file(directory)
    except OSError:
        os.close(file)
        raise
    return file


def _refuse_foreign(number: int, path: Path, run: bytes) -> None:
    """A segment takes the place of one without leaves, or of one this run could not finish. Raises OSError."""
    if not path.exists() or path.stat().st_size <= HEADER_BYTES:
        return
    found = segment.read_header(number, path)
    if found is None or found.run != run:
        raise FileExistsError(errno.EEXIST, f"`journal/{path.name}` is another program's file: move it away")


def _note_gaps(files: Sequence[tuple[int, Path]], notices: list[str]) -> None:
    # The first ones may be gone by right: their leaves are in the tree's bundles.
    present = {number for number, _ in files}
    for number in range(min(present, default=0), max(present, default=0)):
        if number not in present:
            notices.append(f"`journal/{segment.name(number)}` is missing")


def _cut_torn_tail(part: Segment, notices: list[str]) -> int:
    """How many whole leaves a segment has, once nothing follows them."""
    data = part.path.read_bytes()
    ends = [end for _, end in segment.whole_frames(data)]
    end = ends[-1] if ends else HEADER_BYTES
    if end < len(data):
        _set_aside(part, data, end, len(ends), notices)
        with part.path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
    return len(ends)


def _set_aside(part: Segment, data: bytes, end: int, count: int, notices: list[str]) -> None:
    """Say what will be cut, and keep it when there are records in it. Raises LedgerUnavailable for damage.

    A process that dies leaves a torn tail and nothing after it. A machine that dies may also leave blocks of zeros
    where the disk had not yet stored what came before; all that follows was then promised to nobody as on disk.
    """
    name, tail = part.path.name, len(data) - end
    after = segment.frame_after(data, end)
    if after is None:
        notices.append(f"a torn tail of {tail} bytes was cut from `journal/{name}`")
        return
    if bytes(BLOCK) not in data[end:after]:
        raise LedgerUnavailable(
            f"`journal/{name}` is damaged: record {part.first + count} at byte {end} is not whole and whole records"
            f" follow at byte {after}: put the file back from its copy"
        )
    aside = part.path.with_suffix(".cut")
    aside.write_bytes(data[end:])
    notices.append(
        f"the machine stopped before the last {tail} bytes of `journal/{name}` were on disk: what is left of them is in"
        f" `journal/{aside.name}`"
    )


def _unreadable(fault: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(f"the journal cannot be read: {fault.strerror}")
