"""Reading on in the journal: the leaves the tree has not hashed yet, a few at a time, from where it last was."""

import os
from pathlib import Path

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import segment
from sidecar.ledger.segment import FRAME_BYTES, HEADER_BYTES, LARGEST_LEAF, Segment

CHUNK = 1 << 17


class Follower:
    """A place in the journal's files. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._part: Segment | None = None
        self._file = -1
        self._index = self._offset = 0
        self._end: int | None = None  # where the next segment begins, once there is one

    def close(self) -> None:
        """Give the open file back."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._part = -1, None

    def take(self, start: int, end: int) -> list[bytes]:
        """Leaves from `start` on, at least one and at most those before `end`, all of them on disk.

        Raises LedgerUnavailable when the journal's files do not have them.
        """
        try:
            if self._part is None or self._index != start:
                self._seek(start)
            found = self._read(end)
            if not found:
                # The segment ends here, or the file was written anew under its name.
                self._seek(start)
                found = self._read(end)
        except OSError as fault:
            self.close()
            raise LedgerUnavailable(f"the journal cannot be read: {fault.strerror}") from None
        if not found:
            self.close()
            raise LedgerUnavailable(f"the journal does not have record {start}: put its files back from their copy")
        return found

    def _read(self, end: int) -> list[bytes]:
        """Leaves up to `end` or the end of the segment; empty when not one whole frame is here."""
        # Frames beyond the next segment's first index were given up: they may be what was never acknowledged.
        if self._end is None:
            self._end = self._next_first()
        if self._end is not None:
            end = min(end, self._end)
        size = CHUNK
        while True:
            data = os.pread(self._file, size, self._offset)
            found, stop = segment.leading_leaves(data, end - self._index)
            if found or len(data) < size or size > LARGEST_LEAF + FRAME_BYTES:
                self._offset += stop
                self._index += len(found)
                return found
            size *= 16

    def _seek(self, start: int) -> None:
        """Stand before leaf `start`. Raises OSError, LedgerUnavailable."""
        self.close()
        parts = [
            part
            for number, path in segment.numbered(self._folder)
            if (part := segment.read_header(number, path)) is not None and part.first <= start
        ]
        if not parts:
            raise LedgerUnavailable(f"the journal does not have record {start}: put its files back from their copy")
        self._part = parts[-1]
        self._file = os.open(self._part.path, os.O_RDONLY)
        self._index, self._offset, self._end = self._part.first, HEADER_BYTES, None
        while self._index < start:
            if not self._read(start):
                raise LedgerUnavailable(
                    f"`journal/{self._part.path.name}` is damaged: record {self._index} is not whole"
                )

    def _next_first(self) -> int | None:
        if self._part is None:
            return None
        number = self._part.number + 1
        path = self._folder / segment.name(number)
        found = segment.read_header(number, path) if path.exists() else None
        return None if found is None else found.first
