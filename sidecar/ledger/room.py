"""The ledger room: what the corridors record in, and what an auditor reads from."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from sidecar.core import leaf as leaves
from sidecar.core import leaf_bytes, tiles
from sidecar.core.leaf import RUN_BYTES, ChangeLeaf, leaf_id
from sidecar.core.model import Caller
from sidecar.core.reading import RecordsPage, RecordsQuery, Retirement, Rotation
from sidecar.core.recall import Found
from sidecar.core.record import Changed, Entry, Recorded
from sidecar.errors import InvalidRequest, LedgerUnavailable
from sidecar.ledger import show, signing
from sidecar.ledger.book import Book
from sidecar.ledger.clock import ClockWatch
from sidecar.ledger.journal import Journal
from sidecar.ledger.keys import KeyFolder, MonthKeys, end_of, is_month
from sidecar.ledger.signing import SigningKeys
from sidecar.ledger.tree import Tree
from sidecar.ledger.tree_keeper import Keeper

JOURNAL, KEYS, TREE = "journal", "keys", "tree"

Mode = Literal["written", "strict", "batch"]


class LedgerRoom:
    """The ledger of one sidecar: a journal, the signed tree over it and the keys, in one folder.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        folder: Path,
        origin: str,
        *,
        random: Callable[[int], bytes] = os.urandom,
        mode: Mode = "written",
        segment_bytes: int = 64 << 20,
        min_free_bytes: int = 16 << 20,
        flush_s: float = 0.1,
        deadline_s: float = 5.0,
        checkpoint_s: float = 1.0,
        idle_s: float = 60.0,
        unsigned_s: float = 60.0,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        failed: Callable[[str], None] = lambda _cause: None,
        moved: Callable[[str], None] = lambda _direction: None,
        joins: Callable[[], None] = lambda: None,
    ) -> None:
        """When a record is acknowledged: `strict` on disk, `written` in the kernel's hands, `batch` in memory.

        `clock` dates checkpoints; `failed` is told the cause of each append or flush that failed, `moved` when the
        clock moved `back` or `forward`. `joins` is called once by each thread in the background.
        """
        self.origin = origin
        self.notices: tuple[str, ...] = ()
        self._strict, self._failed = mode == "strict", failed
        # The run begins every id of this process: with the counter it makes an id, and a nonce, that is used once.
        self._run = random(RUN_BYTES)
        self._numbering = threading.Lock()
        self._next = 0
        self._keys = KeyFolder(folder / KEYS, self._run, random)
        self._signing = SigningKeys(folder / KEYS / signing.FOLDER, origin, random)
        self._month: MonthKeys | None = None
        self._journal = Journal(
            folder / JOURNAL,
            self._run,
            segment_bytes=segment_bytes,
            min_free_bytes=min_free_bytes,
            flush_s=flush_s,
            deadline_s=deadline_s,
            buffered=mode == "batch",
            failed=failed,
            joins=joins,
        )
        self._tree = Tree(folder / TREE, origin)
        self._keeper = Keeper(
            self._tree,
            self._journal,
            self._signing.current,
            self._signing.public,
            clock,
            every_s=checkpoint_s,
            idle_s=idle_s,
            unsigned_s=unsigned_s,
            look_s=flush_s,
            joins=joins,
        )
        self._book = Book(self._journal, self._tree)
        self._clock_watch = ClockWatch(moved)
        self._random = random
        self._managing = threading.Lock()
        self._checkpoint = folder / TREE / tiles.CHECKPOINT
        self._changing = threading.Lock()
        self._doubtful: dict[bytes, int] = {}  # leaves of changes written and not known to be on disk, and where

    def open(self, now: int) -> None:
        """Take the folder, have the keys, cut a torn tail, sign what is there (`notices` say so), start tending.

        Raises LedgerUnavailable with the next step: another process, missing or garbled keys, a damaged segment or
        tree, a journal that lost what was signed.
        """
        notices = self._journal.open()
        try:
            if self._journal.size and self._keys.empty:
                raise LedgerUnavailable(
                    "the folder `keys/` of the ledger is missing: put it back from its copy; without it nothing"
                    " recorded so far can be opened (to begin a new ledger, move `journal/` and `tree/` away)"
                )
            self._month = self._keys.current(now)
            if self._signing.absent and self._checkpoint.exists():
                raise LedgerUnavailable(
                    f"the folder `keys/{signing.FOLDER}/` is missing: put it back from its copy; another key would be"
                    " another ledger's"
                )
            self._signing.have()
            self._keys.finish_retiring()
            notices += [f"the keys of {name} are missing: put `keys/{name}/` back" for name in self._keys.missing()]
            notices += self._keeper.open()
            if len(self._signing.current()) > 1:
                self._hand_over()
                notices.append(f"a change of the signing key was finished; who verifies needs {self.vkeys[-1]}")
            self._date_latest()
        except LedgerUnavailable:
            self._journal.close()
            raise
        self.notices = tuple(notices)
        self._journal.start()
        self._keeper.start()

    def _date_latest(self) -> None:
        """Know the instant of the latest record, so that a clock behind it is seen."""
        for _, leaf in self._book.leaves(max(self._journal.size - 1, 0)):
            with suppress(ValueError):
                self._clock_watch.seen(leaves.head(leaf).at)

    def close(self) -> None:
        """Put everything on disk, sign it, stop tending and give the folder back."""
        self._journal.flush()
        self._keeper.close()
        self._journal.close()

    @property
    def size(self) -> int:
        """Leaves in this ledger."""
        return self._journal.size

    @property
    def ready(self) -> tuple[bool, str]:
        """Whether a record can be kept now, and if not, or when something needs somebody's eye, what and what to do."""
        trouble = self._journal.trouble
        if trouble is not None:
            return False, trouble.sentence
        return True, self._keeper.fault or self._clock_watch.sentence

    @property
    def signed(self) -> tuple[int, int]:
        """Leaves under the checkpoint on disk, and its time in seconds since the epoch."""
        return self._tree.signed.size, self._tree.signed_at

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verifier keys of all that ever signed here, the one that signs now last. Raises LedgerUnavailable."""
        return tuple(key.vkey for key in self._signing.public())

    @property
    def free_bytes(self) -> int:
        """Room left on the journal's disk."""
        return self._journal.free_bytes

    @property
    def latest(self) -> int:
        """The latest instant known to have gone into a record."""
        return self._clock_watch.latest

    def look(self, now: int, ticks: float) -> None:
        """Compare the clock with seconds that only go forward; to be called now and then."""
        self._clock_watch.look(now, ticks)

    # ---- records

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Keep these entries with one write, in order, before anything is answered. Raises LedgerUnavailable."""
        if not entries:
            return []
        self._clock_watch.seen(now)
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
        for index, found in self._book.leaves(made.since):
            if found == leaf:
                return Recorded(made.id.hex(), index)
        return None

    # ---- keys

    def rotate(self, caller: Caller, now: int) -> Rotation:
        """Have a new key sign from now on.

        The new key is recorded, then one checkpoint over that record is signed by both, then the new one signs
        alone. Interrupted in between, both go on signing until this is asked again or the ledger is opened.
        Raises LedgerUnavailable.
        """
        with self._managing:
            former, *_ = self._signing.current()
            following = self._signing.successor()
            named = f"{former.public.vkey} -> {following.public.vkey}"
            record = self._managed(caller, "rotate_key", named, now)
            self._signing.begin(following)
            note = self._hand_over()
            return Rotation(former.public.vkey, following.public.vkey, note.decode(), record)

    def _hand_over(self) -> bytes:
        """The checkpoint that both keys signed, once the one that follows signs alone. Raises LedgerUnavailable."""
        self._keeper.sign_now()
        note = self._checkpoint.read_bytes()
        self._signing.finish(note)
        self._keeper.sign_now()
        return note

    def retirement(self, name: str, now: int) -> Retirement:
        """What retiring this month would close. Raises InvalidRequest for one that cannot be, LedgerUnavailable."""
        if not is_month(name):
            raise InvalidRequest("month", "expected a month, as in 2026-03")
        if name in self._keys.retired():
            raise InvalidRequest("month", f"retired already, at {self._keys.retired()[name]}")
        if name not in self._keys.made():
            raise InvalidRequest("month", "nothing was ever recorded in it: it never had keys here")
        if now < end_of(name):
            raise InvalidRequest("month", "not over yet: its keys are in use")
        kinds, first, last = show.recorded_in(self._book, name)
        return Retirement(name, kinds, first, last, None)

    def retire(self, caller: Caller, name: str, now: int) -> Retirement:
        """Make a month unreadable: its keys are erased, once that is recorded.

        Raises InvalidRequest for a month that cannot be, LedgerUnavailable: asked again, it goes on.
        """
        with self._managing:
            closed = self.retirement(name, now)
            record = self._managed(caller, "retire_month", name, now)
            self._keys.retire(name, now)
            return replace(closed, record=record)

    def _managed(self, caller: Caller, what: str, named: str, now: int) -> Recorded:
        entry = Changed(self._random(16).hex(), caller, what, "", "", "", 0, detail=named)
        return self.append_change(self.change_leaf(entry, now))

    # ---- reading

    def show(self, tenant: str, query: RecordsQuery) -> RecordsPage:
        """The latest leaves of a tenant that match, opened with the keys that are left.

        Raises LedgerUnavailable when the journal cannot be read.
        """
        return show.page(self._book, self._keys, self.origin, tenant, query)

    def show_period(self, tenant: str, query: RecordsQuery) -> list[str]:
        """The leaves of [query.from, query.to) that match, oldest first; quick in a long ledger.

        Raises LedgerUnavailable when the journal cannot be read.
        """
        return show.period(self._book, self._keys, self.origin, tenant, query)

    def find(self, tenant: str, decision_id: str, index: int | None = None) -> Found:
        """The recorded decision of this id, an item of a batch by `ID.n`; read at `index` alone when that is given.

        Raises NotFound when the tenant has none, RecordClosed when its month cannot be opened any more,
        LedgerUnavailable.
        """
        return show.find(self._book, self._keys, tenant, decision_id, index)

    def entries(self, start: int = 0) -> Iterator[tuple[int, Entry]]:
        """Index and entry of each leaf from `start` on. Raises LedgerUnavailable, and ValueError without its key."""
        for index, data in self._book.leaves(start):
            leaf = leaves.decode(data)
            keys = self._keys.reading(leaf.at)
            if keys is None:
                raise ValueError(f"record {index}: the keys of its month are gone")
            yield index, leaf_bytes.open_leaf(leaf, keys)
