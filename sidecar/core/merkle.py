"""The hash tree over a log's entries: its root, and short proofs about it (RFC 6962 2.1, RFC 9162 2.1).

A *node* (level, index) is the hash of the complete subtree over entries [index << level, (index + 1) << level).
Whoever can look nodes up can prove; whoever has a root can check a proof with nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

NodeAt = Callable[[int, int], bytes]

# RFC 6962 2.1: leaves and nodes are hashed with different prefixes, so a node can't pass for a leaf.
_LEAF, _NODE = b"\0", b"\1"


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry, 32 bytes."""
    return sha256(_LEAF + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hash of each entry."""
    begun, found = sha256(_LEAF), []
    for entry in entries:
        # A copy costs less than a hash that begins anew.
        hashed = begun.copy()
        hashed.update(entry)
        found.append(hashed.digest())
    return found


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees, 32 bytes."""
    return sha256(_NODE + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree with these leaf hashes."""
    if not hashes:
        return EMPTY_ROOT
    level, node = list(hashes), _NODE
    while len(level) > 1:
        pairs = [sha256(node + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        # RFC 6962 splits at the largest power of two: the odd one out goes up as it is.
        level = pairs + level[-1:] if len(level) & 1 else pairs
    return level[0]


def range_hash(start: int, end: int, node: NodeAt) -> bytes:
    """The hash over entries [start, end) as it stands in a tree: `start` is a multiple of the range's power of two."""
    parts = [node(level, at >> level) for level, at in _complete(start, end)]
    return _folded(parts)


def inclusion_proof(index: int, size: int, node: NodeAt) -> tuple[bytes, ...]:
    """The hashes that lead from entry `index` to the root of the first `size` entries (RFC 6962 2.1.1).

    Raises ValueError for an index that is not in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} entries has no entry {index}")
    start, end, proof = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(middle, end, node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, node: NodeAt) -> tuple[bytes, ...]:
    """The hashes that show that the tree of `new` entries begins with that of `old` (RFC 6962 2.1.2).

    Empty when one of them is no news: nothing, or the same size. Raises ValueError when the tree would shrink.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} entries cannot begin with one of {old}")
    if old in (0, new):
        return ()
    start, end, proof = 0, new, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(range_hash(middle, end, node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node))
            start = middle
    if start:
        proof.append(range_hash(start, end, node))
    return tuple(reversed(proof))


def verify_inclusion(entry_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the entry with this leaf hash is the one at `index` in the tree of `size` entries with this root.

    RFC 9162 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, entry_hash
    for part in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(part, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, part)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `new` entries with `new_root` begins with the tree of `old` entries with `old_root`.

    RFC 9162 2.1.4.2. Every tree begins with the empty one.
    """
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    # A complete old tree is a node of the new one: the proof does not repeat its root.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    in_old = in_new = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            in_old, in_new = node_hash(part, in_old), node_hash(part, in_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            in_new = node_hash(in_new, part)
        at, last = at >> 1, last >> 1
    return last == 0 and in_old == old_root and in_new == new_root


class Frontier:
    """A tree that grows at its end and knows its root: the complete subtrees at its right edge, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    @classmethod
    def of(cls, size: int, node: NodeAt) -> Self:
        """The frontier of the first `size` entries of a tree whose nodes can be looked up."""
        frontier = cls()
        frontier._edge = [node(level, at >> level) for level, at in _complete(0, size)]
        frontier.size = size
        return frontier

    def append(self, entry_hash: bytes) -> None:
        """Add an entry's leaf hash."""
        self.append_subtree(0, entry_hash)

    def append_subtree(self, level: int, subtree_hash: bytes) -> None:
        """Add the hash of a complete subtree over the next `1 << level` entries.

        The size is a multiple of that. Raises ValueError when it is not.
        """
        count = self.size >> level
        if count << level != self.size:
            raise ValueError(f"a subtree of {1 << level} entries cannot follow {self.size}")
        self.size += 1 << level
        while count & 1:
            subtree_hash = node_hash(self._edge.pop(), subtree_hash)
            count >>= 1
        self._edge.append(subtree_hash)

    @property
    def root(self) -> bytes:
        """The root of what was added so far."""
        return _folded(self._edge)


def _split(count: int) -> int:
    """The largest power of two smaller than `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Level and first entry of the complete subtrees that make [start, end), left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start
        start += 1 << level


def _folded(parts: Sequence[bytes]) -> bytes:
    if not parts:
        return EMPTY_ROOT
    found = parts[-1]
    for part in reversed(parts[:-1]):
        found = node_hash(part, found)
    return found
