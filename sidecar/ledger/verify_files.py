"""A log's files as an outsider reads them: what core/tiles.py says of the layout, and nothing of the writer's code."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from sidecar.core import merkle, tiles
from sidecar.core.merkle import HASH_BYTES
from sidecar.core.tiles import CHECKPOINT, ENTRIES, WIDTH
from sidecar.errors import InputFault

TRIES = 3  # a wider partial tile may be superseded while it is looked for

_TILE_FILE = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Part(Struct, frozen=True):
    """A file of the tree: its path below the tree's folder, its bytes, and how many places it should have."""

    file: str
    data: bytes
    width: int


class TileName(Struct, frozen=True):
    """What the path of a tile or an entry bundle says."""

    level: str
    n: int
    width: int


class LogFolder:
    """A ledger's folder, or a copy of its tree alone. Every read is a plain one of a file."""

    def __init__(self, folder: Path) -> None:
        """Raises InputFault for a folder that holds no log."""
        self.tree = folder / "tree" if (folder / "tree").is_dir() else folder
        self.prefix = "tree/" if self.tree != folder else ""
        journal = folder / "journal"
        self.journal = journal if self.prefix and journal.is_dir() else None
        if not (self.tree / CHECKPOINT).exists() and not (self.tree / "tile").exists():
            raise InputFault(f"`{folder}` holds no log: neither `checkpoint` nor `tile/`, nor `tree/` with them")

    def checkpoint(self) -> bytes | None:
        """The signed note; None when it is not there. Raises OSError."""
        return self.read(CHECKPOINT)

    def part(self, level: int | str, n: int, width: int = WIDTH) -> Part | None:
        """The tile or bundle `n` of a level, its first `width` places. Raises OSError.

        A log that grows meanwhile may hold only a wider one: that holds these places too.
        """
        whole = tile_file(level, n)
        if width < WIDTH:
            for _ in range(TRIES):
                for there in [width, *sorted(self._widths(whole, width))]:
                    data = self.read(f"{whole}.p/{there}")
                    if data is not None:
                        return Part(f"{whole}.p/{there}", data, there)
                data = self.read(whole)
                if data is not None:
                    return Part(whole, data, WIDTH)
            return None
        data = self.read(whole)
        return None if data is None else Part(whole, data, WIDTH)

    def read(self, file: str) -> bytes | None:
        """The bytes of a file of the tree; None when it is not there. Raises OSError."""
        try:
            return (self.tree / file).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def large(self, digest: bytes) -> Path:
        """Where the bytes of a large record are."""
        return self.tree / tiles.large_path(digest)

    def tree_files(self) -> Iterator[str]:
        """The paths of all files of the tree below its folder. Raises OSError."""
        for folder, folders, names in os.walk(self.tree, onerror=_refused):
            folders.sort()
            for name in sorted(names):
                yield (Path(folder) / name).relative_to(self.tree).as_posix()

    def _widths(self, whole: str, width: int) -> Iterator[int]:
        try:
            names = [path.name for path in (self.tree / f"{whole}.p").iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            if name.isdigit() and int(name) > width:
                yield int(name)


def tile_file(level: int | str, n: int, width: int = WIDTH) -> str:
    """The path of a tile, or with `ENTRIES` for a level of a bundle."""
    return tiles.bundle_path(n, width) if level == ENTRIES else tiles.tile_path(int(level), n, width)


def parsed_name(file: str) -> TileName | None:
    """What a path says; None for one that no tile has."""
    match = _TILE_FILE.fullmatch(file)
    if match is None:
        return None
    level, number, width = match.groups()
    n = int(number.replace("x", "").replace("/", ""))
    found = TileName(level, n, int(width or WIDTH))
    return found if tile_file(level, n, found.width) == file else None


def spans(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """Start and end of each whole entry of a bundle, and where the last one ends."""
    found, at = [], 0
    while at + 2 <= len(data):
        start = at + 2
        end = start + (data[at] << 8 | data[at + 1])
        if end > len(data):
            break
        found.append((start, end))
        at = end
    return found, at


def entries(part: Part, most: int = WIDTH) -> list[bytes]:
    """The whole entries of a bundle, at most this many."""
    return [part.data[start:end] for start, end in spans(part.data)[0][:most]]


def entry_hashes(part: Part) -> list[bytes]:
    """The leaf hash of each whole entry of a bundle."""
    return [merkle.leaf_hash(part.data[start:end]) for start, end in spans(part.data)[0]]


def hashes(part: Part) -> list[bytes]:
    """The whole hashes of a tile."""
    data = part.data
    return [data[at : at + HASH_BYTES] for at in range(0, len(data) - HASH_BYTES + 1, HASH_BYTES)]


def _refused(fault: OSError) -> None:
    if not isinstance(fault, FileNotFoundError):  # a log that goes on takes superseded tiles away
        raise fault
