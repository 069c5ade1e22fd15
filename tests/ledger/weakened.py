"""Journals with one protection taken out, to see what it keeps. Light to import: child processes run them."""

import os

from sidecar.ledger import scan, segment
from sidecar.ledger.journal import Journal

RUN = b"r" * 12


def opened(folder, kind=Journal, **settings_):
    journal = kind(folder, RUN, min_free_bytes=0, **settings_)
    journal.notices = journal.open()
    return journal


class TrustingJournal(Journal):
    """The protection off: a write that returned is a record kept."""

    def _write(self, data):
        os.write(self._file, data)


class ForgettingJournal(Journal):
    """The protection off: after a fault it goes on in a fresh file and leaves the old one behind."""

    def _resume(self):
        self._begin(self._number + 1, self._size, [])


class BlindJournal(Journal):
    """The protection off: looks at nothing but its own writes."""

    def _look(self):
        return None


class RememberingJournal(Journal):
    """The protection off: acknowledges what it only remembers, and writes when it flushes."""

    _remembered: list[bytes]

    def append(self, leaves, durable=False):
        waiting = self.__dict__.setdefault("_remembered", [])
        first = self._size
        waiting.append(segment.frames(leaves))
        self._size += len(leaves)
        return first

    def tend(self):
        waiting, self.__dict__["_remembered"] = self.__dict__.get("_remembered", []), []
        with self._syncing, self._writing:
            for data in waiting:
                self._write(data)
                self._end += len(data)


class SharingJournal(Journal):
    """The protection off: takes the folder whoever holds it."""

    def open(self):
        held, scan.held = scan.held, lambda folder: os.open(folder, os.O_RDONLY)
        try:
            return super().open()
        finally:
            scan.held = held
