"""Every hash of a log, reckoned twice: from its entries and from its tiles. What all files say, before who is right."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from typing import NamedTuple

from msgspec import Struct

from sidecar.core import merkle, tiles
from sidecar.core.merkle import HASH_BYTES
from sidecar.core.tiles import ENTRIES, WIDTH
from sidecar.ledger import verify_files as files
from sidecar.ledger.verify_files import LogFolder, Part

CHUNK = 64  # bundles handed to a process at a time

_LARGE = tiles.LARGE.encode()

Hashes = list[bytes | None]  # None: what should be there is missing or not whole


class Pair(NamedTuple):
    """A full bundle and its hash tile: the hash over each (None: not whole), and the large records it names."""

    by_entries: bytes | None
    by_tile: bytes | None
    same: bool
    large: tuple[tuple[int, bytes, int], ...]  # index, SHA-256, length


class Level(Struct):
    """The nodes of one tile level, as each source tells them; at level 0 only those of the partial tile."""

    stored: Hashes
    by_tiles: Hashes  # hashed from the stored tiles one level below
    by_entries: Hashes  # hashed all the way from the entries

    @property
    def agreed(self) -> bool:
        """Whether all sources are whole and say the same."""
        return None not in self.by_entries and self.stored == self.by_tiles == self.by_entries


class Scan(Struct):
    """What the files of a tree of `counts[0]` entries say."""

    counts: list[int]  # complete nodes of each tile level
    levels: list[Level]
    suspects: list[int]  # full bundles that differ from their tile, or either is not whole
    large: list[tuple[int, bytes, int]]

    @property
    def agreed(self) -> bool:
        """Whether no file contradicts another."""
        return not self.suspects and all(level.agreed for level in self.levels)

    def edge(self, level: int, hashes: Hashes) -> Hashes:
        """Of the nodes of a level, those of its partial tile."""
        width = self.counts[level] % WIDTH
        return hashes[len(hashes) - width :]


def scan(folder: LogFolder, size: int, jobs: int, progress: Callable[[int], None]) -> Scan:
    """Read the tiles and bundles of a tree of `size` entries. `progress` is told how many were read.

    Raises OSError for a file that is there and cannot be read.
    """
    counts = level_counts(size)
    found = Scan(counts, [_right_edge(folder, counts[0])], [], [])
    by_entries: Hashes = []
    by_tiles: Hashes = []
    for n, pair in enumerate(_pairs(folder, counts[0] // WIDTH, jobs)):
        by_entries.append(pair.by_entries)
        by_tiles.append(pair.by_tile)
        found.large += pair.large
        if not pair.same:
            found.suspects.append(n)
        if n % CHUNK == 0:
            progress(n * WIDTH)
    last = folder.part(ENTRIES, counts[0] // WIDTH, counts[0] % WIDTH) if counts[0] % WIDTH else None
    if last is not None:
        found.large += _large(last, counts[0] // WIDTH, counts[0] % WIDTH)
    for level in range(1, len(counts)):
        stored = _stored(folder, level, counts[level])
        found.levels.append(Level(stored, by_tiles, by_entries))
        by_tiles, by_entries = _parents(stored), _parents(by_entries)
    progress(size)
    return found


def level_counts(size: int) -> list[int]:
    """Complete nodes of each tile level: entries, hashes over 256 of them, over 65 536 …"""
    counts = [size]
    while counts[-1] >= WIDTH:
        counts.append(counts[-1] // WIDTH)
    return counts


def pairs(folder: LogFolder, start: int, end: int) -> list[Pair]:
    """The full bundles [start, end), each beside its tile."""
    return [_pair(folder, n) for n in range(start, end)]


def _pairs(folder: LogFolder, count: int, jobs: int) -> Iterator[Pair]:
    starts = range(0, count, CHUNK)
    if jobs < 2 or len(starts) < 2:
        for start in starts:
            yield from pairs(folder, start, min(start + CHUNK, count))
        return
    ends = [min(start + CHUNK, count) for start in starts]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for chunk in pool.map(pairs, [folder] * len(ends), starts, ends):
            yield from chunk


def _pair(folder: LogFolder, n: int) -> Pair:
    bundle, tile = folder.part(ENTRIES, n), folder.part(0, n)
    hashed = None if bundle is None else _entry_hashes(bundle.data)
    if hashed is not None and len(hashed) != WIDTH:
        hashed = None
    large = () if bundle is None or _LARGE not in bundle.data else tuple(_large(bundle, n, WIDTH))
    over_entries = None if hashed is None else merkle.root(hashed)
    if hashed is not None and tile is not None and b"".join(hashed) == tile.data:
        return Pair(over_entries, over_entries, True, large)
    whole_tile = tile is not None and len(tile.data) == WIDTH * HASH_BYTES
    return Pair(over_entries, merkle.root(files.hashes(tile)) if tile and whole_tile else None, False, large)


def _entry_hashes(data: bytes) -> list[bytes] | None:
    """The leaf hash of each entry of a bundle; None when it does not end with an entry."""
    hashed: list[bytes] = []
    add, at, size = hashed.append, 0, len(data)
    begun = sha256(b"\0").copy  # merkle.leaf_hash, without the price of a call and of a copy of each entry
    while at + 1 < size:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        one = begun()
        one.update(data[start:at])
        add(one.digest())
    return hashed if at == size else None


def _large(bundle: Part, n: int, width: int) -> Iterator[tuple[int, bytes, int]]:
    for place, entry in enumerate(files.entries(bundle, width)):
        named = tiles.large_leaf(entry)
        if named is not None:
            yield n * WIDTH + place, *named


def _right_edge(folder: LogFolder, size: int) -> Level:
    n, width = divmod(size, WIDTH)
    if not width:
        return Level([], [], [])
    tile, bundle = folder.part(0, n, width), folder.part(ENTRIES, n, width)
    stored = _places(tile, width)
    hashed: Hashes = [*(files.entry_hashes(bundle) if bundle and exact_bundle(bundle) else ())]
    nothing: Hashes = [None] * width
    by_entries = hashed[:width] if len(hashed) >= width else nothing
    return Level(stored, stored, by_entries)


def _stored(folder: LogFolder, level: int, count: int) -> Hashes:
    found: Hashes = []
    for n in range((count + WIDTH - 1) // WIDTH):
        width = min(WIDTH, count - n * WIDTH)
        found += _places(folder.part(level, n, width), width)
    return found


def _places(tile: Part | None, width: int) -> Hashes:
    if tile is None or not exact_tile(tile):
        return [None] * width
    return [*files.hashes(tile)[:width]]


def _parents(nodes: Hashes) -> Hashes:
    groups = [nodes[at : at + WIDTH] for at in range(0, len(nodes) - WIDTH + 1, WIDTH)]
    return [hash_over(group) for group in groups]


def hash_over(nodes: Hashes) -> bytes | None:
    """The hash over these nodes; None when one of them is."""
    whole = [node for node in nodes if node is not None]
    return merkle.root(whole) if len(whole) == len(nodes) else None


def exact_tile(tile: Part) -> bool:
    """Whether a tile is as long as its name says."""
    return len(tile.data) == tile.width * HASH_BYTES


def exact_bundle(bundle: Part) -> bool:
    """Whether a bundle has as many entries as its name says, and nothing behind them."""
    found, end = files.spans(bundle.data)
    return len(found) == bundle.width and end == len(bundle.data)
