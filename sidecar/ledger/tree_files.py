"""The files of the tree: written beside their name and renamed, on disk before a checkpoint speaks of them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR

from sidecar.core import merkle, tiles
from sidecar.errors import LedgerUnavailable

DRAFT = ".new"


class TreeFiles:
    """The folder `tree/`. Writing raises OSError, reading LedgerUnavailable that names the file."""

    def __init__(self, folder: Path, sync_file: Callable[[int], None] = os.fsync) -> None:
        self.folder, self._sync_file = folder, sync_file
        self._root = str(folder)
        # What is not on disk yet, in the order it was made. Texts: the interpreter is shared with the answers.
        self._files: dict[str, None] = {}
        self._folders: dict[str, None] = {}

    # ---- writing

    def write(self, path: str, data: bytes) -> None:
        """Give a file these bytes, whole or not at all; `sync` has it on disk."""
        at = f"{self._root}/{path}"
        folder = at.rpartition("/")[0]
        try:
            _written(at, data, None)
        except FileNotFoundError:
            self._make(Path(folder))
            _written(at, data, None)
        self._files[at] = None
        self._folders[folder] = None

    def sync(self) -> None:
        """Have on disk all that was written since."""
        for path in (*self._files, *self._folders):
            self._sync(path)
        self._files.clear()
        self._folders.clear()

    def publish(self, path: str, data: bytes) -> None:
        """Replace a file, on disk when this returns; all that was written before is there too."""
        self.sync()
        self._make(self.folder)
        _written(f"{self._root}/{path}", data, self._sync_file)
        self._sync(self._root)
        self.sync()

    def drop(self, path: str) -> None:
        """Take a file or folder away, if it is there."""
        at = self.folder / path
        with suppress(FileNotFoundError):
            if S_ISDIR(os.lstat(at).st_mode):
                shutil.rmtree(at, ignore_errors=True)
            else:
                at.unlink()

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folders[str(folder.parent)] = None

    def _sync(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            self._sync_file(descriptor)
        finally:
            os.close(descriptor)

    # ---- reading

    def has(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return (self.folder / path).exists()

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        try:
            return (self.folder / path).read_bytes()
        except OSError as fault:
            raise LedgerUnavailable(
                f"`tree/{path}` cannot be read: {fault.strerror}: put it back from its copy"
            ) from None

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """The first `width` hashes of a tile, from the tile of that width or a whole one."""
        path = tiles.tile_path(level, index, width)
        if not self.has(path):
            path = tiles.tile_path(level, index)
        try:
            found = tiles.hashes(self.read(path))[:width]
        except ValueError:
            found = []
        if len(found) < width:
            raise damaged(path)
        return found

    def entries(self, index: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle, from the bundle of that width or a whole one."""
        path = tiles.bundle_path(index, width)
        if not self.has(path):
            path = tiles.bundle_path(index)
        try:
            found = tiles.entries(self.read(path))[:width]
        except ValueError:
            found = []
        if len(found) < width:
            raise damaged(path)
        return found

    def leaf(self, entry: bytes) -> bytes:
        """The leaf an entry stands for."""
        large = tiles.large_leaf(entry)
        if large is None:
            return entry
        path = tiles.large_path(large[0])
        leaf = self.read(path)
        if tiles.entry(leaf) != entry:
            raise damaged(path)
        return leaf

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the leaves [start, end), all of them in whole bundles."""
        for bundle in range(start // tiles.WIDTH, -(-end // tiles.WIDTH)):
            first = bundle * tiles.WIDTH
            for index, entry in enumerate(self.entries(bundle, tiles.WIDTH), first):
                if start <= index < end:
                    yield index, self.leaf(entry)


def damaged(path: str) -> LedgerUnavailable:
    """What is said of a file whose content is not what it was."""
    return LedgerUnavailable(f"`tree/{path}` is damaged: put it back from its copy")


def root_of(levels: list[list[bytes]]) -> bytes:
    """The root of a tree from the hashes of the last, partial tile of each level, the lowest first."""
    frontier = merkle.Frontier()
    for level in reversed(range(len(levels))):
        for subtree in levels[level]:
            frontier.append_subtree(level * tiles.HEIGHT, subtree)
    return frontier.root


def _written(path: str, data: bytes, sync_file: Callable[[int], None] | None) -> None:
    draft = path + DRAFT
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync_file is not None:
            sync_file(descriptor)
    finally:
        os.close(descriptor)
    Path(draft).rename(path)
