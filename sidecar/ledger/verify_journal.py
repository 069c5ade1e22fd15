r"""The journal beside a tree, as an outsider reads it (docs/ledger.md): what of it is signed, and is it the same?

header  32 bytes: `DPISEG1\n`, index of the first leaf (8), run (12), CRC-32 of these 28 (4)
frame   length of the leaf (4), CRC-32 (4), the leaf; numbers are big-endian
"""

import re
import time
import zlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from struct import Struct as Layout

from msgspec import Struct

from sidecar.core import merkle, tiles
from sidecar.core.tiles import ENTRIES, WIDTH
from sidecar.ledger import verify_files as files
from sidecar.ledger.verify_blame import UNEXPECTED, Finding, records
from sidecar.ledger.verify_files import LogFolder
from sidecar.ledger.verify_places import MISSING, MODIFIED, TRUNCATED, runs

PAUSE_S = 0.2  # longer than a write takes: what is still torn then is so for good

_MAGIC = b"DPISEG1\n"
_HEADER = Layout(">8sQ12s")
_CHECK = Layout(">I")
_FRAME = Layout(">II")
_HEADER_BYTES = _HEADER.size + _CHECK.size
_NAME = re.compile(r"([0-9]{6,})\.log")
_BESIDE = re.compile(r"[0-9]{6,}\.(cut|new)")  # what the writer leaves: blocks set aside, a segment not yet begun


class Tail(Struct):
    """Where the journal ends, which may be beyond the signed tree, and what was found on the way."""

    end: int
    findings: list[Finding]
    notices: list[str]


class _Segment(Struct, frozen=True):
    file: str
    first: int
    data: bytes
    until: int | None  # the first leaf of the next file: what stands here from there on was given up; None for the last


def journal(folder: LogFolder, size: int, blamed: AbstractSet[str] = frozenset()) -> Tail:
    """The journal compared with the signed tree of `size` entries, except with files blamed already. Raises OSError."""
    tail = Tail(size, [], [])
    if folder.journal is None:
        return tail
    numbers = _numbers(folder.journal, tail)
    if not numbers and size:
        tail.findings.append(Finding(MISSING, "journal", "no file is left: what was not yet signed is lost"))
    at: int | None = _start(folder, size)  # the leaf that comes next; None when it cannot be told
    for place, number in enumerate(numbers):
        following = folder.journal / _name(numbers[place + 1]) if number != numbers[-1] else None
        segment = _opened(folder.journal / _name(number), following, tail)
        if place and number != numbers[place - 1] + 1:
            text = f"missing, and what follows up to `{_name(number)}`"
            tail.findings.append(Finding(MISSING, f"journal/{_name(numbers[place - 1] + 1)}", text))
        elif segment is not None and at is not None and at < segment.first:
            text = f"missing before this file begins: {records(at, segment.first - 1)}"
            tail.findings.append(Finding(MISSING, segment.file, text, at, segment.first - 1))
        at = _followed(folder, segment, size, blamed, tail) if segment is not None else None
    if numbers and at is not None and at < size:
        text = f"the file ends before {records(at, size - 1)}, which the checkpoint speaks of"
        tail.findings.append(Finding(TRUNCATED, f"journal/{_name(numbers[-1])}", text, at, size - 1))
    return tail


def _start(folder: LogFolder, size: int) -> int:
    """The first leaf that the journal must have: those before stand in bundles, signed or on their way to be."""
    while folder.part(ENTRIES, size // WIDTH) is not None:
        size += WIDTH - size % WIDTH
    return size


def _name(number: int) -> str:
    return f"{number:06}.log"


def _numbers(path: Path, tail: Tail) -> list[int]:
    numbers = []
    for file in sorted(path.iterdir()):
        match = _NAME.fullmatch(file.name)
        if match:
            numbers.append(int(match.group(1)))
        elif not _BESIDE.fullmatch(file.name):
            tail.findings.append(Finding(UNEXPECTED, f"journal/{file.name}", "no journal has a file of this name"))
    return sorted(numbers)


def _opened(path: Path, following: Path | None, tail: Tail) -> _Segment | None:
    file = f"journal/{path.name}"
    try:
        data = _settled(path) if following is None else path.read_bytes()
    except FileNotFoundError:
        return None  # a log that goes on takes away what stands in signed bundles
    header = data[:_HEADER_BYTES]
    first = _first(header)
    if first is None:
        what = TRUNCATED if len(header) < _HEADER_BYTES else MODIFIED
        tail.findings.append(Finding(what, file, "the header is not whole: what is behind it cannot be read"))
        return None
    until = None
    if following is not None and following.exists():
        with following.open("rb") as next_file:
            until = _first(next_file.read(_HEADER_BYTES))
    return _Segment(file, first, data, until)


def _first(header: bytes) -> int | None:
    """The index of the first leaf that a header tells; None when it is not whole."""
    if len(header) < _HEADER_BYTES or _CHECK.unpack_from(header, _HEADER.size)[0] != zlib.crc32(header[: _HEADER.size]):
        return None
    magic, first, _ = _HEADER.unpack_from(header)
    return int(first) if magic == _MAGIC else None


def _settled(path: Path) -> bytes:
    """A file that may be written to meanwhile, read when no write was half done. Raises OSError."""
    before = b""
    while True:
        data = path.read_bytes()
        if data == before or _ends_whole(data):
            return data
        before = data
        time.sleep(PAUSE_S)


def _ends_whole(data: bytes) -> bool:
    end = _HEADER_BYTES
    for _, end in _frames(data):  # noqa: B007
        pass
    return end == len(data)


def _followed(folder: LogFolder, segment: _Segment, size: int, blamed: AbstractSet[str], tail: Tail) -> int | None:
    """Go through a segment, compare what is signed, and give the index after its last leaf; None for damage."""
    at, end = segment.first, _HEADER_BYTES
    differ: list[int] = []
    told: tuple[int, list[bytes]] = (-1, [])
    for start, stop in _frames(segment.data):
        if at == segment.until:
            break
        end = stop
        if at < size:
            n, place = divmod(at, WIDTH)
            if told[0] != n:
                told = n, _signed(folder, n, min(WIDTH, size - n * WIDTH), blamed)
            if place < len(told[1]) and merkle.leaf_hash(tiles.entry(segment.data[start:stop])) != told[1][place]:
                differ.append(at)
        at += 1
    for first, last in runs(differ):
        tail.findings.append(Finding(MODIFIED, segment.file, f"{records(first, last)}: changed", first, last))
    tail.end = max(tail.end, at)
    left = len(segment.data) - end
    if not left:
        return at
    if at == segment.until:
        tail.notices.append(f"{segment.file}: {left} bytes behind the last record were given up")
        return at
    torn = at >= size and not _whole_frame_in(segment.data[end:])
    text = f"record {at} at byte {end} is not whole"
    text += ", and not signed: a process that died while it wrote leaves this too, and cuts it when it starts" * torn
    tail.findings.append(Finding(TRUNCATED if torn else MODIFIED, segment.file, text, at, at))
    return None


def _signed(folder: LogFolder, n: int, width: int, blamed: AbstractSet[str]) -> list[bytes]:
    """The hashes of the entries of a bundle, by its tile or else by itself; none when both are blamed already."""
    for level in (0, ENTRIES):
        part = folder.part(level, n, width)
        if part is not None and folder.prefix + part.file not in blamed:
            return files.hashes(part) if level == 0 else files.entry_hashes(part)
    return []


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each leaf, up to the first frame that is not whole."""
    at, size = _HEADER_BYTES, len(data)
    while at + _FRAME.size <= size:
        length, check = _FRAME.unpack_from(data, at)
        start = at + _FRAME.size
        at = start + length
        if not length or at > size or zlib.crc32(data[start:at]) != check:
            return
        yield start, at


def _whole_frame_in(data: bytes) -> bool:
    """Whether a whole frame follows somewhere: then what is before it is damage, not a torn tail."""
    for at in range(1, len(data) - _FRAME.size):
        length, check = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        if length and end <= len(data) and zlib.crc32(data[at + _FRAME.size : end]) == check:
            return True
    return False


def unsigned_leaves(folder: LogFolder, size: int) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of the leaves of the journal that a tree of `size` entries does not hold. Raises OSError."""
    ignored = Tail(size, [], [])
    paths = sorted(folder.journal.glob("*.log")) if folder.journal else []
    for path, following in zip(paths, [*paths[1:], None], strict=True):
        segment = _opened(path, following, ignored)
        if segment is not None:
            for index, (start, end) in enumerate(_frames(segment.data), segment.first):
                if size <= index and index != segment.until:
                    yield index, segment.data[start:end]
