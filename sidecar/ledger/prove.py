"""Proofs that fit in a file and need nothing else: that a decision is in the signed log, that the log only grew.

A proof is one JSON object; bytes are base64. That of a decision may also be written as a c2sp.org/tlog-proof text,
which other programs read; the record itself then stands in its `extra` line.
"""

import base64
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core import leaf as leaves
from sidecar.core.checkpoint import Checkpoint, VerifierKey
from sidecar.core.leaf import ID_BYTES, BatchLeaf, Leaf
from sidecar.core.merkle import NodeAt
from sidecar.core.tiles import ENTRIES, HEIGHT, WIDTH
from sidecar.errors import CheckpointFault, InputFault
from sidecar.ledger import verify_files as files
from sidecar.ledger.verify_files import LogFolder
from sidecar.ledger.verify_journal import unsigned_leaves

TLOG_PROOF: Final = "c2sp.org/tlog-proof@v1"
_EXTRA, _INDEX = "extra ", "index "


class Inclusion(Struct, frozen=True, tag="inclusion.1", tag_field="proof", forbid_unknown_fields=True):
    """That a record stands at `index` of the log of this checkpoint."""

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str
    decision_id: str = ""


class Consistency(Struct, frozen=True, tag="consistency.1", tag_field="proof", forbid_unknown_fields=True):
    """That the log of the checkpoint `new` begins with the log of `old`."""

    old: str
    new: str
    hashes: tuple[bytes, ...]


Proof = Inclusion | Consistency

_decode = msgspec.json.Decoder(Proof).decode


class Verdict(Struct, frozen=True):
    """Whether a proof holds, in a sentence; what it holds for; the record it is about, when it is about one."""

    holds: bool
    sentence: str
    checkpoint: Checkpoint | None = None
    signed_at: int | None = None
    leaf: Leaf | None = None


class NotYetSigned(Struct, frozen=True):
    """The record is in the journal, and no checkpoint speaks of it yet."""

    index: int


# ---- making


def inclusion(path: Path, decision_id: str) -> Inclusion | NotYetSigned | None:
    """The proof that a decision is recorded in a ledger's folder; None when nothing there has this id.

    Raises InputFault: no such id can be, or the files do not fit their checkpoint; OSError.
    """
    id_ = _id_bytes(decision_id)
    folder = LogFolder(path)
    note = _note(folder)
    told = checkpoint.read(note)
    found = _located(folder, told.size, id_)
    if found is None:
        for index, leaf in unsigned_leaves(folder, told.size):
            if _is(leaf, id_):
                return NotYetSigned(index)
        return None
    index, leaf = found
    hashes = merkle.inclusion_proof(index, told.size, nodes(folder, told))
    if not merkle.verify_inclusion(_hash(leaf), index, told.size, hashes, told.root):
        raise InputFault(f"record {index} is not the one that was signed: `ledger verify` tells what was done to it")
    return Inclusion(index, leaf, hashes, note.decode(), decision_id)


def consistency(path: Path, old_note: bytes, keys: Sequence[VerifierKey]) -> tuple[Verdict, Consistency | None]:
    """Whether the log in a folder begins with the log of an earlier checkpoint, and the proof when it does.

    Raises InputFault: a checkpoint is garbled or not signed by these keys, a tile is missing; OSError.
    """
    folder = LogFolder(path)
    note = _note(folder)
    old, new = _opened(old_note, keys, "the earlier checkpoint"), _opened(note, keys, "the log's checkpoint")
    refusal = _shrunk_or_forked(old, new)
    if refusal is not None:
        return Verdict(False, refusal, new), None
    hashes = merkle.consistency_proof(old.size, new.size, nodes(folder, new))
    if not merkle.verify_consistency(old.size, old.root, new.size, new.root, hashes):
        return Verdict(
            False, f"rewritten: the log does not begin with the {old.size} records signed earlier", new
        ), None
    proof = Consistency(old_note.decode(), note.decode(), hashes)
    return checked(proof, keys), proof


def nodes(folder: LogFolder, told: Checkpoint) -> NodeAt:
    """The nodes of a log's tree, from tiles that lead to the root of its checkpoint.

    Raises InputFault for tiles that do not; looking a node up does too, and OSError.
    """

    @lru_cache(maxsize=64)
    def tile(level: int, n: int) -> list[bytes]:
        width = min(WIDTH, (told.size >> HEIGHT * level) - n * WIDTH)
        file = folder.prefix + files.tile_file(level, n, width)
        part = folder.part(level, n, width)
        found = files.hashes(part)[:width] if part else []
        if len(found) < width:
            raise InputFault(f"`{file}` is missing or not whole: `ledger verify` tells more")
        if width == WIDTH and merkle.root(found) != tile(level + 1, n // WIDTH)[n % WIDTH]:
            raise InputFault(f"`{file}` was changed: `ledger verify` tells more")
        return found

    def node(level: int, index: int) -> bytes:
        within = level % HEIGHT
        n, first = divmod(index << within, WIDTH)
        return merkle.root(tile(level // HEIGHT, n)[first : first + (1 << within)])

    if merkle.range_hash(0, told.size, node) != told.root:
        raise InputFault("the tiles do not fit their checkpoint: `ledger verify` tells more")
    return node


# ---- checking


def checked(proof: Proof, keys: Sequence[VerifierKey]) -> Verdict:
    """Whether a proof holds for who trusts these keys. Reads nothing but the proof."""
    try:
        if isinstance(proof, Inclusion):
            return _checked_inclusion(proof, keys)
        return _checked_consistency(proof, keys)
    except CheckpointFault as fault:
        return Verdict(False, str(fault))


def _checked_inclusion(proof: Inclusion, keys: Sequence[VerifierKey]) -> Verdict:
    note = proof.checkpoint.encode()
    told, signed_at = checkpoint.opened(note, keys), checkpoint.signed_at(note, keys)
    if not merkle.verify_inclusion(_hash(proof.leaf), proof.index, told.size, proof.hashes, told.root):
        return Verdict(False, "the record, or its place, is not what was signed", told, signed_at)
    try:
        leaf = leaves.decode(proof.leaf)
    except ValueError:
        return Verdict(False, "what was signed there is no record that this version knows", told, signed_at)
    batch, _, item = proof.decision_id.partition(".")
    if batch and (leaf.id.hex() != batch or not _has_item(leaf, item)):
        return Verdict(
            False, f"the record is signed, and is that of another decision: `{leaf.id.hex()}`", told, signed_at
        )
    sentence = f"record {proof.index} of `{told.origin}` is as it was signed, among {told.size}"
    return Verdict(True, sentence, told, signed_at, leaf)


def _checked_consistency(proof: Consistency, keys: Sequence[VerifierKey]) -> Verdict:
    new_note = proof.new.encode()
    old, new = checkpoint.opened(proof.old.encode(), keys), checkpoint.opened(new_note, keys)
    signed_at = checkpoint.signed_at(new_note, keys)
    refusal = _shrunk_or_forked(old, new)
    if refusal is not None:
        return Verdict(False, refusal, new, signed_at)
    if not merkle.verify_consistency(old.size, old.root, new.size, new.root, proof.hashes):
        return Verdict(False, "the hashes do not show that the log only grew", new, signed_at)
    grown = new.size - old.size
    sentence = f"`{new.origin}` only grew: the {old.size} records signed earlier are the first of its {new.size}"
    return Verdict(True, sentence if grown else f"`{new.origin}` is what it was: {new.size} records", new, signed_at)


def _shrunk_or_forked(old: Checkpoint, new: Checkpoint) -> str | None:
    if old.origin != new.origin:
        return f"two logs: `{old.origin}` and `{new.origin}`"
    if new.size < old.size:
        return f"rolled back: {old.size} records were signed earlier, and the log now has {new.size}"
    if new.size == old.size and new.root != old.root:
        return f"forked: two different logs of {new.size} records were signed as `{new.origin}`"
    return None


def _has_item(leaf: Leaf, item: str) -> bool:
    if not item:
        return True
    return isinstance(leaf, BatchLeaf) and item.isdecimal() and int(item) < len(leaf.outcomes)


# ---- as files


def text(proof: Inclusion) -> str:
    """A proof of inclusion as c2sp.org/tlog-proof has it, the record in its `extra` line."""
    lines = [TLOG_PROOF, f"{_EXTRA}{_base64(proof.leaf)}", f"{_INDEX}{proof.index}", *map(_base64, proof.hashes)]
    return "\n".join([*lines, "", proof.checkpoint])


def read(data: bytes) -> Proof:
    """A proof of either form. Raises InputFault."""
    try:
        if data.startswith(TLOG_PROOF.encode()):
            return _read_text(data.decode())
        proof: Proof = _decode(data)
    except (msgspec.DecodeError, ValueError) as fault:
        raise InputFault(f"this is no proof: {fault}") from None
    return proof


def _read_text(told: str) -> Inclusion:
    above, empty, note = told.partition("\n\n")
    lines = above.split("\n")
    if not empty or len(lines) < 3 or not lines[1].startswith(_EXTRA) or not lines[2].startswith(_INDEX):
        raise ValueError("a first line, `extra`, `index`, hashes, an empty line, a checkpoint")
    number = lines[2].removeprefix(_INDEX)
    if not (number.isascii() and number.isdecimal()) or str(int(number[:20])) != number:
        raise ValueError("the index is not a decimal number")
    leaf = base64.b64decode(lines[1].removeprefix(_EXTRA), validate=True)
    return Inclusion(int(number), leaf, tuple(base64.b64decode(line, validate=True) for line in lines[3:]), note)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- finding


def _located(folder: LogFolder, size: int, id_: bytes) -> tuple[int, bytes] | None:
    """Index and bytes of the signed record with this id, the newest bundles first."""
    for n in range((size - 1) // WIDTH, -1, -1):
        width = min(WIDTH, size - n * WIDTH)
        bundle = folder.part(ENTRIES, n, width)
        if bundle is None or not (id_ in bundle.data or tiles.LARGE.encode() in bundle.data):
            continue
        for place, entry in enumerate(files.entries(bundle, width)):
            leaf = _leaf(folder, entry)
            if _is(leaf, id_):
                return n * WIDTH + place, leaf
    return None


def _leaf(folder: LogFolder, entry: bytes) -> bytes:
    named = tiles.large_leaf(entry)
    if named is None:
        return entry
    try:
        return folder.large(named[0]).read_bytes()
    except FileNotFoundError:
        return b""


def _is(leaf: bytes, id_: bytes) -> bool:
    try:
        return id_ in leaf and leaves.head(leaf).id == id_
    except ValueError:
        return False


def _id_bytes(decision_id: str) -> bytes:
    batch, dot, item = decision_id.partition(".")
    try:
        id_ = bytes.fromhex(batch)
    except ValueError:
        id_ = b""
    if len(id_) != ID_BYTES or batch != id_.hex() or (dot and not item.isdecimal()):
        raise InputFault(f"`{decision_id}` is no decision id: {2 * ID_BYTES} hexadecimal digits, and `.n` for an item")
    return id_


def _hash(leaf: bytes) -> bytes:
    return merkle.leaf_hash(tiles.entry(leaf))


def _note(folder: LogFolder) -> bytes:
    note = folder.checkpoint()
    if note is None:
        raise InputFault(f"`{folder.prefix}{tiles.CHECKPOINT}` is missing: nothing there is signed")
    return note


def _opened(note: bytes, keys: Sequence[VerifierKey], which: str) -> Checkpoint:
    try:
        return checkpoint.opened(note, keys)
    except CheckpointFault as fault:
        raise InputFault(f"{which}: {fault}") from None
