"""The journal: leaves appended to segment files, each in the kernel's hands before it is acknowledged.

`append` writes on the calling thread: the index and the one write happen under one short lock. A background
thread (`start`) puts what was written on disk, looks whether the file is still the one at its path and whether
the disk has room, and opens a fresh segment once the cause of a fault has gone.

INVARIANT: a leaf is acknowledged only if, after its write, the file was linked in a folder and exactly as long
as the acknowledged leaves make it.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import scan, segment
from sidecar.ledger.segment import HEADER_BYTES, Segment

MOST_UNSYNCED = 16 << 20  # bytes acknowledged and not yet on disk: what a machine that stops may lose, at the most


class Trouble(Struct, frozen=True):
    """Why nothing can be recorded: a word for metrics, and a sentence with the next step."""

    cause: str
    sentence: str


class Journal:
    """Segments in a folder that one process holds. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        run: bytes,
        *,
        segment_bytes: int = 64 << 20,
        min_free_bytes: int = 16 << 20,
        flush_s: float = 0.1,
        sync_file: Callable[[int], None] = os.fdatasync,
        failed: Callable[[str], None] = lambda _cause: None,
    ) -> None:
        """`run` is written into each segment; `failed` is told the cause of each append or flush that failed."""
        self._folder, self._run = folder, run
        self._segment_bytes, self._min_free_bytes, self._flush_s = segment_bytes, min_free_bytes, flush_s
        self._sync_file, self._failed = sync_file, failed
        # Who needs both takes `_syncing` first. `_writing` guards every field below; the files change under both.
        self._syncing, self._writing = threading.Lock(), threading.Lock()
        self._trouble: Trouble | None = Trouble("closed", "the journal is not open")
        self._directory = self._file = -1
        self._number = 0
        self._first = self._size = self._synced = 0  # leaves: before this segment, acknowledged, on disk
        self._end = self._synced_end = 0  # bytes of this segment: acknowledged, on disk
        self._unsynced: list[bytes] = []  # what was written since: a fresh segment gets it when a sync fails
        self._stop = threading.Event()
        self._flusher: threading.Thread | None = None

    # ---- life

    def open(self) -> list[str]:
        """Take the folder, cut a torn tail, begin a fresh segment. Gives sentences about what was found.

        Raises LedgerUnavailable: another process holds the folder, a segment is damaged, the disk refuses.
        """
        notices: list[str] = []
        try:
            # Parents that `mkdir` makes by itself would be open to others.
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory = scan.held(self._folder)
            self._number, self._first = scan.continuation(self._folder, notices)
            self._begin(self._number, self._first, [])
        except OSError as fault:
            self._release()
            raise LedgerUnavailable(f"`{self._folder}` cannot be written: {fault.strerror}") from None
        except LedgerUnavailable:
            self._release()
            raise
        self._size = self._synced = self._first
        self._trouble = self._look()
        return notices

    def start(self) -> None:
        """Start the background thread."""
        self._flusher = threading.Thread(target=self._tend_until_stopped, name="ledger-flush", daemon=True)
        self._flusher.start()

    def close(self) -> None:
        """Put everything on disk, stop the background thread and give the folder back."""
        self._stop.set()
        if self._flusher is not None:
            self._flusher.join()
        self.tend()
        with self._syncing, self._writing:
            self._trouble = Trouble("closed", "the journal is not open")
            self._release()

    def _release(self) -> None:
        for descriptor in (self._file, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._directory = -1

    # ---- what is offered

    @property
    def size(self) -> int:
        """Leaves acknowledged, by this run and those before."""
        return self._size

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing can be recorded now; None when it can."""
        return self._trouble

    def append(self, leaves: Sequence[bytes], durable: bool = False) -> int:
        """Keep these leaves with one write and give the index of the first.

        They survive the end of this process when it returns, and the end of the machine when `durable`.
        Raises LedgerUnavailable: none of them is acknowledged.
        """
        written = segment.frames(leaves)
        if self._end >= self._segment_bytes:
            self._rotate()
        with self._writing:
            self._write(written)
            first = self._size
            self._size = first + len(leaves)
            self._end += len(written)
            self._unsynced.append(written)
        if durable:
            self.sync(first + len(leaves))
        return first

    def sync(self, size: int) -> None:
        """Have the first `size` leaves on disk: one flush for all who wait. Raises LedgerUnavailable."""
        with self._syncing:
            if self._synced < size:
                self._sync()

    def leaves(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each leaf from index `start` to the last one acknowledged. Raises LedgerUnavailable."""
        size = self._size
        segments = self.segments()
        for n, part in enumerate(segments):
            end = segments[n + 1].first if n + 1 < len(segments) else size
            if end > start:
                yield from scan.read(part, max(start, part.first), end)

    def segments(self) -> list[Segment]:
        """The files of the journal in order. Raises LedgerUnavailable."""
        return scan.segments(self._folder)

    # ---- writing; `_writing` is held

    def _write(self, data: bytes) -> None:
        if self._trouble is not None:
            raise self._refused(self._trouble)
        if self._end - self._synced_end > MOST_UNSYNCED:
            sentence = "the journal's disk stores more slowly than records come: look for what holds it up"
            raise self._refused(self._into(Trouble("disk_slow", sentence)))
        try:
            written = os.write(self._file, data)
            now = os.fstat(self._file)
        except OSError as fault:
            self._cut_back()
            raise self._refused(self._into(_write_trouble(fault))) from None
        # The leaves count only if the file they went to can still be found, and holds them and those before.
        if now.st_nlink and now.st_size == self._end + len(data):
            return
        if written < len(data):
            self._cut_back()
            raise self._refused(self._into(Trouble("disk_full", "the journal's disk is full: make room")))
        if not now.st_nlink:
            raise self._refused(self._into(_gone(self._number)))
        raise self._refused(
            self._into(
                Trouble("file_changed", f"`journal/{segment.name(self._number)}` was changed by another program")
            )
        )

    def _cut_back(self) -> None:
        """Leave no part of a leaf that was not acknowledged. What this cannot cut, the next start does."""
        try:
            if os.fstat(self._file).st_size > self._end:
                os.ftruncate(self._file, self._end)
        except OSError:
            return

    def _into(self, trouble: Trouble) -> Trouble:
        self._trouble = trouble
        return trouble

    def _refused(self, trouble: Trouble) -> LedgerUnavailable:
        self._failed(trouble.cause)
        return LedgerUnavailable(trouble.sentence)

    # ---- flushing; `_syncing` is held

    def _sync(self) -> None:
        with self._writing:
            if self._trouble is not None:
                raise self._refused(self._trouble)
            size, end, count = self._size, self._end, len(self._unsynced)
        try:
            self._sync_file(self._file)
        except OSError as fault:
            # After a failed flush the kernel may call clean what it dropped: this file is never flushed again.
            trouble = Trouble("sync_failed", f"the journal's disk failed to store what was written: {fault.strerror}")
            with self._writing:
                raise self._refused(self._into(trouble)) from None
        with self._writing:
            self._synced, self._synced_end = size, end
            del self._unsynced[:count]

    def _rotate(self) -> None:
        with self._syncing:
            if self._end < self._segment_bytes:
                return
            self._sync()
            with self._writing:
                try:
                    self._begin(self._number + 1, self._synced, self._unsynced)
                except OSError as fault:
                    raise self._refused(self._into(_write_trouble(fault))) from None

    # ---- tending

    def _tend_until_stopped(self) -> None:
        while not self._stop.wait(self._flush_s):
            try:
                self.tend()
            except Exception as fault:  # a thread that died unseen would leave records off the disk
                with self._writing:
                    self._into(Trouble("io", f"the journal could not be flushed: {type(fault).__name__}"))

    def tend(self) -> None:
        """Flush and look once; when there is trouble, try to come out of it."""
        with self._syncing:
            if self._trouble is not None:
                self._recover()
            else:
                self._flush_and_look()

    def _flush_and_look(self) -> None:
        try:
            if self._synced < self._size:
                self._sync()
        except LedgerUnavailable:
            return
        trouble = self._look()
        if trouble is not None:
            with self._writing:
                self._into(trouble)

    def _look(self) -> Trouble | None:
        """What is wrong around the file, before a write finds out."""
        try:
            trouble = self._folder_trouble() or self._file_trouble()
            return trouble or self._room_trouble(0)
        except OSError as fault:
            return Trouble("io", f"`journal/` cannot be looked at: {fault.strerror}")

    def _folder_trouble(self) -> Trouble | None:
        if _same(self._folder, os.fstat(self._directory)):
            return None
        return Trouble("folder_gone", "the folder `journal/` was deleted, moved or replaced: put it back")

    def _file_trouble(self) -> Trouble | None:
        path = self._folder / segment.name(self._number)
        if _same(path, os.fstat(self._file)):
            return None
        if not path.exists():
            return _gone(self._number)
        return Trouble("file_replaced", f"`journal/{path.name}` is another program's file: move it away")

    def _room_trouble(self, wanted: int) -> Trouble | None:
        disk, needed = os.fstatvfs(self._directory), self._min_free_bytes + wanted
        if disk.f_bavail * disk.f_frsize >= needed:
            return None
        return Trouble("disk_low", f"the journal's disk has less than {needed} bytes left: make room")

    def _recover(self) -> None:
        """Go on in a fresh segment that begins with every acknowledged leaf the old one may have lost."""
        if self._directory < 0:
            return
        with self._writing:
            try:
                trouble = self._retake_folder() or self._room_trouble(sum(map(len, self._unsynced)))
                if trouble is None and not self._file_is_whole():
                    trouble = self._resume()
            except OSError as fault:
                trouble = _write_trouble(fault)
            self._trouble = trouble

    def _file_is_whole(self) -> bool:
        """Whether the trouble was the room or the speed of the disk alone, so that the file can go on."""
        causes = ("disk_low", "disk_slow")
        return self._trouble is not None and self._trouble.cause in causes and self._file_trouble() is None

    def _retake_folder(self) -> Trouble | None:
        if self._folder_trouble() is None:
            return None
        if not self._folder.is_dir():
            return Trouble("folder_gone", "the folder `journal/` was deleted or moved: put it back")
        try:
            directory = scan.held(self._folder)
        except LedgerUnavailable as fault:
            return Trouble("folder_gone", str(fault))
        os.close(self._directory)
        self._directory = directory
        return None

    def _resume(self) -> Trouble | None:
        trouble = self._file_trouble()
        if trouble is None:
            self._begin(self._number + 1, self._synced, self._unsynced)
            return None
        if trouble.cause != "file_gone":
            return trouble
        # The deleted file lives on until it is closed: what was acknowledged in it moves to a new one of its name.
        kept = os.pread(self._file, self._synced_end, 0)
        if sum(1 for _ in segment.whole_frames(kept)) != self._synced - self._first:
            return Trouble("file_gone", f"{trouble.sentence} and cannot be read any more: restart the sidecar")
        self._begin(self._number, self._first, [kept[HEADER_BYTES:], *self._unsynced])
        return None

    def _begin(self, number: int, first: int, parts: Sequence[bytes]) -> None:
        """A fresh segment, on disk with what it begins with, takes the place of the open one. Raises OSError."""
        data = b"".join((segment.header(first, self._run), *parts))
        final, draft = segment.name(number), segment.draft(number)
        # A name for the draft: a crash in the middle leaves the old segment the last one, whole.
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600, dir_fd=self._directory)
        try:
            if os.write(file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._sync_file(file)
            self._refuse_foreign(final)
            os.rename(draft, final, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            self._sync_file(self._directory)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._first = file, number, first
        self._end = self._synced_end = len(data)
        self._synced = self._size
        self._unsynced = []

    def _refuse_foreign(self, name: str) -> None:
        """A segment takes the place of one without leaves, or of one this run could not finish. Raises OSError."""
        path = self._folder / name
        if not path.exists() or path.stat().st_size <= HEADER_BYTES:
            return
        found = segment.read_header(self._number, path)
        if found is None or found.run != self._run:
            raise FileExistsError(errno.EEXIST, f"`journal/{name}` is another program's file: move it away")


def _same(path: Path, ours: os.stat_result) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)


def _gone(number: int) -> Trouble:
    return Trouble("file_gone", f"`journal/{segment.name(number)}` was deleted or moved")


def _write_trouble(fault: OSError) -> Trouble:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Trouble("disk_full", "the journal's disk is full: make room")
    return Trouble("io", f"the journal cannot be written: {fault.strerror}")
