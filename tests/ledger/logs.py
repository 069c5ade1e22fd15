"""Logs to verify, laid out by what docs/ledger.md says and none of the writer's code; and ways to tamper with them."""

import shutil
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.checkpoint import Checkpoint, SigningKey

ORIGIN = "hospital.example/ledger"
KEY = SigningKey(ORIGIN, bytes(range(32)))
OTHER_KEY = SigningKey(ORIGIN, bytes(32))
KEYS = (KEY.public,)
AT = 1_772_398_800  # 2026-03-01T21:00:00Z
RUN = b"r" * 12


def some_leaves(count: int, length: int = 40) -> list[bytes]:
    """Leaves that differ, of somewhat differing lengths."""
    return [b"leaf %d " % n + b"x" * (length + n % 7) for n in range(count)]


def a_log(folder: Path, leaves: Sequence[bytes], tail: Sequence[bytes] = (), *, journal_from: int = 0) -> Path:
    """A ledger's folder with these leaves signed and a tail that is not; the journal holds leaves from an index on."""
    write_tree(folder / "tree", leaves)
    write_journal(folder / "journal", [*leaves, *tail][journal_from:], journal_from)
    return folder


def write_tree(tree: Path, leaves: Sequence[bytes], key: SigningKey = KEY) -> None:
    entries = []
    for leaf in leaves:
        entry = tiles.entry(leaf)
        if entry != leaf:
            put(tree / tiles.large_path(tiles.large_digest(leaf)), leaf)
        entries.append(entry)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    root = merkle.root(hashes)
    for at in range(0, len(entries), 256):
        part = entries[at : at + 256]
        put(tree / tiles.bundle_path(at // 256, len(part)), tiles.bundle(part))
    level = 0
    while hashes:
        for at in range(0, len(hashes), 256):
            part = hashes[at : at + 256]
            put(tree / tiles.tile_path(level, at // 256, len(part)), b"".join(part))
        hashes = [merkle.root(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    put(tree / "checkpoint", a_checkpoint(len(entries), root, key))


def a_checkpoint(size: int, root: bytes, key: SigningKey = KEY, origin: str = ORIGIN, at: int = AT) -> bytes:
    return checkpoint.signed(checkpoint.note(Checkpoint(origin, size, root)), [key], at)


def write_journal(journal: Path, leaves: Sequence[bytes], first: int = 0, each: int = 100) -> None:
    journal.mkdir(parents=True, exist_ok=True)
    for number, at in enumerate(range(0, max(len(leaves), 1), each), 1):
        told = struct.pack(">8sQ12s", b"DPISEG1\n", first + at, RUN)
        frames = [struct.pack(">II", len(leaf), zlib.crc32(leaf)) + leaf for leaf in leaves[at : at + each]]
        put(journal / f"{number:06}.log", told + struct.pack(">I", zlib.crc32(told)) + b"".join(frames))


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def copied(log: Path, to: Path) -> Path:
    """The log again, to be tampered with."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(log, to))


def nodes(leaves: Sequence[bytes]):
    """The nodes of the tree over these leaves, for the proofs of `core/merkle.py`."""
    hashes = [merkle.leaf_hash(tiles.entry(leaf)) for leaf in leaves]
    return lambda level, index: merkle.root(hashes[index << level : (index + 1) << level])
