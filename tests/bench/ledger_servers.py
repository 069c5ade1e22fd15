"""A sidecar in one mode of its ledger, or, for this measurement alone, with the records of its checks thrown away.

`python -m tests.bench.ledger_servers MODE FOLDER` serves like tests.bench.servers; MODE is off, batch, written, strict.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from sidecar.core.record import Entry, Recorded
from sidecar.server import Sidecar
from tests.bench.servers import answer, settings

OFF = "off"


class Forgetful:
    """A ledger room that keeps nothing and says it did: what answering costs without a record."""

    def __init__(self, origin: str) -> None:
        self.origin, self._size = origin, 0

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Where each would have stood."""
        first = self._size
        self._size = first + len(entries)
        return [Recorded(f"{n:032x}", n) for n in range(first, self._size)]


def main() -> None:
    """Serve until the input closes."""
    mode, folder = sys.argv[1], Path(sys.argv[2])
    sidecar = Sidecar(settings(folder, "written" if mode == OFF else mode))
    if mode == OFF:
        sidecar._pdp._ledger = Forgetful(sidecar._pdp._ledger.origin)  # no setting of the product does this
    answer(sidecar)


if __name__ == "__main__":
    main()
