"""Which hashes the signed root vouches for: followed from the root down, through whichever file still leads there."""

import itertools

from msgspec import Struct

from sidecar.core import merkle
from sidecar.core.merkle import Frontier
from sidecar.core.tiles import WIDTH
from sidecar.ledger.verify_scan import Hashes, Level, Scan, hash_over


class Truth(Struct):
    """The nodes of each level that the signed root proves; None where no file leads to it any more."""

    levels: list[Hashes]  # at level 0 only those of the partial tile

    def of_bundle(self, n: int) -> bytes | None:
        """The hash over the entries of full bundle `n`."""
        return self.levels[1][n] if len(self.levels) > 1 else None


def root_over(scan: Scan, edges: list[Hashes]) -> bytes | None:
    """The root that these right edges make, one of each level; None when a node of them is."""
    frontier = Frontier()
    for level in range(len(edges) - 1, -1, -1):
        for node in edges[level]:
            if node is None:
                return None
            frontier.append_subtree(8 * level, node)
    return frontier.root if frontier.size == scan.counts[0] else None


def entries_root(scan: Scan) -> bytes | None:
    """The root over the entries alone."""
    return root_over(scan, [scan.edge(n, level.by_entries) for n, level in enumerate(scan.levels)])


def truth(scan: Scan, root: bytes) -> Truth:
    """What the root proves. A collision of SHA-256 aside, a node that leads to the root is the one that was signed."""
    edges = _edges(scan, root)
    found: list[Hashes] = [[]] * len(scan.levels)
    for n in range(len(scan.levels) - 1, -1, -1):
        level, full = scan.levels[n], scan.counts[n] // WIDTH
        under: Hashes = []
        if n > 0:
            for k in range(full):
                under += _under(level, k, found[n + 1][k])
        found[n] = under + edges[n]
    return Truth(found)


def _edges(scan: Scan, root: bytes) -> list[Hashes]:
    """The right edges that make the root, each from whichever source has it."""
    choices: list[list[Hashes]] = []
    for n, level in enumerate(scan.levels):
        sources = [scan.edge(n, hashes) for hashes in _sources(level)]
        choices.append([edge for at, edge in enumerate(sources) if edge not in sources[:at] and None not in edge])
    for chosen in itertools.product(*choices):
        if root_over(scan, list(chosen)) == root:
            return list(chosen)
    return [[None] * (count % WIDTH) for count in scan.counts]


def _under(level: Level, k: int, node: bytes | None) -> Hashes:
    """The 256 nodes under a node that is known, from whichever source leads to it."""
    for source in _sources(level):
        part = source[k * WIDTH : (k + 1) * WIDTH]
        if node is not None and hash_over(part) == node:
            return part
    return [None] * WIDTH


def _sources(level: Level) -> tuple[Hashes, ...]:
    return level.by_entries, level.by_tiles, level.stored


def proven(candidates: list[list[bytes]], node: bytes | None) -> list[bytes] | None:
    """Of lists of 256 nodes, the one that a known node is the hash over."""
    for nodes in candidates:
        if node is not None and len(nodes) == WIDTH and merkle.root(nodes) == node:
            return nodes
    return None
