"""What can be done to a log's files: each deed names the file it was done to, what it is, and the records concerned.

Light of the product: bytes, and core/tiles.py for how a bundle is put together.
"""

import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sidecar.core import checkpoint, merkle, tiles
from tests.ledger.logs import KEY, OTHER_KEY, a_checkpoint, a_log, put, some_leaves, write_tree

SIGNED, TAIL = 600, 5
LARGE_AT = 300
EARLIER = 550  # the size of an earlier checkpoint, whose partial tiles are still there

Tree = dict[str, bytes]  # path below the ledger's folder → bytes


class Files(Tree):
    """The same. Shown without them: they fill a screen of a failing test."""

    def __repr__(self) -> str:
        return f"{len(self)} files"


class Deed(NamedTuple):
    """A way to tamper: what it gives in place of the files, which one should be named, and as what."""

    name: str
    files: Callable[[Tree], Tree]
    named: str | None  # None: the files agree with each other, so that the signed checkpoint alone contradicts them
    kinds: set[str]
    records: set[int] | None = None  # every one of them should be named; None: no record in particular


def the_leaves() -> list[bytes]:
    leaves = some_leaves(SIGNED, 10)
    leaves[LARGE_AT] = b"large leaf " + bytes(70_000)
    return leaves


def the_log(folder: Path) -> Path:
    """The log that is tampered with: two full bundles and a partial one, a large record, an earlier partial tile."""
    leaves = the_leaves()
    a_log(folder, leaves, some_leaves(TAIL, 30), journal_from=380)
    part = [tiles.entry(leaf) for leaf in leaves[512:EARLIER]]
    put(folder / "tree" / tiles.bundle_path(2, EARLIER - 512), tiles.bundle(part))
    put(folder / "tree" / tiles.tile_path(0, 2, EARLIER - 512), b"".join(map(merkle.leaf_hash, part)))
    return folder


def read(folder: Path) -> Files:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return Files({path.relative_to(folder).as_posix(): path.read_bytes() for path in found})


def write(folder: Path, files: Tree, before: Tree) -> None:
    """Make the folder hold these files, given that it holds those before."""
    for name in before.keys() - files.keys():
        (folder / name).unlink()
    for name, data in files.items():
        if before.get(name) != data:
            put(folder / name, data)


def deeds(files: Tree) -> Iterator[Deed]:
    """What is done to whole files, records, hashes and checkpoints."""
    yield from _whole_files(files)
    yield from _records()
    yield from _tiles()
    yield from _checkpoints()


# ---- bytes and files


def byte_deeds(files: Tree, every: int) -> Iterator[Deed]:
    """A bit changed in every so many bytes of every file, each file cut at some places, and a byte added."""
    for name, data in files.items():
        if not data or name.startswith("tree/large"):
            places = [0, len(data) // 2, len(data) - 1]
        else:
            places = [*range(0, len(data), every), len(data) - 1]
        for at in places:
            yield Deed(
                f"a bit of byte {at} of {name}",
                _with(name, _flipped(data, at)),
                name,
                _changed(name),
                _record(name, at, data),
            )
        for end in (0, 1, len(data) // 2, len(data) - 1):
            kinds = {"truncated", "modified", "missing", "unsigned"}
            yield Deed(f"{name} cut at {end}", _with(name, data[:end]), name, kinds)
        yield Deed(f"a byte behind {name}", _with(name, data + b"\0"), name, {"modified", "truncated", "noted"})


def _changed(name: str) -> set[str]:
    if name.endswith("checkpoint"):
        return {"modified", "unsigned", "truncated"}
    return {"modified", "truncated", "missing", "reordered", "duplicated"}


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _record(name: str, at: int, data: bytes) -> set[int] | None:
    """The record whose entry, hash or length a byte of a bundle or lowest tile belongs to."""
    if name.startswith("tree/tile/0/") and ".p/38" not in name:
        return {int(name.removeprefix("tree/tile/0/")[:3]) * 256 + at // 32}
    if name.startswith("tree/tile/entries/") and ".p/38" not in name:
        end = 0
        for n, entry in enumerate(tiles.entries(data)):
            end += 2 + len(entry)
            if at < end:
                return {int(name.removeprefix("tree/tile/entries/")[:3]) * 256 + n}
    return None


def _with(name: str, data: bytes) -> Callable[[Tree], Tree]:
    return lambda files: {**files, name: data}


def _whole_files(files: Files) -> Iterator[Deed]:
    for name in files:
        if ".p/38" in name or name in ("journal/000001.log", "journal/000003.log"):
            continue  # that an earlier partial tile, the oldest or the newest segment was there, nothing tells
        yield Deed(f"{name} taken away", _without(name), name, {"missing"})
    yield Deed("the journal's end taken away", _without("journal/000003.log"), "journal/000002.log", {"truncated"})
    swapped = [("tree/tile/entries/000", "tree/tile/entries/001"), ("tree/tile/0/000", "tree/tile/0/001")]
    for one, other in swapped:
        yield Deed(f"{one} and {other} swapped", _swapped(one, other), one, {"reordered", "modified"}, set(range(256)))
        yield Deed(f"{one} and {other} swapped", _swapped(one, other), other, {"reordered", "modified"}, {256, 511})
        yield Deed(
            f"{one} in place of {other} too", lambda files, a=one, b=other: {**files, b: files[a]}, other,
            {"duplicated"}, set(range(256, 512)),
        )  # fmt: skip
    yield Deed("a file more", _with("tree/tile/0/notes.txt", b"x"), "tree/tile/0/notes.txt", {"unexpected"})
    yield Deed("a segment more", _with("journal/notes", b"x"), "journal/notes", {"unexpected"})
    yield Deed(
        "the tree cut back to its first bundle",
        lambda files: {name: data for name, data in files.items() if "/001" not in name and "/002" not in name},
        "tree/tile/entries/001", {"missing"}, set(range(256, 512)),
    )  # fmt: skip


def _without(name: str) -> Callable[[Tree], Tree]:
    return lambda files: {each: data for each, data in files.items() if each != name}


def _swapped(one: str, other: str) -> Callable[[Tree], Tree]:
    return lambda files: {**files, one: files[other], other: files[one]}


# ---- records


def _records() -> Iterator[Deed]:
    full, last = "tree/tile/entries/001", "tree/tile/entries/002.p/88"
    for name, base, width in ((full, 256, 256), (last, 512, 88)):
        for n in (0, 1, width // 2, width - 1):
            index = {base + n}
            yield Deed(f"record {base + n} changed", _edited(name, n, n + 1, [b"other"]), name, {"modified"}, index)
            yield Deed(f"record {base + n} emptied", _edited(name, n, n + 1, [b""]), name, {"modified"}, index)
            yield Deed(f"record {base + n} removed", _edited(name, n, n + 1, []), name, {"missing", "truncated"}, index)
            yield Deed(
                f"a record slipped in before {base + n}", _edited(name, n, n, [b"forged"]), name, {"modified"}, index
            )
            other = (n + 7) % width
            yield Deed(
                f"records {base + n} and {base + other} swapped", _exchanged(name, n, name, other), name,
                {"reordered"}, {base + n, base + other},
            )  # fmt: skip
            yield Deed(f"record {base + n} twice", _repeated(name, n, n + 1), name, {"duplicated"})
            yield Deed(
                f"record {base + n} in place of {base + other} too", _copied(name, n, name, other), name,
                {"duplicated"}, {base + other},
            )  # fmt: skip
    far = "tree/tile/entries/000"
    yield Deed("records 3 and 522 swapped", _exchanged(far, 3, last, 10), far, {"reordered"}, {3})
    yield Deed("records 3 and 522 swapped", _exchanged(far, 3, last, 10), last, {"reordered"}, {522})
    yield Deed("record 3 in place of 522 too", _copied(far, 3, last, 10), last, {"duplicated"}, {522})
    large = "tree/" + tiles.large_path(tiles.large_digest(the_leaves()[LARGE_AT]))
    yield Deed("the large record's bytes changed", _with(large, bytes(70_011)), large, {"modified"}, {LARGE_AT})
    for name in ("journal/000001.log", "journal/000002.log"):
        for at in (0, 50, 99):
            yield Deed(f"leaf {at} of {name} rewritten", _rewritten(name, at), name, {"modified"})


def _edited(name: str, start: int, end: int, new: list[bytes]) -> Callable[[Tree], Tree]:
    def edit(files: Tree) -> Tree:
        entries = tiles.entries(files[name])
        entries[start:end] = new
        return {**files, name: tiles.bundle(entries)}

    return edit


def _repeated(name: str, n: int, at: int) -> Callable[[Tree], Tree]:
    return lambda files: _edited(name, at, at, [tiles.entries(files[name])[n]])(files)


def _copied(name: str, n: int, to: str, at: int) -> Callable[[Tree], Tree]:
    return lambda files: _edited(to, at, at + 1, [tiles.entries(files[name])[n]])(files)


def _exchanged(name: str, n: int, other: str, at: int) -> Callable[[Tree], Tree]:
    def exchange(files: Tree) -> Tree:
        ours, theirs = tiles.entries(files[name])[n], tiles.entries(files[other])[at]
        return _edited(other, at, at + 1, [ours])(_edited(name, n, n + 1, [theirs])(files))

    return exchange


def _rewritten(name: str, n: int) -> Callable[[Tree], Tree]:
    """A leaf of the journal changed by who knows how frames are checked."""

    def rewrite(files: Tree) -> Tree:
        data, at = bytearray(files[name]), 32
        for _ in range(n):
            at += 8 + int.from_bytes(data[at : at + 4], "big")
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        data[end - 1] ^= 1
        data[at + 4 : at + 8] = zlib.crc32(bytes(data[at + 8 : end])).to_bytes(4, "big")
        return {**files, name: bytes(data)}

    return rewrite


# ---- tiles and checkpoints, with the tree made to fit


def _tiles() -> Iterator[Deed]:
    upper = "tree/tile/1/000.p/2"
    yield Deed(
        "the hashes of a tile swapped",
        _hashes_swapped("tree/tile/0/001", 4, 9),
        "tree/tile/0/001",
        {"reordered"},
        {260, 265},
    )
    yield Deed("the hashes of level 1 swapped", _hashes_swapped(upper, 0, 1), upper, {"reordered"}, {0, 511})
    yield Deed("a record and its hash changed together", _with_hash(257), None, {"modified"}, {257})
    yield Deed("a record and every hash over it changed", _forged(257, sign=False), None, {"modified"})


def _hashes_swapped(name: str, one: int, other: int) -> Callable[[Tree], Tree]:
    def swap(files: Tree) -> Tree:
        hashes = tiles.hashes(files[name])
        hashes[one], hashes[other] = hashes[other], hashes[one]
        return {**files, name: b"".join(hashes)}

    return swap


def _with_hash(index: int) -> Callable[[Tree], Tree]:
    """A record of bundle 1 changed, and its hash in the tile with it."""

    def change(files: Tree) -> Tree:
        entries = tiles.entries(files["tree/tile/entries/001"])
        entries[index - 256] = b"forged"
        hashes = b"".join(map(merkle.leaf_hash, entries))
        return {**files, "tree/tile/entries/001": tiles.bundle(entries), "tree/tile/0/001": hashes}

    return change


def _forged(index: int, *, sign: bool) -> Callable[[Tree], Tree]:
    """A record changed and the whole tree made anew over it, with the old checkpoint or one signed by another key."""

    def forge(files: Tree) -> Tree:
        leaves = the_leaves()
        leaves[index] = b"forged"
        with tempfile.TemporaryDirectory() as folder:
            write_tree(Path(folder) / "tree", leaves, OTHER_KEY)
            made = read(Path(folder))
        if not sign:
            made["tree/checkpoint"] = files["tree/checkpoint"]
        return {name: data for name, data in files.items() if name.startswith("journal/")} | made

    return forge


def _checkpoints() -> Iterator[Deed]:
    name = "tree/checkpoint"
    leaves = the_leaves()
    hashes = [merkle.leaf_hash(tiles.entry(leaf)) for leaf in leaves]
    root = merkle.root(hashes)
    text = checkpoint.note(checkpoint.Checkpoint("hospital.example/ledger", SIGNED, root))
    yield Deed("the tree forged and signed by another key", _forged(257, sign=True), name, {"unsigned"})
    yield Deed("signed by another key", _with(name, a_checkpoint(SIGNED, root, OTHER_KEY)), name, {"unsigned"})
    yield Deed("not signed", _with(name, text + b"\n"), name, {"modified", "truncated", "unsigned"})
    yield Deed("another log's", _with(name, a_checkpoint(SIGNED, root, KEY, "other.example/log")), name, {"unsigned"})
    yield Deed("another root", _with(name, a_checkpoint(SIGNED, bytes(32))), name, {"modified"})
    yield Deed(
        "a size beyond the tree", _with(name, a_checkpoint(SIGNED + 1, root)), "tree/tile/entries/002.p/89", {"missing"}
    )
