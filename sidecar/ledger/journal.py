"""The journal: leaves appended to segment files, each in the kernel's hands before it is acknowledged.

`append` writes on the calling thread: the index and the one write happen under one short lock. A background
thread (`start`) puts what was written on disk, wakes those who wait for that, opens the next segment, looks
whether the file is still the one at its path and whether the disk has room, and opens a fresh segment once the
cause of a fault has gone.

INVARIANT: a leaf is acknowledged only if, after its write, the file was linked in a folder and exactly as long
as the acknowledged leaves make it. A buffered journal gives that up, and only that, for leaves that need not be
durable.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import scan, segment, trouble
from sidecar.ledger.segment import HEADER_BYTES, Segment
from sidecar.ledger.trouble import CLOSED, FULL, SLOW, Trouble

MOST_UNSYNCED = 16 << 20  # bytes acknowledged and not yet on disk: what a machine that stops may lose, at the most


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
        deadline_s: float = 5.0,
        buffered: bool = False,
        sync_file: Callable[[int], None] = os.fdatasync,
        failed: Callable[[str], None] = lambda _cause: None,
        joins: Callable[[], None] = lambda: None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`run` is written into each segment; `failed` is told the cause of each append or flush that failed.

        The background thread calls `joins` once.

        Nothing waits longer than `deadline_s` for the disk. A `buffered` journal writes what need not be durable
        with the next flush.
        """
        self.folder, self._run = folder, run
        self._segment_bytes, self._min_free_bytes, self._flush_s = segment_bytes, min_free_bytes, flush_s
        self._deadline_s, self._buffered, self._ticks = deadline_s, buffered, ticks
        self._sync_file, self._failed, self._joins = sync_file, failed, joins
        # Who needs both takes `_syncing` first. `_writing` guards every field below; the files change under both.
        self._syncing, self._writing = threading.Lock(), threading.Lock()
        self._trouble: Trouble | None = CLOSED
        self._held: Trouble | None = None  # somebody else's reason to take no record
        self._directory = self._file = -1
        self._number = 0
        self._first = self._size = self._synced = 0  # leaves: before this segment, acknowledged, on disk
        self._end = self._synced_end = 0  # bytes of this segment: acknowledged, on disk
        self._unsynced: list[bytes] = []  # what came since: a fresh segment gets it when a sync fails
        self._waiting: list[bytes] = []  # the end of it that is not yet written
        self._waiting_bytes = 0
        self._stored = threading.Condition()  # told after each round of the background thread
        self._wake = threading.Event()
        self._busy_since: float | None = None  # when the background thread's round began
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
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory = scan.held(self.folder)
            self._number, self._first = scan.continuation(self.folder, notices)
            self._begin(self._number, self._first, [])
        except OSError as fault:
            self._release()
            raise LedgerUnavailable(f"`{self.folder}` cannot be written: {fault.strerror}") from None
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
        self._wake.set()
        if self._flusher is not None:
            self._flusher.join()
        self.tend()
        with self._syncing, self._writing:
            self._trouble = CLOSED
            self._release()

    def flush(self) -> None:
        """Put on disk what is acknowledged, as far as the disk takes it."""
        with self._syncing, suppress(LedgerUnavailable):
            self._flush()

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
    def synced(self) -> int:
        """Leaves on disk."""
        return self._synced

    @property
    def first(self) -> int:
        """Index of the first leaf that is still here. Raises LedgerUnavailable."""
        return min((part.first for part in self.segments()), default=0)

    @property
    def free_bytes(self) -> int:
        """Room left on the disk; 0 when it cannot be told."""
        try:
            return trouble.free_bytes(self._directory)
        except OSError:
            return 0

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing can be recorded now; None when it can."""
        return self._trouble or self._held or (SLOW if self._overdue() else None)

    def hold(self, reason: Trouble | None) -> None:
        """Take no record for this reason, until told that there is none."""
        self._held = reason

    def append(self, leaves: Sequence[bytes], durable: bool = False) -> int:
        """Keep these leaves with one write and give the index of the first.

        They survive the end of this process when it returns, and the end of the machine when `durable`.
        Raises LedgerUnavailable: none of them is acknowledged.
        """
        written = segment.frames(leaves)
        if self._end >= self._segment_bytes:
            self._end_segment()
        if not self._writing.acquire(timeout=self._deadline_s):
            raise self._refused(SLOW)
        try:
            self._admit(len(written))
            if self._buffered and not durable:
                self._waiting.append(written)
                self._waiting_bytes += len(written)
            else:
                self._write(written)
            first = self._size
            self._size = first + len(leaves)
            self._unsynced.append(written)
        finally:
            self._writing.release()
        if durable:
            self.sync(first + len(leaves))
        return first

    def sync(self, size: int) -> None:
        """Have the first `size` leaves on disk: one flush for all who wait. Raises LedgerUnavailable."""
        if self._flusher is None:
            with self._syncing:
                if self._synced < size:
                    self._sync()
            return
        end = self._ticks() + self._deadline_s
        self._wake.set()
        with self._stored:
            while self._synced < size:
                if self._trouble is not None:
                    raise self._refused(self._trouble)
                left = end - self._ticks()
                if left <= 0:
                    raise self._refused(SLOW)
                self._stored.wait(left)

    def leaves(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each leaf from index `start` to the last one acknowledged. Raises LedgerUnavailable."""
        self._write_waiting()
        size = self._size
        segments = self.segments()
        for n, part in enumerate(segments):
            end = segments[n + 1].first if n + 1 < len(segments) else size
            if end > start:
                yield from scan.read(part, max(start, part.first), end)

    def segments(self) -> list[Segment]:
        """The files of the journal in order. Raises LedgerUnavailable."""
        return scan.segments(self.folder)

    def drop(self, before: int) -> None:
        """Let go the segments that hold nothing but leaves before index `before`. Raises OSError."""
        with self._syncing:
            parts = self.segments()
            for part, following in itertools.pairwise(parts):
                if following.first <= before and part.number < self._number:
                    part.path.unlink()

    # ---- writing; `_writing` is held

    def _admit(self, count: int) -> None:
        """Raises LedgerUnavailable when `count` more bytes should not be taken."""
        reason = self._trouble or self._held
        if reason is not None:
            raise self._refused(reason)
        if self._end - self._synced_end + self._waiting_bytes > MOST_UNSYNCED or self._overdue():
            raise self._refused(self._into(SLOW))

    def _overdue(self) -> bool:
        """Whether the disk has held the background thread up for longer than anybody should wait."""
        since = self._busy_since
        return since is not None and self._ticks() - since > self._deadline_s

    def _write(self, data: bytes) -> None:
        """Write what waits and then `data`, in one; nothing of it counts unless all of it is there."""
        if self._waiting:
            data = b"".join((*self._waiting, data))
        try:
            written = os.write(self._file, data)
            now = os.fstat(self._file)
        except OSError as fault:
            self._cut_back()
            raise self._refused(self._into(trouble.of_write(fault))) from None
        # The leaves count only if the file they went to can still be found, and holds them and those before.
        if now.st_nlink and now.st_size == self._end + len(data):
            self._end += len(data)
            self._waiting, self._waiting_bytes = [], 0
            return
        if written < len(data):
            self._cut_back()
            raise self._refused(self._into(FULL))
        if not now.st_nlink:
            raise self._refused(self._into(trouble.gone(self._number)))
        raise self._refused(self._into(trouble.changed(self._number)))

    def _write_waiting(self) -> None:
        """Have the kernel hold every acknowledged leaf. Raises LedgerUnavailable. `_writing` is not held."""
        if self._waiting:
            with self._writing:
                if self._waiting:
                    self._write(b"")

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
            if self._waiting:
                self._write(b"")
            size, end, count = self._size, self._end, len(self._unsynced)
        try:
            self._sync_file(self._file)
        except OSError as fault:
            # After a failed flush the kernel may call clean what it dropped: this file is never flushed again.
            sentence = f"the journal's disk failed to store what was written: {fault.strerror}"
            with self._writing:
                raise self._refused(self._into(Trouble("sync_failed", sentence))) from None
        with self._writing:
            self._synced, self._synced_end = size, end
            del self._unsynced[:count]
        self._tell()

    def _end_segment(self) -> None:
        """Have the next segment opened: by the background thread, so that no answer waits for it."""
        if self._flusher is not None:
            self._wake.set()
            return
        with self._syncing:
            self._rotate()

    def _rotate(self) -> None:
        if self._end < self._segment_bytes:
            return
        self._sync()
        with self._writing:
            try:
                self._begin(self._number + 1, self._synced, self._unsynced)
            except OSError as fault:
                raise self._refused(self._into(trouble.of_write(fault))) from None

    # ---- tending

    def _tend_until_stopped(self) -> None:
        self._joins()
        look_at = 0.0
        while not self._stop.is_set():
            self._wake.wait(self._flush_s)
            self._wake.clear()
            self._busy_since = now = self._ticks()
            try:
                # Who waits for the disk does not wait for a look around, unless it is time for one.
                if now < look_at:
                    self.flush()
                else:
                    self.tend()
                    look_at = now + self._flush_s
            except Exception as fault:  # a thread that died unseen would leave records off the disk
                with self._writing:
                    self._into(Trouble("io", f"the journal could not be flushed: {type(fault).__name__}"))
            self._busy_since = None
            self._tell()

    def _tell(self) -> None:
        """Wake those who wait for the disk: what they wait for is there, or will not come."""
        with self._stored:
            self._stored.notify_all()

    def tend(self) -> None:
        """Flush and look once; when there is trouble, try to come out of it."""
        with self._syncing:
            if self._trouble is not None:
                self._recover()
            else:
                self._flush_and_look()

    def _flush(self) -> None:
        if self._synced < self._size:
            self._sync()
        self._rotate()

    def _flush_and_look(self) -> None:
        try:
            self._flush()
        except LedgerUnavailable:
            return
        found = self._look()
        if found is not None:
            with self._writing:
                self._into(found)

    def _look(self) -> Trouble | None:
        """What is wrong around the file, before a write finds out."""
        try:
            return (
                trouble.of_folder(self.folder, self._directory)
                or self._file_trouble()
                or trouble.of_room(self._directory, self._min_free_bytes)
            )
        except OSError as fault:
            return Trouble("io", f"`journal/` cannot be looked at: {fault.strerror}")

    def _file_trouble(self) -> Trouble | None:
        return trouble.of_file(self.folder / segment.name(self._number), self._number, self._file)

    def _recover(self) -> None:
        """Go on in a fresh segment that begins with every acknowledged leaf the old one may have lost."""
        if self._directory < 0:
            return
        with self._writing:
            try:
                needed = self._min_free_bytes + sum(map(len, self._unsynced))
                found = self._retake_folder() or trouble.of_room(self._directory, needed)
                if found is None and not self._file_is_whole():
                    found = self._resume()
            except OSError as fault:
                found = trouble.of_write(fault)
            self._trouble = found

    def _file_is_whole(self) -> bool:
        """Whether the trouble was the room or the speed of the disk alone, so that the file can go on."""
        causes = ("disk_low", SLOW.cause)
        return self._trouble is not None and self._trouble.cause in causes and self._file_trouble() is None

    def _retake_folder(self) -> Trouble | None:
        if trouble.of_folder(self.folder, self._directory) is None:
            return None
        if not self.folder.is_dir():
            return Trouble("folder_gone", "the folder `journal/` was deleted or moved: put it back")
        try:
            directory = scan.held(self.folder)
        except LedgerUnavailable as fault:
            return Trouble("folder_gone", str(fault))
        os.close(self._directory)
        self._directory = directory
        return None

    def _resume(self) -> Trouble | None:
        found = self._file_trouble()
        if found is None:
            self._begin(self._number + 1, self._synced, self._unsynced)
            return None
        if found.cause != "file_gone":
            return found
        # The deleted file lives on until it is closed: what was acknowledged in it moves to a new one of its name.
        kept = os.pread(self._file, self._synced_end, 0)
        if sum(1 for _ in segment.whole_frames(kept)) != self._synced - self._first:
            return Trouble("file_gone", f"{found.sentence} and cannot be read any more: restart the sidecar")
        self._begin(self._number, self._first, [kept[HEADER_BYTES:], *self._unsynced])
        return None

    def _begin(self, number: int, first: int, parts: Sequence[bytes]) -> None:
        """A fresh segment, on disk with what it begins with, takes the place of the open one. Raises OSError."""
        data = b"".join((segment.header(first, self._run), *parts))
        file = scan.begun(self.folder, self._directory, number, self._run, data, self._sync_file)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._first = file, number, first
        self._end = self._synced_end = len(data)
        self._synced = self._size
        self._unsynced, self._waiting, self._waiting_bytes = [], [], 0
