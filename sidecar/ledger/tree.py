"""The tree over the ledger's leaves, on disk as C2SP's tlog-tiles: what lets an outsider see that nothing was altered.

`add` hashes leaves and writes each tile and bundle that is full; `sign` writes the partial ones, has all of it on
disk, and then puts a signed checkpoint there. After a fault the tree starts again from its last checkpoint: `again`.

INVARIANT: a checkpoint is on disk only after every tile and bundle it speaks of.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.checkpoint import Checkpoint, SigningKey, VerifierKey
from sidecar.core.tiles import WIDTH
from sidecar.errors import CheckpointFault, LedgerUnavailable
from sidecar.ledger.tree_files import TreeFiles, damaged, root_of

KEPT_PARTIALS = 8  # superseded partial bundles that stay for who is reading them; hash tiles stay until they are full


class Tree:
    """The tree of one ledger. One thread at a time; `signed`, `whole` and `leaves` may be used from any."""

    def __init__(self, folder: Path, origin: str, sync_file: Callable[[int], None] = os.fsync) -> None:
        self._files, self._origin = TreeFiles(folder, sync_file), origin
        self._sync_file, self._folder = sync_file, folder
        self.size = 0  # leaves hashed
        self.signed = Checkpoint(origin, 0, merkle.EMPTY_ROOT)  # the checkpoint on disk
        self.signed_at = 0  # the time it was given, in seconds since the epoch
        self._levels: list[list[bytes]] = [[]]  # hashes of the last, partial tile of each level
        self._bundle: list[bytes] = []  # entries of the last, partial bundle
        self._filled: list[str] = []  # partial tiles whose full one waits for its checkpoint
        self._partials: list[str] = []  # partial bundles of the last checkpoints, oldest first

    @property
    def whole(self) -> int:
        """Leaves in whole bundles that a checkpoint on disk speaks of: they need no other place."""
        return self.signed.size - self.signed.size % WIDTH

    # ---- life

    def open(self, keys: Sequence[VerifierKey]) -> bool:
        """Start from the checkpoint on disk, signed by one of these keys; whether there is one.

        Raises LedgerUnavailable: the checkpoint or what it speaks of is missing, damaged or another ledger's.
        """
        self._files = TreeFiles(self._folder, self._sync_file)
        if not self._files.has(tiles.CHECKPOINT):
            if self._files.has("tile"):
                raise LedgerUnavailable("`tree/checkpoint` is missing: put it back from its copy")
            return False
        data = self._files.read(tiles.CHECKPOINT)
        try:
            found = checkpoint.opened(data, keys)
            at = checkpoint.signed_at(data, keys) or 0
        except CheckpointFault as fault:
            raise LedgerUnavailable(
                f"`tree/checkpoint` is not this ledger's: {fault}: put it back from its copy"
            ) from None
        if found.origin != self._origin:
            raise LedgerUnavailable(
                f"`tree/checkpoint` is of the ledger `{found.origin}`, and this one is `{self._origin}`:"
                " `ledger.origin` does not change in the life of a ledger"
            )
        self._resume(found)
        self.signed, self.signed_at = found, at
        return True

    def again(self) -> None:
        """Start again from the last checkpoint, after a fault. Raises LedgerUnavailable."""
        self._files = TreeFiles(self._folder, self._sync_file)
        self._resume(self.signed)

    def _resume(self, found: Checkpoint) -> None:
        size = found.size
        levels: list[list[bytes]] = [[]]
        for level, index, width in tiles.widths(size):
            hashes = self._files.hashes(level, index, width)
            levels[level:] = [hashes if width < WIDTH else [], []]
        bundle = self._files.entries(size // WIDTH, size % WIDTH) if size % WIDTH else []
        if merkle.leaf_hashes(bundle) != levels[0]:
            raise damaged(tiles.bundle_path(size // WIDTH, size % WIDTH))
        if root_of(levels) != found.root:
            raise LedgerUnavailable("the tiles of `tree/` do not fit `tree/checkpoint`: put the folder back")
        self.size, self._levels, self._bundle = size, levels, bundle
        self._filled, self._partials = [], []

    # ---- growing

    def add(self, leaves: Sequence[bytes]) -> None:
        """Hash these leaves and write what is full. Raises OSError: then only `again` goes on."""
        at = 0
        while at < len(leaves):
            part = leaves[at : at + WIDTH - len(self._bundle)]
            entries = part if max(map(len, part)) <= tiles.LONGEST_ENTRY else [self._entry(leaf) for leaf in part]
            self._bundle += entries
            self._levels[0] += merkle.leaf_hashes(entries)
            self.size += len(part)
            at += len(part)
            if len(self._bundle) == WIDTH:
                self._fill()

    def _entry(self, leaf: bytes) -> bytes:
        entry = tiles.entry(leaf)
        if entry is not leaf:
            self._files.write(tiles.large_path(tiles.large_digest(leaf)), leaf)
        return entry

    def _fill(self) -> None:
        """Write the bundle that is full, and the tiles that are with it."""
        index = self.size // WIDTH - 1
        self._files.write(tiles.bundle_path(index), tiles.bundle(self._bundle))
        self._filled.append(f"{tiles.bundle_path(index)}.p")
        self._bundle = []
        level = 0
        while len(self._levels[level]) == WIDTH:
            path = tiles.tile_path(level, index)
            self._files.write(path, b"".join(self._levels[level]))
            self._filled.append(f"{path}.p")
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(merkle.root(self._levels[level]))
            self._levels[level] = []
            level, index = level + 1, index // WIDTH

    def sign(self, keys: Sequence[SigningKey], at: int) -> None:
        """Have the tree on disk and then its checkpoint, given at `at` seconds since the epoch.

        Raises OSError, and LedgerUnavailable when the tree is not where it was: then only `again` goes on.
        """
        self._look()
        self._write_partials()
        made = Checkpoint(self._origin, self.size, root_of(self._levels))
        # Who compares two checkpoints of one ledger never sees its time go back.
        at = max(at, self.signed_at)
        self._files.publish(tiles.CHECKPOINT, checkpoint.signed(checkpoint.note(made), keys, at))
        self.signed, self.signed_at = made, at
        self._tidy()

    def _look(self) -> None:
        """The right edge of what was signed is still there: nobody took the folder away. Raises LedgerUnavailable."""
        for level, index, width in tiles.widths(self.signed.size):
            path = tiles.tile_path(level, index, width)
            if not self._files.has(path) and not self._files.has(tiles.tile_path(level, index)):
                raise LedgerUnavailable(f"`tree/{path}` is missing: put it back from its copy")

    def _write_partials(self) -> None:
        if self.size == self.signed.size:
            return
        for level, hashes in enumerate(self._levels):
            if hashes:
                index = self.size >> (level + 1) * tiles.HEIGHT
                self._files.write(tiles.tile_path(level, index, len(hashes)), b"".join(hashes))
        if self._bundle:
            path = tiles.bundle_path(self.size // WIDTH, len(self._bundle))
            self._files.write(path, tiles.bundle(self._bundle))
            self._partials.append(path)

    def _tidy(self) -> None:
        """Take away partial tiles and bundles that a full one, or many newer ones, stand for."""
        filled, self._filled = self._filled, []
        for path in filled:
            self._files.drop(path)
        for path in self._partials[:-KEPT_PARTIALS]:
            self._files.drop(path)
        del self._partials[:-KEPT_PARTIALS]

    # ---- reading

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the leaves [start, end), `end` at most `whole`. Raises LedgerUnavailable."""
        return self._files.leaves(start, end)

    def last_hashes(self) -> tuple[int, list[bytes]]:
        """Index of the first, and hashes of the last leaves of the tree: those of its last tile of level 0.

        Raises LedgerUnavailable.
        """
        if not self.size:
            return 0, []
        tile, width = (self.size - 1) // WIDTH, (self.size - 1) % WIDTH + 1
        return tile * WIDTH, self._files.hashes(0, tile, width)
