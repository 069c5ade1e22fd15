"""How a log's tree is laid out in files: tiles of hashes and bundles of entries (c2sp.org/tlog-tiles).

    tile/0/x001/234             the hashes of entries [1234 * 256, 1235 * 256)
    tile/1/004.p/12             at level 1 a hash covers a full tile of level 0; this tile has 12 so far
    tile/entries/x001/234       those entries, each after its length (2 bytes, big-endian)

An entry is a leaf of the ledger. One that is too long for a bundle is represented by its hash and length, and its
bytes are a file of their own: `large/<SHA-256 in hexadecimal>`.
"""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec

from sidecar.core.merkle import HASH_BYTES

WIDTH = 256  # hashes of a full tile, entries of a full bundle
HEIGHT = 8  # levels of the tree in a tile
LONGEST_ENTRY = 0xFFFF
LARGE = "large.1"
ENTRIES = "entries"
CHECKPOINT = "checkpoint"

_LENGTH_BYTES = 2


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile of hashes, whole or with its first `width` hashes."""
    return _path(str(level), index, width)


def bundle_path(index: int, width: int = WIDTH) -> str:
    """The path of a bundle of entries, whole or with its first `width` entries."""
    return _path(ENTRIES, index, width)


def large_path(digest: bytes) -> str:
    """The path of a leaf that no bundle holds, by its SHA-256."""
    return f"large/{digest.hex()}"


def widths(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, index and width of the last tile of each level in a tree of `size` entries, the whole ones too."""
    level = 0
    while size:
        yield level, (size - 1) // WIDTH, (size - 1) % WIDTH + 1
        size, level = size // WIDTH, level + 1


def entry(leaf: bytes) -> bytes:
    """The entry that stands in the tree for a leaf: the leaf, or for a large one its hash and length."""
    if len(leaf) <= LONGEST_ENTRY:
        return leaf
    return msgspec.msgpack.encode((LARGE, large_digest(leaf), len(leaf)))


def large_digest(leaf: bytes) -> bytes:
    """The SHA-256 that names the file of a large leaf."""
    return hashlib.sha256(leaf).digest()


def large_leaf(entry: bytes) -> tuple[bytes, int] | None:
    """SHA-256 and length of the large leaf that an entry stands for; None when the entry is the leaf."""
    if LARGE.encode() not in entry[:16]:
        return None
    try:
        kind, digest, length = msgspec.msgpack.decode(entry, type=tuple[str, bytes, int])
    except msgspec.DecodeError:
        return None
    return (digest, length) if kind == LARGE and len(digest) == HASH_BYTES else None


def bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle."""
    return b"".join([part for entry in entries for part in (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)])


def entries(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when its last one is not whole."""
    found: list[bytes] = []
    at, size = 0, len(data)
    while at < size:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if start > size or at > size:
            raise ValueError(f"entry {len(found)} of the bundle is not whole")
        found.append(data[start:at])
    return found


def hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ValueError when its last one is not whole."""
    if len(data) % HASH_BYTES:
        raise ValueError("the tile does not end with a whole hash")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _path(level: str, index: int, width: int) -> str:
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(parts))}{partial}"
