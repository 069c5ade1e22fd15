r"""One file of the journal: a header, then frames; how it is read, and what a torn tail is.

    header  32 bytes: `DPISEG1\n`, index of the first leaf (8), run (12), CRC-32 of these 28 (4)
    frame   length of the leaf (4), CRC-32 of the leaf (4), the leaf; numbers are big-endian, a leaf is never empty

A segment ends where the next one begins: leaf `n` of the journal is in the last segment whose first index is
no greater than `n`. Frames beyond the next segment's first index were given up when it was opened.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct as Layout

from msgspec import Struct

from sidecar.core.leaf import RUN_BYTES
from sidecar.errors import LedgerUnavailable

MAGIC = b"DPISEG1\n"
LARGEST_LEAF = 1 << 26

_HEADER = Layout(f">8sQ{RUN_BYTES}s")
_CHECK = Layout(">I")
_FRAME = Layout(">II")
HEADER_BYTES = _HEADER.size + _CHECK.size
FRAME_BYTES = _FRAME.size
_NAME = re.compile(r"[0-9]{6,}\.log")


class Segment(Struct, frozen=True):
    """A file of the journal: its number, the index of its first leaf and the run that wrote it."""

    number: int
    first: int
    run: bytes
    path: Path


def name(number: int) -> str:
    """The file name of a segment."""
    return f"{number:06}.log"


def draft(number: int) -> str:
    """The file name of a segment until it is whole and on disk."""
    return f"{number:06}.new"


def drafts(folder: Path) -> list[Path]:
    """Segments that a crash left unfinished: no leaf was acknowledged in them. Raises OSError."""
    return list(folder.glob("*.new"))


def header(first: int, run: bytes) -> bytes:
    """The bytes a segment begins with."""
    told = _HEADER.pack(MAGIC, first, run)
    return told + _CHECK.pack(zlib.crc32(told))


def frames(leaves: Sequence[bytes]) -> bytes:
    """Leaves as they stand in a segment. Raises LedgerUnavailable for one that no frame can hold."""
    parts: list[bytes] = []
    for leaf in leaves:
        if not 0 < len(leaf) <= LARGEST_LEAF:
            raise LedgerUnavailable(f"a record of {len(leaf)} bytes does not fit the journal")
        parts += (_FRAME.pack(len(leaf), zlib.crc32(leaf)), leaf)
    return b"".join(parts)


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The segment files of a journal by number. Raises OSError."""
    return sorted((int(path.stem), path) for path in folder.iterdir() if _NAME.fullmatch(path.name))


def read_header(number: int, path: Path) -> Segment | None:
    """What a segment says of itself; None when its header is not whole. Raises OSError."""
    with path.open("rb") as file:
        return parse_header(number, path, file.read(HEADER_BYTES))


def parse_header(number: int, path: Path, data: bytes) -> Segment | None:
    """The same from bytes already read."""
    if len(data) < HEADER_BYTES or _CHECK.unpack_from(data, _HEADER.size)[0] != zlib.crc32(data[: _HEADER.size]):
        return None
    magic, first, run = _HEADER.unpack_from(data)
    return Segment(number, first, run, path) if magic == MAGIC else None


def whole_frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each leaf in a segment's bytes, up to the first frame that is not whole."""
    at, size = HEADER_BYTES, len(data)
    while at + FRAME_BYTES <= size:
        length, check = _FRAME.unpack_from(data, at)
        start = at + FRAME_BYTES
        at = start + length
        if not length or at > size or zlib.crc32(data[start:at]) != check:
            return
        yield start, at


def leading_leaves(data: bytes, most: int) -> tuple[list[bytes], int]:
    """The leaves of the whole frames that `data` begins with, at most `most`, and the byte where the last one ends."""
    found: list[bytes] = []
    at, size, unpack, crc32 = 0, len(data), _FRAME.unpack_from, zlib.crc32
    while len(found) < most and at + FRAME_BYTES <= size:
        length, check = unpack(data, at)
        stop = at + FRAME_BYTES + length
        leaf = data[at + FRAME_BYTES : stop]
        if not length or stop > size or crc32(leaf) != check:
            break
        found.append(leaf)
        at = stop
    return found, at


def frame_after(data: bytes, at: int) -> int | None:
    """Where the next whole frame begins after a bad one at `at`: then `at` is damage, not a torn tail."""
    for start in range(at + 1, len(data) - FRAME_BYTES):
        length, check = _FRAME.unpack_from(data, start)
        end = start + FRAME_BYTES + length
        if length and end <= len(data) and zlib.crc32(data[start + FRAME_BYTES : end]) == check:
            return start
    return None
