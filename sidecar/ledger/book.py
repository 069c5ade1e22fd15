"""The ledger as it is read: what is signed from the tree's bundles, what is newer from the journal."""

from collections.abc import Iterator

from sidecar.errors import LedgerUnavailable
from sidecar.ledger.journal import Journal
from sidecar.ledger.tree import Tree


class Book:
    """Every leaf in order, wherever it is kept. Any thread may read while others append."""

    def __init__(self, journal: Journal, tree: Tree) -> None:
        self._journal, self._tree = journal, tree

    @property
    def size(self) -> int:
        """Leaves acknowledged."""
        return self._journal.size

    def leaves(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each leaf from index `start` to the last one acknowledged. Raises LedgerUnavailable."""
        at, size = start, self.size
        while at < size:
            whole = min(self._tree.whole, size)
            if at < whole:
                yield from self._tree.leaves(at, whole)
                at = whole
            # What is not in the journal by now may have gone into a bundle meanwhile.
            try:
                for index, leaf in self._journal.leaves(at):
                    if index != at or at == size:
                        break
                    yield index, leaf
                    at += 1
            except LedgerUnavailable:
                if self._tree.whole <= at:
                    raise
            if at < size and self._tree.whole <= at:
                raise LedgerUnavailable(f"record {at} is missing from the journal: put its files back from their copy")
