"""FHIR files as resources: a Bundle or one resource in a file, or NDJSON with one of either a line; plain or gzip."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw, Struct

from sidecar.errors import InputFault
from sidecar.facts.feeds.resources import BUNDLE, HEADER

LARGEST = 512 << 20  # bytes of one document or one line, unpacked: it is held in memory whole
BUNDLES = frozenset({"transaction", "batch", "collection", "searchset"})

_GZIP = b"\x1f\x8b"
_BYTE = re.compile(r"\(byte (\d+)\)")


class Part(Struct, frozen=True):
    """One resource of a file, still as bytes, and where it is."""

    where: str
    raw: Raw
    full_url: str = ""


class Unreadable(Struct, frozen=True):
    """Something in a file that cannot be read; the rest of the file goes on where it can."""

    where: str
    what: str


Consumed = Callable[[int], None]


def size(paths: Sequence[Path]) -> int:
    """Bytes of these files as they lie. Raises InputFault for one that cannot be opened."""
    for path in paths:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise InputFault(f"{path}: {error.strerror or error}") from None
    return sum(path.stat().st_size for path in paths)


def parts(path: Path, consumed: Consumed) -> Iterator[Part | Unreadable]:
    """Every resource of a file, those of its Bundles one by one. `consumed` is told the bytes read since last time.

    A file named `.ndjson` or `.jsonl` (`.gz` after it or not) is read line by line; any other is one document.
    """
    by_line = {".ndjson", ".jsonl"} & set(path.suffixes)
    with path.open("rb") as lying:
        packed = lying.read(2) == _GZIP
        lying.seek(0)
        unpacked: BinaryIO = gzip.GzipFile(fileobj=lying) if packed else lying  # type: ignore[assignment]
        told, number = 0, 0
        while True:
            number += 1
            try:
                raw = unpacked.readline(LARGEST + 1) if by_line else unpacked.read(LARGEST + 1)
            except (EOFError, zlib.error, OSError) as error:
                yield Unreadable(f"{path}:{number}", f"the file breaks off or is damaged here: {error}")
                return
            if not raw:
                return
            if len(raw) > LARGEST:
                yield Unreadable(f"{path}:{number}", f"more than {LARGEST >> 20} MiB in one piece; write it as NDJSON")
                return
            consumed(lying.tell() - told)
            told = lying.tell()
            if raw.strip():
                yield from _resources(raw.removeprefix(b"\xef\xbb\xbf"), str(path), number)


def _resources(raw: bytes, file: str, line: int) -> Iterator[Part | Unreadable]:
    """The resources of one document that begins at this line."""
    where = f"{file}:{line}"
    try:
        header = HEADER.decode(raw)
        bundle = BUNDLE.decode(raw) if header.resource_type == "Bundle" else None
    except msgspec.DecodeError as error:
        yield Unreadable(f"{file}:{line + _lines_before(raw, error)}", str(error))
        return
    except UnicodeDecodeError:
        yield Unreadable(where, "not UTF-8")
        return
    if bundle is None:
        yield Part(where, Raw(raw)) if header.resource_type else Unreadable(where, "no resourceType: not FHIR")
        return
    if bundle.type not in BUNDLES:
        yield Unreadable(where, f"a Bundle of type `{bundle.type}` is not read, only " + ", ".join(sorted(BUNDLES)))
        return
    for number, entry in enumerate(bundle.entry):
        place = f"{where} entry[{number}]"
        if entry.request is not None and entry.request.method == "DELETE":
            yield Unreadable(place, "a DELETE is not carried out; give the resource with a status that ends it")
        elif not bytes(entry.resource):
            yield Unreadable(place, "an entry without a resource")
        else:
            yield Part(place, entry.resource, entry.full_url)


def _lines_before(raw: bytes, error: msgspec.DecodeError) -> int:
    """Lines from the start of the document to the fault, where the decoder names a byte."""
    match = _BYTE.search(str(error))
    return raw.count(b"\n", 0, int(match[1])) if match else 0
