"""The ledger room: what the corridors record in, and what an auditor reads from."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sidecar.core import leaf as leaves
from sidecar.core import leaf_bytes
from sidecar.core.leaf import RUN_BYTES, ChangeLeaf, leaf_id
from sidecar.core.reading import RecordsPage, RecordsQuery
from sidecar.core.recall import Found
from sidecar.core.record import Changed, Entry, Recorded
from sidecar.errors import LedgerUnavailable
from sidecar.ledger import show
from sidecar.ledger.journal import Journal
from sidecar.ledger.keys import KeyFolder, MonthKeys

JOURNAL, KEYS = "journal", "keys"


class LedgerRoom:
    """The ledger of one sidecar: a journal and its keys in one folder. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        origin: str,
        *,
        random: Callable[[int], bytes] = os.urandom,
        strict: bool = False,
        segment_bytes: int = 64 << 20,
        min_free_bytes: int = 16 << 20,
        flush_s: float = 0.1,
        failed: Callable[[str], None] = lambda _cause: None,
    ) -> None:
        """`strict` has every record on disk before it is acknowledged.

        `failed` is told the cause of each append or flush that failed.
        """
        self.origin = origin
        self.notices: tuple[str, ...] = ()
        self._strict, self._failed = strict, failed
        # The run begins every id of this process: with the counter it makes an id, and a nonce, that is used once.
        self._run = random(RUN_BYTES)
        self._numbering = threading.Lock()
        self._next = 0
        self._keys = KeyFolder(folder / KEYS, self._run, random)
        self._month: MonthKeys | None = None
        self._journal = Journal(
            folder / JOURNAL,
            self._run,
            segment_bytes=segment_bytes,
            min_free_bytes=min_free_bytes,
            flush_s=flush_s,
            failed=failed,
        )
        self._changing = threading.Lock()
        self._doubtful: dict[bytes, int] = {}  # leaves of changes written and not known to be on disk, and where

    def open(self, now: int) -> None:
        """Take the folder, have the keys of the month, cut a torn tail (`notices` say so), start flushing.

        Raises LedgerUnavailable with the next step: another process, missing or garbled keys, a damaged segment.
        """
        notices = self._journal.open()
        try:
            if self._journal.size and self._keys.empty:
                raise LedgerUnavailable(
                    "the folder `keys/` of the ledger is missing: put it back from its copy; without it nothing"
                    " recorded so far can be opened (to begin a new ledger, move the folder `journal/` away)"
                )
            self._month = self._keys.current(now)
        except LedgerUnavailable:
            self._journal.close()
            raise
        self.notices = tuple(notices)
        self._journal.start()

    def close(self) -> None:
        """Put everything on disk, stop flushing and give the folder back."""
        self._journal.close()

    @property
    def size(self) -> int:
        """Leaves in this ledger."""
        return self._journal.size

    @property
    def ready(self) -> tuple[bool, str]:
        """Whether a record can be kept now, and if not why and the next step."""
        trouble = self._journal.trouble
        return (True, "") if trouble is None else (False, trouble.sentence)

    # ---- records

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Keep these entries with one write, in order, before anything is answered. Raises LedgerUnavailable."""
        if not entries:
            return []
        keys = self._keys_at(now)
        ids = self._ids(len(entries))
        size = self._journal.size
        first = self._journal.append(
            [leaf_bytes.encode(entry, id_, now, keys, size) for entry, id_ in zip(entries, ids, strict=True)],
            self._strict,
        )
        return [Recorded(id_.hex(), first + n) for n, id_ in enumerate(ids)]

    def _ids(self, count: int) -> list[bytes]:
        with self._numbering:
            first = self._next
            self._next = first + count
        return [leaf_id(self._run, number) for number in range(first, first + count)]

    def _keys_at(self, now: int) -> MonthKeys:
        keys = self._month
        if keys is not None and keys.start <= now < keys.end:
            return keys
        with self._numbering:
            try:
                self._month = keys = self._keys.current(now)
            except LedgerUnavailable:
                self._failed("keys")
                raise
        return keys

    # ---- changes

    def change_leaf(self, entry: Changed, now: int) -> bytes:
        """The leaf that will keep a change: to be stored with the change, then appended. Raises LedgerUnavailable."""
        (id_,) = self._ids(1)
        return leaf_bytes.encode(entry, id_, now, self._keys_at(now), self._journal.size)

    def append_change(self, leaf: bytes) -> Recorded:
        """Keep the leaf of a change, on disk before this returns.

        Raises LedgerUnavailable: it is not known to be kept; the same leaf given again is not kept twice.
        """
        id_ = leaves.head(leaf).id.hex()
        with self._changing:
            index = self._doubtful.get(leaf)
            if index is None:
                index = self._doubtful[leaf] = self._journal.append((leaf,))
        self._journal.sync(index + 1)
        with self._changing:
            self._doubtful.pop(leaf, None)
        return Recorded(id_, index)

    def change_recorded(self, leaf: bytes) -> Recorded | None:
        """Where the leaf of a change stands since it was made; None when it was never appended.

        Raises LedgerUnavailable when the journal cannot be read.
        """
        made = leaves.decode(leaf)
        if not isinstance(made, ChangeLeaf):
            raise ValueError("only changes are looked for")
        for index, found in self._journal.leaves(made.since):
            if found == leaf:
                return Recorded(made.id.hex(), index)
        return None

    # ---- reading

    def show(self, tenant: str, query: RecordsQuery) -> RecordsPage:
        """The latest leaves of a tenant that match, opened with the keys that are left.

        Raises LedgerUnavailable when the journal cannot be read.
        """
        return show.page(self._journal, self._keys, self.origin, tenant, query)

    def find(self, tenant: str, decision_id: str, index: int | None = None) -> Found:
        """The recorded decision of this id, an item of a batch by `ID.n`; read at `index` alone when that is given.

        Raises NotFound when the tenant has none, RecordClosed when its month cannot be opened any more,
        LedgerUnavailable.
        """
        return show.find(self._journal, self._keys, tenant, decision_id, index)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Index and entry of each leaf from `start` on. Raises LedgerUnavailable, and ValueError without its key."""
        for index, data in self._journal.leaves(start):
            leaf = leaves.decode(data)
            keys = self._keys.reading(leaf.at)
            if keys is None:
                raise ValueError(f"record {index}: the keys of its month are gone")
            yield index, leaf_bytes.open_leaf(leaf, keys)
