"""Keeps the tree up with the journal, off the answering path: hashes what is on disk, signs, lets old segments go.

A thread of its own (`start`). What it does between two rests is small, for it shares one interpreter with the
answers. When no checkpoint can be put on disk for `unsigned_s` seconds the journal takes no more records: what is
recorded and never signed could be altered unseen.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from sidecar.core import merkle, tiles
from sidecar.core.checkpoint import SigningKey, VerifierKey
from sidecar.errors import LedgerUnavailable
from sidecar.ledger.journal import Journal
from sidecar.ledger.tree import Tree
from sidecar.ledger.tree_follow import Follower
from sidecar.ledger.trouble import Trouble

SLICE = 128  # leaves hashed between two rests
REST_S = 0.001
BACKOFF_S = 1.0


class Keeper:
    """The tree of one journal. `signers` gives the keys that sign now, `known` all that ever did."""

    def __init__(
        self,
        tree: Tree,
        journal: Journal,
        signers: Callable[[], Sequence[SigningKey]],
        known: Callable[[], Sequence[VerifierKey]],
        clock: Callable[[], int],
        *,
        every_s: float = 1.0,
        idle_s: float = 60.0,
        unsigned_s: float = 60.0,
        look_s: float = 0.1,
        joins: Callable[[], None] = lambda: None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """A checkpoint follows new leaves within `every_s` seconds, and an idle ledger's is renewed after `idle_s`.

        `clock` gives the instant in microseconds, `ticks` seconds for durations; the thread calls `joins` once.
        """
        self._tree, self._journal, self._signers, self._known = tree, journal, signers, known
        self._clock, self._ticks, self._joins = clock, ticks, joins
        self._every_s, self._idle_s, self._unsigned_s, self._look_s = every_s, idle_s, unsigned_s, look_s
        self._follower = Follower(journal.folder)
        self._tending = threading.Lock()
        self._signed_tick = self._up_tick = ticks()  # last checkpoint; last instant at which nothing was unsigned
        self._fault: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> str | None:
        """Why the last attempt to keep the tree failed; None when it did not."""
        return self._fault

    # ---- life

    def open(self) -> list[str]:
        """Take the tree up where its checkpoint left it and bring it up to the journal. Gives what was found.

        Raises LedgerUnavailable with the next step: a tree that is damaged or another ledger's, a journal that lost
        what was signed.
        """
        notices: list[str] = []
        try:
            found = self._tree.open(self._known())
            self._compare()
            behind = self._journal.size - self._tree.size
            if not found:
                self._sign()
            self._grow(rest=False)
            self._sign()
        except OSError as fault:
            raise LedgerUnavailable(_said(fault)) from None
        finally:
            self._follower.close()
        if not found and behind:
            notices.append(f"the tree was made anew over the {behind} records of the journal")
        return notices

    def _compare(self) -> None:
        """The journal has what was signed, and the same. Raises LedgerUnavailable."""
        signed, size = self._tree.size, self._journal.size
        if size < signed:
            raise LedgerUnavailable(
                f"the journal ends at record {size}, and `tree/checkpoint` was signed over {signed}: records were"
                " taken away: put the folder `journal/` back as it was (an older copy of it is no ledger to go on with)"
            )
        first = self._journal.first
        if first > self._tree.whole:
            raise LedgerUnavailable(
                f"the journal begins at record {first}, and `tree/` has {self._tree.whole} whole: the records between"
                " are missing: put `journal/` and `tree/` back from their copy"
            )
        start, hashes = self._tree.last_hashes()
        for index, leaf in self._journal.leaves(max(start, first)):
            if index >= signed:
                return
            if merkle.leaf_hash(tiles.entry(leaf)) != hashes[index - start]:
                raise LedgerUnavailable(
                    f"record {index} of the journal is not the one that was signed: put `journal/` back as it was"
                )

    def start(self) -> None:
        """Start the background thread."""
        self._thread = threading.Thread(target=self._tend_until_stopped, name="ledger-tree", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and sign what there is. What cannot be signed now is at the next start."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._tending, suppress(OSError, LedgerUnavailable):
            self._grow(rest=False)
            self._sign()
        self._follower.close()

    def sign_now(self) -> None:
        """Sign all that is on disk, without waiting for the time to. Raises LedgerUnavailable."""
        with self._tending:
            try:
                if self._fault is not None:
                    self._tree.again()
                self._grow(rest=True)
                self._sign()
                self._fault = None
            except (OSError, LedgerUnavailable) as fault:
                self._fault = _said(fault)
                raise LedgerUnavailable(self._fault) from None

    # ---- tending

    def _tend_until_stopped(self) -> None:
        self._joins()
        wait = self._look_s
        while not self._stop.wait(wait):
            self.tend()
            wait = self._look_s if self._fault is None else max(self._look_s, min(BACKOFF_S, self._unsigned_s / 4))

    def tend(self) -> None:
        """Hash what is on disk, sign when it is time, and say when that fails."""
        with self._tending:
            try:
                if self._fault is not None:
                    self._tree.again()
                self._grow(rest=True)
                if self._due():
                    self._sign()
                self._fault = None
            except Exception as fault:  # a thread that died unseen would leave records unsigned
                self._fault = _said(fault)
            self._judge()

    def _due(self) -> bool:
        since = self._ticks() - self._signed_tick
        grown = self._tree.size > self._tree.signed.size
        return self._fault is not None or since >= (self._every_s if grown else self._idle_s)

    def _judge(self) -> None:
        """Stop the records when what is recorded stays unsigned too long, and let them go on when it is signed."""
        now = self._ticks()
        if self._fault is None or self._tree.signed.size == self._journal.size:
            self._up_tick = now
        late = now - self._up_tick > self._unsigned_s
        self._journal.hold(
            Trouble("unsigned", f"records cannot be signed: {self._fault}") if late and self._fault else None
        )

    def _grow(self, rest: bool) -> None:
        """Hash up to what is on disk. Raises OSError, LedgerUnavailable."""
        end = self._journal.synced
        while self._tree.size < end:
            leaves = self._follower.take(self._tree.size, end)
            for start in range(0, len(leaves), SLICE):
                self._tree.add(leaves[start : start + SLICE])
                if rest:
                    time.sleep(REST_S)

    def _sign(self) -> None:
        """Put a checkpoint on disk; then segments whose leaves are all in whole bundles may go."""
        self._tree.sign(self._signers(), self._clock() // 1_000_000)
        self._signed_tick = self._ticks()
        self._journal.drop(self._tree.whole)


def _said(fault: Exception) -> str:
    """What a fault is called where an operator reads it."""
    if isinstance(fault, OSError):
        return f"`tree/` cannot be written: {fault.strerror}"
    return str(fault) if isinstance(fault, LedgerUnavailable) else f"the tree could not be kept: {type(fault).__name__}"
